package projections

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/imalink/custody/events"
)

// held makes the flushes of a file wait until release is called.
func held(file *viewFile) (release func()) {
	gate := make(chan struct{})
	file.update = func(fn func(*bolt.Tx) error) error {
		<-gate
		return file.db.Update(fn)
	}
	return func() { close(gate) }
}

// newFile is the file that the first view is filling.
func newFile(s *Set) *viewFile {
	s.views[0].mu.Lock()
	defer s.views[0].mu.Unlock()
	return s.views[0].filling.file
}

// TestLaggingFile: a new file that has its place but is not as far as readers have been is not read; and nobody removes
// it with the old one.
func TestLaggingFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, m, spy := t.TempDir(), newMemory(100), &faults{}
		s := mustOpen(t, dir, m, tallyView("a", 1, spy))
		mustHold(t, s, m, 100, "a")
		must(t, os.Rename(dir+"/a.db", dir+"/away"))
		must(t, os.Mkdir(dir+"/a.db", 0o700)) // no place for a file
		must(t, s.Rebuild("a"))
		time.Sleep(time.Minute)
		old, lagging := servingFile(t, s), newFile(s)
		release := held(lagging)
		mustHold(t, s, m, m.grow(5), "a")
		must(t, os.Remove(dir+"/a.db"))
		time.Sleep(time.Minute)
		if at, err := os.Stat(dir + "/a.db"); err != nil || !at.Mode().IsRegular() {
			t.Fatalf("the new file is not in its place: %v", err)
		}
		if st := s.Status()[0]; st.Position != 105 || st.Filled != 100 || servingFile(t, s) != old {
			t.Errorf("%+v", st)
		}
		s.views[0].condemn(old, ErrDamaged)
		time.Sleep(time.Minute)
		if _, _, err := tallied(s, "a"); !errors.Is(err, ErrBehind) {
			t.Errorf("reading a file that lags: %v", err)
		}
		release()
		mustHold(t, s, m, 105, "a")
		if servingFile(t, s) != lagging {
			t.Error("another file serves")
		}
		mustClose(t, s)
		before, _ := spy.had()
		s = mustOpen(t, dir, m, tallyView("a", 1, spy))
		mustHold(t, s, m, 105, "a")
		if flushes, _ := spy.had(); flushes != before {
			t.Error("the new file was removed with the old one")
		}
		if servingFile(t, s).db.NoSync {
			t.Error("commits are not synced")
		}
		mustClose(t, s)
	})
}

// TestFloor: what readers may have seen of a commit under way counts, also after the file was condemned.
func TestFloor(t *testing.T) {
	t.Parallel()
	for _, condemned := range []bool{false, true} {
		p := newProjector(&Set{log: slog.New(slog.DiscardHandler)}, tallyView("a", 1, nil))
		old, f := &filler{file: &viewFile{}, committed: 10, reaching: 12}, &filler{file: &viewFile{}, placed: true, committed: 11}
		if p.serving, p.filling = old, f; condemned {
			p.condemn(old.file, ErrDamaged)
		}
		if p.promote(f); p.serving == f {
			t.Error("a file at 11 serves, and 12 may have been read")
		}
		f.committed = 12
		if p.promote(f); p.serving != f || p.filling != nil || len(p.old)+len(p.damaged) != 1 {
			t.Error("a file at 12 does not serve")
		}
	}
}

// TestSyncedFile: a file is filled without syncing, and no longer when it serves.
func TestSyncedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(100)
		m.gate = make(chan struct{})
		s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, nil))
		synctest.Wait()
		if !newFile(s).db.NoSync {
			t.Error("a new file is synced")
		}
		close(m.gate)
		mustHold(t, s, m, 100, "a")
		if servingFile(t, s).db.NoSync {
			t.Error("commits are not synced")
		}
		mustClose(t, s)
	})
}

// TestRefilled: a rebuilding whose file turns out to be damaged begins another; what serves goes on.
func TestRefilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(100)
		s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, nil))
		mustHold(t, s, m, 100, "a")
		old := servingFile(t, s)
		m.gate = make(chan struct{})
		must(t, s.Rebuild("a"))
		synctest.Wait()
		first := newFile(s)
		first.update = func(func(*bolt.Tx) error) error { return ErrDamaged }
		close(m.gate)
		time.Sleep(time.Minute)
		if now := servingFile(t, s); now == old || now == first || s.Status()[0].State != Live {
			t.Errorf("%+v", s.Status()[0])
		}
		mustHold(t, s, m, m.grow(5), "a")
		for _, file := range []*viewFile{old, first} {
			if err := file.db.View(func(*bolt.Tx) error { return nil }); !errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
				t.Errorf("a file that is not used is open: %v", err)
			}
		}
		mustClose(t, s)
	})
}

// TestCondemned: a file that cannot be trusted is gone before another is there.
func TestCondemned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, m := t.TempDir(), newMemory(100)
		s := mustOpen(t, dir, m, tallyView("a", 1, nil))
		mustHold(t, s, m, 100, "a")
		m.gate = make(chan struct{})
		if err := s.Read("a", func(*bolt.Tx) error { return ErrDamaged }); !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if left, err := filepath.Glob(dir + "/*"); err != nil || !slices.Equal(left, []string{dir + "/a.db.new"}) {
			t.Errorf("%v: %q", err, left)
		}
		mustClose(t, s)
	})
}

// TestClosedWhileFilling: an unfinished file does not stay.
func TestClosedWhileFilling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, m := t.TempDir(), newMemory(100)
		m.gate = make(chan struct{})
		s := mustOpen(t, dir, m, tallyView("a", 1, nil))
		synctest.Wait()
		if err := s.Rebuild("a"); !errors.Is(err, ErrRebuilding) {
			t.Error(err)
		}
		mustClose(t, s)
		if left, err := filepath.Glob(dir + "/*"); err != nil || len(left) > 0 {
			t.Errorf("%v: %q", err, left)
		}
	})
}

// TestFlushEvents: a model is flushed often enough, and when a pass ends.
func TestFlushEvents(t *testing.T) {
	t.Parallel()
	const n = 2*FlushEvents + 100
	var folds, most int
	counting := View{Name: "a", Open: func(*bolt.Tx) (Model, error) { return &counted{&folds, &most}, nil }}
	s, err := Open(t.Context(), Config{Dir: t.TempDir(), Source: newLoop(n), Views: []View{counting}})
	must(t, err)
	must(t, s.Wait(t.Context(), n))
	mustClose(t, s)
	if folds != 0 || most != FlushEvents {
		t.Errorf("%d folds before a flush, %d after the last", most, folds)
	}
}

type counted struct{ folds, most *int }

func (c *counted) Fold(*Event) { *c.folds++ }

func (c *counted) Flush(*bolt.Tx) error {
	*c.most, *c.folds = max(*c.most, *c.folds), 0
	return nil
}

// TestCoalesced: a view that is slow commits for several passes at once, but not while somebody waits.
func TestCoalesced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end, hurried, more bool
		wanted             uint64
		flushes            int
	}{
		"within a pass":                  {false, false, false, 0, 0},
		"at its end":                     {true, false, false, 0, 1},
		"at its end, with more to come":  {true, false, true, 0, 0},
		"and somebody has waited before": {true, false, true, 5, 0},
		"and somebody waits":             {true, false, true, 6, 1},
		"and somebody waits for more":    {true, false, true, 99, 1},
		"of one hurried for another":     {true, true, false, 5, 0},
		"of one hurried":                 {true, true, false, 6, 1},
	} {
		spy := &faults{}
		f := &filler{p: newProjector(&Set{}, tallyView("a", 1, spy)), at: mark{position: 5}, file: &viewFile{}}
		f.model = &tally{noted: map[Tag][2]uint64{}, faults: spy}
		f.p.serving = f
		flushes := 0
		f.file.update = func(func(*bolt.Tx) error) error { flushes++; return nil }
		f.p.set.log = slog.New(slog.DiscardHandler)
		f.p.wanted.Store(c.wanted)
		e, err := Decode(events.Record{Position: 6, Raw: storedAt(6)})
		must(t, err)
		must(t, f.take(batch{events: []*Event{e}, end: c.end, hurried: c.hurried}, c.more))
		if flushes != c.flushes || f.at.position != 6 {
			t.Errorf("%s: %d flushes at %d", name, flushes, f.at.position)
		}
		if err := f.take(batch{events: []*Event{e}}, false); err == nil || !strings.Contains(err.Error(), "position 6 follows 6") {
			t.Errorf("%s: the same event again: %v", name, err)
		}
		f.p.serving = nil
		if err := f.flush(); !errors.Is(err, errReplaced) || flushes != c.flushes {
			t.Errorf("%s: committing in a file that is no longer used: %v", name, err)
		}
	}
}

// TestWaitedFor: only the view that somebody waits for commits at once, another does within a moment, or when it is
// waited for in turn.
func TestWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, spies := newMemory(10), []*faults{{}, {}}
		s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, spies[0]), tallyView("b", 1, spies[1]))
		mustHold(t, s, m, 10, "a", "b")
		time.Sleep(time.Second)
		began := time.Now()
		flushes := func() (n [2]int) {
			for i, spy := range spies {
				n[i], _ = spy.had()
			}
			return n
		}
		before := flushes()
		mustHold(t, s, m, m.grow(1), "a")
		synctest.Wait()
		if after := flushes(); after != [2]int{before[0] + 1, before[1]} {
			t.Errorf("%v commits became %v", before, after)
		}
		mustHold(t, s, m, 11, "b")
		if after := flushes(); after != [2]int{before[0] + 1, before[1] + 1} || time.Since(began) > 0 {
			t.Errorf("%v commits became %v after %v", before, after, time.Since(began))
		}
		mustHold(t, s, m, m.grow(1), "a")
		time.Sleep(gathering)
		synctest.Wait()
		if after := flushes(); after != [2]int{before[0] + 2, before[1] + 2} {
			t.Errorf("%v commits became %v", before, after)
		}
		mustClose(t, s)
	})
}

// TestFlushPeople: events about many are committed before the notes of them fill the memory.
func TestFlushPeople(t *testing.T) {
	t.Parallel()
	f := &filler{p: newProjector(&Set{log: slog.New(slog.DiscardHandler)}, tallyView("a", 1, &faults{})), file: &viewFile{}, model: &counted{new(int), new(int)}}
	f.p.serving = f
	var flushed []uint64
	f.file.update = func(func(*bolt.Tx) error) error { flushed = append(flushed, f.at.position); return nil }
	everybody := make([]Tag, FlushPeople/4)
	for n := range uint64(10) {
		must(t, f.take(batch{events: []*Event{{Position: n + 1, People: People{Subjects: everybody}}}}, true))
	}
	if !slices.Equal(flushed, []uint64{4, 8}) {
		t.Errorf("commits at %d", flushed)
	}
}

// TestMerge: feeds go to a follower at the same place or a little behind, and none that it has passed.
func TestMerge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mine, fed, other uint64
		merges           bool
	}{
		"at the same place":            {100, 100, 100, true},
		"a little behind":              {100, 100, 99, true},
		"ahead":                        {100, 100, 101, false},
		"far behind":                   {near + 101, near + 101, 100, false},
		"just near":                    {near + 100, near + 100, 100, true},
		"a feed behind has joined me":  {100, 80, 90, false},
		"a feed behind, but not there": {100, 80, 70, true},
	} {
		interrupted := false
		s := &Set{}
		w := &follower{set: s, position: c.mine, interrupt: func() {}}
		w.feeds = []*feed{{fed: c.mine}, {fed: c.fed}}
		o := &follower{set: s, position: c.other, interrupt: func() { interrupted = true }}
		s.followers = []*follower{w, o}
		if w.merge() != c.merges || interrupted != c.merges || slices.Contains(s.followers, w) == c.merges || len(o.feeds) == 2 != c.merges {
			t.Errorf("%s: interrupted %t, %d feeds", name, interrupted, len(o.feeds))
		}
	}
}

// TestEndOfPass: feeds that joined during a pass are not told that it ended, as it did not reach them.
func TestEndOfPass(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nobody settles here
	fed, joined := &feed{in: make(chan batch, 1), fed: 100}, &feed{in: make(chan batch, 1), fed: 99, building: true}
	w := &follower{set: &Set{}, position: 100, feeds: []*feed{fed, joined}, interrupt: func() {}}
	for len(fed.in) == 0 { // the context may have been seen first
		w.end(ctx, batch{end: true}, true)
	}
	if b := <-fed.in; !b.end || b.settle != nil || len(joined.in) > 0 {
		t.Errorf("%+v, and %d for who has joined", b, len(joined.in))
	}
}

// TestPieces: large events make small pieces.
func TestPieces(t *testing.T) {
	t.Parallel()
	large := sized{n: 10, size: pieceSize*2/3 + 1}
	var got []int
	for p := range pieces(t.Context(), large, 1) {
		got = append(got, len(p.records))
	}
	if !slices.Equal(got, []int{2, 2, 2, 2, 2}) {
		t.Errorf("%v", got)
	}
}

// sized is a source of records of a size.
type sized struct{ n, size int }

func (s sized) Replay(_ context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for at := from; at <= uint64(s.n) && yield(events.Record{Position: at, Raw: make([]byte, s.size)}, nil); at++ {
		}
	}
}
