package projections

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
)

// TestModelFails: nothing of a flush that failed stays, however it failed; the view says why, and goes on when it can.
func TestModelFails(t *testing.T) {
	mine := errors.New("mine")
	for name, c := range map[string]struct {
		flush  error
		panics any
		why    string
	}{
		"an error":        {flush: mine, why: "flushing: mine"},
		"a panic":         {panics: "secret", why: "model panicked with a string"},
		"a runtime error": {panics: runtimeError(), why: "index out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spy, m := &faults{}, newMemory(10)
				s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, spy), tallyView("b", 1, nil))
				mustHold(t, s, m, 10, "a", "b")
				spy.set(c.flush, c.panics)
				head := m.grow(5)
				if err := s.Wait(t.Context(), head, "a"); !errors.Is(err, ErrFailed) || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "secret") {
					t.Errorf("waiting: %v", err)
				}
				mustHold(t, s, m, head, "b")
				mustHold(t, s, m, 10, "a") // what it has can be read
				if st := s.Status()[0]; st.State != Failed || st.Position != 10 || st.Lag != 5 || !strings.Contains(st.Error, c.why) {
					t.Errorf("%+v", st)
				}
				spy.set(nil, nil)
				time.Sleep(time.Minute) // of the test's clock: beyond any backoff
				mustHold(t, s, m, head, "a", "b")
				if st := s.Status()[0]; st.State != Live || st.Error != "" {
					t.Errorf("%+v", st)
				}
				if _, opened := spy.had(); opened < 2 {
					t.Errorf("opened %d times", opened)
				}
				mustClose(t, s)
			})
		})
	}
}

func runtimeError() (cause any) {
	defer func() { cause = recover() }()
	var none []int
	return none[len(none)]
}

// TestBackoff: a view that fails again and again is tried less and less often, and soon again after it has gone on.
func TestBackoff(t *testing.T) {
	for name, err := range map[string]error{"a failure": errors.New("mine"), "damage": ErrDamaged} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spy, m := &faults{}, newMemory(10)
				spy.set(err, nil)
				s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, spy))
				time.Sleep(time.Hour)
				if _, opened := spy.had(); opened < 300 || opened > 400 { // every 10 s in the end
					t.Errorf("tried %d times in an hour", opened)
				}
				if err := s.Read("a", func(*bolt.Tx) error { return nil }); !errors.Is(err, ErrFailed) && !errors.Is(err, ErrBehind) {
					t.Error(err)
				}
				spy.set(nil, nil)
				time.Sleep(time.Minute)
				mustHold(t, s, m, 10, "a")
				spy.set(errors.New("mine"), nil)
				m.grow(1)
				time.Sleep(2 * gathering)
				spy.set(nil, nil)
				time.Sleep(time.Second)
				mustHold(t, s, m, 11, "a")
				mustClose(t, s)
			})
		})
	}
}

// TestCommitFails: whether a failed commit is in the file or not, each event counts once.
func TestCommitFails(t *testing.T) {
	lost := errors.New("lost")
	refused := &fs.PathError{Op: "write", Path: "a.db", Err: syscall.ENOSPC}
	for name, c := range map[string]struct {
		err       error
		happened  bool
		discarded bool
	}{
		"refused":              {refused, false, false},
		"refused but done":     {refused, true, false},
		"sync failed":          {syscall.EIO, false, true},
		"sync failed but done": {syscall.EIO, true, true},
		"who knows":            {lost, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(10)
				s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, nil))
				mustHold(t, s, m, 10, "a")
				synctest.Wait()
				file := servingFile(t, s)
				file.update = func(fn func(*bolt.Tx) error) error {
					file.update = file.db.Update
					undone := errors.New("undone")
					err := file.db.Update(func(tx *bolt.Tx) error {
						if err := fn(tx); err != nil || c.happened {
							return err
						}
						return undone
					})
					if err != nil && err != undone {
						return err
					}
					return c.err
				}
				head := m.grow(5)
				time.Sleep(time.Minute)
				mustHold(t, s, m, head, "a")
				if servingFile(t, s) == file == c.discarded {
					t.Errorf("discarded: %t", !c.discarded)
				}
				mustClose(t, s)
			})
		})
	}
}

// TestNewFileFails: a view that cannot sync its new file fills another.
func TestNewFileFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(100)
		m.gate = make(chan struct{})
		s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, nil))
		synctest.Wait() // the first file is begun and joined
		first := s.views[0].filling.file
		first.update = func(func(*bolt.Tx) error) error {
			return first.db.Update(func(*bolt.Tx) error { return ErrDamaged })
		}
		close(m.gate)
		mustHold(t, s, m, 100, "a")
		if servingFile(t, s) == first {
			t.Error("the damaged file serves")
		}
		mustClose(t, s)
	})
}

// TestSourceFails: while events cannot be had all views say so, and go on afterwards without folding any twice.
func TestSourceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spy, m, away := &faults{}, newMemory(10), errors.New("away")
		s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, spy), tallyView("b", 1, nil))
		mustHold(t, s, m, 10, "a", "b")
		m.fail(away)
		head := m.grow(5)
		time.Sleep(time.Minute)
		for _, st := range s.Status() {
			if st.State != Failed || st.Error != "away" || st.Position != 10 {
				t.Errorf("%+v", st)
			}
		}
		if err := s.Wait(t.Context(), head, "a"); !errors.Is(err, ErrFailed) || !errors.Is(err, away) {
			t.Error(err)
		}
		if err := s.Wait(t.Context(), 10, "a"); err != nil {
			t.Error(err)
		}
		m.fail(nil)
		time.Sleep(time.Minute)
		mustHold(t, s, m, head, "a", "b")
		if st := s.Status()[0]; st.State != Live || st.Error != "" {
			t.Errorf("%+v", st)
		}
		m.fail(away)
		time.Sleep(time.Minute)
		m.fail(nil)
		time.Sleep(time.Minute)
		if st := s.Status()[0]; st.State != Live || st.Error != "" { // though nothing has come
			t.Errorf("%+v", st)
		}
		if _, opened := spy.had(); opened != 1 {
			t.Errorf("the model was opened %d times", opened)
		}
		mustClose(t, s)
	})
}

// TestUndecodable: an event that cannot be read stops all views before it.
func TestUndecodable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1000)
		m.records[700].Raw = []byte("{}")
		s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, nil))
		time.Sleep(time.Minute)
		if st := s.Status()[0]; st.State != Failed || !strings.Contains(st.Error, "decoding: position 701") {
			t.Errorf("%+v", st)
		}
		m.mu.Lock()
		m.records[700].Raw = storedAt(701)
		m.mu.Unlock()
		time.Sleep(time.Minute)
		mustHold(t, s, m, 1000, "a")
		mustClose(t, s)
	})
}

// TestPlaceFails: a new file that cannot be put in its place is not read, and the old one is.
func TestPlaceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, m := t.TempDir(), newMemory(100)
		s := mustOpen(t, dir, m, tallyView("a", 1, nil))
		mustHold(t, s, m, 100, "a")
		synctest.Wait()
		old := servingFile(t, s)
		away := dir + "/away"
		must(t, os.Rename(dir+"/a.db", away))
		must(t, os.Mkdir(dir+"/a.db", 0o700))
		must(t, s.Rebuild("a"))
		time.Sleep(time.Minute)
		mustHold(t, s, m, m.grow(5), "a")
		time.Sleep(time.Second)
		if st := s.Status()[0]; servingFile(t, s) != old || st.State != Rebuilding || st.Filled != 105 || !strings.Contains(st.Error, "in its place") {
			t.Errorf("%+v", st)
		}
		must(t, removeIfThere(dir+"/a.db"))
		time.Sleep(time.Minute)
		mustHold(t, s, m, m.grow(5), "a")
		if st := s.Status()[0]; servingFile(t, s) == old || st.State != Live || st.Error != "" {
			t.Errorf("%+v", st)
		}
		mustClose(t, s)
		spy := &faults{}
		s = mustOpen(t, dir, m, tallyView("a", 1, spy))
		mustHold(t, s, m, 110, "a")
		if flushes, _ := spy.had(); flushes > 0 {
			t.Error("the new file is not where a start looks for it")
		}
		mustClose(t, s)
	})
}

// TestWaitEnds: a wait ends when its context does, or the Set is closed; and is not held up by views not named.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spy, m := &faults{}, newMemory(10)
		s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, nil), tallyView("b", 1, spy))
		spy.set(errors.New("mine"), nil)
		mustHold(t, s, m, 10, "a")
		why := errors.New("why")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, why)
		defer cancel()
		if err := s.Wait(ctx, 11, "a"); !errors.Is(err, ErrBehind) || !errors.Is(err, why) {
			t.Error(err)
		}
		ended := make(chan error)
		go func() { ended <- s.Wait(context.Background(), 11, "a") }()
		synctest.Wait()
		mustClose(t, s)
		if err := <-ended; !errors.Is(err, ErrViewsClosed) {
			t.Error(err)
		}
	})
}

// TestContextEnds: the context given to Open ends everything, as Close does.
func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(10)
		ctx, cancel := context.WithCancel(t.Context())
		s, err := Open(ctx, Config{Dir: t.TempDir(), Source: m, Views: []View{tallyView("a", 1, nil)}})
		must(t, err)
		mustHold(t, s, m, 10, "a")
		cancel()
		if err := s.Wait(t.Context(), 10, "a"); !errors.Is(err, ErrViewsClosed) {
			t.Error(err)
		}
		mustClose(t, s)
	})
}
