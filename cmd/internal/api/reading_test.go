package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/projections"
	accessview "github.com/imalink/custody/projections/access"
	"github.com/imalink/custody/projections/coverage"
	"github.com/imalink/custody/projections/governance"
	"github.com/imalink/custody/projections/person"
	"github.com/imalink/custody/projections/recipients"
	"github.com/imalink/custody/projections/search"
	"github.com/imalink/custody/projections/transfers"
)

// reading is an API over a real ledger and its views, with some events recorded
// and a token of each role.
type reading struct {
	t      testing.TB
	api    *API
	ledger *ledger.Ledger
	views  *projections.Set
	gate   *gate
	tokens map[access.Role]string
	log    *lockedBuffer

	later     atomic.Int64          // how far the desk's clock is ahead
	unwritten atomic.Pointer[error] // why no question can be recorded
}

// gate is a ledger that can be held, so that views cannot go on.
type gate struct {
	*ledger.Ledger
	held atomic.Uint64 // the position shown as the last one; 0 is not held
}

func (g *gate) Head() uint64 {
	if held := g.held.Load(); held > 0 {
		return held
	}
	return g.Ledger.Head().Position
}

func (g *gate) Wait(ctx context.Context, after uint64) (uint64, error) {
	if held := g.held.Load(); held > 0 && after >= held {
		<-ctx.Done()
		return held, ctx.Err()
	}
	head, err := g.Ledger.Wait(ctx, after)
	return head.Position, err
}

func (g *gate) Replay(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for record, err := range g.Ledger.Replay(ctx, from) {
			if held := g.held.Load(); held > 0 && record.Position > held || !yield(record, err) {
				return
			}
		}
	}
}

// newReading opens it and records small.
func newReading(t testing.TB) *reading {
	t.Helper()
	return newReadingAt(t, 0)
}

// newReadingAt is newReading with evidence at a pace.
func newReadingAt(t testing.TB, pace time.Duration) *reading {
	t.Helper()
	dir := t.TempDir()
	data, keys := filepath.Join(dir, "data"), filepath.Join(dir, "keys")
	r := &reading{t: t, tokens: map[access.Role]string{}, log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.must(ledger.Create(t.Context(), ledger.Config{Data: data, Keys: keys}))
	var err error
	r.ledger, err = ledger.Open(t.Context(), ledger.Config{Data: data, Keys: keys, Log: log, Pace: pace, Index: func(string) (ledger.Index, error) { return &emptyIndex{}, nil }})
	r.must(err)
	t.Cleanup(func() { r.must(r.ledger.Close(context.Background())) })
	r.gate = &gate{Ledger: r.ledger}
	r.views, err = projections.Open(t.Context(), projections.Config{Dir: filepath.Join(dir, "views"), Source: r.gate, Log: log, Views: []projections.View{
		search.View(), person.View(), accessview.View(), recipients.View(), transfers.View(), governance.View(), coverage.View()}})
	r.must(err)
	t.Cleanup(func() { r.must(r.views.Close()) })
	r.api, err = New(Config{Version: "test", Log: log})
	r.must(err)
	r.api.Attach(r.ledger)
	r.api.AttachEvidence(r.ledger)
	r.api.AttachViews(r.desk(), r.views)
	for _, p := range []access.Producer{{Name: "ats", Families: []string{"data", "subject"}}, {Name: "register", Families: []string{"governance"}}} {
		_, err := r.ledger.Access().PutProducer(t.Context(), "", p)
		r.must(err)
	}
	for _, role := range []access.Role{access.RoleRelay, access.RoleDPO, access.RoleInvestigator, access.RoleAuditor, access.RoleOperator} {
		r.token(access.NewToken{Role: role, Name: "test-" + string(role)})
	}
	r.record(small())
	row, err := r.ledger.RowOf("candidate:88001")
	r.must(err)
	r.token(access.NewToken{Role: access.RoleSubject, Name: "me", Box: access.Box{Person: row}})
	return r
}

// desk makes one that fails and lives in the future on demand.
func (r *reading) desk() *ask.Desk {
	r.t.Helper()
	desk, err := ask.New(ask.Config{Ledger: r.ledger, Views: r.views,
		Record: func(ctx context.Context, q events.Query) (uint64, error) {
			if fail := r.unwritten.Load(); fail != nil {
				return 0, *fail
			}
			return r.ledger.RecordQuery(ctx, q)
		},
		Now: func() time.Time { return time.Now().Add(time.Duration(r.later.Load())) },
	})
	r.must(err)
	return desk
}

func (r *reading) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// token makes a token, the one of its role from now on.
func (r *reading) token(n access.NewToken) string {
	r.t.Helper()
	secret, _, err := r.ledger.Access().CreateToken(r.t.Context(), "", n)
	r.must(err)
	r.tokens[n.Role] = secret.Reveal()
	return secret.Reveal()
}

// record sends events, all of which must be recorded.
func (r *reading) record(lines []string) {
	r.t.Helper()
	a := r.ask(access.RoleRelay, "POST", "/v1/events", strings.Join(lines, "\n"))
	if a.StatusCode != 200 || strings.Count(a.body, `"status":"recorded"`) != len(lines) {
		r.t.Fatalf("recording %d events: %d %s", len(lines), a.StatusCode, a.body)
	}
}

// ask makes a request with the token of a role.
func (r *reading) ask(role access.Role, method, target, body string) answer {
	r.t.Helper()
	return r.askWith(r.t.Context(), r.tokens[role], method, target, body)
}

func (r *reading) askWith(ctx context.Context, token, method, target, body string) answer {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request := httptest.NewRequestWithContext(ctx, method, target, reader)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", jsonType)
	if target == "/v1/events" && method == "POST" {
		request.Header.Set("Content-Type", linesType)
	}
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, request)
	return answer{w.Result(), w.Body.String()}
}

// get asks as the officer, who may ask everything, and demands an answer.
func (r *reading) get(method, target, body string, out any) {
	r.t.Helper()
	a := r.ask(access.RoleDPO, method, target, body)
	if a.StatusCode != 200 {
		r.t.Fatalf("%s %s: %d %s", method, target, a.StatusCode, a.body)
	}
	r.must(json.Unmarshal([]byte(a.body), out))
}

// handle looks somebody up for the token of a role: persons, actors, sessions.
func (r *reading) handle(role access.Role, kind, who string) string {
	r.t.Helper()
	field := "identifier"
	if kind == "sessions" {
		field = "session"
	}
	a := r.ask(role, "POST", "/v1/"+kind+"/lookup", fmt.Sprintf(`{%q:%q}`, field, who))
	var found struct{ Handle string }
	if json.Unmarshal([]byte(a.body), &found) != nil || found.Handle == "" {
		r.t.Fatalf("looking up one of %s: %d %s", kind, a.StatusCode, a.body)
	}
	return found.Handle
}

// problem demands an answer that is a problem of a type, and repeats nothing of
// what was sent.
func (r *reading) problem(a answer, want word, secrets ...string) Problem {
	r.t.Helper()
	var p Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Type != problemPrefix+string(want) || a.StatusCode != meanings()[want].status {
		r.t.Errorf("%d %s, want %s", a.StatusCode, a.body, want)
	}
	for _, secret := range secrets {
		if strings.Contains(strings.ToLower(a.body), strings.ToLower(secret)) {
			r.t.Errorf("the problem repeats what was sent: %s", a.body)
		}
	}
	return p
}

// somebody are all identifiers of small, and those asked about in vain.
func somebody() []string {
	return []string{"88000", "88001", "88002", "88003", "88004", "77001", "90000", "zulu70", "zulu71", "zulu72", "zulu77", "sess-a", "sess-b"}
}

// names reports whether a text has an identifier: not where its digits stand by chance, in a tag, an id or a hash.
func names(text, id string) bool {
	digits := func(c rune) bool { return c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return !digits(c) }) {
		if len(word) >= 32 {
			text = strings.Replace(text, word, "", 1)
		}
	}
	return strings.Contains(text, id)
}

// TestNames finds an identifier, and none in a hash.
func TestNames(t *testing.T) {
	for text, want := range map[string]bool{
		`{"id":"candidate:88001"}`: true, "candidate-88001": true, "88001": true, "": false, "0198f3c2-7a11-7c3e-8800-100000000003": false,
		"00010203040506070809880010c0d0e0f0": false, "00010203040506070809880010c0d0e0f0 and 88001": true,
	} {
		if names(text, "88001") != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}

// small is a quarter of a small organisation: 30 accesses by three recruiters in
// two sessions, 10 disclosures to a client in Belgium, 5 to a processor in the
// United States, one to somebody who was never registered; two identifiers of
// one person; somebody and somebody else whose identifiers end alike.
func small() (lines []string) {
	seq := 0
	add := func(source, kind, at, data string) {
		seq++
		numbered := ""
		if source == "ats" {
			numbered = fmt.Sprintf(`"producerseq":"%d",`, 2*seq)
		}
		lines = append(lines, fmt.Sprintf(`{"specversion":"1.0","id":"e-%d","source":"/%s","type":"eu.custody.%s.v1","time":%q,"datacontenttype":"application/json",%s"data":{%s}}`,
			seq, source, kind, at, numbered, data))
	}
	const officer = `"actor":{"id":"employee:zulu77","role":"dpo","kind":"human"}`
	add("register", "governance.party-registered", "2026-01-01T08:00:00.000Z", officer+`,"party":"acme-bank","name":"Acme Bank","roles":["client"],"country":"BE","storage":["BE"],"access":["BE"]`)
	add("register", "governance.party-registered", "2026-01-01T08:00:01.000Z", officer+`,"party":"us-mail","name":"US Mail","roles":["processor"],"country":"US","storage":["US"],"access":["US"]`)
	about := func(i int) string {
		return fmt.Sprintf(`"subjects":[{"id":"candidate:8800%d","role":"candidate"}],"actor":{"id":"employee:zulu7%d","role":"recruiter","kind":"human","unit":"recruitment","session":"sess-%c"},`+
			`"system":"ats","dataset":"career_cv","categories":["contact","career_cv"],"purpose":"service_provision","basis":"A6-1-b"`, i%5, i%3, 'a'+i%2)
	}
	for i := range 30 {
		add("ats", "data.accessed", fmt.Sprintf("2026-01-%02dT09:00:00.120Z", i+1), about(i)+`,"mode":"view","result_count":1`)
	}
	for i := range 10 {
		add("ats", "data.shared", fmt.Sprintf("2026-02-%02dT09:00:00.500Z", i+1), about(i)+`,"recipient":{"party":"acme-bank","role":"client"}`)
	}
	for i := range 5 {
		add("ats", "data.transferred", fmt.Sprintf("2026-03-%02dT09:00:00.000Z", i+1), about(i)+`,"recipient":{"party":"us-mail","role":"processor"}`)
	}
	add("ats", "data.shared", "2026-03-10T09:00:00.000Z", about(1)+`,"recipient":{"party":"ghost-saas","role":"processor"}`)
	add("ats", "subject.identifiers-linked", "2026-03-11T09:00:00.000Z", `"subjects":[{"id":"candidate:88001","role":"candidate"},{"id":"crm:77001","role":"candidate"}],"actor":{"id":"employee:zulu70","role":"recruiter","kind":"human"}`)
	add("ats", "data.accessed", "2026-03-12T09:00:00.000Z", strings.NewReplacer("candidate:88001", "candidate:90000", "employee:zulu71", "employee:90000").Replace(about(1))+`,"mode":"view","result_count":1`)
	return lines
}
