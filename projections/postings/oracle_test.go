package postings

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

const testBucket = "test"

// openDB opens a file without syncs: no test here cuts the power.
func openDB(tb testing.TB, path string) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: 4096, NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

func newDB(tb testing.TB) *bolt.DB { return openDB(tb, filepath.Join(tb.TempDir(), "view.db")) }

// openWriter opens a writer whose segments are whole from so many pairs on, and which merges so many for each.
func openWriter(tb testing.TB, db *bolt.DB, size, whole, pay int) (w *Writer) {
	tb.Helper()
	if err := db.View(func(tx *bolt.Tx) (err error) {
		w, err = Open(tx, testBucket, size)
		return err
	}); err != nil {
		tb.Fatal(err)
	}
	w.whole, w.pay = whole, pay
	return w
}

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// An oracle is what a bucket should hold.
type oracle struct {
	pairs map[string][]uint64
	last  uint64
}

func newOracle() *oracle { return &oracle{pairs: map[string][]uint64{}} }

func (o *oracle) clone() *oracle {
	c := newOracle()
	c.last = o.last
	for key, positions := range o.pairs {
		c.pairs[key] = slices.Clone(positions)
	}
	return c
}

func (o *oracle) add(w *Writer, key []byte, position uint64) {
	w.Add(key, position)
	o.last = position
	if p := o.pairs[string(key)]; len(p) == 0 || p[len(p)-1] != position {
		o.pairs[string(key)] = append(p, position)
	}
}

func (o *oracle) keys() []string { return slices.Sorted(maps.Keys(o.pairs)) }

// upTo gives what of ascending positions is not beyond until.
func upTo(positions []uint64, until uint64) []uint64 {
	n, found := slices.BinarySearch(positions, until)
	if found {
		n++
	}
	return positions[:n]
}

// union gives the positions of keys, from one on, in a direction.
func (o *oracle) union(keys [][]byte, from, until uint64, newest bool) []uint64 {
	var all []uint64
	for _, key := range keys {
		all = append(all, upTo(o.pairs[string(key)], until)...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	n, _ := slices.BinarySearch(all, from)
	if !newest {
		return all[n:]
	}
	all = upTo(all, from)
	slices.Reverse(all)
	return all
}

// check compares everything that can be read with the oracle, as of until.
func (o *oracle) check(t failer, db *bolt.DB, until uint64, absent ...[]byte) {
	t.Helper()
	err := db.View(func(tx *bolt.Tx) error {
		r, err := Read(tx, testBucket, until)
		if err != nil {
			return err
		}
		for key, want := range o.pairs {
			got, err := r.Positions(nil, []byte(key))
			if want = upTo(want, until); err != nil || !slices.Equal(got, want) {
				return fmt.Errorf("key %x: %d positions, want %d, %v", key, len(got), len(want), err)
			}
		}
		for _, key := range absent {
			if o.pairs[string(key)] != nil {
				continue // drawn before
			}
			if got, err := r.Positions(nil, key); err != nil || len(got) > 0 {
				return fmt.Errorf("absent key %x: %v, %v", key, got, err)
			}
		}
		return o.checkPrefix(r, nil, nil, until)
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func (o *oracle) checkPrefix(r *Reader, prefix, from []byte, until uint64) error {
	got := newOracle()
	last := []byte(nil)
	for p, err := range r.Prefix(prefix, from) {
		if err != nil {
			return err
		}
		if len(p.Positions) == 0 || bytes.Compare(last, p.Key) > 0 {
			return fmt.Errorf("key %x after %x with %d positions", p.Key, last, len(p.Positions))
		}
		last = append(last[:0], p.Key...)
		got.pairs[string(p.Key)] = append(got.pairs[string(p.Key)], p.Positions...)
	}
	for key, want := range o.pairs {
		if want = upTo(want, until); !bytes.HasPrefix([]byte(key), prefix) || bytes.Compare([]byte(key), from) < 0 {
			want = nil
		}
		if !slices.Equal(got.pairs[key], want) {
			return fmt.Errorf("prefix %x from %x: key %x has %d positions, want %d", prefix, from, key, len(got.pairs[key]), len(want))
		}
		delete(got.pairs, key)
	}
	if len(got.pairs) > 0 {
		return fmt.Errorf("prefix %x from %x: %d keys too many", prefix, from, len(got.pairs))
	}
	return nil
}

// sound walks the whole bucket as it is stored: every pair in one place, all of it where it will be looked for.
func (o *oracle) sound(t failer, db *bolt.DB) {
	t.Helper()
	if err := db.View(func(tx *bolt.Tx) error {
		home := tx.Bucket([]byte(testBucket))
		if home == nil {
			return nil
		}
		s, err := readState(home)
		if err != nil {
			return err
		}
		buckets := 0
		if err := home.ForEachBucket(func([]byte) error { buckets++; return nil }); err != nil || buckets != len(s.segments) {
			return fmt.Errorf("%d segments in the file, %d in the state, %v", buckets, len(s.segments), err)
		}
		stored := map[string][]uint64{}
		for _, g := range s.segments {
			if err := g.sound(home, s.size, stored); err != nil {
				return fmt.Errorf("segment %d: %w", g.number, err)
			}
		}
		if !maps.EqualFunc(stored, o.pairs, slices.Equal) {
			return fmt.Errorf("stored are other pairs than were added, or in another order")
		}
		return nil
	}); err != nil {
		t.Fatalf("%v", err)
	}
}

// sound adds what the segment has to stored, and looks for each of it.
func (g segment) sound(home *bolt.Bucket, size int, stored map[string][]uint64) error {
	shelf, err := openShelf(home, g)
	if err != nil {
		return err
	}
	name, value, err := shelf.filters.First()
	for ; name != nil && err == nil; name, value, err = shelf.filters.Next() {
		if len(value)+rows.SealSize > valueLimit(size) {
			return fmt.Errorf("a filter of %d bytes", len(value))
		}
	}
	if err != nil {
		return err
	}
	last := []byte(nil)
	c := shelf.blocks
	name, value, err = c.First()
	for ; name != nil && err == nil; name, value, err = c.Next() {
		b, err := decodeBlock(value, size)
		if err != nil {
			return err
		}
		if len(value)+rows.SealSize > valueLimit(size) {
			return fmt.Errorf("a block of %d bytes", len(value))
		}
		list, lists := []byte(nil), b.lists
		for i := range b.n {
			if list, lists, err = cutList(lists); err != nil {
				return err
			}
			positions, err := appendList(nil, list)
			if err != nil {
				return err
			}
			key := slices.Concat(b.common, b.rest(i))
			if ok, err := shelf.perhaps(key); !ok || err != nil {
				return fmt.Errorf("key %x would not be found, %v", key, err)
			}
			for _, p := range positions {
				if pair := appendPair(nil, key, p); bytes.Compare(last, pair) >= 0 || p < g.first || p > g.last {
					return fmt.Errorf("pair %x after %x, positions %d to %d", pair, last, g.first, g.last)
				} else {
					last = pair
				}
			}
			stored[string(key)] = append(stored[string(key)], positions...)
		}
		if len(lists) > 0 || !bytes.Equal(last, name) {
			return fmt.Errorf("block %x ends at %x, %d bytes too many", name, last, len(lists))
		}
	}
	return err
}

// keySource draws keys of a size, with few beginnings and a few keys that come often.
func keySource(seed uint64, size int) func() []byte {
	r := rand.New(rand.NewPCG(seed, 99))
	return func() []byte {
		key := make([]byte, size)
		from := rand.NewPCG(r.Uint64(), 0)
		if r.IntN(4) == 0 {
			from = rand.NewPCG(seed, r.Uint64N(5))
		}
		one := rand.New(from)
		for i := range key {
			if key[i] = byte(one.Uint32()); i < size-Spread {
				key[i] &= 0x11
			}
		}
		return key
	}
}

// flush commits, or fails the test.
func flush(tb failer, db *bolt.DB, w *Writer) {
	tb.Helper()
	if err := db.Update(w.Flush); err != nil {
		tb.Fatalf("%v", err)
	}
}

// stateIn reads the state.
func stateIn(tb testing.TB, db *bolt.DB) (s *state) {
	tb.Helper()
	if err := db.View(func(tx *bolt.Tx) (err error) {
		s, err = readState(tx.Bucket([]byte(testBucket)))
		return err
	}); err != nil {
		tb.Fatal(err)
	}
	return s
}

const always = math.MaxUint64
