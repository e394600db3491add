// Package spoil spoils the files of views, for tests: row by row, in every way in which a page that lost a bit, or a
// row, or the rest of its rows, still passes for one.
package spoil

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
)

// most is how many rows of a bucket are spoilt in each way: the first, the last, and some between.
const most = 12

// An Answer is everything that a file says.
type Answer func(tx *bolt.Tx) (string, error)

// File spoils a file that is the fold of events up to a position, one row in one way at a time, and each bucket as a
// whole. It holds that reading it then gives the answer that it gave before or an error that wraps
// [projections.ErrDamaged]; and that of every bucket something is found. It undoes what it does. The answer must rest on
// all there is but the buckets named as unread.
func File(tb testing.TB, db *bolt.DB, position uint64, answer Answer, unread ...string) {
	tb.Helper()
	if err := db.Update(func(tx *bolt.Tx) error { return mark(tx, position) }); err != nil {
		tb.Fatal(err)
	}
	places, want, err := sound(db, answer)
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	found := map[string]int{}
	for _, p := range places {
		found[p.kind()] += p.found(tb, db, r, answer, want)
	}
	for kind, n := range found {
		if n == 0 && !slices.Contains(unread, kind) {
			tb.Errorf("nobody found that %s was spoilt", kind)
		}
	}
	lost(tb, db, places, answer)
	if _, again, err := sound(db, answer); err != nil || again != want {
		tb.Errorf("what was spoilt is not undone: %v", err)
	}
}

// sound gives what can be spoilt, and the answer.
func sound(db *bolt.DB, answer Answer) (places []place, text string, err error) {
	err = db.View(func(tx *bolt.Tx) (err error) {
		places = placesIn(tx.Cursor().Bucket(), nil)
		text, err = answer(tx)
		return err
	})
	return places, text, err
}

// found spoils a row in every way, and says how often that was found.
func (p place) found(tb testing.TB, db *bolt.DB, r *rand.Rand, answer Answer, want string) (n int) {
	tb.Helper()
	for _, way := range ways() {
		undo, ok := p.spoilt(tb, db, func(b *bolt.Bucket) bool { return way.spoil(b, p.key, r) })
		if !ok {
			continue
		}
		switch _, got, err := sound(db, answer); {
		case errors.Is(err, projections.ErrDamaged):
			n++
		case err != nil:
			tb.Errorf("%s of %s %x: %v", way.name, p.path, p.key, err)
		case got != want:
			tb.Errorf("%s of %s %x: another answer", way.name, p.path, p.key)
		}
		undo()
	}
	return n
}

// lost takes away each bucket.
func lost(tb testing.TB, db *bolt.DB, places []place, answer Answer) {
	tb.Helper()
	undone := errors.New("undone")
	var before []byte
	for _, p := range places {
		if name := p.path[0]; !bytes.Equal(name, before) {
			before = name
			if err := db.Update(func(tx *bolt.Tx) error {
				if err := tx.DeleteBucket(name); err != nil {
					return err
				}
				if _, err := answer(tx); !errors.Is(err, projections.ErrDamaged) {
					tb.Errorf("without bucket %s: %v", name, err)
				}
				return undone
			}); !errors.Is(err, undone) {
				tb.Fatal(err)
			}
		}
	}
}

// mark says up to which position the file is the fold, as docs/FORMAT.md has it.
func mark(tx *bolt.Tx, position uint64) error {
	b, err := tx.CreateBucketIfNotExists([]byte("view"))
	if err != nil {
		return err
	}
	value := binary.BigEndian.AppendUint64(make([]byte, 4), position)
	value = append(value, make([]byte, 32)...)
	value = binary.BigEndian.AppendUint32(value, crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli)))
	return b.Put([]byte("mark"), value)
}

// spoilt changes the bucket of a place, and gives a function that puts its rows back. It reports false if there is no such change.
func (p place) spoilt(tb testing.TB, db *bolt.DB, change func(b *bolt.Bucket) bool) (undo func(), ok bool) {
	before, sequence := map[string][]byte{}, uint64(0)
	if err := db.Update(func(tx *bolt.Tx) error {
		b := p.in(tx)
		sequence = b.Sequence()
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if v != nil {
				before[string(k)] = bytes.Clone(v)
			}
		}
		ok = change(b)
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	return func() {
		if err := db.Update(func(tx *bolt.Tx) (err error) {
			b := p.in(tx)
			for _, k := range keys(b, nil) {
				if _, is := before[string(k)]; !is {
					err = errors.Join(err, b.Delete(k))
				}
			}
			for k, v := range before {
				if !bytes.Equal(b.Get([]byte(k)), v) || b.Get([]byte(k)) == nil {
					err = errors.Join(err, b.Put([]byte(k), v))
				}
			}
			return errors.Join(err, b.SetSequence(sequence))
		}); err != nil {
			tb.Fatal(err)
		}
	}, ok
}

// keys are those of a bucket's rows from one on.
func keys(b *bolt.Bucket, from []byte) (all [][]byte) {
	c := b.Cursor()
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		if v != nil {
			all = append(all, bytes.Clone(k))
		}
	}
	return all
}

// A place is a row.
type place struct {
	path [][]byte // of the buckets it is in
	key  []byte
}

// placesIn lists rows of a bucket and of those in it, some of each, with the first and the last.
func placesIn(b *bolt.Bucket, path [][]byte) (all []place) {
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		switch {
		case v == nil && string(k) == "view":
		case v == nil:
			all = append(all, placesIn(b.Bucket(k), append(slices.Clone(path), bytes.Clone(k)))...)
		case len(path) > 0:
			all = append(all, place{path, bytes.Clone(k)})
		}
	}
	if n := len(all); len(path) > 0 && n > most && !slices.ContainsFunc(all, func(p place) bool { return len(p.path) > len(path) }) {
		some := make([]place, most)
		for i := range some {
			some[i] = all[i*(n-1)/(most-1)]
		}
		return some
	}
	return all
}

func (p place) in(tx *bolt.Tx) *bolt.Bucket {
	b := tx.Bucket(p.path[0])
	for _, name := range p.path[1:] {
		b = b.Bucket(name)
	}
	return b
}

// kind is what the place's bucket is for: the numbers of buckets do not tell.
func (p place) kind() string {
	if len(p.path) == 1 {
		return string(p.path[0])
	}
	return fmt.Sprintf("%s in %s", p.path[len(p.path)-1], p.path[0])
}

// A way of spoiling a row, or what is behind it, reports whether it could.
type way struct {
	name  string
	spoil func(b *bolt.Bucket, key []byte, r *rand.Rand) bool
}

func ways() []way {
	done := func(err ...error) bool { return errors.Join(err...) == nil }
	return []way{
		{"a bit of the value", func(b *bolt.Bucket, key []byte, r *rand.Rand) bool {
			value := b.Get(key)
			return len(value) > 0 && done(b.Put(key, flipped(value, r)))
		}},
		{"a bit of the key", func(b *bolt.Bucket, key []byte, r *rand.Rand) bool {
			other, c := flipped(key, r), b.Cursor()
			c.Seek(key)
			next, _ := c.Next()
			c.Seek(key)
			before, _ := c.Prev()
			if bytes.Compare(other, before) <= 0 || next != nil && bytes.Compare(other, next) >= 0 {
				return false // which the page tells
			}
			value := bytes.Clone(b.Get(key))
			return done(b.Delete(key), b.Put(other, value))
		}},
		{"the bucket's sequence", func(b *bolt.Bucket, _ []byte, r *rand.Rand) bool {
			return done(b.SetSequence(b.Sequence() ^ 1<<r.IntN(64)))
		}},
		{"the loss", func(b *bolt.Bucket, key []byte, _ *rand.Rand) bool { return done(b.Delete(key)) }},
		{"the loss of all from there on", func(b *bolt.Bucket, key []byte, _ *rand.Rand) bool {
			ok := true
			for _, k := range keys(b, key) {
				ok = ok && done(b.Delete(k))
			}
			return ok
		}},
		{"the value of the next", func(b *bolt.Bucket, key []byte, _ *rand.Rand) bool {
			c := b.Cursor()
			c.Seek(key)
			_, value := c.Next()
			return value != nil && !bytes.Equal(value, b.Get(key)) && done(b.Put(key, bytes.Clone(value)))
		}},
	}
}

func flipped(b []byte, r *rand.Rand) []byte {
	b = bytes.Clone(b)
	b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	return b
}
