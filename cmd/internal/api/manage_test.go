package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

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
		`{"name":"crm"}`:                                                " expected required property families to be present",
		`{"name":"CRM","families":["data"]}`:                            "/name expected string to be 1 to 32",
		`{"name":"crm","families":[]}`:                                  "/families expected array length >= 1",
		`{"name":"crm","families":["data","data"]}`:                     "/families expected array items to be unique",
		`{"name":"crm","families":["people"]}`:                          "/families/0 expected value to be one of",
		`{"name":"crm","families":"data"}`:                              "/families expected array",
		`{"name":"crm","families":["data"],"secret":1}`:                 " unexpected property",
		`{"name":"crm","families":["data"],"except":["breach.closed"]}`: "/except/0 is not a kind of the families given",
		`{"name":"custody","families":["data"]}`:                        "/name is the ledger's own",
		`{"name":"crm","families":null}`:                                "/families expected array",
		`[]`:                                                            " expected object",
		``:                                                              " must be as",
		`{`:                                                             " must be as",
		`{"a"}`:                                                         " must be as",
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
