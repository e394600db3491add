package recordlog

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/imalink/custody/ledger/evidence"
)

// TestSameBytes appends in whatever batches, syncs, cuts and opens again in between: the files are those of a log made
// in one go.
func TestSameBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(t, err)
		l, _, err := open(dir, quickDisk(), rapid.Uint64Range(1, 700).Draw(rt, "every"))
		must(t, err)
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				n := rapid.SampledFrom([]uint64{1, 1, 3, 255, 256, 257, 700}).Draw(rt, "n")
				must(t, give(l, l.Size(), l.Size()+n, n))
			},
			"sync": func(*rapid.T) { must(t, l.Sync()) },
			"cut": func(rt *rapid.T) {
				must(t, l.Truncate(rapid.Uint64Range(0, l.Size()).Draw(rt, "to")))
			},
			"open": func(*rapid.T) {
				size := l.Size()
				must(t, l.Close())
				var o Opened
				if l, o, err = open(dir, quickDisk(), 100); err != nil || o != (Opened{Size: size}) {
					rt.Fatal(o, err)
				}
			},
		})
		n := l.Size()
		must(t, l.Close())
		mustBe(t, dir, inOneGo(t, n))
	})
}

// TestEmpty: no records are a log, too.
func TestEmpty(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "evidence")
	l := mustOpen(t, dir)
	root, err := l.Root(0)
	must(t, err)
	if root != new(evidence.Accumulator).Root() {
		t.Error("R(0) is another")
	}
	if _, err := l.Annotated(0); !errors.Is(err, ErrRange) {
		t.Error("G(0):", err)
	}
	must(t, l.Append(nil))
	must(t, l.Close())
	mustBe(t, dir, inOneGo(t, 0))
	if l := mustOpen(t, dir); l.Size() != 0 {
		t.Error(l.Size())
	}
}

// TestSyncs: the marker follows by itself, and vouches for what was cut and appended again.
func TestSyncs(t *testing.T) {
	l := made(t, 0)
	l.every = 100
	for size := uint64(0); size < 700; size += 50 {
		must(t, give(l, size, size+50, 50))
		if m, _, err := readMarker(l.dir); err != nil || m.size+150 < l.Size() || m.size > l.Size() {
			t.Fatalf("of %d records %d are synced, %v", l.Size(), m.size, err)
		}
	}
	must(t, l.Sync())
	must(t, l.Truncate(300))
	must(t, give(l, 300, 700, 400))
	must(t, l.Close())
	mustBe(t, l.dir, inOneGo(t, 700))
}

// TestRefused: a batch with a record that is none leaves everything as it was, and the next is taken.
func TestRefused(t *testing.T) {
	l := made(t, 300)
	good := history(l.Number, 300, 600)
	bad := slices.Clone(good)
	bad[200*recordSize] = 2 // the version
	for name, b := range map[string][]byte{"another version": bad, "cut short": good[:len(good)-1]} {
		if err := l.Append(b); !errors.Is(err, evidence.ErrRecord) || l.Size() != 300 {
			t.Errorf("%s: %v, %d records", name, err, l.Size())
		}
	}
	must(t, l.Append(good))
	must(t, l.Close())
	mustBe(t, l.dir, inOneGo(t, 600))
}

// TestClosed: a log that is closed says so.
func TestClosed(t *testing.T) {
	l := made(t, 300)
	must(t, l.Close())
	_, reading := l.Root(300)
	for name, err := range map[string]error{
		"append": l.Append(nil), "sync": l.Sync(), "truncate": l.Truncate(0), "reading": reading,
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, l.Close())
}

// TestMemory: an append, however long the log is, needs no memory that the one before did not leave.
func TestMemory(t *testing.T) {
	l := made(t, 20_000)
	batch := history(l.Number, 20_000, 20_512)
	must(t, l.Append(batch))
	if n := testing.AllocsPerRun(20, func() { must(t, l.Append(batch)) }); n > 0 {
		t.Errorf("%v allocations an append", n)
	}
	e := &l.state.edge
	if len(e.hashes) > 16 || len(e.blocks) > 8 || len(e.entries) > 255 || len(l.state.producers.waiting) > 0 {
		t.Errorf("the edge of %d records has %d hashes, %d blocks, %d entries", e.size, len(e.hashes), len(e.blocks), len(e.entries))
	}
}
