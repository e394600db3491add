package bitmaps

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

// A SetsReader reads sets in one transaction. The nil SetsReader has none.
type SetsReader struct {
	bucket string
	cursor *bolt.Cursor
	key    []byte

	counts []Count // the last that were read
	chunk  uint64  // their chunk and one, 0 if none were
}

// ReadSets gives the sets of a bucket; nil if there is no such bucket yet.
func ReadSets(tx *bolt.Tx, bucket string) (*SetsReader, error) {
	b, err := rows.Bucket(tx, bucket)
	if b == nil || err != nil {
		return nil, err
	}
	return &SetsReader{bucket: bucket, cursor: b.Cursor()}, nil
}

// A Count says how many slots of a chunk have a value.
type Count struct {
	Group uint8
	Value uint32
	Slots int
}

// Counts gives the values of a chunk by group, then value, without reading a container; none of a chunk of which no slot
// has a value. They are not modified, and valid until those of another chunk are read.
func (r *SetsReader) Counts(chunk uint32) (counts []Count, err error) {
	if r == nil {
		return nil, nil
	}
	if r.chunk == uint64(chunk)+1 {
		return r.counts, nil
	}
	r.key = appendChunk(r.key[:0], chunk)
	if sealed := r.get(); sealed != nil {
		b, err := rows.Unseal(r.bucket, r.key, sealed)
		if err != nil {
			return nil, err
		}
		if counts, err = parseCounts(b); err != nil {
			return nil, err
		}
	}
	r.counts, r.chunk = counts, uint64(chunk)+1
	return counts, nil
}

func parseCounts(b []byte) ([]Count, error) {
	counts := make([]Count, 0, len(b)/4)
	for len(b) > 0 {
		c := Count{Group: b[0]}
		value, n := binary.Uvarint(b[1:])
		if n <= 0 || value > 1<<32-1 {
			return nil, rows.Damaged("a value of a chunk")
		}
		slots, m := binary.Uvarint(b[1+n:])
		if m <= 0 || slots >= ChunkSlots {
			return nil, rows.Damaged("a count of a chunk")
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
		return nil, r.without(chunk, group, value)
	}
	b, err := rows.Unseal(r.bucket, r.key, sealed)
	if err != nil {
		return nil, err
	}
	return parse(b)
}

// without returns an error if some slot of the chunk has the value.
func (r *SetsReader) without(chunk uint32, group uint8, value uint32) error {
	counts, err := r.Counts(chunk)
	if err != nil {
		return err
	}
	_, found := slices.BinarySearchFunc(counts, Count{Group: group, Value: value}, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Value, b.Value))
	})
	if found {
		return rows.Damaged("value %d has gone from chunk %d of %s", value, chunk, r.bucket)
	}
	return nil
}

// get gives the value of r.key, nil if there is none.
func (r *SetsReader) get() []byte {
	if key, value := r.cursor.Seek(r.key); bytes.Equal(key, r.key) {
		return value
	}
	return nil
}
