package postings

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

const (
	Spread = 16 // bytes at the end of a key that are spread like a hash
	MaxKey = 64 // bytes of a key at most; there are more than Spread
)

// ErrMisuse reports keys of a wrong size, or positions that do not come in order. Nothing was written.
var ErrMisuse = errors.New("postings: misused")

// mergePay is how many pairs are merged for each that is written into a segment that is whole. A pair is merged once
// for each tier above its first, and there are never so many tiers.
const mergePay = 8

// keptPairs is for how many pairs a writer keeps room between two flushes.
const keptPairs = 1 << 18

// A Writer gathers postings and writes them into one bucket of a view's file. It belongs to one goroutine, and to one
// file; after a failed transaction it is of no more use. Each pair takes 8 bytes and a key of heap until it is flushed, and
// twice as much while it is.
type Writer struct {
	bucket string
	size   int // of a key
	whole  int // wholePairs, or fewer in a test
	pay    int // mergePay, or less in a test

	keys      []byte // of what was added, size bytes each
	positions []uint64
	misuse    error
}

// Open returns a writer for keys of a size in bytes, more than [Spread] and at most [MaxKey]. A bucket that is not there
// yet is made by the first Flush. The error wraps [ErrMisuse], or [projections.ErrDamaged] if the bucket is not what
// was written or has keys of another size.
func Open(tx *bolt.Tx, bucket string, size int) (*Writer, error) {
	if size <= Spread || size > MaxKey {
		return nil, fmt.Errorf("%w: a key of %d bytes", ErrMisuse, size)
	}
	w := &Writer{bucket: bucket, size: size, whole: wholePairs, pay: mergePay}
	home, err := rows.Bucket(tx, bucket)
	if err == nil && home != nil {
		_, err = w.state(home)
	}
	if err != nil {
		return nil, fmt.Errorf("opening postings %s: %w", bucket, err)
	}
	return w, nil
}

func (w *Writer) state(home *bolt.Bucket) (*state, error) {
	s, err := readState(home)
	if err == nil && s.size != w.size {
		err = rows.Damaged("its keys have %d bytes, not %d", s.size, w.size)
	}
	return s, err
}

// Add notes that key has a position, which is not 0 and not less than any before. The same pair may come again and counts
// once. What is wrong with either is reported by Flush.
func (w *Writer) Add(key []byte, position uint64) {
	switch n := len(w.positions); {
	case len(key) != w.size:
		w.misuse = fmt.Errorf("%w: a key of %d bytes in a bucket for %d", ErrMisuse, len(key), w.size)
	case position == 0 || n > 0 && position < w.positions[n-1]:
		w.misuse = fmt.Errorf("%w: position %d is out of order", ErrMisuse, position)
	default:
		w.keys = append(w.keys, key...)
		w.positions = append(w.positions, position)
	}
}

// Flush writes what was added. It takes time in proportion to that, plus 4,096 pairs, whatever the size of the bucket:
// what is new joins the newest segment while that is young; for one that is whole now, eight times as many pairs are
// merged. Nothing of it is there unless tx commits.
func (w *Writer) Flush(tx *bolt.Tx) error {
	if err := w.flush(tx); err != nil {
		return fmt.Errorf("writing postings %s: %w", w.bucket, err)
	}
	if w.keys, w.positions = w.keys[:0], w.positions[:0]; cap(w.positions) > keptPairs {
		w.keys, w.positions = nil, nil
	}
	return nil
}

func (w *Writer) flush(tx *bolt.Tx) error {
	if w.misuse != nil {
		return w.misuse
	}
	home, s, err := w.home(tx)
	if err != nil {
		return err
	}
	if len(w.positions) == 0 {
		return nil
	}
	if w.positions[0] <= s.last {
		return fmt.Errorf("%w: position %d is not after %d", ErrMisuse, w.positions[0], s.last)
	}
	s.last = w.positions[len(w.positions)-1]
	if err := w.takeYoung(home, s); err != nil {
		return err
	}
	count, err := w.put(home, s)
	if err != nil {
		return err
	}
	if count >= w.whole {
		if err := s.merge(home, w.pay*count); err != nil {
			return err
		}
	}
	return s.write(home)
}

// home returns the bucket and its state, new ones if there are none.
func (w *Writer) home(tx *bolt.Tx) (*bolt.Bucket, *state, error) {
	home, err := rows.Bucket(tx, w.bucket)
	if err != nil {
		return nil, nil, err
	}
	if home != nil {
		s, err := w.state(home)
		return home, s, err
	}
	if home, err = tx.CreateBucket([]byte(w.bucket)); err != nil {
		return nil, nil, err
	}
	s := &state{size: w.size, next: 1}
	return home, s, s.write(home)
}

// takeYoung adds the pairs of the newest segment, if it is young, to those to be written, and drops it.
func (w *Writer) takeYoung(home *bolt.Bucket, s *state) error {
	n := len(s.segments) - 1
	if n < 0 || s.segments[n].count >= uint64(w.whole) {
		return nil
	}
	number := s.segments[n].number
	a, err := openAreas(home, number)
	if err != nil {
		return err
	}
	r, err := openRun(a.blocks.Cursor(), w.size, 0, nil)
	for ; err == nil && r.key != nil; err = r.next() {
		had := len(w.positions)
		if w.positions, err = appendList(w.positions, r.list); err != nil {
			break
		}
		for range len(w.positions) - had {
			w.keys = append(w.keys, r.key...)
		}
	}
	if err != nil {
		return fmt.Errorf("reading segment %d: %w", number, err)
	}
	s.segments = s.segments[:n]
	return dropSegment(home, number)
}

// put writes the pairs as the newest segment, and says how many they are without repetitions.
func (w *Writer) put(home *bolt.Bucket, s *state) (count int, err error) {
	g := segment{number: s.next, first: slices.Min(w.positions), last: s.last}
	s.next++
	if err := createSegment(home, g.number); err != nil {
		return 0, err
	}
	out, err := appendTo(home, g.number, w.size)
	if err != nil {
		return 0, err
	}
	for _, i := range w.order() {
		key, position := w.key(i), w.positions[i]
		if count > 0 && position == out.last && bytes.Equal(key, out.key) {
			continue
		}
		if err := out.add(key, position); err != nil {
			return 0, err
		}
		count++
	}
	g.count, g.tier = uint64(count), tierOf(count, w.whole)
	s.append(g)
	return count, out.close()
}

func (w *Writer) key(i int) []byte { return w.keys[i*w.size : (i+1)*w.size] }

// order returns the indexes of the pairs in order of key, then position.
func (w *Writer) order() []int {
	type ranked struct {
		a, b uint64 // the first 16 bytes of the key
		i    int
	}
	all := make([]ranked, len(w.positions))
	for i := range all {
		key := w.key(i)
		all[i] = ranked{binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:]), i}
	}
	slices.SortFunc(all, func(x, y ranked) int {
		switch {
		case x.a != y.a:
			return cmp.Compare(x.a, y.a)
		case x.b != y.b:
			return cmp.Compare(x.b, y.b)
		}
		return cmp.Or(bytes.Compare(w.key(x.i)[16:], w.key(y.i)[16:]), cmp.Compare(w.positions[x.i], w.positions[y.i]))
	})
	order := make([]int, len(all))
	for i, r := range all {
		order[i] = r.i
	}
	return order
}
