package api

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/ledger/access"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// forgetting is a reading whose people can be forgotten.
type forgetting struct {
	*reading
	office *forget.Office
	deputy string // a second officer's token
	schema *jsonschema.Compiler
	seen   strings.Builder // every problem
}

func newForgetting(t *testing.T) *forgetting {
	t.Helper()
	f := &forgetting{reading: newReading(t), schema: jsonschema.NewCompiler()}
	desk, err := ask.New(ask.Config{Ledger: f.ledger, Views: f.views})
	f.must(err)
	f.office = forget.New(forget.Config{Ledger: f.ledger, Desk: desk, Log: slog.New(slog.NewTextHandler(f.log, nil))})
	f.api.AttachOffice(f.office)
	officer := f.tokens[access.RoleDPO]
	f.deputy = f.token(access.NewToken{Role: access.RoleDPO, Name: "test-deputy"})
	f.tokens[access.RoleDPO] = officer
	f.schema.DefaultDraft(jsonschema.Draft2020)
	f.must(f.schema.AddResource("urn:doc", document3(t, newRig(t))))
	return f
}

// does makes a request that succeeds, and holds the answer against the document.
func (f *forgetting) does(route, target, body string, out any) string {
	f.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	a := f.ask(access.RoleDPO, method, target, body)
	if a.StatusCode != 200 {
		f.t.Fatalf("%s: %d %s", route, a.StatusCode, a.body)
	}
	pointer := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path)
	s, err := f.schema.Compile("urn:doc#/paths/" + pointer + "/" + strings.ToLower(method) + "/responses/200/content/application~1json/schema")
	f.must(err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(a.body))
	f.must(err)
	if err := s.Validate(value); err != nil {
		f.t.Errorf("%s: %v in %s", route, err, a.body)
	}
	if out != nil {
		f.must(json.Unmarshal([]byte(a.body), out))
	}
	return a.body
}

// paper does something that is certified; named says whether the copy has names.
func (f *forgetting) paper(route, target, body string, kind report.Kind, named bool) *report.Certificate {
	f.t.Helper()
	text := f.does(route, target, body, nil)
	c, err := report.Decode(strings.NewReader(text))
	f.must(err)
	if c.Kind != kind {
		f.t.Errorf("%s: a certificate of kind %s, want %s", route, c.Kind, kind)
	}
	for _, id := range []string{"88001", "77001"} {
		if strings.Contains(text, id) != named {
			f.t.Errorf("%s: it names somebody, %t: %s", route, !named, text)
		}
	}
	return c
}

// refused makes a request that does not succeed, and returns the problem.
func (f *forgetting) refused(want word, token, method, target, body string) Problem {
	f.t.Helper()
	a := f.askWith(f.t.Context(), token, method, target, body)
	f.seen.WriteString(a.body)
	return f.problem(a, want, somebody()...)
}

func (f *forgetting) officer() string { return f.tokens[access.RoleDPO] }

// hold places one on everything, or releases it.
func (f *forgetting) hold(id, kind, more string) {
	f.t.Helper()
	f.record([]string{fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/register","type":"eu.custody.governance.hold-%s.v1","time":%q,"data":{"actor":{"id":"employee:zulu77","role":"dpo"},"hold":"claim:7"%s}}`,
		id, kind, time.Now().UTC().Format(time.RFC3339), more)})
}

// TestErasures goes from a dry run to the certificate, and holds that whoever was
// erased is answered about like somebody who never was.
func TestErasures(t *testing.T) {
	f := newForgetting(t)
	const erase, one = "POST /v1/erasures", "GET /v1/erasures/{position}"
	const body = `{"identifier":"candidate:88001","reason":"request","request":"dsar:2026/33"`
	head := f.ledger.Head().Position
	f.paper(erase, "/v1/erasures", body+`,"dry_run":true}`, report.DryRun, true)
	if f.ledger.Head().Position != head+1 {
		t.Error("a dry run records more than that identifiers were shown")
	}
	opened := f.paper(erase, "/v1/erasures", body+`,"keep":["legal-state:A17-3-e"],"due":"2099-01-01T00:00:00Z"}`, report.Restricted, true)
	number := opened.Erasure.Position
	path := fmt.Sprintf("/v1/erasures/%d", number)
	if p := f.refused(erasureOpen, f.officer(), "POST", "/v1/erasures", body+`}`); p.Erasure != number {
		t.Errorf("it says erasure %d, want %d", p.Erasure, number)
	}
	var list ask.ErasureList
	var detail ask.ErasureDetail
	f.does("GET /v1/erasures", "/v1/erasures", "", &list)
	text := f.does(one, path+"?case=c-1", "", &detail)
	if len(list.Items) != 1 || list.Items[0].State != "open" || detail.Pursuit == nil || len(detail.Pursuit.Recipients) != 3 || strings.Contains(text, "88001") {
		t.Errorf("%+v, %s", list, text)
	}
	var found struct{ Restricted *ask.Restricted }
	f.get("POST", "/v1/persons/lookup", `{"identifier":"crm:77001"}`, &found)
	if found.Restricted == nil || found.Restricted.Erasure != number {
		t.Errorf("restricted: %+v", found.Restricted)
	}
	f.paper("GET /v1/erasures/{position}/certificate", path+"/certificate", "", report.Restricted, false)
	f.paper("POST /v1/erasures/{position}/shred", path+"/shred", `{"case":"c-1"}`, report.Erased, false)
	f.refused(erasureEnded, f.officer(), "POST", path+"/shred", `{}`)
	f.refused(erasureEnded, f.officer(), "POST", path+"/cancel", `{"reason":"withdrawn"}`)
	f.paper("GET /v1/erasures/{position}/certificate", path+"/certificate", "", report.Erased, false)
	f.does(one, path, "", &detail)
	if detail.State != "shredded" || detail.Ended == nil {
		t.Errorf("it is %s", detail.State)
	}
	for _, id := range []string{"candidate:88003", "candidate:88004"} {
		f.get("POST", "/v1/persons/lookup", fmt.Sprintf(`{"identifier":%q}`, id), &found)
	}
	var now struct{ Shredding report.Shredding }
	f.does(erase, "/v1/erasures", `{"identifier":"candidate:88002","reason":"objection","now":true}`, &now)
	if now.Shredding.RootAfter != 3 {
		t.Errorf("%+v", now.Shredding)
	}
	gone := f.refused(notKnown, f.officer(), "POST", "/v1/erasures", strings.Replace(body, "88001", "88002", 1)+`}`)
	if never := f.refused(notKnown, f.officer(), "POST", "/v1/erasures", strings.Replace(body, "88001", "98765", 1)+`}`); fmt.Sprint(never) != fmt.Sprint(gone) {
		t.Errorf("%+v is answered about somebody erased, %+v about nobody", gone, never)
	}
}

// TestForgettingProblems goes through what keeps somebody, or a class, from being
// forgotten, and what was not meant.
func TestForgettingProblems(t *testing.T) {
	f := newForgetting(t)
	erase := func(more string) string {
		return `{"identifier":"candidate:88001","reason":"request"` + more + `}`
	}
	for more, path := range map[string]string{
		`,"keep":["disclosure"]`:             "/keep/0",
		`,"keep":["none:A17-3-e"]`:           "/keep/0",
		`,"keep":["access:"]`:                "/keep/0",
		`,"as_actor":true`:                   "",
		`,"ground":"left"`:                   "",
		`,"request":"see my mail!"`:          "/request",
		`,"request":"jan@example.org"`:       "/request",
		`,"case":"DSAR"`:                     "/case",
		`,"ground":"Left","as_actor":true`:   "/ground",
		`,"due":"2020-01-01T00:00:00Z"`:      "",
		`,"dry_run":true,"ground":"left"`:    "",
		`,"nosuch":true`:                     "",
		`,"keep":["access:A17-9"]`:           "",
		`,"approval":7`:                      "/approval",
		`,"dry_run":true,"keep":["access:"]`: "/keep/0",
	} {
		if p := f.refused(invalidRequest, f.officer(), "POST", "/v1/erasures", erase(more)); path != "" && p.Path != path {
			t.Errorf("%s: at %q, want %q: %s", more, p.Path, path, p.Detail)
		}
	}
	f.refused(invalidRequest, f.officer(), "POST", "/v1/erasures", `{"identifier":"candidate:88001","reason":"because"}`)
	f.refused(invalidRequest, f.officer(), "POST", "/v1/reveals", `{"reason":"c"}`)
	f.refused(invalidRequest, f.officer(), "POST", "/v1/reveals", `{"reason":"a code","position":1}`)
	f.refused(invalidRequest, f.officer(), "POST", "/v1/reveals", `{"reason":"c","position":1,"words":"mail jan@example.org","who":"colleagues"}`)
	month := time.Now().UTC().AddDate(0, 2, 0).Format("2006-01")
	f.refused(invalidRequest, f.officer(), "POST", "/v1/retention", `{"class":"access","before":"`+month+`"}`)
	f.refused(invalidRequest, f.officer(), "GET", "/v1/retention/access?before="+month, "")
	f.refused(invalidRequest, f.officer(), "GET", "/v1/retention/access?before=2025-7", "")
	f.refused(invalidRequest, f.officer(), "GET", "/v1/retention/nosuch?before=2025-07", "")
	f.refused(notFound, f.officer(), "GET", "/v1/erasures/1", "")
	f.refused(notFound, f.officer(), "GET", "/v1/erasures/1/certificate", "")
	f.refused(notFound, f.officer(), "POST", "/v1/erasures/100000/shred", `{}`)
	f.refused(notFound, f.officer(), "POST", "/v1/approvals/none", "")
	f.refused(invalidRequest, f.officer(), "POST", "/v1/erasures/1/cancel", `{"reason":"jan@example.org"}`)
	f.refused(notKnown, f.officer(), "POST", "/v1/erasures", `{"identifier":"candidate:1234567","reason":"request"}`)
	boxed := f.token(access.NewToken{Role: access.RoleDPO, Name: "boxed", Box: access.Box{Case: "c-1", From: time.Now().AddDate(-1, 0, 0), To: time.Now()}})
	f.refused(forbidden, boxed, "POST", "/v1/erasures", erase(""))
	cased := f.token(access.NewToken{Role: access.RoleDPO, Name: "cased", Box: access.Box{Case: "c-1"}})
	f.refused(outsideBox, cased, "POST", "/v1/erasures", erase(`,"case":"c-2"`))

	f.hold("h-1", "placed", `,"ground":"A17-3-e"`)
	if p := f.refused(held, f.deputy, "POST", "/v1/erasures", erase("")); len(p.Holds) != 1 || p.Holds[0].Hold != "claim:7" {
		t.Errorf("%+v", p)
	}
	if p := f.refused(held, f.deputy, "POST", "/v1/retention", `{"class":"access","before":"2026-02"}`); len(p.Blocking) != 1 || p.Blocking[0].Why != "hold-of-everybody" {
		t.Errorf("%+v", p)
	}
	f.hold("h-2", "released", "")
	f.tokens[access.RoleDPO] = f.deputy
	f.paper("POST /v1/retention", "/v1/retention", `{"class":"access","before":"2026-02","case":"c-1"}`, report.Retained, false)
	f.refused(nothingOlder, f.deputy, "POST", "/v1/retention", `{"class":"access","before":"2026-02"}`)
	var plan ask.RetentionPlan
	if f.does("GET /v1/retention/{class}", "/v1/retention/disclosure?before=2026-03", "", &plan); plan.Events != 10 || len(plan.Months) != 1 {
		t.Errorf("%+v", plan)
	}
	f.discreet()
}

// discreet looks for people where they must not be.
func (f *forgetting) discreet() {
	f.t.Helper()
	for what, text := range map[string]string{"the log": f.log.String(), "a problem": f.seen.String(), "the metrics": f.ask(access.RoleOperator, "GET", "/metrics", "").body,
		"the ledger": f.askWith(f.t.Context(), f.deputy, "GET", "/v1/events/stream", "").body} {
		for _, id := range somebody() {
			if len(text) < 100 || strings.Contains(text, ":"+id) || strings.Contains(text, "jan@") {
				f.t.Errorf("%s names somebody, or is too short to tell", what)
			}
		}
	}
}

// TestSecondPerson: an employee's traces, and where it is so set up any identity,
// take two people, each with a token of their own.
func TestSecondPerson(t *testing.T) {
	f := newForgetting(t)
	f.office.TwoPersons = true
	for _, act := range []struct{ target, body string }{
		{"/v1/reveals", `"position":3,"reason":"breach-scope","words":"somebody asked"`},
		{"/v1/erasures", `"identifier":"employee:zulu72","reason":"request","as_actor":true,"ground":"court-order","now":true`},
	} {
		p := f.refused(secondPerson, f.officer(), "POST", act.target, "{"+act.body+"}")
		if p.Approval == nil || p.Approval.By != "test-dpo" || p.Approval.Approved != "" {
			t.Fatalf("%+v", p.Approval)
		}
		id := p.Approval.ID
		with := fmt.Sprintf(`{%s,"approval":%q}`, act.body, id)
		f.refused(secondPerson, f.officer(), "POST", act.target, with)
		f.refused(secondPerson, f.officer(), "POST", "/v1/approvals/"+id, "")
		var waiting approvals
		if text := f.does("GET /v1/approvals", "/v1/approvals", "", &waiting); len(waiting.Approvals) != 1 || strings.Contains(text, "zulu") {
			t.Errorf("waiting: %s", text)
		}
		if a := f.askWith(t.Context(), f.deputy, "POST", "/v1/approvals/"+id, ""); a.StatusCode != 200 || !strings.Contains(a.body, `"approved_by":"test-deputy"`) {
			t.Errorf("approving: %d %s", a.StatusCode, a.body)
		}
		f.refused(secondPerson, f.deputy, "POST", act.target, with)
		f.refused(secondPerson, f.officer(), "POST", act.target, fmt.Sprintf(`{%s,"case":"c-2","approval":%q}`, act.body, id))
		text := f.does("POST "+act.target, act.target, with, nil)
		if !strings.Contains(text, "employee:zulu") {
			t.Errorf("%s", text)
		}
		f.refused(notFound, f.officer(), "POST", act.target, with)
	}
	f.discreet()
}
