package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/stream"
)

// A failingLog is the stream of events, failing on demand: before anything
// happened, or after everything did and the answer was lost.
type failingLog struct {
	log
	mu   sync.Mutex
	fail func(l log, ctx context.Context, msgs []stream.Message) (uint64, error)
}

func (f *failingLog) Append(ctx context.Context, msgs []stream.Message) (uint64, error) {
	f.mu.Lock()
	fail := f.fail
	f.fail = nil
	f.mu.Unlock()
	if fail == nil {
		return f.log.Append(ctx, msgs)
	}
	return fail(f.log, ctx, msgs)
}

func (f *failingLog) once(fail func(log, context.Context, []stream.Message) (uint64, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

func rejected(l log, _ context.Context, _ []stream.Message) (uint64, error) {
	return l.Last(), fmt.Errorf("no space left: %w", stream.ErrRejected)
}

func notDone(l log, _ context.Context, _ []stream.Message) (uint64, error) {
	return l.Last(), fmt.Errorf("timeout: %w", stream.ErrUnknown)
}

func doneButLost(l log, ctx context.Context, msgs []stream.Message) (uint64, error) {
	before := l.Last()
	if _, err := l.Append(ctx, msgs); err != nil {
		return before, err
	}
	return before, fmt.Errorf("answer lost: %w", stream.ErrUnknown)
}

func doneInPart(l log, ctx context.Context, msgs []stream.Message) (uint64, error) {
	last, err := l.Append(ctx, msgs[:1])
	if err != nil {
		return last, err
	}
	return last, fmt.Errorf("no space left: %w", stream.ErrPartial)
}

// withFaults opens a ledger whose stream fails on demand.
func withFaults(t *testing.T, cfg Config) (*Ledger, *failingLog) {
	t.Helper()
	f := &failingLog{}
	l, err := openWith(t.Context(), cfg, func(l *Ledger) { f.log, l.events = l.events, f })
	if err != nil {
		t.Fatal(err)
	}
	return l, f
}

func registered(t *testing.T, id, code, country string) *events.Event {
	return decode(t, fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":"/register","type":"eu.custody.governance.party-registered.v1","time":"2026-01-01T00:00:00Z",`+
		`"data":{"actor":{"id":"employee:x02","role":"dpo"},"party":%q,"name":"A Party","roles":["client"],"country":%q,"storage":[%q],"access":[%q]}}`, id, code, country, country, country))
}

func shared(t *testing.T, id, code string) *events.Event {
	return decode(t, fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":"/ats","type":"eu.custody.data.shared.v1","time":"2026-03-02T09:14:05.120Z",`+
		`"data":{"subjects":[{"id":"candidate:20001","role":"candidate"}],"actor":{"id":"employee:x01","role":"recruiter","kind":"human"},`+
		`"system":"ats","dataset":"career_cv","categories":["contact"],"purpose":"service_provision","recipient":{"party":%q,"role":"client"}}}`, id, code))
}

func class(t *testing.T, l *Ledger, position uint64) string {
	t.Helper()
	rec, err := l.Event(t.Context(), position)
	if err != nil {
		t.Fatal(err)
	}
	st, err := events.DecodeStored(rec.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return st.Facts.Class
}

// TestRegisteredInOneRequest registers a party and uses it behind and before
// its place in one request: the register counts from its place on.
func TestRegisteredInOneRequest(t *testing.T) {
	l := open(t, newConfig(t))
	r := record(t, l, shared(t, "s1", "acme"), registered(t, "p1", "acme", "BE"), shared(t, "s2", "acme"), registered(t, "p2", "acme", "IN"), shared(t, "s3", "acme"))
	for i, want := range map[int]string{0: "U", 2: "T0", 4: "T5"} {
		if got := class(t, l, r[i].Position); got != want {
			t.Errorf("event %d: class %s, want %s", i, got, want)
		}
	}
}

// TestRejectedGroup: nothing of a rejected group stays behind, in the register,
// the identities, the positions or the vault; sending again records it.
func TestRejectedGroup(t *testing.T) {
	cfg := newConfig(t)
	l, f := withFaults(t, cfg)
	first := record(t, l, registered(t, "p1", "acme", "BE"))[0]
	f.once(rejected)
	group := []Submission{{Event: registered(t, "p2", "acme", "IN")}, {Event: shared(t, "s1", "acme")}}
	if _, err := l.Record(t.Context(), group); !errors.Is(err, ErrNotRecorded) || errors.Is(err, ErrHalted) {
		t.Fatalf("rejected group: %v", err)
	}
	if l.Halted() != nil {
		t.Fatalf("a rejection halted the ledger: %v", l.Halted())
	}
	r := record(t, l, shared(t, "s2", "acme"))[0]
	if r.Position != first.Position+1 || class(t, l, r.Position) != "T0" {
		t.Errorf("after the rejection: position %d, class %s", r.Position, class(t, l, r.Position))
	}
	again, err := l.Record(t.Context(), group)
	if err != nil || again[0].Status != Recorded || again[1].Status != Recorded {
		t.Fatalf("again: %v, %v", again, err)
	}
	if got := class(t, l, again[1].Position); got != "T5" {
		t.Errorf("class after the registration came through: %s", got)
	}
	closeLedger(t, l)
	mustBeSound(t, cfg)
}

// TestUnknownOutcome: the ledger halts, acknowledges nothing, and after a start
// every event sent again has one place, whether it had been recorded or not.
func TestUnknownOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		fail  func(log, context.Context, []stream.Message) (uint64, error)
		there int // how many of the two events were recorded
	}{"not done": {notDone, 0}, "done, answer lost": {doneButLost, 2}, "done in part": {doneInPart, 1}} {
		t.Run(name, func(t *testing.T) {
			cfg := newConfig(t)
			l, f := withFaults(t, cfg)
			record(t, l, view(t, "before", "candidate:1"))
			f.once(c.fail)
			link := decode(t, []byte(`{"specversion":"1.0","id":"link","source":"/ats","type":"eu.custody.subject.identifiers-linked.v1","time":"2026-03-02T09:14:05Z",`+
				`"data":{"subjects":[{"id":"candidate:1","role":"candidate"},{"id":"alias:1","role":"candidate"}],"actor":{"id":"employee:x01","role":"recruiter"}}}`))
			subs := []Submission{{Event: link}, {Event: view(t, "b", "alias:1")}}
			if _, err := l.Record(t.Context(), subs); !errors.Is(err, ErrHalted) {
				t.Fatalf("unknown outcome: %v", err)
			}
			if _, err := l.Record(t.Context(), subs); !errors.Is(err, ErrHalted) {
				t.Fatalf("after the halt: %v", err)
			}
			closeLedger(t, l)
			mustBeSound(t, cfg)

			l = open(t, cfg)
			linked, err := l.vault.Linked("candidate:1")
			if want := 1 + min(c.there, 1); err != nil || len(linked) != want {
				t.Errorf("%d identifiers linked before the retry, want %d: %v", len(linked), want, err)
			}
			results := record(t, l, link, subs[1].Event)
			for i, r := range results {
				want := Recorded
				if i < c.there {
					want = Duplicate
				}
				if r.Status != want || r.Position != uint64(2+i) {
					t.Errorf("event %d again: %s at %d, want %s at %d", i, r.Status, r.Position, want, 2+i)
				}
			}
			if linked, err := l.vault.Linked("candidate:1"); err != nil || len(linked) != 2 {
				t.Errorf("%d identifiers linked after the retry: %v", len(linked), err)
			}
		})
	}
}

// TestRejectedWhileOthersWait has many clients send while groups are rejected:
// each request fails whole or succeeds, and what was acknowledged is there.
func TestRejectedWhileOthersWait(t *testing.T) {
	l, f := withFaults(t, newConfig(t))
	acked := make([]map[string]uint64, 8)
	var wg sync.WaitGroup
	for c := range acked {
		acked[c] = map[string]uint64{}
		wg.Go(func() {
			for i := range 60 {
				if c == 0 && i%5 == 0 {
					f.once(rejected)
				}
				id := fmt.Sprint(c, "-", i)
				for {
					r, err := l.Record(t.Context(), []Submission{{Event: view(t, id, "candidate:"+id)}})
					if err == nil {
						acked[c][id] = r[0].Position
						break
					}
					if !errors.Is(err, ErrNotRecorded) {
						t.Errorf("record: %v", err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	at := map[uint64]string{}
	for rec, err := range l.Replay(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			t.Fatal(err)
		}
		at[rec.Position] = st.Event.ID
	}
	if len(at) != 8*60 {
		t.Errorf("%d events recorded, want %d", len(at), 8*60)
	}
	for _, m := range acked {
		for id, pos := range m {
			if at[pos] != id {
				t.Errorf("%s was acknowledged at %d, where %s is", id, pos, at[pos])
			}
		}
	}
	closeLedger(t, l)
}
