package postings

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/imalink/custody/projections"
)

// TestOracle does what a view does, in any order, with tiny segments: add, flush, fail, stop and go on; and compares.
func TestOracle(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		size := rapid.SampledFrom([]int{Spread + 1, 22, 26, MaxKey}).Draw(rt, "size")
		whole := rapid.SampledFrom([]int{1, 2, 5, 40}).Draw(rt, "whole")
		pay := rapid.SampledFrom([]int{1, 2, mergePay}).Draw(rt, "pay")
		draw := keySource(rapid.Uint64().Draw(rt, "seed"), size)
		db := openDB(t, filepath.Join(t.TempDir(), fmt.Sprint(n)))
		defer db.Close()
		w, added, kept := openWriter(t, db, size, whole, pay), newOracle(), newOracle()
		rt.Repeat(map[string]func(*rapid.T){
			"add": func(rt *rapid.T) {
				for range rapid.IntRange(1, 3*whole+5).Draw(rt, "pairs") {
					added.add(w, draw(), added.last+rapid.Uint64Range(0, 3).Draw(rt, "step")+map[bool]uint64{true: 1}[added.last == kept.last])
				}
			},
			"one key": func(rt *rapid.T) {
				key := draw()
				for range rapid.SampledFrom([]int{10, 300, 3000}).Draw(rt, "positions") {
					added.add(w, key, added.last+1)
				}
			},
			"flush": func(rt *rapid.T) {
				flush(rt, db, w)
				kept = added.clone()
			},
			"fail": func(rt *rapid.T) {
				failed := errors.New("failed")
				if err := db.Update(func(tx *bolt.Tx) error { return errors.Join(w.Flush(tx), failed) }); !errors.Is(err, failed) {
					rt.Fatalf("%v", err)
				}
				w, added = openWriter(t, db, size, whole, pay), kept.clone()
			},
			"": func(rt *rapid.T) {
				kept.check(rt, db, always, draw(), draw())
				kept.sound(rt, db)
			},
			"as of": func(rt *rapid.T) {
				kept.check(rt, db, rapid.Uint64Range(0, kept.last+1).Draw(rt, "until"))
			},
			"union": func(rt *rapid.T) { unions(rt, db, kept, draw) },
		})
	})
}

// unions compares some unions of keys with the oracle's.
func unions(rt *rapid.T, db *bolt.DB, o *oracle, draw func() []byte) {
	keys := [][]byte{draw()}
	if all := o.keys(); len(all) > 0 {
		for _, key := range rapid.SliceOfN(rapid.SampledFrom(all), 0, 8).Draw(rt, "keys") {
			keys = append(keys, []byte(key))
		}
	}
	from, until := rapid.Uint64Range(0, o.last+2).Draw(rt, "from"), rapid.Uint64Range(0, o.last+2).Draw(rt, "until")
	skip := rapid.Uint64Range(1, 500).Draw(rt, "skip")
	err := db.View(func(tx *bolt.Tx) error {
		r, err := Read(tx, testBucket, until)
		if err != nil {
			return err
		}
		for _, newest := range []bool{false, true} {
			want, got := o.union(keys, from, until, newest), []uint64(nil)
			for p, err := range r.Union(keys, newest).From(from) {
				if err != nil {
					return err
				}
				got = append(got, p)
			}
			if !slices.Equal(got, want) {
				return fmt.Errorf("from %d until %d newest %t: %d positions, want %d, or others", from, until, newest, len(got), len(want))
			}
			if err := leaps(r.Union(keys, newest), want, from, skip, newest); err != nil {
				return err
			}
		}
		prefix := []byte(keys[0][:1])
		return errors.Join(o.checkPrefix(r, prefix, nil, until), o.checkPrefix(r, prefix, keys[len(keys)-1], until), o.checkPrefix(r, nil, keys[0], until))
	})
	if err != nil {
		rt.Fatalf("%v", err)
	}
}

// leaps seeks positions that lie skip apart.
func leaps(u *Union, want []uint64, position, skip uint64, newest bool) error {
	for {
		n := slices.IndexFunc(want, func(p uint64) bool { return p == position || p < position == newest })
		found, ok, err := u.Seek(position)
		if err != nil || ok != (n >= 0) || ok && found != want[n] {
			return fmt.Errorf("seeking %d, newest %t: %d, %t, %v", position, newest, found, ok, err)
		}
		if newest && position < skip || n < 0 {
			return nil
		}
		if position += skip; newest {
			position -= 2 * skip
		}
	}
}

// TestHalfMerged goes through unions of keys while some of what they have has moved and some has not.
func TestHalfMerged(t *testing.T) {
	db, o := halfMerged(t)
	if s := stateIn(t, db); !slices.ContainsFunc(s.segments, func(g segment) bool { return g.sources > 0 }) {
		t.Fatal("no merge is under way")
	}
	o.sound(t, db)
	o.check(t, db, always)
	all, r := o.keys(), rand.New(rand.NewPCG(2, 2))
	if err := db.View(func(tx *bolt.Tx) error {
		reader, err := Read(tx, testBucket, o.last)
		for range 300 {
			keys := [][]byte{[]byte(all[r.IntN(len(all))]), []byte(all[r.IntN(len(all))]), []byte(all[r.IntN(len(all))])}
			from, newest := r.Uint64N(o.last+2), r.IntN(2) == 0
			var got []uint64
			for p, e := range reader.Union(keys, newest).From(from) {
				got, err = append(got, p), errors.Join(err, e)
			}
			if err != nil {
				return err
			}
			if want := o.union(keys, from, o.last, newest); !slices.Equal(got, want) {
				t.Fatalf("from %d newest %t: %d positions, want %d, or others", from, newest, len(got), len(want))
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestSteps merges eight segments of a few pairs with every way to cut the work into steps, down to one pair at a time,
// and looks at the file between any two.
func TestSteps(t *testing.T) {
	const size, pairs = 22, 60
	for pay := range 40 {
		db, o := newDB(t), newOracle()
		draw := keySource(7, size)
		w := openWriter(t, db, size, pairs, 0)
		for range mergeWidth {
			for range pairs {
				o.add(w, draw(), o.last+1)
			}
			flush(t, db, w)
		}
		home := func(tx *bolt.Tx) *bolt.Bucket { return tx.Bucket([]byte(testBucket)) }
		steps := 0
		for merging := true; merging; steps++ {
			if err := db.Update(func(tx *bolt.Tx) error {
				s, err := readState(home(tx))
				if err != nil {
					return err
				}
				if err := s.merge(home(tx), 1+pay*pay); err != nil {
					return err
				}
				merging = s.due() >= 0
				return s.write(home(tx))
			}); err != nil {
				t.Fatal(err)
			}
			o.sound(t, db)
			o.check(t, db, always)
		}
		if s := stateIn(t, db); len(s.segments) != 1 || s.segments[0].count != mergeWidth*pairs || s.segments[0].tier != 1 {
			t.Errorf("pay %d: segments %+v", pay, s.segments)
		}
		if pay == 0 && steps < mergeWidth*pairs/2 {
			t.Errorf("one pair at a time took %d steps", steps)
		}
	}
}

// TestLastPosition goes through the greatest position there can be.
func TestLastPosition(t *testing.T) {
	db, o, key := newDB(t), newOracle(), make([]byte, 22)
	w := openWriter(t, db, len(key), 4, mergePay)
	o.add(w, key, 1)
	o.add(w, key, always)
	flush(t, db, w)
	o.check(t, db, always)
	o.check(t, db, always-1)
}

// TestReadersBeside reads while a writer flushes and merges: everyone sees what was there at one moment.
func TestReadersBeside(t *testing.T) {
	db, draw := newDB(t), keySource(3, 22)
	key := draw()
	w := openWriter(t, db, 22, 2, mergePay)
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for stop := false; !stop; {
				select {
				case <-done:
					stop = true
				default:
				}
				if err := db.View(func(tx *bolt.Tx) error { return contiguous(tx, key) }); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for position := uint64(1); position < 1500; position++ {
		w.Add(key, position)
		w.Add(draw(), position)
		flush(t, db, w)
	}
	close(done)
	readers.Wait()
}

// contiguous reports an error if key does not have every position up to the last in the file.
func contiguous(tx *bolt.Tx, key []byte) error {
	home := tx.Bucket([]byte(testBucket))
	if home == nil {
		return nil
	}
	s, err := readState(home)
	if err != nil {
		return err
	}
	r, err := Read(tx, testBucket, always)
	if err != nil {
		return err
	}
	all, err := r.Positions(nil, key)
	if err != nil || uint64(len(all)) != s.last || all[s.last-1] != s.last {
		return fmt.Errorf("%d positions of %d, %w", len(all), s.last, err)
	}
	return nil
}

// TestMisuse gives a writer what it does not take, and finds nothing written.
func TestMisuse(t *testing.T) {
	key := make([]byte, 22)
	for name, use := range map[string]func(w *Writer){
		"short key":   func(w *Writer) { w.Add(key[1:], 9) },
		"no position": func(w *Writer) { w.Add(key, 0) },
		"backward":    func(w *Writer) { w.Add(key, 9); w.Add(key, 8) },
		"repeated":    func(w *Writer) { w.Add(key, 5) },
		"both":        func(w *Writer) { w.Add(key[1:], 6); w.Add(key, 7) },
	} {
		t.Run(name, func(t *testing.T) {
			db, o := newDB(t), newOracle()
			w := openWriter(t, db, len(key), 4, mergePay)
			o.add(w, key, 5)
			flush(t, db, w)
			use(w)
			if err := db.Update(w.Flush); !errors.Is(err, ErrMisuse) {
				t.Errorf("%v", err)
			}
			o.check(t, db, always)
			o.sound(t, db)
		})
	}
	for _, size := range []int{Spread, MaxKey + 1} {
		if err := newDB(t).View(func(tx *bolt.Tx) error { _, err := Open(tx, testBucket, size); return err }); !errors.Is(err, ErrMisuse) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

// TestOtherSize opens a bucket as one of keys of another size.
func TestOtherSize(t *testing.T) {
	db, key := newDB(t), make([]byte, 22)
	w := openWriter(t, db, len(key), 4, mergePay)
	w.Add(key, 1)
	flush(t, db, w)
	if err := db.View(func(tx *bolt.Tx) error { _, err := Open(tx, testBucket, 23); return err }); !errors.Is(err, projections.ErrDamaged) {
		t.Errorf("%v", err)
	}
	if err := db.View(func(tx *bolt.Tx) error {
		r, err := Read(tx, testBucket, always)
		if err != nil {
			return err
		}
		got, err := r.Positions(nil, key[1:])
		if len(got) > 0 {
			t.Errorf("a short key has %v", got)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// TestEmpty reads a bucket that is not there, and one that a flush of nothing made: a view's file has its buckets.
func TestEmpty(t *testing.T) {
	db := newDB(t)
	newOracle().check(t, db, always, make([]byte, 22))
	flush(t, db, openWriter(t, db, 22, 4, mergePay))
	newOracle().check(t, db, always, make([]byte, 22))
	if s := stateIn(t, db); s.size != 22 || len(s.segments) > 0 {
		t.Errorf("%+v", s)
	}
}
