package api

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
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
	opened := f.paper(erase, "/v1/erasures", body+`,"keep":["legal-state:A17-3-e"],"due":"`+time.Now().AddDate(0, 2, 0).UTC().Format(time.RFC3339)+`"}`, report.Restricted, true)
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
	for more, want := range map[string]string{
		`,"keep":["disclosure"]`:                                "/keep/0 a class, each once",
		`,"keep":["none:A17-3-e"]`:                              "/keep/0 a class, each once",
		`,"keep":["access:"]`:                                   "/keep/0 a class, each once",
		`,"keep":["access:A17-9"]`:                              "/keep/0 a class, each once",
		`,"keep":["access:A17-3-e","access:A17-3-d"]`:           "/keep/1 a class, each once",
		`,"keep":[{"access":1}]`:                                "/keep/0 expected string",
		`,"as_actor":true`:                                      "/ground a ground is given",
		`,"ground":"left"`:                                      "/ground a ground is given",
		`,"request":"see my mail!"`:                             "/request ",
		`,"request":"jan@example.org"`:                          "/request ",
		`,"request":"` + strings.Repeat("r", 97) + `"`:          "/request expected length <= 96",
		`,"case":"DSAR"`:                                        "/case expected string to be 1 to 64 of",
		`,"ground":"Left","as_actor":true`:                      "/ground expected string to be 1 to 64 of",
		`,"due":"2020-01-01T00:00:00Z"`:                         "/due an erasure is due after it is opened, and within three months",
		`,"due":"9999-01-01T00:00:00Z"`:                         "/due an erasure is due after it is opened, and within three months",
		`,"due":"9999-01-01T00:00:00Z","dry_run":true`:          "/due an erasure is due after it is opened, and within three months",
		`,"due":"tomorrow"`:                                     "/due expected string to be RFC 3339 date-time",
		`,"dry_run":true,"ground":"left"`:                       "/ground a ground is given",
		`,"dry_run":"yes"`:                                      "/dry_run expected boolean",
		`,"nosuch":true`:                                        "/nosuch unexpected property",
		`,"` + somebody()[0] + `":true`:                         " unexpected property",
		`,"keep.` + somebody()[0] + `":true`:                    "/keep unexpected property",
		`,"keep[` + somebody()[0] + `]":true`:                   " unexpected property",
		`,"reason":"request"`:                                   "/reason expected each field once",
		`,"Request":"dsar:1"`:                                   "/request expected each field once",
		`,"` + strings.ToUpper("crm:"+somebody()[0]) + `":true`: " expected each field once",
		`,"approval":7`:                                         "/approval expected string",
		`,"dry_run":true,"keep":["access:"]`:                    "/keep/0 a class, each once",
		`,`:                                                     " expected JSON",
		`,"case":"` + "\xff" + `"`:                              " expected UTF-8",
	} {
		p := f.refused(invalidRequest, f.officer(), "POST", "/v1/erasures", erase(more))
		if got := p.Path + " " + p.Detail; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", more, got, want)
		}
	}
	for body, want := range map[string]string{
		`{"reason":"request"}`:                 "/identifier expected required property",
		`{"identifier":"","reason":"request"}`: "/identifier expected length >= 1",
		`{"identifier":"` + strings.Repeat("88001", 52) + `","reason":"request"}`:        "/identifier expected length <= 256",
		`{"identifier":"candidate:88001","identifier":"candidate:x","reason":"request"}`: "/identifier expected each field once",
	} {
		p := f.refused(invalidRequest, f.officer(), "POST", "/v1/erasures", body)
		if got := p.Path + " " + p.Detail; !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if p := f.refused(tooLarge, f.officer(), "POST", "/v1/erasures", `{"identifier":"`+strings.Repeat("88001", maxSmallBody)+`"}`); !strings.Contains(p.Detail, fmt.Sprint(maxSmallBody)) {
		t.Errorf("%q has no limit", p.Detail)
	}
	for body, want := range map[string]string{
		`{"class":"access","before":"2025-13"}`:                                              "/before expected string to be a month",
		`{"class":"acces","before":"2025-12"}`:                                               "/class expected value to be one of",
		`{"class":"access"}`:                                                                 "/before expected required property",
		`{"class":"access","class":"access","before":"2025-12"}`:                             "/class expected each field once",
		`{"Class":"access","before":"2025-12"}`:                                              "/class expected each field once",
		`{"class":"access","before":"2025-12","months":3}`:                                   "/months unexpected property",
		`{"class":"access","before":"` + thisMonth(0) + `"}`:                                 "/before the first month that stays",
		`{"class":"access","before":"2025-01","approval":"` + strings.Repeat("0", 65) + `"}`: "/approval expected length <= 64",
	} {
		p := f.refused(invalidRequest, f.officer(), "POST", "/v1/retention", body)
		if got := p.Path + " " + p.Detail; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	f.refused(invalidRequest, f.officer(), "POST", "/v1/erasures", `{"identifier":"candidate:88001","reason":"because"}`)
	f.refused(invalidRequest, f.officer(), "POST", "/v1/reveals", `{"reason":"c"}`)
	f.refused(invalidRequest, f.officer(), "POST", "/v1/reveals", `{"reason":"a code","position":1}`)
	f.refused(invalidRequest, f.officer(), "POST", "/v1/reveals", `{"reason":"c","position":1,"words":"mail jan@example.org","who":"colleagues"}`)
	f.refused(invalidRequest, f.officer(), "GET", "/v1/retention/access?before="+thisMonth(0), "")
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

// thisMonth is the present one, or so many later.
func thisMonth(later int) string {
	y, m, _ := time.Now().UTC().Date()
	return time.Date(y, m+time.Month(later), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
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
	for _, act := range []struct{ target, body, terms, says string }{
		{"/v1/reveals", `"position":3,"reason":"breach-scope","words":"somebody asked","case":"c-1"`, `{"reason":"breach-scope","case":"c-1","who":"actors"}`, "employee:zulu"},
		{"/v1/erasures", `"identifier":"employee:zulu72","reason":"request","request":"dsar:7","case":"c-1","as_actor":true,"ground":"court-order","now":true`,
			`{"reason":"request","ground":"court-order","request":"dsar:7","case":"c-1","now":true,"identifiers":1,"acts":ACTS}`, "employee:zulu"},
		{"/v1/retention", `"class":"access","before":"2026-02","case":"c-1"`, `{"case":"c-1","class":"access","before":"2026-02","events":EVENTS,"cells":CELLS}`, `"retention"`},
	} {
		p := f.refused(secondPerson, f.officer(), "POST", act.target, "{"+act.body+"}")
		if p.Approval == nil || p.Approval.By != "test-dpo" || p.Approval.Approved != "" {
			t.Fatalf("%+v", p.Approval)
		}
		id := p.Approval.ID
		with := fmt.Sprintf(`{%s,"approval":%q}`, act.body, id)
		f.refused(secondPerson, f.officer(), "POST", act.target, with)
		f.refused(secondPerson, f.officer(), "POST", "/v1/approvals/"+id, "")
		var waiting struct {
			Approvals []struct{ Terms json.RawMessage }
		}
		if text := f.does("GET /v1/approvals", "/v1/approvals", "", &waiting); len(waiting.Approvals) != 1 || strings.Contains(text, "zulu") || strings.Contains(text, "somebody asked") {
			t.Errorf("waiting: %s", text)
		}
		if form := regexp.MustCompile("^" + regexp.MustCompile("[A-Z]{4,}").ReplaceAllString(regexp.QuoteMeta(act.terms), "[1-9][0-9]*") + "$"); !form.Match(waiting.Approvals[0].Terms) {
			t.Errorf("the second person is told %s, want %s", waiting.Approvals[0].Terms, act.terms)
		}
		if a := f.askWith(t.Context(), f.deputy, "POST", "/v1/approvals/"+id, ""); a.StatusCode != 200 || !strings.Contains(a.body, `"approved_by":"test-deputy"`) {
			t.Errorf("approving: %d %s", a.StatusCode, a.body)
		}
		f.refused(secondPerson, f.deputy, "POST", act.target, with)
		f.refused(secondPerson, f.officer(), "POST", act.target, strings.Replace(with, `"c-1"`, `"c-2"`, 1))
		text := f.does("POST "+act.target, act.target, with, nil)
		if !strings.Contains(text, act.says) {
			t.Errorf("%s", text)
		}
		f.refused(notFound, f.officer(), "POST", act.target, with)
	}
	f.discreet()
}
