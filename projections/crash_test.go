package projections

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"
)

// TestAnything: whatever happens to the files and in whatever order, what is read is the fold of the events up to
// the position that is said.
func TestAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "views")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		w := &world{t: t, dir: dir, m: newMemory(rapid.IntRange(0, 400).Draw(t, "events")), versions: [2]uint32{1, 1}}
		w.open()
		defer func() { w.s.Close() }()
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			w.step()
		}
		w.check()
	})
}

// A world is what TestAnything plays with.
type world struct {
	t        *rapid.T
	dir      string
	m        *memory
	s        *Set
	versions [2]uint32
}

var worldNames = [2]string{"a", "b"}

func (w *world) open() {
	var views []View
	for i, name := range worldNames {
		views = append(views, tallyView(name, w.versions[i], nil))
	}
	var err error
	if w.s, err = Open(context.Background(), Config{Dir: w.dir, Source: w.m, Views: views}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) check() { mustHold(w.t, w.s, w.m, w.m.Head(), worldNames[:]...) }

func (w *world) step() {
	i := rapid.IntRange(0, 1).Draw(w.t, "view")
	name := worldNames[i]
	switch rapid.SampledFrom([]string{"grow", "grow", "check", "rebuild", "restart", "crash", "delete", "spoil", "version", "other"}).Draw(w.t, "step") {
	case "grow":
		w.m.grow(rapid.IntRange(1, 300).Draw(w.t, "by"))
	case "check":
		w.check()
	case "rebuild":
		_ = w.s.Rebuild(name) // or it is being filled
	case "restart":
		w.stopped(func() {})
	case "crash": // back to what the disk had at a moment
		w.check()
		snapshot := filepath.Join(w.dir, "snapshot")
		if err := w.s.Read(name, func(tx *bolt.Tx) error { return tx.CopyFile(snapshot, 0o600) }); err != nil {
			w.t.Fatal(err)
		}
		w.m.grow(rapid.IntRange(0, 300).Draw(w.t, "by"))
		w.check()
		w.stopped(func() {
			if err := os.Rename(snapshot, w.path(name)); err != nil {
				w.t.Fatal(err)
			}
		})
	case "delete":
		w.stopped(func() { os.Remove(w.path(name)) })
	case "spoil":
		at := rapid.Int64Range(0, 1<<16).Draw(w.t, "at")
		w.stopped(func() { os.Truncate(w.path(name), at) })
	case "version":
		w.stopped(func() { w.versions[i]++ })
	case "other": // one view's file where another's should be
		w.stopped(func() { os.Rename(w.path(name), w.path(worldNames[1-i])) })
	}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name+".db") }

// stopped does something to the files while nobody has them open.
func (w *world) stopped(do func()) {
	if err := w.s.Close(); err != nil {
		w.t.Fatal(err)
	}
	do()
	w.open()
}

// TestKilled kills a process that follows a stream and rebuilds its views, again and again: the files that are left can
// be gone on with.
func TestKilled(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("CUSTODY_TEST_VIEWS"); dir != "" {
		keepForEver(t, dir)
	}
	dir, m, random := t.TempDir(), newMemory(5_000), rand.New(rand.NewPCG(4, 4))
	for round := range 12 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "CUSTODY_TEST_VIEWS="+dir)
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		lines, said := bufio.NewScanner(out), uint64(0)
		for n := 5 + random.IntN(40); n > 0 && lines.Scan(); n-- {
			if said, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
				t.Fatalf("round %d: %q", round, lines.Text())
			}
		}
		must(t, child.Process.Kill())
		for lines.Scan() {
			said, _ = strconv.ParseUint(lines.Text(), 10, 64) // the last line may be cut, but not by a lower number
		}
		_ = child.Wait()
		m.grow(int(max(said+200, m.Head()) - m.Head())) // what the child had, and more
		for _, name := range worldNames {
			view := tallyView(name, 1, nil)
			agrees := func(at mark) error { return (&Set{source: m}).agrees(t.Context(), at) }
			file, _, err := openView(filepath.Join(dir, name+".db"), &view, agrees)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			must(t, file.db.Close())
		}
		head := m.Head()
		s := mustOpen(t, dir, m, tallyView("a", 1, nil), tallyView("b", 1, nil))
		mustHold(t, s, m, head, worldNames[:]...)
		mustClose(t, s)
	}
}

// keepForEver follows a stream that grows from where the files are, says what is committed, and rebuilds now and then.
func keepForEver(t *testing.T, dir string) {
	m := newMemory(5_000)
	for _, name := range worldNames {
		v := tallyView(name, 1, nil)
		if file, at, err := openView(filepath.Join(dir, name+".db"), &v, func(mark) error { return nil }); err == nil {
			must(t, file.db.Close())
			m.grow(int(at.position - min(at.position, m.Head())))
		}
	}
	s := mustOpen(t, dir, m, tallyView("a", 1, nil), tallyView("b", 1, nil))
	for i := 0; ; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		head := m.grow(1 + i%50)
		must(t, s.Wait(ctx, head))
		cancel()
		fmt.Println(head)
		if i%7 == 0 {
			_ = s.Rebuild(worldNames[i/7%2])
		}
	}
}
