package backup

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

var errFault = errors.New("injected")

// fault has the nth call of a disk fail: not done, done in part, or done and the
// answer lost.
type fault struct {
	nth, calls int
	kind       string
	after      func() // called after every call
}

// hit counts a call, and says whether it is to fail.
func (f *fault) hit() bool {
	f.calls++
	return f.calls == f.nth
}

// do makes one call, or fails it.
func (f *fault) do(call func() error) error {
	hit := f.hit()
	var err error
	if !hit || f.kind == "lost" {
		err = call()
	}
	if f.after != nil {
		f.after()
	}
	if hit {
		return errors.Join(errFault, err)
	}
	return err
}

func (f *fault) disk() disk {
	d := quickDisk()
	return disk{
		create: func(path string) (file *os.File, err error) {
			ferr := f.do(func() error { file, err = d.create(path); return err })
			if ferr != nil && file != nil {
				file.Close()
			}
			return file, ferr
		},
		write: func(file *os.File, b []byte) (n int, err error) {
			if f.calls+1 == f.nth && f.kind == "part" {
				f.calls++
				n, _ = d.write(file, b[:len(b)/2])
				return n, errFault
			}
			err = f.do(func() error { n, err = d.write(file, b); return err })
			return n, err
		},
		cut:    func(file *os.File, size int64) error { return f.do(func() error { return d.cut(file, size) }) },
		sync:   func(file *os.File) error { return f.do(func() error { return d.sync(file) }) },
		rename: func(from, to string) error { return f.do(func() error { return d.rename(from, to) }) },
		remove: func(path string) error { return f.do(func() error { return d.remove(path) }) },
	}
}

// A scene is an archive, or none, and a run that goes on with it.
type scene struct {
	name     string
	from, to [3]uint64
	begin    func(t *testing.T, dir string)
}

func scenes() []scene {
	from, to := [3]uint64{7, 4, 2}, [3]uint64{20, 9, 3}
	return []scene{
		{"first run", [3]uint64{}, to, func(*testing.T, string) {}},
		{"next run", from, to, func(t *testing.T, dir string) { mustRun(t, dir, from) }},
		{"after a crash", from, to, func(t *testing.T, dir string) {
			mustRun(t, dir, from)
			a, err := open(dir, ours, quickDisk(), smallRoll)
			if err == nil {
				err = errors.Join(extend(a, [3]uint64{25, 25, 25}), a.settle(a.parts[0]), a.settle(a.parts[1]), a.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
		}},
	}
}

// calls is how many calls a scene's run makes.
func (s scene) calls(t *testing.T) int {
	dir := t.TempDir()
	s.begin(t, dir)
	f := &fault{}
	if err := run(dir, f.disk(), s.to); err != nil {
		t.Fatal(err)
	}
	return f.calls
}

// TestFailingDisk fails every call of a run in turn: the archive is that of the
// moment before, or of the one after if only the answer was lost, and the same
// run again makes it whole.
func TestFailingDisk(t *testing.T) {
	for _, s := range scenes() {
		calls := s.calls(t)
		for _, kind := range []string{"not done", "part", "lost"} {
			for nth := 1; nth <= calls; nth++ {
				name := fmt.Sprintf("%s, call %d, %s", s.name, nth, kind)
				dir := t.TempDir()
				s.begin(t, dir)
				f := &fault{nth: nth, kind: kind}
				err := run(dir, f.disk(), s.to)
				if !errors.Is(err, errFault) {
					t.Fatalf("%s: %v", name, err)
				}
				mustBeEither(t, name, dir, s)
				mustRun(t, dir, s.to)
			}
		}
	}
}

// mustBeEither wants the moment before a run, or the one after.
func mustBeEither(t *testing.T, name, dir string, s scene) {
	t.Helper()
	before, after := holds(dir, s.from), holds(dir, s.to)
	if errors.Is(before, ErrNone) && s.from == [3]uint64{} {
		return
	}
	if before != nil && after != nil {
		t.Fatalf("%s: neither before (%v) nor after (%v)", name, before, after)
	}
}

// TestKilled looks at the bytes after every call, as a kill leaves them.
func TestKilled(t *testing.T) {
	for _, s := range scenes() {
		dir := t.TempDir()
		s.begin(t, dir)
		f := &fault{}
		f.after = func() {
			killed := filepath.Join(t.TempDir(), "killed")
			if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			mustBeEither(t, fmt.Sprintf("%s, killed after call %d", s.name, f.calls), killed, s)
			mustRun(t, killed, s.to)
		}
		if err := run(dir, f.disk(), s.to); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPowerCut gives each file that was not synced nothing, zeros, or half of
// what was written to it, at the moment before the state is replaced; and the old
// state with the new files.
func TestPowerCut(t *testing.T) {
	s := scenes()[1]
	dir := t.TempDir()
	s.begin(t, dir)
	before := files(t, dir)
	mustRun(t, dir, s.to)
	after := files(t, dir)
	for name, lost := range map[string]func(b, old []byte) []byte{
		"nothing":  func(_, old []byte) []byte { return old },
		"zeros":    func(b, old []byte) []byte { return append(bytes.Clone(old), make([]byte, len(b)-len(old))...) },
		"half":     func(b, old []byte) []byte { return b[:len(old)+(len(b)-len(old))/2] },
		"all":      func(b, _ []byte) []byte { return b },
		"too much": func(b, old []byte) []byte { return append(bytes.Clone(b), b[len(old):]...) },
	} {
		all := maps.Clone(after)
		all[stateFile] = before[stateFile]
		for file, b := range after {
			if file != stateFile {
				all[file] = lost(b, before[file])
			}
		}
		cut := fill(t, all)
		if err := holds(cut, s.from); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		mustRun(t, cut, s.to)
	}
}

// TestOrder: all that a state names is durable before the state is, names of files
// included.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	d := systemDisk()
	var order []string
	d.sync = func(f *os.File) error {
		order = append(order, filepath.Base(f.Name()))
		return f.Sync()
	}
	d.rename = func(from, to string) error {
		order = append(order, "rename "+filepath.Base(to))
		return os.Rename(from, to)
	}
	a, err := open(dir, ours, d, rollSize)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	order = nil
	if err := errors.Join(extend(a, [3]uint64{2, 2, 2}), a.Commit(moment)); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Base(dir)
	want := []string{"events-000001", "vault-000001", "access-000001", folder, "state.json.tmp", "rename state.json", folder}
	if fmt.Sprint(order) != fmt.Sprint(want) {
		t.Errorf("synced\n got %v\nwant %v", order, want)
	}
}
