package crash_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// A promise is an event that the server has acknowledged.
type promise struct {
	event
	position uint64
}

// A book holds what the server has promised, what it left open, and what it
// did that it must not do.
type book struct {
	mu       sync.Mutex
	promises map[string]promise // by id
	ids      []string           // of promises, in order
	places   map[uint64]string  // position to id
	open     map[string]event   // sent, and not answered
	repeat   []event            // promised, and to be sent again all the same
	digests  map[uint64]string  // as first seen
	faults   []string
	failed   int // requests without an answer, or with one that promises nothing
	hangs    int // requests that ran out of time

	wanted  int           // acknowledgements until reached is closed
	reached chan struct{} // nil: nobody waits
}

func newBook() *book {
	return &book{promises: map[string]promise{}, places: map[uint64]string{}, open: map[string]event{}, digests: map[uint64]string{}}
}

// after returns a channel that is closed after n more acknowledgements, or
// after the first request that failed.
func (b *book) after(n int) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted, b.reached = n, make(chan struct{})
	return b.reached
}

func (b *book) count(n int) {
	if b.wanted -= n; b.wanted <= 0 && b.reached != nil {
		close(b.reached)
		b.reached = nil
	}
}

func (b *book) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

// answer notes what the server said about events sent together.
func (b *book) answer(evs []event, results []result, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		for _, e := range evs {
			if _, ok := b.promises[e.id]; !ok {
				b.open[e.id] = e
			}
		}
		b.failed++
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			b.hangs++
		}
		if status := errStatus(0); errors.As(err, &status) && status != http.StatusServiceUnavailable && status != http.StatusInternalServerError {
			b.fault("a request was answered with status %d", status)
		}
		b.count(b.wanted)
		return
	}
	for i, r := range results {
		b.note(evs[i], r)
	}
	b.count(len(evs))
}

func (b *book) note(e event, r result) {
	old, known := b.promises[e.id]
	switch {
	case r.Status == "refused" && r.Error != nil:
		b.fault("%s was refused: %s at %s", e.id, r.Error.Type, r.Error.Path)
	case r.Status != "recorded" && r.Status != "duplicate", r.Position == 0:
		b.fault("%s has status %q at position %d", e.id, r.Status, r.Position)
	case known && r.Status == "recorded":
		b.fault("%s was recorded twice, at %d and %d", e.id, old.position, r.Position)
	case known && old.position != r.Position:
		b.fault("%s was promised %d and is a duplicate of %d", e.id, old.position, r.Position)
	case !known && b.places[r.Position] != "":
		b.fault("position %d was promised to %s and to %s", r.Position, b.places[r.Position], e.id)
	case !known:
		b.promise(e, r.Position)
	}
}

func (b *book) promise(e event, position uint64) {
	b.promises[e.id] = promise{e, position}
	b.places[position] = e.id
	b.ids = append(b.ids, e.id)
	delete(b.open, e.id)
}

// any returns an event that was answered.
func (b *book) any(rng *rand.Rand) (event, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ids) == 0 {
		return event{}, false
	}
	return b.promises[b.ids[rng.IntN(len(b.ids))]].event, true
}

// before returns a book of the promises that pass, all others being open.
func (b *book) before(made func(id string) bool) *book {
	c := newBook()
	c.open = maps.Clone(b.open)
	for _, id := range b.ids {
		if p := b.promises[id]; made(id) {
			c.promise(p.event, p.position)
			c.digests[p.position] = b.digests[p.position]
		} else {
			c.open[id] = p.event
		}
	}
	return c
}

// verify reads everything and demands that each promise is kept.
func (b *book) verify(t *testing.T, srv *server, token string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	at := map[string]uint64{}
	next := uint64(1)
	for l, err := range srv.replay(token) {
		if err != nil {
			t.Fatalf("replay at position %d: %v\n%s", next, err, srv.out)
		}
		if l.Position != next {
			b.fault("position %d follows %d", l.Position, next-1)
		}
		next = l.Position + 1
		if first := at[l.ID]; first != 0 {
			b.fault("%s stands at %d and at %d", l.ID, first, l.Position)
		}
		at[l.ID] = l.Position
		b.compare(l)
	}
	for _, id := range b.ids {
		if p := b.promises[id]; at[id] != p.position {
			b.fault("%s was promised %d and stands at %d", id, p.position, at[id])
		}
	}
	b.report(t)
}

// compare holds one stored event against what was sent and seen before.
func (b *book) compare(l line) {
	if _, promised := b.promises[l.ID]; promised {
		if old := b.digests[l.Position]; old != "" && old != l.Digest {
			b.fault("position %d has changed", l.Position)
		}
		b.digests[l.Position] = l.Digest
	}
	e, sent := b.open[l.ID]
	if p, ok := b.promises[l.ID]; ok {
		e, sent = p.event, true
	}
	switch {
	case !sent && !slices.Contains(ownSources, l.Source):
		b.fault("position %d holds an event nobody sent", l.Position)
	case sent && (e.source != l.Source || e.kind != l.Type || e.at != l.Time || e.dataset != l.Data.Dataset || e.count != l.Data.Count):
		b.fault("position %d differs from what was sent", l.Position)
	}
}

func (b *book) report(t *testing.T) {
	t.Helper()
	for _, f := range b.faults[:min(len(b.faults), 20)] {
		t.Error(f)
	}
	if len(b.faults) > 0 {
		t.Fatalf("%d faults", len(b.faults))
	}
}

// retry sends again whatever was left open. Each must be recorded now, or be a
// duplicate.
func (b *book) retry(t *testing.T, srv *server, token string) {
	t.Helper()
	b.mu.Lock()
	open := slices.AppendSeq(slices.Clone(b.repeat), maps.Values(b.open))
	b.mu.Unlock()
	slices.SortFunc(open, func(x, y event) int { return slices.Compare(x.raw, y.raw) })
	for evs := range slices.Chunk(open, 100) {
		results, err := srv.send(token, evs)
		if err != nil {
			t.Fatalf("sending again: %v\n%s", err, srv.out)
		}
		b.answer(evs, results, nil)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.open) > 0 && len(b.faults) == 0 {
		b.fault("%d events are open after sending them again", len(b.open))
	}
	b.report(t)
}
