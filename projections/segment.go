package projections

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	bolt "go.etcd.io/bbolt"
)

// A segment's bucket holds its entries in order of key, in blocks, and a Bloom filter for each chunk of blocks.
//
//	'f' | last key of the chunk -> Bloom filter of the chunk's keys; checksum
//	'k' | last key of the block -> keys, then positions of 8 bytes; checksum
//
// Named by its last key, the filter or block that could hold a key is the first at or after it: one seek.
const (
	chunkEntries = 1 << 16 // what an index is opened with, see [Index]
	blockEntries = 80      // two blocks to a page of 4,096 bytes, which bbolt wants at least

	filterPrefix, blockPrefix = 'f', 'k'
	entrySize                 = 16 + 8
)

// create makes the empty bucket of a segment.
func create(tx *bolt.Tx, number uint64) (*bolt.Bucket, error) {
	b, err := tx.Bucket(segmentsBucket).CreateBucket(segmentName(number))
	if err != nil {
		return nil, fmt.Errorf("creating segment %d: %w", number, err)
	}
	return b, nil
}

func segmentName(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// putChunk writes one chunk of sorted entries behind those that b has.
func putChunk(b *bolt.Bucket, entries []Entry) error {
	b.FillPercent = 1 // blocks come in order
	filter := newFilter(len(entries))
	for _, e := range entries {
		filter.add(e.Key)
	}
	last := entries[len(entries)-1].Key
	if err := b.Put(named(filterPrefix, last), sealed(filter)); err != nil {
		return fmt.Errorf("writing a filter: %w", err)
	}
	for block := range slices.Chunk(entries, blockEntries) {
		if err := b.Put(named(blockPrefix, block[len(block)-1].Key), encodeBlock(block)); err != nil {
			return fmt.Errorf("writing a block: %w", err)
		}
	}
	return nil
}

func named(prefix byte, key Key) []byte { return append([]byte{prefix}, key[:]...) }

func encodeBlock(entries []Entry) []byte {
	b := make([]byte, 0, len(entries)*entrySize+4)
	for _, e := range entries {
		b = append(b, e.Key[:]...)
	}
	for _, e := range entries {
		b = binary.BigEndian.AppendUint64(b, e.Position)
	}
	return sealed(b)
}

// A block is the checked value of one block.
type block []byte

func decodeBlock(value []byte) (block, error) {
	b, err := unsealed(value)
	if err != nil || len(b) == 0 || len(b)%entrySize != 0 {
		return nil, damaged("a block")
	}
	return b, nil
}

func (b block) len() int              { return len(b) / entrySize }
func (b block) key(i int) []byte      { return b[i*16 : i*16+16] }
func (b block) position(i int) uint64 { return binary.BigEndian.Uint64(b[b.len()*16+i*8:]) }
func (b block) entry(i int) Entry     { return Entry{Key(b.key(i)), b.position(i)} }

// search returns the index of the first key at or after key.
func (b block) search(key []byte) int {
	return sort.Search(b.len(), func(i int) bool { return bytes.Compare(b.key(i), key) >= 0 })
}

// A reader finds keys in one segment during one transaction.
type reader struct {
	cursor *bolt.Cursor
	name   [17]byte
}

func (g segment) open(tx *bolt.Tx) (*reader, error) {
	b := tx.Bucket(segmentsBucket).Bucket(segmentName(g.number))
	if b == nil {
		return nil, damaged("segment %d is missing", g.number)
	}
	return &reader{cursor: b.Cursor()}, nil
}

// find returns the position of key, 0 if the segment does not have it.
func (r *reader) find(key Key) (uint64, error) {
	name, value := r.seek(filterPrefix, key)
	if len(name) == 0 || name[0] != filterPrefix || !filter(value[:len(value)-4]).has(key) {
		return 0, nil
	}
	_, value = r.seek(blockPrefix, key)
	b, err := decodeBlock(value)
	if err != nil {
		return 0, err
	}
	if i := b.search(key[:]); i < b.len() && Key(b.key(i)) == key {
		return b.position(i), nil
	}
	return 0, nil
}

func (r *reader) seek(prefix byte, key Key) (name, value []byte) {
	r.name[0] = prefix
	copy(r.name[1:], key[:])
	return r.cursor.Seek(r.name[:])
}

// next returns the block after the one the cursor is at, nil at the end.
func (r *reader) next() (block, error) {
	name, value := r.cursor.Next()
	if name == nil {
		return nil, nil
	}
	return decodeBlock(value)
}
