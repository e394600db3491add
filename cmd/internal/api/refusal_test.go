package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/ledger/access"
)

// parameters are those that the operation of a question has in its query.
func parameters(doc map[string]any, q asking) (names []string) {
	method, path, _ := strings.Cut(q.route, " ")
	op := doc["paths"].(map[string]any)[path].(map[string]any)[strings.ToLower(method)].(map[string]any)
	list, _ := op["parameters"].([]any)
	for _, p := range list {
		if p := p.(map[string]any); p["in"] == "query" {
			names = append(names, p["name"].(string))
		}
	}
	return names
}

// TestSenseless gives every question values that make no sense, one at a time.
// Each is refused as a bad request that repeats nothing, and is not recorded.
func TestSenseless(t *testing.T) {
	r := newReading(t)
	doc := document3(t, newRig(t))
	const secret = "geheim"
	long := `"` + strings.Repeat(secret, 2000) + `"`
	senseless := map[string][]string{
		"nosuch": {`"` + secret + `"`},
		"from":   {`"` + secret + `"`, `"2026-13-01T00:00:00Z"`, `"2026-01-01"`}, "to": {`"` + secret + `"`}, "at": {`"` + secret + `"`},
		"known_at": {`"` + secret + `"`, `"-1"`, `"1e3"`, long}, "case": {`"` + strings.ToUpper(secret) + `"`, `"` + secret + ` x"`, long},
		"kind": {`["data.` + secret + `"]`}, "family": {`["` + secret + `"]`}, "class": {`["` + secret + `"]`, `["none"]`, `["t3"]`},
		"limit": {"0", "1001", "-1", `"` + secret + `"`, "1.5", "99999999999999999999"}, "order": {`"` + secret + `"`},
		"cursor": {long}, "by": {`"` + secret + `"`}, "tz": {`"` + secret + `"`, `"../` + secret + `"`, `"Local"`, long}, "of": {`["` + secret + `"]`},
		"identifier": {`""`, long, "7"}, "session": {long, "7"}, "person": {"7"}, "show": {`"` + secret + `"`, "7"},
		"what": {`"` + secret + `"`}, "source": {long}, "id": {long},
		"party": {`[` + strings.TrimSuffix(strings.Repeat(`"`+secret+`",`, 101), ",") + `]`},
	}
	asked := 0
	for _, q := range r.questions() {
		has := append(parameters(doc, q), "nosuch")
		if q.body != "" {
			has = append(has, "from", "to", "at", "known_at", "case", "kind", "family", "class", "limit", "order", "cursor", "show", "party")
			switch q.route {
			case "POST /v1/events/search":
				has = append(has, "by", "tz", "of", "person", "session")
			case "POST /v1/sessions/lookup":
				has = append(has, "session")
			default:
				has = append(has, "identifier")
			}
		}
		for _, name := range has {
			for _, value := range senseless[name] {
				bad := q.without(name)
				if q.body == "" {
					if value = strings.NewReplacer("[", "", "]", "", `"`, "").Replace(value); name == "person" || name == "session" {
						continue // handles, which TestHandles goes through
					}
				}
				bad = bad.with(name, value)
				before := r.ledger.Head()
				a := r.ask(access.RoleDPO, q.method(), bad.target, bad.body)
				if p := r.problem(a, invalidRequest, secret); t.Failed() || p.Path == "" && p.Detail == "" {
					t.Fatalf("%s with %s of %d bytes: %d %s", q.route, name, len(value), a.StatusCode, a.body)
				}
				if r.ledger.Head() != before {
					t.Errorf("%s with %s: it was recorded", q.route, name)
				}
				asked++
			}
		}
		if slices.Contains(has, "from") {
			for _, window := range [][2]string{{"2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"}, {"2026-02-01T00:00:00Z", "2026-02-01T01:00:00+01:00"}} {
				bad := q.with("from", `"`+window[0]+`"`).with("to", `"`+window[1]+`"`)
				r.problem(r.ask(access.RoleDPO, q.method(), bad.target, bad.body), invalidRequest)
			}
		}
	}
	if asked < 200 {
		t.Errorf("%d senseless questions: is something left out?", asked)
	}
}

// without is the question without a field of its body, or a parameter.
func (q asking) without(name string) asking {
	if q.body == "" {
		if target, err := url.Parse(q.target); err == nil {
			values := target.Query()
			values.Del(name)
			target.RawQuery = values.Encode()
			q.target = target.String()
		}
		return q
	}
	fields := strings.Split(strings.Trim(q.body, "{}"), ",")
	fields = slices.DeleteFunc(fields, func(f string) bool { return strings.HasPrefix(f, `"`+name+`"`) })
	if len(fields) == 0 {
		fields = []string{`"limit":5`}
	}
	q.body = "{" + strings.Join(fields, ",") + "}"
	return q
}

// TestOddBytes sends what no client of good will sends: each is refused, or taken
// for what it says and found to be nothing.
func TestOddBytes(t *testing.T) {
	r := newReading(t)
	for name, body := range map[string]string{
		"two values":       `{"identifier":"candidate:88001"}{"identifier":"candidate:88002"}`,
		"twice the field":  `{"identifier":"candidate:88001","identifier":"candidate:88002"}`,
		"in other letters": `{"Identifier":"candidate:88001"}`,
		"in both":          `{"identifier":"candidate:88001","Identifier":"candidate:88002"}`,
		"an unknown field": `{"identifier":"candidate:88001","identifiers":["candidate:88002"]}`,
		"an array":         `["candidate:88001"]`,
		"null":             `null`,
		"nothing":          ``,
		"no JSON":          `candidate:88001`,
		"half of it":       `{"identifier":"candidate:880`,
		"not UTF-8":        "{\"identifier\":\"candidate:88001\xff\"}",
	} {
		before := r.ledger.Head()
		a := r.ask(access.RoleDPO, "POST", "/v1/persons/lookup", body)
		if r.problem(a, invalidRequest, somebody()...); t.Failed() {
			t.Fatalf("%s: %d", name, a.StatusCode)
		}
		if r.ledger.Head() != before {
			t.Errorf("%s: it was recorded", name)
		}
	}
	r.problem(r.ask(access.RoleDPO, "POST", "/v1/persons/lookup", `{"identifier":"`+strings.Repeat("8", 70<<10)+`"}`), tooLarge, "88")
	for _, who := range []string{"candidate:88001\\u0000", "\\u0000", "candidate:88001\\n", " candidate:88001", "candidate:", ":", "CANDIDATE:88001", "candidate:٨٨٠٠١", "%00", "*"} {
		a := r.ask(access.RoleDPO, "POST", "/v1/persons/lookup", `{"identifier":"`+who+`"}`)
		if r.problem(a, notKnown, "88001"); t.Failed() {
			t.Fatalf("%q: %d %s", who, a.StatusCode, a.body)
		}
	}
	for _, target := range []string{"/v1/events?system=%00", "/v1/events?system=%ff%fe", "/v1/events?system=" + strings.Repeat("x", 5000), "/v1/events?country=be", "/v1/events?party=" + strings.Repeat("p,", 99) + "p"} {
		var page ask.Page
		if r.get("GET", target, "", &page); page.Total != 0 || len(page.Items) != 0 || page.Next != "" {
			t.Errorf("%.40s: %d events", target, page.Total)
		}
	}
	r.problem(r.ask(access.RoleDPO, "GET", "/v1/events?system=%zz", ""), invalidRequest)
	r.problem(r.ask(access.RoleDPO, "GET", "/v1/parties/%00", ""), notFound)
	r.problem(r.ask(access.RoleDPO, "GET", "/v1/parties/nobody", ""), notFound, "nobody is")
	for _, position := range []string{"0", "-1", "x", "1.0", "18446744073709551616", "%00"} {
		r.problem(r.ask(access.RoleDPO, "GET", "/v1/events/"+position, ""), invalidRequest)
	}
	r.problem(r.ask(access.RoleDPO, "GET", "/v1/events/18446744073709551615", ""), notFound)
	r.problem(r.ask(access.RoleDPO, "GET", "/v1/events/999999/explain", ""), notFound)
	r.problem(r.ask(access.RoleDPO, "GET", "/v1/events/find?id=no-such-event", ""), notFound, "no-such-event")
}

// TestHandles uses handles and cursors where they are not good: later, by another
// token, for another kind of thing, after a restart, spoilt.
func TestHandles(t *testing.T) {
	r := newReading(t)
	handle := r.handle(access.RoleDPO, "persons", "candidate:88001")
	list := "/v1/persons/" + handle + "/accesses?limit=2"
	var page ask.Page
	r.get("GET", list, "", &page)
	next := list + "&cursor=" + page.Next
	r.get("GET", next, "", &page)
	gone := func(what string, role access.Role, target string) {
		t.Helper()
		before := r.ledger.Head()
		if r.problem(r.ask(role, "GET", target, ""), handleExpired, handle); t.Failed() {
			t.Fatal(what)
		}
		if r.ledger.Head() != before {
			t.Errorf("%s: it was recorded", what)
		}
	}
	gone("another token", access.RoleInvestigator, list)
	own := r.handle(access.RoleInvestigator, "persons", "candidate:88001")
	gone("another token's cursor", access.RoleInvestigator, strings.Replace(next, handle, own, 1))
	gone("an actor's list", access.RoleDPO, "/v1/actors/"+handle+"/accesses")
	gone("a session's list", access.RoleDPO, "/v1/sessions/"+handle+"/summary")
	gone("a filter of actors", access.RoleDPO, "/v1/events?actor="+handle)
	for i := range handle {
		spoilt := handle[:i] + string('A'+(handle[i]+1)%26) + handle[i+1:]
		if i == len(handle)-1 || spoilt == handle {
			continue // bits of the last letter that are not used
		}
		gone("a spoilt handle", access.RoleDPO, "/v1/persons/"+spoilt+"/accesses")
	}
	gone("a cursor as handle", access.RoleDPO, "/v1/persons/"+page.Next+"/accesses")
	r.problem(r.ask(access.RoleDPO, "GET", list+"&cursor="+handle, ""), invalidRequest)
	r.problem(r.ask(access.RoleDPO, "GET", next+"&order=newest", ""), invalidRequest)
	r.problem(r.ask(access.RoleDPO, "GET", next+"&kind=data.used", ""), invalidRequest)
	r.problem(r.ask(access.RoleDPO, "GET", strings.Replace(next, "accesses", "timeline", 1), ""), invalidRequest)
	r.later.Store(int64(time.Hour - time.Minute))
	r.get("GET", next, "", &page)
	r.later.Store(int64(time.Hour + time.Second))
	gone("after an hour", access.RoleDPO, list)
	r.later.Store(0)
	r.get("GET", next, "", &page)
	r.api.AttachViews(r.desk(), r.views)
	gone("after a restart", access.RoleDPO, list)
	gone("after a restart", access.RoleDPO, next)
}

// TestBoxes asks with tokens that are for less than everything.
func TestBoxes(t *testing.T) {
	r := newReading(t)
	from, to := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 5, 0, 0, 0, 0, time.UTC)
	r.token(access.NewToken{Role: access.RoleInvestigator, Name: "boxed", Box: access.Box{Case: "breach-7", From: from, To: to}})
	boxed := func(method, target, body string) answer { return r.ask(access.RoleInvestigator, method, target, body) }
	for _, target := range []string{"case=other", "from=2026-01-09T23:59:59.999Z", "to=2026-02-05T00:00:00.001Z", "from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z"} {
		for _, path := range []string{"/v1/events", "/v1/transfers", "/v1/transfers/summary", "/v1/parties", "/v1/parties/acme-bank", "/v1/transfers/map", "/v1/events/facets", "/v1/events/histogram"} {
			if r.problem(boxed("GET", path+"?"+target, ""), outsideBox, "other"); t.Failed() {
				t.Fatalf("%s?%s", path, target)
			}
		}
	}
	for _, who := range []string{"candidate:88001", "candidate:99999", "90000"} { // known, not known, ambiguous: all the same
		a := boxed("POST", "/v1/persons/lookup", fmt.Sprintf(`{"identifier":%q,"case":"other"}`, who))
		if p := r.problem(a, outsideBox, who); len(p.Candidates) > 0 {
			t.Error("candidates are told outside the box")
		}
	}
	var page ask.Page
	a := boxed("GET", "/v1/events?kind=data.accessed,data.shared", "")
	r.must(decode(a, &page))
	if page.Total != 25 || page.Window.From == nil || !page.Window.From.Equal(from) || !page.Window.To.Equal(to) {
		t.Errorf("inside the box: %s", a.body)
	}
	for _, item := range page.Items {
		if item.Time.Before(from) || !item.Time.Before(to) {
			t.Errorf("an event of %v is outside the box", item.Time)
		}
	}
	for target, want := range map[string]word{"/v1/events/3": outsideBox, "/v1/events/3/explain": outsideBox, "/v1/events/44": outsideBox, "/v1/events/44/explain": outsideBox} {
		r.problem(boxed("GET", target, ""), want)
	}
	handle := r.handle(access.RoleInvestigator, "persons", "candidate:88001")
	r.must(decode(boxed("GET", "/v1/persons/"+handle+"/timeline", ""), &page))
	if page.Total != 5 {
		t.Errorf("%d events of somebody inside the box", page.Total)
	}

	mine := func(target string) answer { return r.ask(access.RoleSubject, "GET", target, "") }
	for _, list := range []string{"accesses", "disclosures", "timeline", "reads", "recipients"} {
		if a := mine("/v1/persons/me/" + list); a.StatusCode != 200 {
			t.Errorf("my %s: %d %s", list, a.StatusCode, a.body)
		}
		r.problem(mine("/v1/persons/"+r.handle(access.RoleDPO, "persons", "candidate:88002")+"/"+list), outsideBox)
		r.problem(r.ask(access.RoleDPO, "GET", "/v1/persons/me/"+list, ""), outsideBox)
	}
	r.problem(r.ask(access.RoleSubject, "POST", "/v1/persons/lookup", `{"identifier":"candidate:88001"}`), forbidden)
	r.problem(mine("/v1/actors/me/accesses"), forbidden)
}

// TestNobody asks about people who are not known, or could be several.
func TestNobody(t *testing.T) {
	r := newReading(t)
	for _, kind := range []string{"persons", "actors"} {
		for _, who := range []string{"candidate:99999", "99999", "8800", "employee:99999"} {
			before := r.ledger.Head().Position
			r.problem(r.ask(access.RoleDPO, "POST", "/v1/"+kind+"/lookup", fmt.Sprintf(`{"identifier":%q,"show":"accesses"}`, who)), notKnown, "9999")
			if recorded := r.ledger.Head().Position - before; recorded != 1 {
				t.Errorf("not known: recorded %d times", recorded)
			}
		}
		p := r.problem(r.ask(access.RoleDPO, "POST", "/v1/"+kind+"/lookup", `{"identifier":"90000"}`), ambiguous)
		if !slices.Equal(sorted(p.Candidates), []string{"candidate:90000", "employee:90000"}) {
			t.Errorf("candidates %v", p.Candidates)
		}
	}
	r.problem(r.ask(access.RoleDPO, "POST", "/v1/events/search", `{"person":"candidate:99999"}`), notKnown, "9999")
	r.problem(r.ask(access.RoleDPO, "POST", "/v1/events/search", `{"actor":"90000","show":"facets"}`), ambiguous)
	r.problem(r.ask(access.RoleDPO, "POST", "/v1/events/search", `{"person":"candidate:88001","actor":"employee:99999"}`), notKnown, "9999")
}

// TestNotNow asks when an answer cannot be given: the views are behind, or the
// question cannot be recorded. The retry gives it.
func TestNotNow(t *testing.T) {
	r := newReading(t)
	questions := r.questions()
	cause := errors.New("recording about candidate:88001 failed")
	r.unwritten.Store(&cause)
	for _, q := range questions {
		if q.route == "GET /v1/events/find" {
			continue // it says where an event is, which is no question about anybody
		}
		a := r.ask(access.RoleDPO, q.method(), q.target, q.body)
		if r.problem(a, readNotRecorded, "88001", "items"); a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", q.route)
		}
	}
	r.unwritten.Store(nil)
	r.get("GET", "/v1/events", "", &ask.Page{})

	r.gate.held.Store(r.ledger.Head().Position)
	r.record([]string{event("/ats", "one-more")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, q := range questions {
		if slices.Contains([]string{"GET /v1/events/find", "GET /v1/events/{position}", "GET /v1/events/{position}/explain"}, q.route) {
			continue // they read the ledger, which a request that was given up does not
		}
		a := r.askWith(ctx, r.tokens[access.RoleDPO], q.method(), q.target, q.body)
		if r.problem(a, viewBehind, "items"); a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", q.route)
		}
	}
}

func decode(a answer, v any) error {
	if a.StatusCode != 200 {
		return fmt.Errorf("%d %s", a.StatusCode, a.body)
	}
	return json.Unmarshal([]byte(a.body), v)
}
