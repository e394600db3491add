package escrow

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
)

var errFault = errors.New("injected")

// failing gives a disk whose nth call fails: not done, half done, or done and the
// answer lost. after, if not nil, is called after each.
func failing(nth int, kind string, calls *int, after func()) disk {
	d := systemDisk()
	do := func(call func() error, half func() error) error {
		*calls++
		var err error
		switch {
		case *calls != nth || kind == "lost":
			err = call()
		case kind == "half":
			err = half()
		}
		if after != nil {
			after()
		}
		if *calls == nth {
			return errors.Join(errFault, err)
		}
		return err
	}
	nothing := func() error { return nil }
	return disk{
		write: func(f *os.File, b []byte) (n int, err error) {
			write := func(b []byte) func() error {
				return func() (err error) { n, err = d.write(f, b); return err }
			}
			err = do(write(b), write(b[:len(b)/2]))
			return n, err
		},
		sync:   func(f *os.File) error { return do(func() error { return d.sync(f) }, nothing) },
		rename: func(from, to string) error { return do(func() error { return d.rename(from, to) }, nothing) },
		remove: func(path string) error { return do(func() error { return d.remove(path) }, nothing) },
	}
}

// steps is how many calls a Put in the place of another makes.
const steps = 7

// TestFailingDisk fails every call of a Put in turn: one of the two roots is in
// escrow, whole; and whichever is put next, that one is.
func TestFailingDisk(t *testing.T) {
	id := person(t)
	for nth := 1; nth <= steps; nth++ {
		for _, kind := range []string{"not done", "half", "lost"} {
			for _, next := range []uint64{1, 2, 3} { // the former again, as when a change of keys is given up; the same; another
				path := filepath.Join(t.TempDir(), "escrow")
				f := newFile(t, path, id)
				mustPut(t, f, 1)
				calls := 0
				f.disk = failing(nth, kind, &calls, nil)
				if err := f.Put(root(2)); !errors.Is(err, errFault) {
					t.Fatalf("call %d, %s: %v", nth, kind, err)
				}
				mustHold(t, path, id, 1, 2)
				f.disk = systemDisk()
				mustPut(t, f, next)
				mustHold(t, path, id, next)
				if _, err := os.Lstat(path + successor); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("call %d, %s: something is left: %v", nth, kind, err)
				}
			}
		}
	}
}

// TestFailingRecovery fails every call of the Put after a failed one.
func TestFailingRecovery(t *testing.T) {
	id := person(t)
	for first := 1; first <= steps; first++ {
		for nth := 1; ; nth++ {
			path := filepath.Join(t.TempDir(), "escrow")
			f := newFile(t, path, id)
			mustPut(t, f, 1)
			calls := 0
			f.disk = failing(first, "half", &calls, nil)
			if err := f.Put(root(2)); !errors.Is(err, errFault) {
				t.Fatal(err)
			}
			calls = 0
			f.disk = failing(nth, "half", &calls, nil)
			err := f.Put(root(3))
			if err == nil {
				break // there was no such call
			}
			mustHold(t, path, id, 1, 2, 3)
			f.disk = systemDisk()
			mustPut(t, f, 1)
			mustHold(t, path, id, 1)
		}
	}
}

// TestKilled reads after every call what a kill leaves, and puts again.
func TestKilled(t *testing.T) {
	id := person(t)
	path := filepath.Join(t.TempDir(), "escrow")
	f := newFile(t, path, id)
	mustPut(t, f, 1)
	calls, before := 0, uint64(1)
	f.disk = failing(0, "", &calls, func() {
		killed := filepath.Join(t.TempDir(), "killed")
		if err := os.CopyFS(killed, os.DirFS(filepath.Dir(path))); err != nil {
			t.Fatal(err)
		}
		again := newFile(t, filepath.Join(killed, "escrow"), id)
		now := mustHold(t, again.path, id, 1, 2)
		if now < before {
			t.Errorf("call %d: root %d after %d", calls, now, before)
		}
		before = now
		for _, next := range []uint64{2, 1, 3} {
			mustPut(t, again, next)
			mustHold(t, again.path, id, next)
		}
	})
	mustPut(t, f, 2)
	if calls != steps {
		t.Errorf("%d calls, not %d", calls, steps)
	}
	mustHold(t, path, id, 2)
}

// TestOrder: the new one is durable before the former is touched, and the former
// is destroyed before its file is let go.
func TestOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "escrow")
	f := newFile(t, path, person(t))
	mustPut(t, f, 1)
	var order []string
	f.disk = disk{
		write: func(file *os.File, b []byte) (int, error) {
			order = append(order, "write "+filepath.Base(file.Name()))
			return file.Write(b)
		},
		sync: func(file *os.File) error {
			order = append(order, "sync "+filepath.Base(file.Name()))
			return file.Sync()
		},
		rename: func(from, to string) error {
			order = append(order, "rename "+filepath.Base(from))
			return os.Rename(from, to)
		},
	}
	mustPut(t, f, 2)
	folder := "sync " + filepath.Base(filepath.Dir(path))
	want := []string{"write escrow.new", "sync escrow.new", folder, "write escrow", "sync escrow", "rename escrow.new", folder}
	if fmt.Sprint(order) != fmt.Sprint(want) {
		t.Errorf("\n got %q\nwant %q", order, want)
	}
}

// TestSealedAnew: two escrows of one root have nothing in common to tell them by.
func TestSealedAnew(t *testing.T) {
	to := []age.Recipient{person(t).Recipient()}
	one, err := seal(root(1), to)
	if err != nil {
		t.Fatal(err)
	}
	two, err := seal(root(1), to)
	if err != nil || string(one) == string(two) {
		t.Errorf("the same twice: %v", err)
	}
}
