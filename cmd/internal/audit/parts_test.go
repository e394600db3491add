package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

// TestSequences holds holes and repetitions against a set of all numbers that came.
func TestSequences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, came := sequences{}, map[uint64]int{}
		for _, seq := range rapid.SliceOf(rapid.Uint64Range(0, 40)).Draw(t, "numbers") {
			s.add(&evidence.Record{Producer: 7, Sequence: seq})
			if seq > 0 {
				came[seq]++
			}
		}
		if len(came) == 0 {
			if len(s) > 0 {
				t.Fatal("numbers of a producer that gave none")
			}
			return
		}
		n := s[7]
		var missing, repeated uint64
		for seq := uint64(1); seq <= 40; seq++ {
			in := slices.ContainsFunc(n.Holes, func(h hole) bool { return h.From <= seq && seq <= h.To })
			if want := seq <= n.Highest && came[seq] == 0; in != want {
				t.Fatalf("%d is in a hole: %t, want %t", seq, in, want)
			}
			if in {
				missing++
			}
			repeated += uint64(max(came[seq], 1) - 1)
		}
		if n.Missing != missing || n.Repeated != repeated || s.sound() != nil {
			t.Fatalf("%+v, missing %d, repeated %d: %v", n, missing, repeated, s.sound())
		}
	})
}

// TestManyHoles finds that what is remembered of holes does not grow without bound, whether they open or are split, and that
// a number which comes after its hole was given up is not taken for a repetition.
func TestManyHoles(t *testing.T) {
	const many = 5 * mostHoles
	opened, split := sequences{}, sequences{}
	split.add(&evidence.Record{Producer: 1, Sequence: 2*many + 2})
	for i := range uint64(many) {
		opened.add(&evidence.Record{Producer: 1, Sequence: 2 * (i + 1)})
		opened.add(&evidence.Record{Producer: shared, Sequence: i})
		split.add(&evidence.Record{Producer: 1, Sequence: 2 * (i + 1)})
	}
	for name, c := range map[string]struct {
		sequences
		missing uint64
	}{"opened": {opened, many}, "split": {split, many + 1}} {
		n := c.sequences[1]
		if len(c.sequences) != 1 || len(n.Holes) != mostHoles || n.Missing != c.missing || n.Repeated != 0 || c.sound() != nil {
			t.Errorf("%s: %d producers, %d holes, %d missing, %d repeated, %v", name, len(c.sequences), len(n.Holes), n.Missing, n.Repeated, c.sound())
		}
		c.add(&evidence.Record{Producer: 1, Sequence: 3}) // its hole was given up
		c.add(&evidence.Record{Producer: 1, Sequence: 2 * many})
		if n.Repeated != 1 || !strings.HasPrefix(n.shown(), fmt.Sprintf("some up to %d, ", n.GivenUp)) {
			t.Errorf("%s: %d repeated; %s", name, n.Repeated, n.shown())
		}
	}
}

// TestHashTiles holds recomputed tiles against a tree that was made otherwise, and goes on from what was written down.
func TestHashTiles(t *testing.T) {
	l := evidencetest.New(1)
	l.Grow(width*width + 700)
	at := func(tile recordlog.Tile, hashes []evidence.Hash) {
		height := 8 * tile.Level
		for i, h := range hashes {
			from := (tile.Index*width + uint64(i)) << height
			if want := must(l.Hashes([]evidence.Span{{From: from, To: from + 1<<height}}))[0]; h != want {
				t.Fatalf("%s: hash %d is another", tile.Path(), i)
			}
		}
	}
	var tiles hashTiles
	full := map[recordlog.Tile]bool{}
	for i := range l.Size() {
		record := must(l.Records(evidence.Span{From: i, To: i + 1}))
		tiles.append(evidence.LeafHash(record), func(tile recordlog.Tile, hashes []evidence.Hash) {
			full[tile] = true
			at(tile, hashes)
		})
		if i%991 == 0 || i == width*width-1 || i == width-1 || i == l.Size()-1 {
			tiles.partial(at)
			if tiles.root() != l.Root(i+1) {
				t.Fatalf("the root over %d leaves is another", i+1)
			}
			again, err := restoreTiles(tiles.size, tiles.written())
			if err != nil {
				t.Fatal(err)
			}
			tiles = again
		}
	}
	if want := int(l.Size()/width + l.Size()/width/width); len(full) != want {
		t.Errorf("%d full tiles, want %d", len(full), want)
	}
	for _, wrong := range [][][]byte{nil, {{}}, {{}, {}, {}, {}}, append(tiles.written()[:2:2], make([]byte, 64)), {make([]byte, 31), nil, nil}} {
		if _, err := restoreTiles(tiles.size, wrong); err == nil {
			t.Errorf("%d rows are taken for those of %d leaves", len(wrong), tiles.size)
		}
	}
}

// TestAhead finds answers in order, ends with the first error, and waits for no more than it asked for.
func TestAhead(t *testing.T) {
	var got []uint64
	for v, err := range ahead(t.Context(), 3, 60, func(_ context.Context, i uint64) (uint64, error) { return i * i, nil }) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if len(got) != 57 || got[0] != 9 || got[56] != 59*59 || !slices.IsSorted(got) {
		t.Errorf("%v", got)
	}
	errFails := errors.New("fails")
	seen := 0
	for _, err := range ahead(t.Context(), 0, 1<<40, func(_ context.Context, i uint64) (uint64, error) {
		if i == 20 {
			return 0, errFails
		}
		return i, nil
	}) {
		if seen++; err != nil && (!errors.Is(err, errFails) || seen != 21) {
			t.Fatalf("after %d: %v", seen, err)
		}
	}
	if seen != 21 {
		t.Errorf("%d answers", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range ahead(ctx, 0, 1<<40, func(ctx context.Context, i uint64) (uint64, error) { return i, ctx.Err() }) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("a caller who is gone: %v", last)
	}
}
