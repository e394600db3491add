package bitmaps

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

// A bucket of sets holds, for each chunk
//
//	chunk                 -> each value of the chunk: group, value, slots - 1, as varints, ascending; checksum
//	chunk | group | value -> container; checksum
//
// chunk and value in 4 bytes, big-endian, and group in one.

// A Sets writes sets: for each value of a group, the slots that have it. It keeps the sets of the chunk that is being
// filled in memory, about two bytes a slot and value.
type Sets struct {
	bucket string
	chunks []*chunk // not all written; the last is the one that is being filled
}

type chunk struct {
	number uint32
	sets   []*valueSet // by value
}

type valueSet struct {
	builder
	group uint8
	value uint32
}

// OpenSets reads what it needs to go on with the sets of a bucket, which need not be there.
func OpenSets(tx *bolt.Tx, bucket string) (*Sets, error) {
	w := &Sets{bucket: bucket}
	r, err := ReadSets(tx, bucket)
	if r == nil || err != nil {
		return w, err
	}
	last, _ := r.cursor.Last()
	if len(last) < 4 {
		return w, nil
	}
	c := &chunk{number: binary.BigEndian.Uint32(last)}
	counts, err := r.Counts(c.number)
	if err != nil {
		return nil, err
	}
	if len(counts) == 0 {
		return nil, rows.Damaged("chunk %d of %s has no values", c.number, bucket)
	}
	for _, n := range counts {
		var set Set
		if _, err := r.Union(&set, c.number, n.Group, n.Value); err != nil {
			return nil, err
		}
		v := c.set(n.Group, n.Value)
		for slot := range set.All() {
			v.add(slot)
		}
		if v.dirty = false; v.count != n.Slots {
			return nil, rows.Damaged("count of value %d in chunk %d", n.Value, c.number)
		}
	}
	w.chunks = []*chunk{c}
	return w, nil
}

// Add notes that a slot has a value of a group. Slots ascend over all calls; the same slot may come again, with the
// same or another value. Values are small numbers, and each is of one group only.
func (w *Sets) Add(group uint8, value uint32, slot uint64) {
	number := uint32(slot / ChunkSlots)
	if n := len(w.chunks); n == 0 || w.chunks[n-1].number != number {
		w.chunks = append(w.chunks, &chunk{number: number})
	}
	w.chunks[len(w.chunks)-1].set(group, value).add(uint16(slot))
}

func (c *chunk) set(group uint8, value uint32) *valueSet {
	if int(value) >= len(c.sets) {
		c.sets = append(c.sets, make([]*valueSet, int(value)+1-len(c.sets))...)
	}
	if c.sets[value] == nil {
		c.sets[value] = &valueSet{group: group, value: value}
	}
	return c.sets[value]
}

// Flush writes what was added since the last Flush.
func (w *Sets) Flush(tx *bolt.Tx) error {
	b, err := rows.Create(tx, w.bucket)
	if err != nil {
		return err
	}
	b.FillPercent = 0.9
	for _, c := range w.chunks {
		if err := c.write(b, w.bucket); err != nil {
			return fmt.Errorf("writing chunk %d of %s: %w", c.number, w.bucket, err)
		}
	}
	if n := len(w.chunks); n > 1 {
		w.chunks = slices.Clone(w.chunks[n-1:])
	}
	return nil
}

func (c *chunk) write(b *bolt.Bucket, bucket string) error {
	sets := slices.DeleteFunc(slices.Clone(c.sets), func(v *valueSet) bool { return v == nil })
	slices.SortFunc(sets, func(a, b *valueSet) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.value, b.value))
	})
	var counts []byte
	for _, v := range sets {
		counts = binary.AppendUvarint(append(counts, v.group), uint64(v.value))
		counts = binary.AppendUvarint(counts, uint64(v.count-1))
	}
	if err := put(b, bucket, appendChunk(nil, c.number), counts); err != nil {
		return err
	}
	for _, v := range sets {
		if !v.dirty {
			continue
		}
		if err := put(b, bucket, appendSet(nil, c.number, v.group, v.value), v.container()); err != nil {
			return err
		}
		v.dirty = false
	}
	return nil
}

func put(b *bolt.Bucket, name string, key, value []byte) error {
	return b.Put(key, rows.Seal(name, key, value))
}

func appendChunk(key []byte, chunk uint32) []byte { return binary.BigEndian.AppendUint32(key, chunk) }

func appendSet(key []byte, chunk uint32, group uint8, value uint32) []byte {
	return binary.BigEndian.AppendUint32(append(appendChunk(key, chunk), group), value)
}
