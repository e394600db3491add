package forget

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/projections"
)

// A rig is an office over a real ledger and its views, whose clock can be ahead.
type rig struct {
	*Office
	t      *testing.T
	cfg    ledger.Config
	folder string // of the views
	set    *projections.Set
	log    lockedBuffer
	sent   int

	mu    sync.Mutex
	ahead time.Duration
}

// lockedBuffer is a log that can be read meanwhile.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Those whom events are about.
const (
	zulu, alias, yankee = "candidate:zulu71", "crm:zulu72", "candidate:yankee81"
	whiskey             = "employee:whiskey91"
)

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{t: t, folder: filepath.Join(dir, "views")}
	r.cfg = ledger.Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Index: views.Identities(slog.New(slog.DiscardHandler))}
	r.must(os.Mkdir(r.folder, 0o700))
	r.must(ledger.Create(t.Context(), r.cfg))
	r.open()
	t.Cleanup(func() {
		r.close()
		found, err := ledger.Check(context.Background(), r.cfg, nil)
		r.must(err)
		for _, f := range found.Findings {
			t.Errorf("check found: %s at %d: %s", f.Part, f.Position, f.Text)
		}
		for _, name := range []string{"zulu", "yankee", "whiskey"} {
			if strings.Contains(r.log.String(), name) {
				t.Errorf("the log names somebody: %s", r.log.String())
			}
		}
	})
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) open() {
	r.t.Helper()
	l, err := ledger.Open(context.Background(), r.cfg)
	r.must(err)
	r.set, err = views.Open(context.Background(), r.folder, l, slog.New(slog.DiscardHandler))
	r.must(err)
	desk, err := ask.New(ask.Config{Ledger: l, Views: r.set})
	r.must(err)
	r.Office = New(Config{Ledger: l, Desk: desk, Log: slog.New(slog.NewTextHandler(&r.log, nil)), Now: func() time.Time {
		r.mu.Lock()
		defer r.mu.Unlock()
		return time.Now().Add(r.ahead)
	}})
}

func (r *rig) close() {
	r.t.Helper()
	r.must(r.set.Close())
	r.must(r.Ledger.Close(context.Background()))
}

// later puts the office's clock ahead.
func (r *rig) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ahead = d
}

// send records one event of a kind; data is its JSON without the braces.
func (r *rig) send(kind, at, data string) (position uint64) {
	r.t.Helper()
	r.sent++
	line := fmt.Sprintf(`{"specversion":"1.0","id":"e-%d","source":"/ats","type":"eu.custody.%s.v1","time":%q,"data":{%s}}`, r.sent, kind, at, data)
	e, err := events.Decode([]byte(line))
	r.must(err)
	results, err := r.Ledger.Record(r.t.Context(), []ledger.Submission{{Event: e}})
	r.must(err)
	if results[0].Err != nil {
		r.t.Fatal(results[0].Err)
	}
	return results[0].Position
}

const (
	january  = "2025-01-10T09:00:00.000Z"
	february = "2025-02-10T09:00:00.000Z"
	bySystem = `"actor":{"id":"service:match","role":"service","kind":"service"},`
	careerCV = `"system":"ats","dataset":"career_cv","categories":["contact"],"purpose":"service_provision","basis":"A6-1-b"`
)

// today is the present, as events have it.
func today() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00") }

func listing(people ...string) string {
	var list []string
	for _, p := range people {
		list = append(list, fmt.Sprintf(`{"id":%q,"role":"candidate"}`, p))
	}
	return `"subjects":[` + strings.Join(list, ",") + `]`
}

// looked is an access to people's data by somebody.
func (r *rig) looked(at, actor string, people ...string) uint64 {
	r.t.Helper()
	return r.send("data.accessed", at, fmt.Sprintf(`"actor":{"id":%q,"role":"recruiter","kind":"human","session":"sess-1"},`, actor)+listing(people...)+","+careerCV+`,"mode":"view"`)
}

func (r *rig) shared(at, person, party string) uint64 {
	r.t.Helper()
	return r.send("data.shared", at, bySystem+listing(person)+","+careerCV+fmt.Sprintf(`,"recipient":{"party":%q,"role":"processor"}`, party))
}

func (r *rig) linked(a, b string) uint64 {
	r.t.Helper()
	return r.send("subject.identifiers-linked", january, bySystem+listing(a, b))
}

func (r *rig) deleted(person, legs string) uint64 {
	r.t.Helper()
	return r.send("data.deleted", today(), bySystem+listing(person)+","+careerCV+`,"deletion":"D-1","method":"erase","trigger":"request","legs":[`+legs+`]`)
}

func (r *rig) told(person, party string) uint64 {
	r.t.Helper()
	return r.send("subject.recipient-notified", today(), bySystem+listing(person)+fmt.Sprintf(`,"recipient":{"party":%q,"role":"processor"},"about":"erasure","outcome":"sent"`, party))
}

// hold places a hold; about is whom or what, "" for everything.
func (r *rig) hold(name, about string) uint64 {
	r.t.Helper()
	if about != "" {
		about = "," + about
	}
	return r.send("governance.hold-placed", today(), bySystem+fmt.Sprintf(`"hold":%q,"ground":"A17-3-e"`, name)+about)
}

func (r *rig) release(name string) uint64 {
	r.t.Helper()
	return r.send("governance.hold-released", today(), bySystem+fmt.Sprintf(`"hold":%q`, name))
}

// small records what the tests are about: Zulu, under two identifiers, whose data
// were looked at and given away, with Yankee and alone.
func small(t *testing.T) *rig {
	r := newRig(t)
	r.looked(january, whiskey, zulu)
	r.linked(zulu, alias)
	r.looked(february, whiskey, alias, yankee)
	r.shared(february, zulu, "tango-bank")
	r.looked(february, whiskey, yankee)
	return r
}

func dpo() ask.Asker {
	return ask.Asker{Token: "0123456789abcdef", Name: "dpo-1", Role: access.RoleDPO}
}

func deputy() ask.Asker {
	return ask.Asker{Token: "fedcba9876543210", Name: "dpo-2", Role: access.RoleDPO}
}

func asked(id string) Request {
	return Request{Identifier: id, Reason: "request", Request: "dsar:2026/33"}
}

// erase asks for an erasure that succeeds.
func (r *rig) erase(q Request) *report.Certificate {
	r.t.Helper()
	return r.paper(r.Erase(r.t.Context(), dpo(), q))
}

// paper holds that a certificate is valid in either form, and is read back.
func (r *rig) paper(c *report.Certificate, err error) *report.Certificate {
	r.t.Helper()
	r.must(err)
	var text, pdf bytes.Buffer
	r.must(c.Encode(&text))
	r.must(c.PDF(&pdf, report.English))
	if _, err := report.Decode(&text); err != nil {
		r.t.Errorf("it cannot be read back: %v", err)
	}
	return c
}

// unnamed holds that a certificate names nobody.
func (r *rig) unnamed(c *report.Certificate, err error) *report.Certificate {
	r.t.Helper()
	r.paper(c, err)
	var text bytes.Buffer
	r.must(c.Encode(&text))
	for _, name := range []string{"zulu", "yankee", "whiskey"} {
		if strings.Contains(text.String(), name) {
			r.t.Errorf("it names somebody: %s", text.String())
		}
	}
	return c
}

// known holds whether somebody is known, and that it is answered like anybody
// who is not.
func (r *rig) known(id string, want bool) {
	r.t.Helper()
	_, err := r.Desk.Lookup(r.t.Context(), dpo(), ask.Person, id, "timeline", ask.Question{Name: "person.timeline"})
	if want && err != nil || !want && !errors.Is(err, ask.ErrNotKnown) {
		r.t.Errorf("known is to be %t: %v", want, err)
	}
}

// state is what became of an erasure.
func (r *rig) state(position uint64) ask.ErasureDetail {
	r.t.Helper()
	d, err := r.Desk.Pursue(r.t.Context(), position)
	r.must(err)
	return d
}

// count is how many events of a kind there are.
func (r *rig) count(kind events.Kind) (n int) {
	r.t.Helper()
	for rec, err := range r.Ledger.Replay(r.t.Context(), 1) {
		r.must(err)
		st, err := events.DecodeStored(rec.Raw)
		r.must(err)
		if st.Event.Kind == kind {
			n++
		}
	}
	return n
}

// fails demands an error, and that neither it nor what it says as JSON names
// anybody.
func (r *rig) fails(err, want error) {
	r.t.Helper()
	if !errors.Is(err, want) {
		r.t.Errorf("%v, want %v", err, want)
		return
	}
	text, _ := json.Marshal(err)
	for _, name := range []string{"zulu", "yankee", "whiskey"} {
		if strings.Contains(err.Error()+string(text), name) {
			r.t.Errorf("the error names somebody: %v", err)
		}
	}
}

func isNotKnown(err error) bool { return errors.Is(err, ask.ErrNotKnown) }
