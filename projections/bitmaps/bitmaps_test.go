package bitmaps

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/imalink/custody/projections"
)

func newFile(tb testing.TB) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(filepath.Join(tb.TempDir(), "view.db"), 0o600, &bolt.Options{NoSync: true, NoGrowSync: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// drawSlots draws ascending slots of a chunk: few, many, or runs.
func drawSlots(t *rapid.T, label string) []uint16 {
	seen := map[uint16]bool{}
	for range rapid.IntRange(1, 20).Draw(t, label) {
		first := rapid.Uint16().Draw(t, label+" first")
		n := rapid.SampledFrom([]int{1, 1, 2, 3, 100, 3000, 40000}).Draw(t, label+" run")
		step := rapid.SampledFrom([]int{1, 1, 2, 7}).Draw(t, label+" step")
		for i := 0; i < n && int(first)+i*step < ChunkSlots; i++ {
			seen[first+uint16(i*step)] = true
		}
	}
	slots := make([]uint16, 0, len(seen))
	for slot := range seen {
		slots = append(slots, slot)
	}
	slices.Sort(slots)
	return slots
}

func setOf(slots []uint16) *Set {
	var s Set
	for _, slot := range slots {
		s.Add(slot)
	}
	return &s
}

func containerOf(tb rapid.TB, slots []uint16) container {
	var b builder
	for _, slot := range slots {
		b.add(slot)
		b.add(slot)
	}
	c, err := parse(b.container())
	if err != nil {
		tb.Fatalf("parsing what was built: %v", err)
	}
	return c
}

// TestContainer: a container holds what was added, in the smallest form, and meets sets as one bit a slot does.
func TestContainer(t *testing.T) {
	forms := map[byte]bool{}
	rapid.Check(t, func(t *rapid.T) {
		slots, others := drawSlots(t, "slots"), drawSlots(t, "others")
		c := containerOf(t, slots)
		forms[c[0]] = true
		runs := 1
		for i := 1; i < len(slots); i++ {
			if slots[i] != slots[i-1]+1 {
				runs++
			}
		}
		if want := 1 + min(2*len(slots), 4*runs, ChunkSlots/8); len(c) != want {
			t.Fatalf("%d slots in %d runs take %d bytes, want %d", len(slots), runs, len(c), want)
		}
		var s Set
		c.union(&s)
		if got := slices.Collect(s.All()); !slices.Equal(got, slots) {
			t.Fatalf("%d slots, want %d", len(got), len(slots))
		}
		back := slices.Collect(s.Backward())
		if slices.Reverse(back); !slices.Equal(back, slots) || s.Count() != len(slots) {
			t.Fatalf("%d slots backward, %d counted, want %d", len(back), s.Count(), len(slots))
		}
		other, common := setOf(others), 0
		for _, slot := range slots {
			if _, has := slices.BinarySearch(others, slot); has {
				common++
			}
		}
		if n := c.common(other); n != common {
			t.Fatalf("%d in common, want %d", n, common)
		}
		if any := s.And(other); any != (common > 0) || s.Count() != common {
			t.Fatalf("%d left, want %d", s.Count(), common)
		}
	})
	if len(forms) != 3 {
		t.Errorf("forms %v", forms)
	}
}

// TestForms: what no container looks like is refused.
func TestForms(t *testing.T) {
	bits := append([]byte{bitsForm}, make([]byte, 8192)...)
	for _, b := range [][]byte{
		nil, {listForm}, {listForm, 1}, {listForm, 1, 0, 2}, {0, 1, 0}, {4, 1, 0, 1, 0},
		bits[:8192], append(slices.Clone(bits), 0), {runsForm, 1, 0}, {runsForm, 2, 0, 1, 0}, {runsForm, 1, 0, 2, 0, 3, 0, 4, 0},
		{runsForm, 1, 0, 2, 0, 2, 0, 4, 0}, {runsForm, 9, 0, 9, 0, 1, 0, 1, 0},
	} {
		if _, err := parse(b); !errors.Is(err, projections.ErrDamaged) {
			t.Errorf("%x: %v", b[:min(len(b), 20)], err)
		}
	}
	for _, b := range [][]byte{bits, {listForm, 1, 0}, {runsForm, 0, 0, 255, 255}, {runsForm, 1, 0, 2, 0, 4, 0, 4, 0}} {
		if _, err := parse(b); err != nil {
			t.Errorf("%x: %v", b[:min(len(b), 20)], err)
		}
	}
}

// TestRanges adds and counts every range about the borders of words, one by one.
func TestRanges(t *testing.T) {
	edges := []int{0, 1, 62, 63, 64, 65, 127, 128, 129, 4000, ChunkSlots - 65, ChunkSlots - 64, ChunkSlots - 1, ChunkSlots}
	for _, from := range edges {
		for _, to := range edges {
			if from > to {
				continue
			}
			var s, all Set
			s.AddRange(from, to)
			all.AddRange(0, ChunkSlots)
			for i := range ChunkSlots {
				if s.Has(uint16(i)) != (from <= i && i < to) {
					t.Fatalf("%d to %d: slot %d", from, to, i)
				}
			}
			if from < to && all.countRange(from, to) != to-from || s.Count() != to-from || s.IsEmpty() != (from == to) {
				t.Fatalf("%d to %d: %d", from, to, s.Count())
			}
		}
	}
}

// TestSets writes sets of values that come at random, flushing and opening again at random, and reads them all.
func TestSets(t *testing.T) {
	files := t
	rapid.Check(t, func(t *rapid.T) {
		db := newFile(files)
		type key struct {
			chunk uint32
			value uint32
		}
		want := map[key][]uint16{}
		slot := rapid.SampledFrom([]uint64{0, 60_000, 10 * ChunkSlots}).Draw(t, "from")
		var w *Sets
		for range rapid.IntRange(1, 6).Draw(t, "flushes") {
			update(t, db, func(tx *bolt.Tx) (err error) {
				if w == nil || rapid.Bool().Draw(t, "open again") {
					if w, err = OpenSets(tx, "s"); err != nil {
						return err
					}
				}
				for range rapid.IntRange(0, 60).Draw(t, "slots") {
					slot += uint64(rapid.SampledFrom([]int{1, 1, 1, 2, 500, 9000, 2 * ChunkSlots}).Draw(t, "step"))
					for _, value := range rapid.SliceOfNDistinct(rapid.Uint32Range(0, 9), 1, 3, rapid.ID).Draw(t, "values") {
						w.Add(uint8(value/3), value, slot)
						k := key{uint32(slot / ChunkSlots), value}
						want[k] = append(want[k], uint16(slot))
					}
				}
				return w.Flush(tx)
			})
		}
		view(t, db, func(tx *bolt.Tx) error {
			r, err := ReadSets(tx, "s")
			if err != nil {
				return err
			}
			counted := 0
			for chunk := range uint32(slot/ChunkSlots) + 2 {
				counts, err := r.Counts(chunk)
				if err != nil {
					return err
				}
				for _, c := range counts {
					slots := want[key{chunk, c.Value}]
					var s Set
					if _, err := r.Union(&s, chunk, c.Group, c.Value); err != nil {
						return err
					}
					if counted++; c.Slots != len(slots) || c.Group != uint8(c.Value/3) || !slices.Equal(slices.Collect(s.All()), slots) {
						t.Fatalf("chunk %d, value %d: %d slots, want %d", chunk, c.Value, c.Slots, len(slots))
					}
				}
			}
			if counted != len(want) {
				t.Fatalf("%d sets, want %d", counted, len(want))
			}
			return nil
		})
	})
}

// TestColumn writes numbers, flushing and opening again at random, and reads them by slot and by block.
func TestColumn(t *testing.T) {
	files := t
	rapid.Check(t, func(t *rapid.T) {
		db := newFile(files)
		var want []int64
		spread := rapid.SampledFrom([]int64{0, 1, 200, 70_000, 1 << 40, 1 << 62}).Draw(t, "spread")
		var c *Column
		for range rapid.IntRange(1, 5).Draw(t, "flushes") {
			update(t, db, func(tx *bolt.Tx) (err error) {
				if c == nil || rapid.Bool().Draw(t, "open again") {
					if c, err = OpenColumn(tx, "c"); err != nil {
						return err
					}
				}
				seed := rapid.Int64().Draw(t, "seed")
				for i := range rapid.SampledFrom([]int{0, 1, 7, BlockSlots - 1, BlockSlots, BlockSlots + 1, 3 * BlockSlots, ChunkSlots}).Draw(t, "numbers") {
					seed = seed*6364136223846793005 + 1442695040888963407
					v := (seed >> 1) % (spread + 1)
					if i == 5 && spread == 1<<62 {
						v = -v
					}
					want = append(want, v)
					c.Append(v)
				}
				if c.Len() != uint64(len(want)) {
					t.Fatalf("%d slots, want %d", c.Len(), len(want))
				}
				return c.Flush(tx)
			})
		}
		view(t, db, func(tx *bolt.Tx) error {
			r, err := ReadColumn(tx, "c")
			if err != nil || r.Len() != uint64(len(want)) {
				t.Fatalf("%d slots, want %d: %v", r.Len(), len(want), err)
			}
			for slot, v := range want {
				if got, err := r.At(uint64(slot)); err != nil || got != v {
					t.Fatalf("slot %d: %d, want %d: %v", slot, got, v, err)
				}
			}
			for i := 0; i*BlockSlots < len(want); i++ {
				part := want[i*BlockSlots : min(len(want), (i+1)*BlockSlots)]
				least, greatest, err := r.Range(uint64(i))
				if err != nil || least != slices.Min(part) || greatest != slices.Max(part) {
					t.Fatalf("block %d: from %d to %d: %v", i, least, greatest, err)
				}
				if b, err := r.Block(uint64(i)); err != nil || b.Len() != len(part) {
					t.Fatalf("block %d: %d numbers: %v", i, b.Len(), err)
				}
			}
			return nil
		})
	})
}

// TestWords numbers texts over several transactions and finds them both ways.
func TestWords(t *testing.T) {
	files := t
	rapid.Check(t, func(t *rapid.T) {
		db := newFile(files)
		var want []word
		var w *Words
		for range rapid.IntRange(1, 4).Draw(t, "flushes") {
			update(t, db, func(tx *bolt.Tx) (err error) {
				if w == nil || rapid.Bool().Draw(t, "open again") {
					if w, err = OpenWords(tx, "w"); err != nil {
						return err
					}
				}
				for range rapid.IntRange(0, 30).Draw(t, "words") {
					next := word{rapid.Uint8Range(0, 2).Draw(t, "group"), rapid.StringMatching(`[a-c]{0,2}`).Draw(t, "text")}
					i := slices.Index(want, next)
					if w.Has(next.group, next.text) != (i >= 0) {
						t.Fatalf("%v is known: %v", next, i < 0)
					}
					if i < 0 {
						i, want = len(want), append(want, next)
					}
					if n := w.Number(next.group, next.text); n != uint32(i) {
						t.Fatalf("%v has number %d, want %d", next, n, i)
					}
				}
				return w.Flush(tx)
			})
		}
		view(t, db, func(tx *bolt.Tx) error {
			r, err := ReadWords(tx, "w")
			if err != nil {
				return err
			}
			for i, w := range want {
				group, text, err := r.Word(uint32(i))
				if n, ok, err := r.Number(w.group, w.text); err != nil || !ok || n != uint32(i) {
					t.Fatalf("%v has number %d, want %d: %v", w, n, i, err)
				}
				if err != nil || group != w.group || text != w.text {
					t.Fatalf("number %d is %q of %d, want %v: %v", i, text, group, w, err)
				}
			}
			if _, ok, err := r.Number(0, "never"); ok || err != nil {
				t.Fatalf("a word that never was: %v, %v", ok, err)
			}
			if _, _, err := r.Word(uint32(len(want))); !errors.Is(err, projections.ErrDamaged) {
				t.Fatalf("a number that nothing has: %v", err)
			}
			return nil
		})
	})
}

func update(t *rapid.T, db *bolt.DB, fn func(tx *bolt.Tx) error) {
	if err := db.Update(fn); err != nil {
		t.Fatal(err)
	}
}

func view(t *rapid.T, db *bolt.DB, fn func(tx *bolt.Tx) error) {
	if err := db.View(fn); err != nil {
		t.Fatal(err)
	}
}
