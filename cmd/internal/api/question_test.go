package api

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/access"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// An asking is a question, by a way it may be asked.
type asking struct {
	route  string // as in the document
	target string
	body   string
	list   bool // whether its answer comes in pages
}

func (q asking) method() string { return q.route[:strings.Index(q.route, " ")] }

// with is the question with one parameter or field more, a JSON value for a body.
func (q asking) with(name, value string) asking {
	if q.body != "" {
		q.body = strings.TrimSuffix(q.body, "}") + fmt.Sprintf(`,%q:%s}`, name, value)
		return q
	}
	separator := "?"
	if strings.Contains(q.target, "?") {
		separator = "&"
	}
	q.target += separator + name + "=" + url.QueryEscape(strings.Trim(value, `"`))
	return q
}

// questions are all questions there are, with handles of the officer's.
func (r *reading) questions() []asking {
	r.t.Helper()
	person := r.handle(access.RoleDPO, "persons", "candidate:88001")
	actor := r.handle(access.RoleDPO, "actors", "employee:zulu71")
	session := r.handle(access.RoleDPO, "sessions", "sess-a")
	return []asking{
		{"POST /v1/persons/lookup", "/v1/persons/lookup", `{"identifier":"candidate:88001","show":"timeline"}`, true},
		{"GET /v1/persons/{handle}/accesses", "/v1/persons/" + person + "/accesses", "", true},
		{"GET /v1/persons/{handle}/disclosures", "/v1/persons/" + person + "/disclosures", "", true},
		{"GET /v1/persons/{handle}/timeline", "/v1/persons/" + person + "/timeline", "", true},
		{"GET /v1/persons/{handle}/reads", "/v1/persons/" + person + "/reads", "", true},
		{"GET /v1/persons/{handle}/state", "/v1/persons/" + person + "/state", "", false},
		{"GET /v1/persons/{handle}/recipients", "/v1/persons/" + person + "/recipients", "", false},
		{"POST /v1/actors/lookup", "/v1/actors/lookup", `{"identifier":"employee:zulu71","show":"accesses"}`, true},
		{"GET /v1/actors/{handle}/accesses", "/v1/actors/" + actor + "/accesses", "", true},
		{"GET /v1/actors/{handle}/timeline", "/v1/actors/" + actor + "/timeline", "", true},
		{"POST /v1/sessions/lookup", "/v1/sessions/lookup", `{"session":"sess-a","show":"events"}`, true},
		{"GET /v1/sessions/{handle}/events", "/v1/sessions/" + session + "/events", "", true},
		{"GET /v1/sessions/{handle}/summary", "/v1/sessions/" + session + "/summary", "", false},
		{"GET /v1/events", "/v1/events", "", true},
		{"POST /v1/events/search", "/v1/events/search", `{"person":"crm:77001"}`, true},
		{"GET /v1/events/facets", "/v1/events/facets", "", false},
		{"GET /v1/events/histogram", "/v1/events/histogram?by=month&tz=Europe%2FBrussels", "", false},
		{"GET /v1/events/find", "/v1/events/find?id=e-7", "", false},
		{"GET /v1/events/{position}", "/v1/events/44", "", false},
		{"GET /v1/events/{position}/explain", "/v1/events/44/explain", "", false},
		{"GET /v1/parties", "/v1/parties", "", false},
		{"GET /v1/parties/{code}", "/v1/parties/us-mail", "", false},
		{"GET /v1/transfers", "/v1/transfers", "", true},
		{"GET /v1/transfers/summary", "/v1/transfers/summary", "", false},
		{"GET /v1/transfers/map", "/v1/transfers/map", "", false},
		{"GET /v1/register", "/v1/register", "", false},
		{"GET /v1/coverage", "/v1/coverage", "", false},
	}
}

// others are the operations that are no questions.
func others() []string {
	return []string{"POST /v1/events", "GET /v1/events/stream", "GET /v1/status", "GET /v1/producers", "POST /v1/producers", "DELETE /v1/producers/{name}",
		"GET /v1/tokens", "POST /v1/tokens", "DELETE /v1/tokens/{id}", "GET /metrics", "GET /healthz", "GET /readyz", "GET /openapi.json", "GET /v1/views", "POST /v1/views/{name}/rebuild",
		"POST /v1/erasures", "GET /v1/erasures", "GET /v1/erasures/{position}", "GET /v1/erasures/{position}/certificate", "POST /v1/erasures/{position}/shred",
		"POST /v1/erasures/{position}/cancel", "GET /v1/retention/{class}", "POST /v1/retention", "POST /v1/reveals", "GET /v1/approvals", "POST /v1/approvals/{id}",
		"GET /v1/backups", "POST /v1/backups",
		"GET /v1/checkpoint", "GET /v1/tile/{tile}", "GET /v1/tile/entries/{tile}", "GET /v1/evidence", "POST /v1/evidence/keys", "POST /v1/evidence/cosigners", "POST /v1/cosignatures",
		"GET /v1/proofs/event", "GET /v1/proofs/inclusion", "POST /v1/proofs/growth", "GET /v1/proofs/answer", "GET /v1/receipts", "GET /v1/receipts/{position}", "GET /v1/statements/non-transfer"}
}

// TestQuestionsAreAll shows that no question is left out of these tests.
func TestQuestionsAreAll(t *testing.T) {
	r := newReading(t)
	routes := others()
	for _, q := range r.questions() {
		routes = append(routes, q.route)
	}
	if documented := operations(t, newRig(t)); !slices.Equal(sorted(routes), sorted(documented)) {
		t.Errorf("the routes here are not those of the document:\n%v\n%v", sorted(routes), sorted(documented))
	}
}

// TestQuestionsFollowDocument asks everything of a real ledger, and validates the
// answers against the document; some in more ways than one.
func TestQuestionsFollowDocument(t *testing.T) {
	r := newReading(t)
	doc := document3(t, newRig(t))
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	r.must(c.AddResource("urn:doc", doc))
	all := r.questions()
	all = append(all, []asking{
		{"POST /v1/persons/lookup", "/v1/persons/lookup", `{"identifier":"candidate:88002"}`, false},
		{"POST /v1/persons/lookup", "/v1/persons/lookup", `{"identifier":"88003","show":"recipients"}`, false},
		{"POST /v1/persons/lookup", "/v1/persons/lookup", `{"identifier":"candidate:88001","show":"reads"}`, false},
		{"POST /v1/sessions/lookup", "/v1/sessions/lookup", `{"session":"sess-b","show":"summary"}`, false},
		{"POST /v1/sessions/lookup", "/v1/sessions/lookup", `{"session":"no-such-session","show":"summary"}`, false},
		{"POST /v1/events/search", "/v1/events/search", `{"show":"summary","session":"sess-a"}`, false},
		{"POST /v1/events/search", "/v1/events/search", `{"show":"facets","of":["kind","class"]}`, false},
		{"POST /v1/events/search", "/v1/events/search", `{"show":"histogram","by":"quarter","tz":"Asia/Kathmandu"}`, false},
		{"POST /v1/events/search", "/v1/events/search", `{"person":"candidate:88001","actor":"employee:zulu71","session":"sess-b","kind":["data.accessed"]}`, false},
		{"GET /v1/events", "/v1/events?from=2027-01-01T00:00:00Z", "", false},
		{"GET /v1/events", "/v1/events?known_at=0", "", false},
		{"GET /v1/parties", "/v1/parties?known_at=0", "", false},
		{"GET /v1/transfers/map", "/v1/transfers/map?known_at=0", "", false},
		{"GET /v1/coverage", "/v1/coverage?known_at=0", "", false},
		{"GET /v1/register", "/v1/register?known_at=1&what=party", "", false},
		{"GET /v1/parties/{code}", "/v1/parties/ghost-saas", "", false},
		{"GET /v1/parties/{code}", "/v1/parties/acme-bank?at=2026-02-04T00:00:00Z&case=c-1", "", false},
		{"GET /v1/events/{position}", "/v1/events/1", "", false},
		{"GET /v1/events/{position}/explain", "/v1/events/1/explain", "", false},
	}...)
	for _, q := range all {
		a := r.ask(access.RoleDPO, q.method(), q.target, q.body)
		if a.StatusCode != 200 {
			t.Errorf("%s: %d %s", q.route, a.StatusCode, a.body)
			continue
		}
		method, path, _ := strings.Cut(q.route, " ")
		pointer := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path)
		s, err := c.Compile("urn:doc#/paths/" + pointer + "/" + strings.ToLower(method) + "/responses/200/content/application~1json/schema")
		r.must(err)
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(a.body))
		r.must(err)
		if err := s.Validate(value); err != nil {
			t.Errorf("%s: %v in %s", q.route, err, a.body)
		}
		for _, id := range somebody() {
			if names(a.body, id) {
				t.Errorf("%s: the answer names somebody: %s", q.route, a.body)
			}
		}
	}
}

// TestPagesToTheEnd reads every list to its end, in both orders and in pages of several
// sizes: it has as many items as the first page says, each once, in order, and is
// recorded once.
func TestPagesToTheEnd(t *testing.T) {
	r := newReading(t)
	type page struct {
		AsOf  struct{ Position uint64 } `json:"as_of"`
		Total int
		Items []struct{ Position uint64 }
		Next  string
		Reads *page
	}
	for _, q := range r.questions() {
		if !q.list {
			continue
		}
		for _, order := range []string{"oldest", "newest"} {
			for _, limit := range []int{1, 7, 1000} {
				asked := q.with("order", `"`+order+`"`).with("limit", strconv.Itoa(limit))
				before := r.ledger.Head().Position
				var first, p page
				var positions []uint64
				pages := 0
				for next := asked; ; next = asked.with("cursor", `"`+p.Next+`"`) {
					p = page{}
					r.get(q.method(), next.target, next.body, &p)
					if pages++; pages == 1 {
						first = p
					}
					if p.Total != first.Total || p.AsOf != first.AsOf {
						t.Fatalf("%s: page %d is of %d as of %d, the first of %d as of %d", q.route, pages, p.Total, p.AsOf.Position, first.Total, first.AsOf.Position)
					}
					if n := len(p.Items); n > limit || n < limit && p.Next != "" {
						t.Fatalf("%s: page %d has %d items, want %d", q.route, pages, n, limit)
					}
					for _, item := range p.Items {
						positions = append(positions, item.Position)
					}
					if p.Next == "" {
						break
					}
				}
				if order == "newest" {
					slices.Reverse(positions)
				}
				if len(positions) != first.Total || len(positions) == 0 || !slices.IsSorted(positions) || len(slices.Compact(slices.Clone(positions))) != len(positions) {
					t.Errorf("%s %s by %d: %d items of %d on %d pages: %v", q.route, order, limit, len(positions), first.Total, pages, positions)
				}
				if recorded := r.ledger.Head().Position - before; recorded != 1 {
					t.Errorf("%s on %d pages: recorded %d times", q.route, pages, recorded)
				}
			}
		}
	}
}
