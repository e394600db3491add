package projections

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
)

// flushed fills a view's file and closes it.
func flushed(t *testing.T, dir string, m *memory, views ...View) {
	t.Helper()
	s := mustOpen(t, dir, m, views...)
	for _, v := range views {
		mustHold(t, s, m, m.Head(), v.Name)
	}
	mustClose(t, s)
}

// TestDeleted: whichever files are deleted, all views come out the same.
func TestDeleted(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMemory(500)
	names := []string{"a", "b", "c"}
	var views []View
	for _, name := range names {
		views = append(views, tallyView(name, 1, nil))
	}
	flushed(t, dir, m, views...)
	for which := range 1 << len(names) {
		for i, name := range names {
			if which&(1<<i) != 0 {
				if err := os.Remove(filepath.Join(dir, name+".db")); err != nil {
					t.Fatal(err)
				}
			}
		}
		m.grow(10)
		flushed(t, dir, m, views...)
	}
}

// TestLeftover: an unfinished file is removed, and never read.
func TestLeftover(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMemory(20)
	flushed(t, dir, m, tallyView("a", 1, nil))
	if err := os.Rename(dir+"/a.db", dir+"/a.db.new"); err != nil {
		t.Fatal(err)
	}
	spy := &faults{}
	flushed(t, dir, m, tallyView("a", 1, spy))
	if flushes, _ := spy.had(); flushes == 0 {
		t.Error("the unfinished file was used")
	}
	if err := os.WriteFile(dir+"/a.db.new", []byte("rest"), 0o600); err != nil {
		t.Fatal(err)
	}
	flushed(t, dir, m, tallyView("a", 1, nil))
	if _, err := os.Stat(dir + "/a.db.new"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestDiscarded: a file that is damaged, or of something else, is filled anew; and one that is not, is not.
func TestDiscarded(t *testing.T) {
	t.Parallel()
	write := func(offset int64, b ...byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt(b, offset); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	replace := func(content string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	change := func(fn func(*bolt.Tx) error) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.Update(fn), db.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	view := tallyView("a", 1, nil)
	for name, c := range map[string]struct {
		damage func(*testing.T, string)
		kept   bool
	}{
		"nothing":           {func(*testing.T, string) {}, true},
		"a torn meta page":  {write(16, 0, 0, 0, 0), true}, // the other one is what there are two for
		"both meta pages":   {func(t *testing.T, p string) { write(16, 0)(t, p); write(pageSize+16, 0)(t, p) }, false},
		"page headers":      {func(t *testing.T, p string) { write(2*pageSize, 9)(t, p); write(3*pageSize, 9)(t, p) }, false},
		"cut":               {func(t *testing.T, p string) { must(t, os.Truncate(p, 3*pageSize)) }, false},
		"cut to nothing":    {func(t *testing.T, p string) { must(t, os.Truncate(p, 0)) }, false},
		"something else":    {replace("this is no database"), false},
		"much else":         {replace(string(make([]byte, 1<<16))), false},
		"no mark":           {change(func(tx *bolt.Tx) error { return tx.DeleteBucket(viewBucket) }), false},
		"a short mark":      {change(func(tx *bolt.Tx) error { return tx.Bucket(viewBucket).Put(markKey, sealed([]byte("short"))) }), false},
		"a wrong checksum":  {change(func(tx *bolt.Tx) error { return tx.Bucket(viewBucket).Put(markKey, make([]byte, 60)) }), false},
		"another version":   {change(func(tx *bolt.Tx) error { return (&View{Name: "a", Version: 2}).putMark(tx, mark{}) }), false},
		"another view":      {change(func(tx *bolt.Tx) error { return (&View{Name: "b", Version: 1}).putMark(tx, mark{}) }), false},
		"another event":     {change(func(tx *bolt.Tx) error { return view.putMark(tx, mark{position: 3}) }), false},
		"beyond the stream": {change(func(tx *bolt.Tx) error { return view.putMark(tx, mark{position: 1000}) }), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, m := t.TempDir(), newMemory(100)
			flushed(t, dir, m, view)
			c.damage(t, dir+"/a.db")
			spy := &faults{}
			flushed(t, dir, m, tallyView("a", 1, spy))
			if flushes, _ := spy.had(); flushes == 0 != c.kept {
				t.Errorf("kept: %t", !c.kept)
			}
		})
	}
}

// TestOtherStream: after the ledger was replaced by another, or by an older copy that went on otherwise, no view
// remembers the first.
func TestOtherStream(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMemory(100)
	flushed(t, dir, m, tallyView("a", 1, nil))
	for i := 60; i < 100; i++ {
		raw := storedAt(uint64(i) + 1000)
		m.records[i] = events.Record{Position: uint64(i) + 1, Digest: sha256.Sum256(raw), Raw: raw}
	}
	m.grow(5)
	flushed(t, dir, m, tallyView("a", 1, nil))
}

// TestVersion: a view of another version fills a file of its own.
func TestVersion(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMemory(100)
	for _, version := range []uint32{1, 2, 1} {
		spy := &faults{}
		flushed(t, dir, m, tallyView("a", version, spy))
		if flushes, _ := spy.had(); flushes == 0 {
			t.Errorf("version %d has the file of another", version)
		}
	}
}

// TestUndecided: a file about which nothing is known stays, and the view is tried again when it can be had.
func TestUndecided(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMemory(100)
	flushed(t, dir, m, tallyView("a", 1, nil))
	other, err := bolt.Open(dir+"/a.db", 0o600, nil) // its lock is what another process would hold
	must(t, err)
	s := mustOpen(t, dir, m, tallyView("a", 1, nil))
	if err := s.Wait(t.Context(), 1, "a"); !errors.Is(err, ErrFailed) {
		t.Error(err)
	}
	if st := s.Status()[0]; st.State != Failed || st.Error == "" {
		t.Errorf("%+v", st)
	}
	must(t, other.Close())
	for err = ErrFailed; errors.Is(err, ErrFailed); {
		changed := s.views[0].watch()
		if err = s.Wait(t.Context(), 1, "a"); err != nil {
			<-changed
		}
	}
	mustHold(t, s, m, 100, "a")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestDamagedWhileServing: what is found when reading has the file discarded, and the view filled anew.
func TestDamagedWhileServing(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*testing.T, *Set, string){
		"a page": func(t *testing.T, _ *Set, path string) {
			info, err := os.Stat(path)
			must(t, err)
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			must(t, err)
			for offset := int64(2 * pageSize); offset < info.Size(); offset += pageSize {
				_, err := f.WriteAt([]byte{0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE}, offset)
				must(t, err)
			}
			must(t, f.Close())
		},
		"the end": func(t *testing.T, _ *Set, path string) { must(t, os.Truncate(path, 2*pageSize)) },
		"a value": func(t *testing.T, s *Set, _ string) {
			must(t, servingFile(t, s).db.Update(func(tx *bolt.Tx) error {
				return tx.Bucket([]byte("a")).Put(make([]byte, 16), []byte("no tally"))
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, m := t.TempDir(), newMemory(100)
			s := mustOpen(t, dir, m, tallyView("a", 1, nil))
			mustHold(t, s, m, 100, "a")
			damage(t, s, dir+"/a.db")
			if _, _, err := tallied(s, "a"); !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			mustHold(t, s, m, m.grow(10), "a")
		})
	}
}

// TestDamagedWhileFlushing: what the model or bbolt finds when writing, too.
func TestDamagedWhileFlushing(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMemory(100)
	s := mustOpen(t, dir, m, tallyView("a", 1, nil))
	mustHold(t, s, m, 100, "a")
	must(t, os.Truncate(dir+"/a.db", 2*pageSize))
	mustHold(t, s, m, m.grow(10), "a")
	must(t, servingFile(t, s).db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("a")).Put(append(make([]byte, 15), 1), []byte("no tally"))
	}))
	mustHold(t, s, m, m.grow(10), "a")
}

// TestGuard: bbolt's panics and faults of mapped memory are damage; a mistake of the caller's is not.
func TestGuard(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/db"
	db, err := bolt.Open(path, 0o600, nil)
	must(t, err)
	defer db.Close()
	must(t, db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte("b"))
		return errors.Join(err, b.Put([]byte("k"), make([]byte, 10*pageSize)))
	}))
	if err := guarded(func() error { panicInBolt(db); return nil }); !errors.Is(err, ErrDamaged) {
		t.Errorf("bbolt's panic: %v", err)
	}
	mine := func() error {
		return db.View(func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("b")).ForEach(func([]byte, []byte) error { panic("mine") })
		})
	}
	func() {
		defer func() {
			if recover() != "mine" {
				t.Error("a mistake did not go on")
			}
		}()
		err := guarded(mine)
		t.Errorf("a mistake became %v", err)
	}()
	stack, err := contained(mine)
	if !errors.Is(err, errPanic) || errors.Is(err, ErrDamaged) || len(stack) == 0 || err.Error() != errPanic.Error()+" with a string" {
		t.Errorf("contained: %v", err)
	}
	if _, err := contained(func() error { panicInBolt(db); return nil }); !errors.Is(err, ErrDamaged) {
		t.Errorf("bbolt's panic, contained: %v", err)
	}
	if _, err := contained(func() error { var none []int; return fmt.Errorf("%d", none[len(stack)]) }); !errors.Is(err, errPanic) || errors.Is(err, ErrDamaged) {
		t.Errorf("a mistake of ours: %v", err)
	}
	if err := guarded(func() error {
		return db.View(func(tx *bolt.Tx) error {
			value := tx.Bucket([]byte("b")).Get([]byte("k"))
			must(t, os.Truncate(path, 2*pageSize))
			return fmt.Errorf("read %d", value[9*pageSize])
		})
	}); !errors.Is(err, ErrDamaged) {
		t.Errorf("a value that is no longer there: %v", err)
	}
}

// panicInBolt does what bbolt panics at: committing a managed transaction.
func panicInBolt(db *bolt.DB) {
	_ = db.View(func(tx *bolt.Tx) error { return tx.Rollback() })
}
