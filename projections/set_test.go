package projections

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
)

// A tester is a test, or a check of rapid's.
type tester interface {
	Helper()
	Context() context.Context
	Fatal(...any)
	Fatalf(string, ...any)
}

// expected is the fold of the first n events by brute force.
func expected(tb tester, m *memory, n uint64) map[Tag][2]uint64 {
	tb.Helper()
	want := map[Tag][2]uint64{}
	for rec := range m.Replay(context.Background(), 1) {
		if rec.Position > n {
			break
		}
		e, err := Decode(rec)
		if err != nil {
			tb.Fatal(err)
		}
		for _, s := range e.People.Subjects {
			want[s] = [2]uint64{want[s][0] + 1, want[s][1] + e.Position}
		}
	}
	return want
}

// mustHold waits for a position, and compares what the views then hold with brute force.
func mustHold(tb tester, s *Set, m *memory, position uint64, names ...string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	if err := s.Wait(ctx, position, names...); err != nil {
		tb.Fatal(err, s.Status())
	}
	for _, name := range names {
		got, at, err := tallied(s, name)
		if err != nil {
			tb.Fatal(err)
		}
		if at < position {
			tb.Fatalf("%s is at %d after a wait for %d", name, at, position)
		}
		if want := expected(tb, m, at); !maps.Equal(got, want) {
			tb.Fatalf("%s at %d holds %v, want %v", name, at, got, want)
		}
	}
}

func mustOpen(tb testing.TB, dir string, m *memory, views ...View) *Set {
	tb.Helper()
	s, err := Open(tb.Context(), Config{Dir: dir, Source: m, Views: views})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, ErrViewsClosed) {
			tb.Error(err)
		}
	})
	return s
}

// servingFile is the file that the first view's readers get.
func servingFile(tb testing.TB, s *Set) *viewFile {
	tb.Helper()
	file, err := s.views[0].readable()
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

func mustClose(tb testing.TB, s *Set) {
	tb.Helper()
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
}

// TestSet: views of an empty ledger can be read, and follow it, and go on after a restart without reading it again.
func TestSet(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMemory(0)
	views := []View{tallyView("a", 1, nil), tallyView("b", 1, nil)}
	s := mustOpen(t, dir, m, views...)
	mustHold(t, s, m, 0, "a", "b")
	for _, n := range []int{1, 1, 300, 5000} {
		mustHold(t, s, m, m.grow(n), "a", "b")
	}
	mustClose(t, s)
	head := m.grow(7)
	_, before := m.had()
	s = mustOpen(t, dir, m, views...)
	mustHold(t, s, m, head, "a", "b")
	if _, read := m.had(); read-before > 40+2*head { // the oracle reads everything for each view
		t.Errorf("read %d events to go on with 7", read-before)
	}
	for _, st := range s.Status() {
		if st.State != Live || st.Position != head || st.Head != head || st.Lag != 0 || st.Error != "" || st.Version != 1 || st.Rate <= 0 {
			t.Errorf("status %+v", st)
		}
	}
	left, err := filepath.Glob(dir + "/*")
	if want := []string{dir + "/a.db", dir + "/b.db"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("%v: %q", err, left)
	}
}

// TestConfig: what cannot be kept is refused, and leaves nothing.
func TestConfig(t *testing.T) {
	t.Parallel()
	dir, m, good := t.TempDir(), newMemory(0), tallyView("good", 1, nil)
	notDir := filepath.Join(dir, "file")
	if err := os.WriteFile(notDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"no folder":     {Source: m, Views: []View{good}},
		"no source":     {Dir: dir, Views: []View{good}},
		"no name":       {Dir: dir, Source: m, Views: []View{tallyView("", 1, nil)}},
		"a path":        {Dir: dir, Source: m, Views: []View{tallyView("../a", 1, nil)}},
		"upper case":    {Dir: dir, Source: m, Views: []View{tallyView("A", 1, nil)}},
		"no model":      {Dir: dir, Source: m, Views: []View{{Name: "a"}}},
		"twice":         {Dir: dir, Source: m, Views: []View{good, good}},
		"not a folder":  {Dir: notDir, Source: m, Views: []View{good}},
		"below no such": {Dir: notDir + "/below", Source: m, Views: []View{good}},
	} {
		if s, err := Open(t.Context(), cfg); err == nil {
			t.Errorf("%s is accepted", name)
			s.Close()
		}
	}
}

// TestUse: names of no view, and everything after Close.
func TestUse(t *testing.T) {
	t.Parallel()
	m := newMemory(3)
	s := mustOpen(t, t.TempDir(), m, tallyView("a", 1, nil))
	mustHold(t, s, m, 3, "a")
	nothing := func(*bolt.Tx) error { return nil }
	if err := s.Wait(t.Context(), 0, "a", "b"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := s.Read("b", nothing); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := s.Rebuild("b"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	mine := errors.New("mine")
	if err := s.Read("a", func(*bolt.Tx) error { return mine }); err != mine {
		t.Error(err)
	}
	mustClose(t, s)
	if err := s.Wait(t.Context(), 0, "a"); !errors.Is(err, ErrViewsClosed) {
		t.Error(err)
	}
	if err := s.Read("a", nothing); !errors.Is(err, ErrViewsClosed) {
		t.Error(err)
	}
	if err := s.Rebuild("a"); !errors.Is(err, ErrViewsClosed) {
		t.Error(err)
	}
	if err := s.Close(); !errors.Is(err, ErrViewsClosed) {
		t.Error(err)
	}
	if got := s.Status(); len(got) != 1 || got[0].Name != "a" {
		t.Error(got)
	}
}

// TestStoredAt: the events of these tests are as the ledger stores them.
func TestStoredAt(t *testing.T) {
	t.Parallel()
	st, err := events.DecodeStored(storedAt(12))
	if err != nil || !bytes.Equal(st.Append(nil), storedAt(12)) {
		t.Fatal(err)
	}
}

// FuzzMark: what is read from a mark is what was written, and anything else is damage.
func FuzzMark(f *testing.F) {
	f.Add(encodeMark("person", 7, mark{position: 12, digest: [32]byte{1, 2}}))
	f.Add(sealed(make([]byte, markHead)))
	f.Add(sealed(make([]byte, markHead-1)))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, sealed(slices.Clone(b))} {
			name, version, m, err := decodeMark(b)
			switch {
			case err != nil && !errors.Is(err, ErrDamaged):
				t.Errorf("%v", err)
			case err == nil && !bytes.Equal(encodeMark(name, version, m), b):
				t.Errorf("%x is read as %q, %d, %v", b, name, version, m)
			}
		}
	})
}
