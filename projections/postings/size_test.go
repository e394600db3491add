package postings

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// TestSegments holds the number of segments to seven or so a tier, for flushes of any mixture of sizes.
func TestSegments(t *testing.T) {
	for name, sizes := range map[string][]int{"small": {1}, "mixed": {1, 1, 1, 9, 2, 70}, "large now and then": {1, 1, 1, 1, 1, 1, 1, 8}, "falling": {70, 9, 1}} {
		t.Run(name, func(t *testing.T) {
			db, o := newDB(t), newOracle()
			w, draw := openWriter(t, db, 22, 1, mergePay), keySource(5, 22)
			most := 0
			for i := 0; o.last < 9000; i++ {
				for range sizes[i%len(sizes)] {
					o.add(w, draw(), o.last+1)
				}
				flush(t, db, w)
				s := stateIn(t, db)
				most = max(most, len(s.segments))
				if !slices.IsSortedFunc(s.segments, func(a, b segment) int { return int(b.tier) - int(a.tier) }) {
					t.Fatalf("tiers rise: %+v", s.segments)
				}
			}
			o.sound(t, db)
			if tiers := int(stateIn(t, db).segments[0].tier) + 1; most > tiers*(mergeWidth-1)+2*mergeWidth {
				t.Errorf("%d segments in %d tiers", most, tiers)
			}
		})
	}
}

// TestTier holds segments of about eight times as many pairs to the next tier.
func TestTier(t *testing.T) {
	for pairs, want := range map[int]uint8{1: 0, 4096: 0, 8*4096 - 1: 0, 8 * 4096: 1, 65_536: 1, 64*4096 - 1: 1, 64 * 4096: 2, 512 * 4096: 3} {
		if got := tierOf(pairs, wholePairs); got != want {
			t.Errorf("%d pairs are tier %d, want %d", pairs, got, want)
		}
	}
}

// TestFull writes as much at once as has many filters and blocks, and holds the file to what is known of it.
func TestFull(t *testing.T) {
	const pairs = keptPairs + 1
	db, o := newDB(t), newOracle()
	w, r := openWriter(t, db, 22, wholePairs, mergePay), rand.New(rand.NewPCG(1, 1))
	key := make([]byte, 22)
	for range pairs {
		binary.BigEndian.PutUint64(key[6:], r.Uint64())
		binary.BigEndian.PutUint64(key[14:], r.Uint64())
		o.add(w, key, o.last+1)
	}
	flush(t, db, w)
	if w.keys != nil || w.positions != nil {
		t.Error("the writer keeps room for as much again")
	}
	o.sound(t, db)
	if err := db.View(func(tx *bolt.Tx) error {
		s := tx.Bucket([]byte(testBucket)).Stats()
		if size := float64(s.LeafAlloc+s.BranchAlloc) / pairs; size > 24 {
			t.Errorf("%.1f bytes a pair", size)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestFilter counts the keys that a filter takes for others.
func TestFilter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	draw := func(n int) (spread []byte) {
		for range n * Spread / 8 {
			spread = binary.BigEndian.AppendUint64(spread, r.Uint64())
		}
		return spread
	}
	for _, keys := range []int{1, 40, 43, filterKeys(valueLimit(22) - 4)} {
		spread := draw(keys)
		f := newFilter(spread)
		for key := range slices.Chunk(spread, Spread) {
			if !f.has(key) {
				t.Fatalf("of %d keys, one is not found", keys)
			}
		}
		wrong := 0
		for key := range slices.Chunk(draw(20_000), Spread) {
			if f.has(key) {
				wrong++
			}
		}
		if len(f) > valueLimit(22)-4 || wrong > 20_000/100 {
			t.Errorf("a filter of %d bytes for %d keys has %d of 20,000 others", len(f), keys, wrong)
		}
	}
}
