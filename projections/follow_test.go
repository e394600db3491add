package projections

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
)

// TestDecoded: everything comes in order and once, whatever the sizes; and ends where it must.
func TestDecoded(t *testing.T) {
	t.Parallel()
	m := newMemory(3*pieceRecords + 10)
	for _, from := range []uint64{1, 2, pieceRecords, pieceRecords + 1, m.Head(), m.Head() + 1} {
		next := from
		for got, err := range decoded(t.Context(), m, from) {
			if err != nil || len(got) == 0 {
				t.Fatal(err, len(got))
			}
			for _, e := range got {
				if e.Position != next || e.Digest != m.records[next-1].Digest || e.Stored.Event.ID != fmt.Sprintf("e%d", next) {
					t.Fatalf("event %s at %d instead of %d", e.Stored.Event.ID, e.Position, next)
				}
				next++
			}
		}
		if next != m.Head()+1 {
			t.Errorf("from %d it ended before %d", from, next)
		}
	}
}

// TestDecodedEnds: an error ends it, behind all events before; so does the end of its context, and who has enough.
// None of them leaves a goroutine, which synctest would report.
func TestDecodedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		until := func(ctx context.Context, source events.Replayer) (last uint64, failure error) {
			for got, err := range decoded(ctx, source, 1) {
				if failure != nil {
					t.Error("something follows an error")
				}
				if failure = err; err == nil {
					last = got[len(got)-1].Position
				}
			}
			return last, failure
		}
		m := newMemory(2000)
		m.records[1200].Raw = []byte("no event")
		if last, err := until(t.Context(), m); last != 1200 || err == nil {
			t.Errorf("damaged: ended at %d with %v", last, err)
		}
		m.records[900].Position = 17
		if last, err := until(t.Context(), m); last != 900 || err == nil {
			t.Errorf("a gap: ended at %d with %v", last, err)
		}
		away := errors.New("away")
		if last, err := until(t.Context(), failing{m, 700, away}); last != 700 || err != away {
			t.Errorf("failed: ended at %d with %v", last, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range decoded(ctx, m, 1) {
			cancel()
		}
		if last, err := until(ctx, m); last != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: ended at %d with %v", last, err)
		}
		for range decoded(t.Context(), m, 1) {
			break
		}
	})
}

// failing is a source that fails after some records.
type failing struct {
	*memory
	after uint64
	err   error
}

func (f failing) Replay(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range f.memory.Replay(ctx, from) {
			if rec.Position > f.after {
				yield(events.Record{}, f.err)
				return
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

func (s *Set) followersNow() (n, feeds int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.followers {
		feeds += len(w.feeds)
	}
	return len(s.followers), feeds
}

// TestDecodedOnce: views filled together share one reading, and one follower in the end.
func TestDecodedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, many = 20_000, 5
		m := newMemory(n)
		m.gate = make(chan struct{})
		var views []View
		for i := range many {
			views = append(views, tallyView(string(rune('a'+i)), 1, nil))
		}
		s := mustOpen(t, t.TempDir(), m, views...)
		synctest.Wait() // all have joined
		close(m.gate)
		if err := s.Wait(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if _, read := m.had(); read > n+many { // each that joins begins the reading again, at its first event
			t.Errorf("read %d of %d events", read, n)
		}
		time.Sleep(time.Minute)
		if followers, feeds := s.followersNow(); followers != 1 || feeds != many {
			t.Errorf("%d followers of %d feeds", followers, feeds)
		}
		mustHold(t, s, m, m.grow(3), "a", "e")
		mustClose(t, s)
	})
}

// TestFarBehind: a view that is filled anew does not hold back one that serves, and joins it in the end.
func TestFarBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = near + 5000
		dir, m := t.TempDir(), newMemory(n)
		s := mustOpen(t, dir, m, tallyView("a", 1, nil))
		if err := s.Wait(t.Context(), n, "a"); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		slow := &behind{memory: m, gate: make(chan struct{}), until: n}
		s, err := Open(t.Context(), Config{Dir: dir, Source: slow, Views: []View{tallyView("a", 1, nil), tallyView("b", 1, nil)}})
		must(t, err)
		for range 5 {
			if err := s.Wait(t.Context(), m.grow(10), "a"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Read("b", func(*bolt.Tx) error { return nil }); !errors.Is(err, ErrBehind) {
			t.Errorf("reading what is being filled: %v", err)
		}
		if st := s.Status()[1]; st.State != Building || st.Lag != n+50 {
			t.Errorf("%+v", st)
		}
		if followers, _ := s.followersNow(); followers != 2 {
			t.Errorf("%d followers", followers)
		}
		close(slow.gate)
		mustHold(t, s, m, m.grow(10), "a", "b")
		time.Sleep(time.Minute)
		if followers, feeds := s.followersNow(); followers != 1 || feeds != 2 {
			t.Errorf("%d followers of %d feeds", followers, feeds)
		}
		mustClose(t, s)
	})
}

// behind is a source that gives its first records only when the gate is open; one of them alone is always given.
type behind struct {
	*memory
	gate  chan struct{}
	until uint64
}

func (b *behind) Replay(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range b.memory.Replay(ctx, from) {
			if rec.Position < b.until {
				select {
				case <-b.gate:
				case <-ctx.Done():
				}
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// TestGathering: when nobody waits, what has come is committed within a moment, in one piece.
func TestGathering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spy, m := &faults{}, newMemory(10)
		s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, spy))
		mustHold(t, s, m, 10, "a")
		time.Sleep(time.Second)
		flushesBefore, _ := spy.had()
		replaysBefore, _ := m.had()
		for range 100 {
			m.grow(1)
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(gathering)
		synctest.Wait()
		if st := s.Status()[0]; st.Position != 110 {
			t.Errorf("%+v", st)
		}
		flushes, _ := spy.had()
		replays, _ := m.had()
		if flushes, replays = flushes-flushesBefore, replays-replaysBefore; flushes < 9 || flushes > 11 || replays > 11 {
			t.Errorf("100 events in a second: %d flushes, %d replays", flushes, replays)
		}
		began := time.Now()
		head := m.grow(1)
		synctest.Wait() // it gathers
		mustHold(t, s, m, head, "a")
		m.grow(near + 1) // enough
		synctest.Wait()
		if st := s.Status()[0]; st.Lag > 0 {
			t.Errorf("%+v", st)
		}
		if waited := time.Since(began); waited > 0 { // of the test's clock: no timer was waited for
			t.Errorf("waited %v", waited)
		}
		mustClose(t, s)
	})
}

// TestRebuild: a new file takes the place of the old one, which is read until then; and never less is read than before.
func TestRebuild(t *testing.T) {
	t.Parallel()
	dir, m, spy := t.TempDir(), newMemory(2000), &faults{}
	s := mustOpen(t, dir, m, tallyView("a", 1, spy), tallyView("b", 1, nil))
	mustHold(t, s, m, 2000, "a", "b")
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	var most atomic.Uint64 // position any reader has seen
	for range 3 {
		work.Go(func() {
			for ctx.Err() == nil {
				floor := most.Load()
				_, at, err := tallied(s, "a")
				if err != nil || at < floor {
					t.Errorf("read %d after %d: %v", at, floor, err)
					return
				}
				for old := most.Load(); old < at && !most.CompareAndSwap(old, at); old = most.Load() {
				}
			}
		})
	}
	work.Go(func() {
		for ctx.Err() == nil {
			head := m.grow(20)
			if err := s.Wait(ctx, head, "a", "b"); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	for range 10 {
		if err := s.Rebuild("a"); err != nil {
			t.Fatal(err)
		}
		if err := s.Rebuild("a"); !errors.Is(err, ErrRebuilding) {
			t.Errorf("twice: %v", err)
		}
		for swapped := false; !swapped; {
			changed := s.views[0].watch()
			if st := s.Status()[0]; st.State == Live {
				swapped = true
			} else if st.State != Rebuilding {
				t.Fatalf("%+v", st)
			} else {
				<-changed
			}
		}
	}
	cancel()
	work.Wait()
	mustHold(t, s, m, m.Head(), "a", "b")
	if _, opened := spy.had(); opened < 11 {
		t.Errorf("opened %d times", opened)
	}
	mustClose(t, s)
}

// TestManyWait: many wait at a time, each for what it has seen recorded; all get it.
func TestManyWait(t *testing.T) {
	t.Parallel()
	m := newMemory(0)
	s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, nil), tallyView("b", 1, nil))
	var work sync.WaitGroup
	for i := range 16 {
		work.Go(func() {
			for range 20 {
				head := m.grow(1 + i)
				if err := s.Wait(t.Context(), head, "a", "b"); err != nil {
					t.Error(err)
				}
				if _, at, err := tallied(s, "b"); err != nil || at < head {
					t.Errorf("at %d after a wait for %d: %v", at, head, err)
				}
			}
		})
	}
	work.Wait()
	mustHold(t, s, m, m.Head(), "a", "b")
}

// TestCloseWaits: Close lets readers end, and nobody begins to read afterwards.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	m := newMemory(10)
	s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, nil))
	mustHold(t, s, m, 10, "a")
	reading, closed := make(chan struct{}), make(chan error)
	var read sync.WaitGroup
	read.Go(func() {
		err := s.Read("a", func(tx *bolt.Tx) error {
			close(reading)
			<-s.ctx.Done() // Close has begun
			at, err := Position(tx)
			if err != nil || at != 10 {
				t.Error(at, err)
			}
			select {
			case err := <-closed:
				t.Errorf("closed during a read: %v", err)
			default:
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-reading
	go func() { closed <- s.Close() }()
	read.Wait()
	must(t, <-closed)
}
