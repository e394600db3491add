package bitmaps

import (
	"bytes"
	"encoding/binary"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

// A ColumnReader reads a column in one transaction. The nil ColumnReader has no slots.
type ColumnReader struct {
	bucket string
	cursor *bolt.Cursor
	key    []byte
	len    uint64

	block  Block  // the last that was read
	number uint64 // its number and one, 0 if none was
	ranges []byte // the last that were read
	chunk  uint64 // their chunk and one, 0 if none were
}

// ReadColumn gives the column of a bucket; nil if there is no such bucket yet.
func ReadColumn(tx *bolt.Tx, bucket string) (*ColumnReader, error) {
	b, err := rows.Bucket(tx, bucket)
	if b == nil || err != nil {
		return nil, err
	}
	r := &ColumnReader{bucket: bucket, cursor: b.Cursor()}
	key, sealed := r.cursor.Last()
	if key == nil {
		return r, nil
	}
	last, err := r.unseal(key, sealed)
	if err != nil || len(key) != 5 || key[4] >= chunkBlocks {
		return nil, rows.Damaged("the last block of %s", bucket)
	}
	number := uint64(binary.BigEndian.Uint32(key))*chunkBlocks + uint64(key[4])
	r.len = number*BlockSlots + uint64(last.n)
	return r, nil
}

// Len is the number of slots.
func (r *ColumnReader) Len() uint64 {
	if r == nil {
		return 0
	}
	return r.len
}

// Range gives the least and the greatest number of the block that begins at slot number × [BlockSlots], which the column
// has. It does not read the block.
func (r *ColumnReader) Range(number uint64) (least, greatest int64, err error) {
	chunk, i := number/chunkBlocks, int(number%chunkBlocks)*rangeSize
	if r.chunk != chunk+1 {
		r.key = appendChunk(r.key[:0], uint32(chunk))
		ranges, err := rows.Unseal(r.bucket, r.key, r.get())
		if err != nil {
			return 0, 0, err
		}
		r.ranges, r.chunk = ranges, chunk+1
	}
	if len(r.ranges) < i+rangeSize {
		return 0, 0, rows.Damaged("there is no range of block %d", number)
	}
	least = int64(binary.LittleEndian.Uint64(r.ranges[i:]))
	return least, int64(binary.LittleEndian.Uint64(r.ranges[i+8:])), nil
}

// Block gives the block that begins at slot number × [BlockSlots], which the column has, until the next is read.
func (r *ColumnReader) Block(number uint64) (*Block, error) {
	if r.number == number+1 {
		return &r.block, nil
	}
	r.key = append(appendChunk(r.key[:0], uint32(number/chunkBlocks)), byte(number%chunkBlocks))
	block, err := r.unseal(r.key, r.get())
	if err != nil {
		return nil, err
	}
	if full := (number+1)*BlockSlots <= r.len; full && block.n < BlockSlots {
		return nil, rows.Damaged("block %d has %d numbers", number, block.n)
	}
	r.block, r.number = block, number+1
	return &r.block, nil
}

// get gives the value of r.key, nil if there is none.
func (r *ColumnReader) get() []byte {
	if key, value := r.cursor.Seek(r.key); bytes.Equal(key, r.key) {
		return value
	}
	return nil
}

// At gives the number of a slot, which the column has.
func (r *ColumnReader) At(slot uint64) (int64, error) {
	b, err := r.Block(slot / BlockSlots)
	if err != nil {
		return 0, err
	}
	return b.At(int(slot % BlockSlots)), nil
}

// A Block is up to [BlockSlots] numbers of a column. It is valid as long as its transaction.
type Block struct {
	least    uint64
	n, width int
	mask     uint64
	data     []byte // and padding
}

// Len is how many numbers the block has.
func (b *Block) Len() int { return b.n }

// At gives the number at i.
func (b *Block) At(i int) int64 {
	return int64(b.least + binary.LittleEndian.Uint64(b.data[i*b.width:])&b.mask)
}

func (r *ColumnReader) unseal(key, sealed []byte) (Block, error) {
	v, err := rows.Unseal(r.bucket, key, sealed)
	if err != nil {
		return Block{}, err
	}
	return parseBlock(v)
}

// parseBlock checks a block, so that reading it cannot go wrong.
func parseBlock(v []byte) (Block, error) {
	if len(v) < blockHeader {
		return Block{}, rows.Damaged("a block of %d bytes", len(v))
	}
	b := Block{least: binary.LittleEndian.Uint64(v), n: int(binary.LittleEndian.Uint16(v[8:])) + 1, width: int(v[10])}
	if b.n > BlockSlots || b.width > 8 || len(v) != blockHeader+b.n*b.width+blockPadding {
		return Block{}, rows.Damaged("a block of %d numbers", b.n)
	}
	b.mask = 1<<(8*b.width) - 1
	b.data = v[blockHeader:]
	return b, nil
}
