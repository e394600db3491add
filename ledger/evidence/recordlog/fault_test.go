package recordlog

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
)

var errFault = errors.New("injected")

// A fault has the nth call of a disk fail: not done, done in part, or done and the answer lost.
type fault struct {
	nth, calls int
	kind       string
}

func (f *fault) do(call func() error) error {
	f.calls++
	if f.calls != f.nth {
		return call()
	}
	if f.kind == "lost" {
		return errors.Join(errFault, call())
	}
	return errFault
}

func (f *fault) disk() disk {
	d := quickDisk()
	opened := func(open func(string) (*os.File, error)) func(string) (*os.File, error) {
		return func(path string) (file *os.File, err error) {
			if err = f.do(func() error { file, err = open(path); return err }); err != nil && file != nil {
				file.Close()
			}
			return file, err
		}
	}
	return disk{
		open: opened(d.open), create: opened(d.create),
		write: func(file *os.File, b []byte, at int64) error {
			if f.calls+1 == f.nth && f.kind == "part" {
				d.write(file, b[:len(b)/2], at)
			}
			return f.do(func() error { return d.write(file, b, at) })
		},
		cut:    func(file *os.File, size int64) error { return f.do(func() error { return d.cut(file, size) }) },
		sync:   func(file *os.File) error { return f.do(func() error { return d.sync(file) }) },
		rename: func(from, to string) error { return f.do(func() error { return d.rename(from, to) }) },
	}
}

// A life is what happens to a log whose disk fails once, and that is tried again and opened again as a ledger does.
type life struct {
	t      *testing.T
	name   string
	dir    string
	disk   disk
	log    *Log
	failed int
}

func (l *life) open() {
	var err error
	if l.log, _, err = open(l.dir, l.disk, 120); err != nil {
		l.failed++
		l.log, _, err = open(l.dir, l.disk, 120)
	}
	must(l.t, err)
}

// try has do done. If it fails, readers see what they saw; it works the second time, or on a log opened again.
func (l *life) try(do func() error) {
	before := l.log.Size()
	root, err := l.log.Root(before)
	must(l.t, err)
	if err = do(); err == nil {
		return
	}
	l.failed++
	if !errors.Is(err, errFault) {
		l.t.Fatalf("%s: %v", l.name, err)
	}
	if now, err := l.log.Root(before); l.log.Size() != before || err != nil || now != root {
		l.t.Fatalf("%s: failed, and there are %d records where %d were, %v", l.name, l.log.Size(), before, err)
	}
	if do() == nil {
		return
	}
	l.log.Close()
	l.open()
	must(l.t, do())
}

func (l *life) giveUpTo(n uint64) {
	for l.log.Size() < n {
		l.try(func() error { return give(l.log, l.log.Size(), min(l.log.Size()+50, n), 50) })
	}
}

func (l *life) live() {
	l.open()
	l.giveUpTo(300)
	l.try(func() error { return l.log.Truncate(min(270, l.log.Size())) })
	l.giveUpTo(290)
	l.try(func() error { return l.log.Sync() })
	l.giveUpTo(330)
	if l.log.Close() != nil {
		l.failed++
	}
	l.open()
	l.giveUpTo(400)
	if l.log.Close() != nil {
		l.failed++
		l.open()
		l.giveUpTo(400)
		must(l.t, l.log.Close())
	}
}

// TestFailingDisk fails every call of a log's life in turn.
func TestFailingDisk(t *testing.T) {
	whole := inOneGo(t, 400)
	f := &fault{}
	(&life{t: t, dir: t.TempDir(), disk: f.disk()}).live()
	calls := f.calls
	for _, kind := range []string{"not done", "part", "lost"} {
		for nth := 1; nth <= calls; nth++ {
			f := &fault{nth: nth, kind: kind}
			l := &life{t: t, name: fmt.Sprintf("call %d, %s", nth, kind), dir: t.TempDir(), disk: f.disk()}
			l.live()
			if l.failed == 0 {
				t.Fatalf("%s: nothing failed", l.name)
			}
			mustBe(t, l.dir, whole)
		}
	}
}

// TestFailedSync: nobody knows what a failed sync left, so the log takes nothing more; readers go on.
func TestFailedSync(t *testing.T) {
	l := made(t, 300)
	d := l.disk
	l.disk.sync = func(*os.File) error { return errFault }
	if err := l.Sync(); !errors.Is(err, errFault) {
		t.Error(err)
	}
	l.disk = d
	for name, err := range map[string]error{"sync": l.Sync(), "append": l.Append(nil), "cut": l.Truncate(0), "close": l.Close()} {
		if !errors.Is(err, errFault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if l := mustOpen(t, l.dir); l.Size() != 0 {
		t.Error("records that no marker vouches for:", l.Size())
	}
}

// TestUnreadable: what a file lost while the log is open is damage to whoever reads it.
func TestUnreadable(t *testing.T) {
	l := made(t, 600)
	for _, f := range l.files {
		must(t, f.Truncate(0))
	}
	_, root := l.Root(600)
	_, annotated := l.Annotated(600)
	_, records := l.Records(evidence.Span{To: 1})
	_, node := l.Node(evidence.Span{To: 1})
	_, tile := l.Tile(Tile{Entries, 0, 1}, 600)
	for name, err := range map[string]error{"root": root, "annotated": annotated, "records": records, "node": node, "tile": tile, "cut": l.Truncate(1)} {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLostAnswer: a marker that was replaced, by a truncation of which only the answer was lost, is replaced again.
func TestLostAnswer(t *testing.T) {
	l := made(t, 300)
	must(t, l.Sync())
	d := l.disk
	l.disk.rename = func(from, to string) error { return errors.Join(d.rename(from, to), errFault) }
	if err := l.Truncate(100); !errors.Is(err, errFault) || l.Size() != 300 {
		t.Error(l.Size(), err)
	}
	l.disk = d
	must(t, l.Close())
	mustBe(t, l.dir, inOneGo(t, 300))
}
