package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

// A slowIndex lets one lookup, once it has its answer, and the first Add, before
// it begins, wait for a test.
type slowIndex struct {
	*memoryIndex
	add    chan struct{} // the first Add waits for this
	lookup atomic.Pointer[pause]
}

type pause struct{ reached, goOn chan struct{} }

func (x *slowIndex) Lookup(keys [][16]byte, found []uint64) error {
	err := x.memoryIndex.Lookup(keys, found)
	if p := x.lookup.Swap(nil); p != nil {
		close(p.reached)
		<-p.goOn
	}
	return err
}

func (x *slowIndex) Add(keys [][16]byte, at []uint64, position uint64, digest [32]byte, register []byte) error {
	<-x.add
	return x.memoryIndex.Add(keys, at, position, digest, register)
}

// smallSegment is how many keys a rotation of openSmall has.
const smallSegment = 4000

// openSmall is open with a tail that is rotated soon.
func openSmall(t *testing.T, cfg Config) *Ledger {
	t.Helper()
	l, err := openWith(t.Context(), cfg, func(l *Ledger) { l.tail.segment, l.tail.patience = smallSegment, smallSegment })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closeLedger(t, l)
		mustBeSound(t, cfg)
	})
	return l
}

// fillUntil records events until done.
func fillUntil(t *testing.T, l *Ledger, name string, done func() bool) {
	t.Helper()
	for i := 0; !done(); i++ {
		if i > 40 {
			t.Fatal("it does not come to that")
		}
		var es []*events.Event
		for j := range 400 {
			es = append(es, view(t, fmt.Sprint(name, "-", i, "-", j), "candidate:1"))
		}
		record(t, l, es...)
	}
}

// TestRepeatAcrossRotation: an index asked while a segment was on its way there
// must not be believed once the tail has let that segment go.
func TestRepeatAcrossRotation(t *testing.T) {
	cfg := newConfig(t)
	slow := &slowIndex{memoryIndex: newMemoryIndex(), add: make(chan struct{})}
	cfg.Index = func(string) (Index, error) { return slow, nil }
	l := openSmall(t, cfg)
	first := record(t, l, view(t, "first", "candidate:1"))[0]
	fillUntil(t, l, "one", func() bool { return l.era.Load() == 1 })

	p := &pause{make(chan struct{}), make(chan struct{})}
	slow.lookup.Store(p)
	answer := make(chan Result)
	go func() {
		r, err := l.Record(t.Context(), []Submission{{Event: view(t, "first", "candidate:1")}})
		if err != nil {
			t.Errorf("record: %v", err)
			r = make([]Result, 1)
		}
		answer <- r[0]
	}()
	<-p.reached // the repeat has asked the index, which does not have it yet
	close(slow.add)
	fillUntil(t, l, "two", func() bool { return l.era.Load() == 2 })
	close(p.goOn)
	if r := <-answer; r.Status != Duplicate || r.Position != first.Position {
		t.Errorf("the repeat got %s at %d, want duplicate at %d", r.Status, r.Position, first.Position)
	}
}

// TestIndexFails: while the index cannot be written nothing is forgotten, and
// moving the tail is not tried with every group.
func TestIndexFails(t *testing.T) {
	cfg := newConfig(t)
	index := newMemoryIndex()
	cfg.Index = index.at
	l := openSmall(t, cfg)
	first := record(t, l, view(t, "first", "candidate:1"))[0]
	index.mu.Lock()
	index.failAdd = errors.New("disk full")
	index.mu.Unlock()
	for i := range smallSegment/400 + 3 {
		var es []*events.Event
		for j := range 400 {
			es = append(es, view(t, fmt.Sprint("fill-", i, "-", j), "candidate:1"))
		}
		record(t, l, es...)
	}
	if !l.State().IndexFailing {
		t.Error("the state does not say that the index fails")
	}
	index.mu.Lock()
	if index.adds != 1 {
		t.Errorf("%d attempts to write the index in one segment's time, want 1", index.adds)
	}
	index.failAdd = nil
	index.mu.Unlock()
	if r := record(t, l, view(t, "first", "candidate:1"))[0]; r.Status != Duplicate || r.Position != first.Position {
		t.Errorf("the repeat got %s at %d", r.Status, r.Position)
	}
}

func linkOf(t *testing.T, id string, people ...string) *events.Event {
	subjects := ""
	for i, p := range people {
		if i > 0 {
			subjects += ","
		}
		subjects += fmt.Sprintf(`{"id":%q,"role":"candidate"}`, p)
	}
	return decode(t, fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":"/ats","type":"eu.custody.subject.identifiers-linked.v1","time":"2026-03-02T09:14:05Z",`+
		`"data":{"subjects":[%s],"actor":{"id":"employee:x01","role":"recruiter"}}}`, id, subjects))
}

// TestLinkLimit: a link too many is refused by itself; those around it are
// recorded, nobody in it becomes known, and the ledger goes on.
func TestLinkLimit(t *testing.T) {
	l := open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:1"))
	for i := range 16 {
		people := []string{"hub:1"}
		for j := range 63 {
			people = append(people, fmt.Sprint("alias:", i, "-", j))
		}
		record(t, l, linkOf(t, fmt.Sprint("link-", i), people...))
	}
	people := []string{"hub:1"}
	for j := range 63 {
		people = append(people, fmt.Sprint("late:", j))
	}
	r := record(t, l, view(t, "a", "candidate:1"), linkOf(t, "too-many", people...), view(t, "b", "candidate:2"))
	if r[0].Status != Duplicate || r[2].Status != Recorded {
		t.Errorf("around the refusal: %s and %s", r[0].Status, r[2].Status)
	}
	if r[1].Status != Refused || r[1].Err.Type != events.OutOfRange || r[1].Err.Path != "/data/subjects" {
		t.Errorf("the link: %s, %v", r[1].Status, r[1].Err)
	}
	if _, known, err := l.vault.Lookup("late:1"); known || err != nil {
		t.Errorf("a refusal made somebody known: %v", err)
	}
	wide := make([]string, 65)
	for i := range wide {
		wide[i] = fmt.Sprint("wide:", i)
	}
	if r := record(t, l, linkOf(t, "wide", wide...))[0]; r.Status != Refused {
		t.Errorf("a link of 65: %s", r.Status)
	}
}

// TestFailedEventAlone: a group that holds nothing but a repeat and an event
// that failed half-way keeps nothing of the vault's.
func TestFailedEventAlone(t *testing.T) {
	l := open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:1"))
	g := l.newGroup(l.next)
	g.batch = l.vault.Begin()
	cell, err := g.batch.Cell(cellOf(view(t, "x", "candidate:9"), vault.Subject))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.batch.Tag(cell, "candidate:9"); err != nil {
		t.Fatal(err)
	}
	if err := l.commit(g); err != nil {
		t.Fatalf("commit: %v", err)
	}
	l.settle(g, nil)
	if r := record(t, l, view(t, "b", "candidate:2"))[0]; r.Status != Recorded {
		t.Errorf("after it: %s", r.Status)
	}
}

// TestHaltWhileRejected: the store is found failed while a group is rejected and
// a large request is half taken. Everybody is answered, once.
func TestHaltWhileRejected(t *testing.T) {
	l, f := withFaults(t, newConfig(t))
	f.once(func(events log, _ context.Context, _ []stream.Message) (uint64, error) {
		l.halt(ErrHalted)
		return events.Last(), stream.ErrUnknown
	})
	var subs []Submission
	for i := range 3 * groupEvents {
		subs = append(subs, Submission{Event: view(t, fmt.Sprint(i), "candidate:1")})
	}
	if _, err := l.Record(t.Context(), subs); !errors.Is(err, ErrHalted) {
		t.Errorf("record: %v", err)
	}
	closeLedger(t, l)
}
