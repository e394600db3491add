package bitmaps

import (
	"bytes"
	"encoding/binary"

	bolt "go.etcd.io/bbolt"
)

// A SetsReader reads sets in one transaction. The nil SetsReader has none.
type SetsReader struct {
	cursor *bolt.Cursor
	key    []byte
}

// ReadSets gives the sets of a bucket; nil if there is no such bucket yet.
func ReadSets(tx *bolt.Tx, bucket string) *SetsReader {
	b := tx.Bucket([]byte(bucket))
	if b == nil {
		return nil
	}
	return &SetsReader{cursor: b.Cursor()}
}

// A Count says how many slots of a chunk have a value.
type Count struct {
	Group uint8
	Value uint32
	Slots int
}

// Counts gives the values of a chunk by group, then value, without reading a container.
func (r *SetsReader) Counts(chunk uint32) ([]Count, error) {
	if r == nil {
		return nil, nil
	}
	r.key = appendChunk(r.key[:0], chunk)
	sealed := r.get()
	if sealed == nil {
		return nil, nil
	}
	b, err := Unseal(r.key, sealed)
	if err != nil {
		return nil, err
	}
	return parseCounts(b)
}

func parseCounts(b []byte) ([]Count, error) {
	counts := make([]Count, 0, len(b)/4)
	for len(b) > 0 {
		c := Count{Group: b[0]}
		value, n := binary.Uvarint(b[1:])
		if n <= 0 || value > 1<<32-1 {
			return nil, Damaged("a value of a chunk")
		}
		slots, m := binary.Uvarint(b[1+n:])
		if m <= 0 || slots >= ChunkSlots {
			return nil, Damaged("a count of a chunk")
		}
		c.Value, c.Slots = uint32(value), int(slots)+1
		counts, b = append(counts, c), b[1+n+m:]
	}
	return counts, nil
}

// Union adds to set the slots of a chunk that have a value, and reports whether there are any.
func (r *SetsReader) Union(set *Set, chunk uint32, group uint8, value uint32) (bool, error) {
	c, err := r.container(chunk, group, value)
	if c == nil || err != nil {
		return false, err
	}
	c.union(set)
	return true, nil
}

// Common counts the slots of a chunk that have a value and are in set.
func (r *SetsReader) Common(set *Set, chunk uint32, group uint8, value uint32) (int, error) {
	c, err := r.container(chunk, group, value)
	if c == nil || err != nil {
		return 0, err
	}
	return c.common(set), nil
}

// container gives nil when no slot of the chunk has the value.
func (r *SetsReader) container(chunk uint32, group uint8, value uint32) (container, error) {
	if r == nil {
		return nil, nil
	}
	r.key = appendSet(r.key[:0], chunk, group, value)
	sealed := r.get()
	if sealed == nil {
		return nil, nil
	}
	b, err := Unseal(r.key, sealed)
	if err != nil {
		return nil, err
	}
	return parse(b)
}

// get gives the value of r.key, nil if there is none.
func (r *SetsReader) get() []byte {
	if key, value := r.cursor.Seek(r.key); bytes.Equal(key, r.key) {
		return value
	}
	return nil
}
