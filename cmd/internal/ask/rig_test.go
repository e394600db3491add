package ask

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/views"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/projections"
)

// A rig is a real ledger with its real index and views, and a desk over them.
type rig struct {
	*Desk
	t      testing.TB
	cfg    ledger.Config
	folder string // of the views
	set    *projections.Set
	ahead  time.Duration // of the desk's clock

	instants int // given by later

	mu      sync.Mutex
	asked   map[uint64]events.Query  // what was recorded of questions, by position
	shown   map[uint64]events.Reveal // and of identifiers that were shown
	refuse  func(q events.Query) (uint64, error)
	conceal func(r events.Reveal) (uint64, error)
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{t: t, folder: filepath.Join(dir, "views"), asked: map[uint64]events.Query{}, shown: map[uint64]events.Reveal{}}
	r.cfg = ledger.Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Index: views.Identities(slog.New(slog.DiscardHandler))}
	if err := os.Mkdir(r.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Create(t.Context(), r.cfg); err != nil {
		t.Fatal(err)
	}
	r.open()
	t.Cleanup(func() {
		r.close()
		report, err := ledger.Check(context.Background(), r.cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			t.Errorf("check found: %s at %d: %s", f.Part, f.Position, f.Text)
		}
	})
	return r
}

func (r *rig) open() {
	r.t.Helper()
	l, err := ledger.Open(context.Background(), r.cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Desk, err = New(Config{Ledger: l, Record: r.write, Reveal: r.writeReveal, Now: func() time.Time { return time.Now().Add(r.ahead) }})
	if err != nil {
		r.t.Fatal(err)
	}
	r.stretch = 3 // so that pages take several
	r.openViews()
}

func (r *rig) openViews() {
	r.t.Helper()
	set, err := views.Open(context.Background(), r.folder, r.ledger, slog.New(slog.DiscardHandler))
	if err != nil {
		r.t.Fatal(err)
	}
	r.set, r.Desk.views = set, set
}

func (r *rig) close() {
	r.t.Helper()
	if err := r.set.Close(); err != nil {
		r.t.Error(err)
	}
	if err := r.ledger.Close(context.Background()); err != nil {
		r.t.Error(err)
	}
}

// write records a question, unless it is refused, and remembers it.
func (r *rig) write(ctx context.Context, q events.Query) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		return r.refuse(q)
	}
	position, err := r.ledger.RecordQuery(ctx, q)
	if err == nil {
		r.asked[position] = q
	}
	return position, err
}

// writeReveal does the same of identifiers that are shown.
func (r *rig) writeReveal(ctx context.Context, shown events.Reveal) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conceal != nil {
		return r.conceal(shown)
	}
	position, err := r.ledger.RecordReveal(ctx, shown)
	if err == nil {
		r.shown[position] = shown
	}
	return position, err
}

// questions is how many were recorded.
func (r *rig) questions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

// last is the question recorded last.
func (r *rig) last() events.Query {
	r.mu.Lock()
	defer r.mu.Unlock()
	var greatest uint64
	for position := range r.asked {
		greatest = max(greatest, position)
	}
	return r.asked[greatest]
}

// send records events in one request.
func (r *rig) send(lines ...string) []ledger.Result {
	r.t.Helper()
	subs := make([]ledger.Submission, len(lines))
	for i, line := range lines {
		e, err := events.Decode([]byte(line))
		if err != nil {
			r.t.Fatalf("%v: %s", err, line)
		}
		subs[i] = ledger.Submission{Event: e, Relay: "import"}
	}
	results, err := r.ledger.Record(context.Background(), subs)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, res := range results {
		if res.Err != nil {
			r.t.Fatal(res.Err)
		}
	}
	return results
}

func dpo() Asker { return Asker{Token: "0123456789abcdef", Name: "dpo-1", Role: access.RoleDPO} }

// event is one event of a producer, as it is sent.
func event(id, kind, at, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/ats","type":"eu.custody.%s.v1","time":%q,"data":{%s}}`, id, kind, at, data)
}

const (
	act = `"actor":{"id":%q,"role":"recruiter","kind":"human","unit":"sales","session":%q},"subjects":[{"id":%q,"role":"candidate"}],` +
		`"system":"ats","dataset":"career_cv","categories":["contact"],"purpose":"service_provision","basis":"A6-1-b"`
	january, february, march = "2025-01-10T09:00:00.000Z", "2025-02-10T09:00:00.000Z", "2025-03-10T09:00:00.000Z"
)

// looked is an event in which somebody looked at a person's data.
func looked(id, at, actor, session, person string) string {
	return event(id, "data.accessed", at, fmt.Sprintf(act, actor, session, person)+`,"mode":"view"`)
}

// gave is one in which somebody gave them to a party.
func gave(id, at, actor, session, person, party string) string {
	return event(id, "data.shared", at, fmt.Sprintf(act, actor, session, person)+fmt.Sprintf(`,"recipient":{"party":%q,"role":"processor"}`, party))
}

func linked(id, a, b string) string {
	return event(id, "subject.identifiers-linked", january,
		fmt.Sprintf(`"actor":{"id":"service:match","role":"service","kind":"service"},"subjects":[{"id":%q,"role":"candidate"},{"id":%q,"role":"candidate"}]`, a, b))
}

func registered(id, at, party, country string) string {
	return event(id, "governance.party-registered", at,
		fmt.Sprintf(`"actor":{"id":"employee:d1","role":"dpo","kind":"human"},"party":%q,"name":"Some Firm","roles":["processor"],"country":%q,"storage":[%q],"access":[%q]`, party, country, country, country))
}

// all reads every page of a list, and holds that they are pages of one answer.
func (r *rig) all(q Question, ask func(Question) (Page, error)) (Page, error) {
	first, err := ask(q)
	if err != nil {
		return Page{}, err
	}
	before := r.questions()
	whole := first
	for page := first; page.Next != ""; {
		q.Cursor = page.Next
		if page, err = ask(q); err != nil {
			return Page{}, err
		}
		if len(page.Items) == 0 || page.AsOf != first.AsOf || page.Total != first.Total {
			return Page{}, fmt.Errorf("a page of %d as of %d, the first is as of %d", len(page.Items), page.AsOf.Position, first.AsOf.Position)
		}
		whole.Items = append(whole.Items, page.Items...)
	}
	if n := r.questions(); n != before {
		return Page{}, fmt.Errorf("%d questions were recorded behind the first page", n-before)
	}
	if whole.Total != uint64(len(whole.Items)) {
		return Page{}, fmt.Errorf("%d items, of %d", len(whole.Items), whole.Total)
	}
	ascending := func(a, b Item) int { return int(a.Position) - int(b.Position) }
	if q.Newest {
		slices.Reverse(whole.Items)
	}
	if !slices.IsSortedFunc(whole.Items, ascending) {
		return Page{}, fmt.Errorf("out of order")
	}
	return whole, nil
}
