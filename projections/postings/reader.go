package postings

import (
	"bytes"
	"fmt"
	"iter"
	"sort"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

// A Reader finds positions as of one transaction, and shows none beyond the position it was opened for. It belongs to one
// goroutine and must not outlive the transaction. Every error of its methods wraps [projections.ErrDamaged].
//
// It visits about seven segments for each factor of eight of the bucket's size, of which those that hold nothing of
// a key, or of what it begins with, cost a seek or two each.
type Reader struct {
	size     int
	until    uint64
	segments []*shelf // oldest first
}

// A shelf is a segment as it is read.
type shelf struct {
	segment
	reach                       uint64 // greatest position in it and in those before: what moves is before what is to move
	blocks, filters, beginnings *rows.Cursor
}

// Read returns a reader for the positions up to until. A bucket that is not there has none.
func Read(tx *bolt.Tx, bucket string, until uint64) (*Reader, error) {
	r := &Reader{until: until}
	home, err := rows.Bucket(tx, bucket)
	if home == nil || err != nil {
		return r, err
	}
	s, err := readState(home)
	if err != nil {
		return nil, fmt.Errorf("reading postings %s: %w", bucket, err)
	}
	r.size = s.size
	for _, g := range s.segments {
		if g.first > until {
			continue
		}
		shelf, err := openShelf(home, g)
		if err != nil {
			return nil, fmt.Errorf("reading postings %s: %w", bucket, err)
		}
		if shelf.reach = g.last; len(r.segments) > 0 {
			shelf.reach = max(g.last, r.segments[len(r.segments)-1].reach)
		}
		r.segments = append(r.segments, shelf)
	}
	return r, nil
}

func openShelf(home *bolt.Bucket, g segment) (*shelf, error) {
	a, err := openAreas(home, g.number)
	if err != nil {
		return nil, err
	}
	return &shelf{segment: g, blocks: a.blocks.Cursor(), filters: a.filters.Cursor(), beginnings: a.beginnings.Cursor()}, nil
}

// Positions appends the positions of key to dst, ascending.
func (r *Reader) Positions(dst []uint64, key []byte) ([]uint64, error) {
	for p, err := range r.Union([][]byte{key}, false).From(0) {
		if err != nil {
			return dst, err
		}
		dst = append(dst, p)
	}
	return dst, nil
}

// perhaps reports whether the segment may hold the key.
func (s *shelf) perhaps(key []byte) (bool, error) {
	beginning, spread := key[:len(key)-Spread], key[len(key)-Spread:]
	if found, _, err := s.beginnings.Seek(beginning); err != nil || !bytes.Equal(found, beginning) {
		return false, err
	}
	name, f, err := s.filters.Seek(key) // the first pair of key is under it, if there is one
	if name == nil || err != nil {
		return false, err
	}
	if len(f) == 0 || len(f)%filterLine != 0 {
		return false, rows.Damaged("a filter")
	}
	return filter(f).has(spread), nil
}

// A piece is what one block has of a key.
type piece struct {
	positions []uint64 // ascending
	more      bool     // in the segment there may be more, in the direction that was asked for
}

// at returns the piece that has the first position at or after pair's of pair's key, or, if newest, the last at or before
// it; and an empty one if there is none. Its positions are in buffer, or replace it.
func (s *shelf) at(buffer []uint64, pair []byte, newest bool) (p piece, err error) {
	key, position := cutPair(pair)
	name, value, err := s.blocks.Seek(pair)
	if name == nil && newest && err == nil {
		name, value, err = s.blocks.Last()
	}
	for name != nil && err == nil {
		var i int
		if i, p.positions, err = positionsIn(buffer[:0], value, key); err != nil {
			return p, err
		}
		if !newest {
			p.more = bytes.HasPrefix(name, key)
			if n := len(p.positions); p.more && (n == 0 || p.positions[n-1] < position) {
				return p, rows.Damaged("a block under another's name")
			}
			return p, nil
		}
		if p.more = i == 0; len(p.positions) > 0 && p.positions[0] <= position {
			return p, nil
		}
		// Its last position may be that before the block.
		if name, value, err = s.blocks.Prev(); !bytes.HasPrefix(name, key) {
			break
		}
	}
	return piece{positions: buffer[:0]}, err
}

// positionsIn appends to buffer what a block has of a key, which is its i-th.
func positionsIn(buffer []uint64, block, key []byte) (i int, positions []uint64, err error) {
	b, err := decodeBlock(block, len(key))
	if err != nil {
		return 0, nil, err
	}
	i, list, err := b.find(key)
	if err != nil {
		return 0, nil, err
	}
	positions, err = appendList(buffer, list)
	return i, positions, err
}

// A Posting is a key and some of its positions, ascending.
type Posting struct {
	Key       []byte
	Positions []uint64
}

// Prefix yields all that begins with prefix, in order of key, then position, from the key at or after from (nil is the first).
// A key with many positions comes in several postings, one after another. A posting is valid until the next; the last one
// may come with an error.
func (r *Reader) Prefix(prefix, from []byte) iter.Seq2[Posting, error] {
	return func(yield func(Posting, error) bool) {
		if err := r.prefix(prefix, from, yield); err != nil {
			yield(Posting{}, fmt.Errorf("reading postings: %w", err))
		}
	}
}

func (r *Reader) prefix(prefix, from []byte, yield func(Posting, error) bool) error {
	if bytes.Compare(from, prefix) < 0 {
		from = prefix
	}
	var left runs
	for i, s := range r.segments {
		run, err := openRun(s.blocks, r.size, i, from)
		if err != nil {
			return err
		}
		left.add(run)
	}
	var positions []uint64
	for len(left) > 0 && bytes.HasPrefix(left[0].key, prefix) {
		var err error
		if positions, err = appendList(positions[:0], left[0].list); err != nil {
			return err
		}
		known := positions[:sort.Search(len(positions), func(i int) bool { return positions[i] > r.until })]
		if len(known) > 0 && !yield(Posting{left[0].key, known}, nil) {
			return nil
		}
		if err := left.next(); err != nil {
			return err
		}
	}
	return nil
}
