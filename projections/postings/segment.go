package postings

import (
	"bytes"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

// A segment's bucket holds three others, each a [rows.Table] and written in order only.
//
//	"b" blocks      last pair of the block -> block
//	"f" filters     last pair of some blocks' worth of keys -> Bloom filter of these keys
//	"p" beginnings  what some keys begin with, before the bytes that are spread -> nothing
//
// A pair is a key and a position of 8 bytes. Named by its last pair, the block or filter that could hold a pair is the
// first at or after it: one seek. Filters and beginnings may say "perhaps" of keys that have moved on.
func blocksArea() []byte     { return []byte("b") }
func filtersArea() []byte    { return []byte("f") }
func beginningsArea() []byte { return []byte("p") }

// halfPage is what a name and its value may take for two of them to fill a page of 4,096 bytes: bbolt wants two on each,
// and spends 16 bytes on a page and on each element.
const halfPage = (4096-16)/2 - 16

// valueLimit returns how long the sealed value of a block or filter may be, for keys of a size.
func valueLimit(size int) int { return halfPage - size - 8 }

func appendPair(dst, key []byte, position uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, key...), position)
}

func cutPair(pair []byte) (key []byte, position uint64) {
	at := len(pair) - 8
	return pair[:at:at], binary.BigEndian.Uint64(pair[at:])
}

// areas are the buckets of one segment.
type areas struct {
	blocks, filters, beginnings *rows.Table
}

func openAreas(home *bolt.Bucket, number uint64) (a areas, err error) {
	b := home.Bucket(segmentName(number))
	if b == nil {
		return a, rows.Damaged("segment %d is missing", number)
	}
	blocks, filters, beginnings := b.Bucket(blocksArea()), b.Bucket(filtersArea()), b.Bucket(beginningsArea())
	if blocks == nil || filters == nil || beginnings == nil {
		return a, rows.Damaged("segment %d lacks an area", number)
	}
	return areas{rows.In(blocks, "blocks"), rows.In(filters, "filters"), rows.In(beginnings, "beginnings")}, nil
}

// createSegment makes an empty one. Only one that is there, and should not be, prevents it.
func createSegment(home *bolt.Bucket, number uint64) error {
	b, err := home.CreateBucket(segmentName(number))
	for _, name := range [][]byte{blocksArea(), filtersArea(), beginningsArea()} {
		if err == nil {
			_, err = b.CreateBucket(name)
		}
	}
	if err != nil {
		return rows.Damaged("creating segment %d: %v", number, err)
	}
	return nil
}

// dropSegment removes one that is there.
func dropSegment(home *bolt.Bucket, number uint64) error {
	if err := home.DeleteBucket(segmentName(number)); err != nil {
		return rows.Damaged("dropping segment %d: %v", number, err)
	}
	return nil
}

// A segmentWriter puts pairs behind those that a segment has. Nothing of it lasts but what close has written.
type segmentWriter struct {
	areas
	size   int // of a key
	block  blockWriter
	spread []byte // of the keys that are to come under the next filter
	key    []byte // last added
	last   uint64
}

func appendTo(home *bolt.Bucket, number uint64, size int) (*segmentWriter, error) {
	a, err := openAreas(home, number)
	if err != nil {
		return nil, err
	}
	for _, t := range []*rows.Table{a.blocks, a.filters, a.beginnings} {
		t.Fill(1) // everything comes in order
	}
	return &segmentWriter{areas: a, size: size, block: blockWriter{size: size, limit: valueLimit(size)}}, nil
}

// add adds a pair that is greater than all before.
func (w *segmentWriter) add(key []byte, position uint64) error {
	if bytes.Equal(key, w.key) {
		key = nil
	} else if err := w.newKey(key); err != nil {
		return err
	}
	if !w.block.add(key, position) {
		if err := w.putBlock(); err != nil {
			return err
		}
		w.block.add(w.key, position)
	}
	w.last = position
	return nil
}

// newKey notes a key for the filter, and what it begins with.
func (w *segmentWriter) newKey(key []byte) error {
	at := w.size - Spread
	if w.key == nil || !bytes.Equal(w.key[:at], key[:at]) {
		if err := w.beginnings.Put(key[:at], nil); err != nil {
			return fmt.Errorf("writing a beginning: %w", err)
		}
	}
	if len(w.spread) == filterKeys(valueLimit(w.size)-rows.SealSize)*Spread {
		if err := w.putFilter(); err != nil {
			return err
		}
	}
	w.spread = append(w.spread, key[at:]...)
	w.key = append(w.key[:0], key...)
	return nil
}

func (w *segmentWriter) putBlock() error {
	name := appendPair(nil, w.block.lastKey(), w.block.last)
	if err := w.blocks.Put(name, w.block.take()); err != nil {
		return fmt.Errorf("writing a block: %w", err)
	}
	return nil
}

func (w *segmentWriter) putFilter() error {
	if err := w.filters.Put(appendPair(nil, w.key, w.last), newFilter(w.spread)); err != nil {
		return fmt.Errorf("writing a filter: %w", err)
	}
	w.spread = w.spread[:0]
	return nil
}

// close writes what is left.
func (w *segmentWriter) close() error {
	if w.key == nil {
		return nil
	}
	if err := w.putFilter(); err != nil {
		return err
	}
	return w.putBlock()
}
