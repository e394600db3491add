package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/stream"
)

func TestProducers(t *testing.T) {
	r := newRig(t)
	for _, step := range []struct {
		body, outcome string
		status        int
	}{
		{`{"name":"crm","families":["subject","data"],"except":["data.deleted"]}`, "added", 201},
		{`{"name":"crm","families":["data","subject"],"except":["data.deleted"]}`, "unchanged", 200},
		{`{"name":"crm","families":["data"]}`, "changed", 200},
	} {
		a := r.send(access.RoleOperator, "POST", "/v1/producers", step.body, "Content-Type", "application/json")
		if a.StatusCode != step.status || !strings.Contains(a.body, `"outcome":"`+step.outcome+`"`) {
			t.Errorf("%s: %d %s, want %d %s", step.body, a.StatusCode, a.body, step.status, step.outcome)
		}
	}
	a := r.send(access.RoleOperator, "GET", "/v1/producers", "")
	if want := `{"producers":[{"name":"ats","families":["data","ledger"]},{"name":"crm","families":["data"]},{"name":"register","families":["governance"]}]}`; strings.TrimSpace(a.body) != want {
		t.Errorf("%s, want %s", a.body, want)
	}
	for body, want := range map[string]string{
		`{"name":"crm"}`:                                                "/families expected required property families to be present",
		`{"name":"CRM","families":["data"]}`:                            "/name expected string to be 1 to 32",
		`{"name":"crm","families":[]}`:                                  "/families expected array length >= 1",
		`{"name":"crm","families":["data","data"]}`:                     "/families/1 is not a family of events, or is there twice",
		`{"name":"crm","families":[{"data":1}]}`:                        "/families/0 expected string",
		`{"name":"crm","families":["people"]}`:                          "/families/0 expected value to be one of",
		`{"name":"crm","families":"data"}`:                              "/families expected array",
		`{"name":"crm","families":["data"],"secret":1}`:                 "/secret unexpected property",
		`{"name":"crm","families":["data"],"except":["breach.closed"]}`: "/except/0 is not a kind of the families given",
		`{"name":"custody","families":["data"]}`:                        "/name is the ledger's own",
		`{"name":"crm","families":null}`:                                "/families expected array",
		`[]`:                                                            " expected object",
		``:                                                              " must be as",
		`{`:                                                             " expected JSON",
		`{"a"}`:                                                         " expected JSON",
	} {
		a := r.send(access.RoleOperator, "POST", "/v1/producers", body, "Content-Type", "application/json")
		var p Problem
		strict(t, a.body, &p)
		if got := p.Path + " " + p.Detail; a.StatusCode != 400 || p.Status != 400 || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %d %q, want %q", body, a.StatusCode, got, want)
		}
	}
	if a := r.send(access.RoleOperator, "POST", "/v1/producers", `{"name":"crm","families":["data"]}`, "Content-Type", "text/plain"); a.StatusCode != 415 {
		t.Errorf("text/plain: %d %s", a.StatusCode, a.body)
	}
	for _, want := range []int{204, 404} {
		if a := r.send(access.RoleOperator, "DELETE", "/v1/producers/crm", ""); a.StatusCode != want {
			t.Errorf("removing: %d, want %d", a.StatusCode, want)
		}
	}
}

// TestTokens makes, lists and revokes one: it is shown once, and used.
func TestTokens(t *testing.T) {
	r := newRig(t)
	a := r.send(access.RoleOperator, "POST", "/v1/tokens", `{"role":"auditor","name":"court"}`, "Content-Type", "application/json")
	var made struct{ ID, Token, Role, Name string }
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.StatusCode != 201 || made.Role != "auditor" || made.Name != "court" {
		t.Fatalf("%v %d %s", err, a.StatusCode, a.body)
	}
	r.tokens["made"] = made.Token
	if a := r.send("made", "GET", "/v1/status", ""); a.StatusCode != 200 {
		t.Errorf("using it: %d", a.StatusCode)
	}
	list := r.send(access.RoleOperator, "GET", "/v1/tokens", "").body
	if strings.Contains(list, made.Token) || strings.Contains(list, "custody_") || !strings.Contains(list, made.ID) || strings.Contains(list, "0001-01-01") {
		t.Errorf("the list: %s", list)
	}
	if strings.Contains(r.log.String(), made.Token) {
		t.Error("the log shows the token")
	}
	for range 2 {
		if a := r.send(access.RoleOperator, "DELETE", "/v1/tokens/"+made.ID, ""); a.StatusCode != 204 {
			t.Errorf("revoking: %d %s", a.StatusCode, a.body)
		}
	}
	if a := r.send("made", "GET", "/v1/status", ""); a.StatusCode != 401 {
		t.Errorf("using it after: %d", a.StatusCode)
	}
	if a := r.send(access.RoleOperator, "DELETE", "/v1/tokens/0123456789abcdef", ""); a.StatusCode != 404 {
		t.Errorf("revoking one that is not: %d", a.StatusCode)
	}
	if a := r.send(access.RoleOperator, "DELETE", "/v1/tokens/"+r.tokenOf(access.RoleOperator), ""); a.StatusCode != 409 {
		t.Errorf("revoking the last operator: %d", a.StatusCode)
	}
}

// TestBoxedTokens makes tokens that are bound to a case, a time or a person: the
// answers say which, but of the person nothing.
func TestBoxedTokens(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		body, want string
		box        access.Box
	}{
		{`{"role":"investigator","name":"i","case":"c-7","from":"2026-03-01T00:00:00+01:00","to":"2026-04-01T00:00:00Z"}`,
			`"case":"c-7","from":"2026-02-28T23:00:00Z","to":"2026-04-01T00:00:00Z"`,
			access.Box{Case: "c-7", From: time.Date(2026, 2, 28, 23, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}},
		{`{"role":"dpo","name":"i","to":"2026-04-01T00:00:00Z"}`, `"name":"i","to":"2026-04-01T00:00:00Z"`, access.Box{To: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}},
		{`{"role":"subject","name":"i","person":"candidate:10412"}`, `"name":"i","created"`, access.Box{Person: fakeRow}},
	} {
		a := r.send(access.RoleOperator, "POST", "/v1/tokens", tt.body, "Content-Type", "application/json")
		var made struct{ ID, Token string }
		if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.StatusCode != 201 || !strings.Contains(a.body, tt.want) {
			t.Errorf("%s: %v %d %s", tt.body, err, a.StatusCode, a.body)
			continue
		}
		p, err := r.ledger.store.Authenticate(made.Token)
		if err != nil || p.Box != tt.box {
			t.Errorf("%s: bound to %+v, %v", tt.body, p.Box, err)
		}
		list := r.send(access.RoleOperator, "GET", "/v1/tokens", "").body
		if !strings.Contains(list, tt.want) || strings.Contains(list, fakeRow) || strings.Contains(a.body+list, "10412") {
			t.Errorf("%s: listed as %s", tt.body, list)
		}
	}
	for body, want := range map[string]string{
		`{"role":"investigator","name":"i","case":"C 7"}`:                                              "/case expected a code",
		`{"role":"investigator","name":"i","case":"0475123456"}`:                                       "/case looks like personal data",
		`{"role":"auditor","name":"i","case":"c-7"}`:                                                   "/case only a token that may ask",
		`{"role":"investigator","name":"i","from":"2026-03-01T00:00:00Z","to":"2026-03-01T00:00:00Z"}`: "/to must be after",
		`{"role":"investigator","name":"i","from":"yesterday"}`:                                        "/from expected string to be RFC 3339",
		`{"role":"subject","name":"i"}`:                                                                "/person a token of role subject is for one person",
		`{"role":"subject","name":"i","person":"candidate:zulu404"}`:                                   "/person nobody is known",
		`{"role":"subject","name":"i","person":"` + fakeRow + `"}`:                                     "/person nobody is known",
		`{"role":"dpo","name":"i","person":"candidate:10412"}`:                                         "/person only a token of role subject",
	} {
		a := r.send(access.RoleOperator, "POST", "/v1/tokens", body, "Content-Type", "application/json")
		var p Problem
		strict(t, a.body, &p)
		if got := p.Path + " " + p.Detail; a.StatusCode != 400 || !strings.HasPrefix(got, want) || strings.Contains(a.body, "zulu404") {
			t.Errorf("%s: %d %q, want %q", body, a.StatusCode, got, want)
		}
	}
	if strings.Contains(r.log.String(), "10412") || strings.Contains(r.log.String(), "zulu404") {
		t.Error("the log shows an identifier")
	}
}

// TestPages goes through lists page by page.
func TestPages(t *testing.T) {
	r := newRig(t)
	for i := range 8 {
		if _, err := r.ledger.store.PutProducer(t.Context(), "", access.Producer{Name: fmt.Sprintf("p%d", i), Families: []string{"data"}}); err != nil {
			t.Fatal(err)
		}
	}
	for path, total := range map[string]int{"producers": 10, "tokens": 7} {
		for limit := 1; limit <= total+1; limit++ {
			seen, pages := map[string]bool{}, 0
			for cursor, more := "", true; more; pages++ {
				a := r.send(access.RoleOperator, "GET", fmt.Sprintf("/v1/%s?limit=%d%s", path, limit, cursor), "")
				var page map[string]json.RawMessage
				if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.StatusCode != 200 {
					t.Fatalf("%v %d %s", err, a.StatusCode, a.body)
				}
				var list []struct{ Name, ID string }
				var next string
				json.Unmarshal(page[path], &list)
				json.Unmarshal(page["next"], &next)
				for _, e := range list {
					seen[e.Name+e.ID] = true
				}
				if len(list) > limit {
					t.Fatalf("%d on a page of %d", len(list), limit)
				}
				cursor, more = "&cursor="+next, next != ""
			}
			if len(seen) != total || pages != (total+limit-1)/limit {
				t.Errorf("%s by %d: %d on %d pages, want %d", path, limit, len(seen), pages, total)
			}
		}
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "cursor=%21"} {
		if a := r.send(access.RoleOperator, "GET", "/v1/producers?"+query, ""); a.StatusCode != 400 {
			t.Errorf("%s: %d %s", query, a.StatusCode, a.body)
		}
	}
}

// TestManageFaults fails the access stream under a change.
func TestManageFaults(t *testing.T) {
	for fault, want := range map[error]string{stream.ErrUnknown: "503 unknown-outcome", stream.ErrRejected: "503 not-recorded", stream.ErrFenced: "503 unknown-outcome"} {
		r := newRig(t)
		r.ledger.log.fail = fault
		a := r.send(access.RoleOperator, "POST", "/v1/producers", `{"name":"crm","families":["data"]}`, "Content-Type", "application/json")
		var p Problem
		strict(t, a.body, &p)
		if got := fmt.Sprint(a.StatusCode, " ", strings.TrimPrefix(p.Type, problemPrefix)); got != want || a.Header.Get("Retry-After") == "" || a.Header.Get("Content-Type") != problemType {
			t.Errorf("%v: %s, want %s", fault, got, want)
		}
		if a := r.send(access.RoleOperator, "POST", "/v1/producers", `{"name":"crm","families":["data"]}`, "Content-Type", "application/json"); a.StatusCode != 201 {
			t.Errorf("%v: again: %d %s", fault, a.StatusCode, a.body)
		}
	}
}
