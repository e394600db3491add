package bitmaps

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

// BlockSlots is how many numbers a block of a column has; the last block may have fewer. Two blocks of 4-byte numbers
// fill a leaf of the file well.
const BlockSlots = 4096

const chunkBlocks = ChunkSlots / BlockSlots

// A bucket of a column holds, for each chunk
//
//	chunk         -> the least and the greatest number of each block; checksum
//	chunk | block -> least number (8 bytes) | how many less one (2) | width (1) | each less the least | padding; checksum
//
// chunk in 4 bytes, big-endian, block in one, and the rest little-endian; each difference in width bytes, as many as the
// greatest one takes. The padding lets each be read as 8 bytes.
const (
	blockHeader  = 8 + 2 + 1
	blockPadding = 8
	rangeSize    = 8 + 8
)

// A Column appends numbers, one for each slot. It keeps those of the block that is being filled in memory.
type Column struct {
	bucket string
	next   uint64  // slot of the next number
	fresh  []int64 // from the last block that was not full, or not written
	ranges []byte  // of the blocks of their chunk before them
}

// OpenColumn reads what it needs to go on with the column of a bucket, which need not be there.
func OpenColumn(tx *bolt.Tx, bucket string) (*Column, error) {
	c := &Column{bucket: bucket}
	r, err := ReadColumn(tx, bucket)
	if err != nil {
		return nil, err
	}
	c.next = r.Len()
	full := c.next / BlockSlots
	for number := full - full%chunkBlocks; number < full; number++ {
		least, greatest, err := r.Range(number)
		if err != nil {
			return nil, err
		}
		c.ranges = appendRange(c.ranges, least, greatest)
	}
	for slot := full * BlockSlots; slot < c.next; slot++ {
		v, err := r.At(slot)
		if err != nil {
			return nil, err
		}
		c.fresh = append(c.fresh, v)
	}
	return c, nil
}

// Len is the number of slots.
func (c *Column) Len() uint64 { return c.next }

// Append gives the next slot its number.
func (c *Column) Append(v int64) {
	c.fresh = append(c.fresh, v)
	c.next++
}

// Flush writes what was appended since the last Flush.
func (c *Column) Flush(tx *bolt.Tx) error {
	b, err := rows.Create(tx, c.bucket)
	if err != nil {
		return err
	}
	b.FillPercent = 1
	for len(c.fresh) > 0 {
		values := c.fresh[:min(BlockSlots, len(c.fresh))]
		number := (c.next - uint64(len(c.fresh))) / BlockSlots
		if err := c.write(b, number, values); err != nil {
			return fmt.Errorf("writing block %d of %s: %w", number, c.bucket, err)
		}
		if len(values) < BlockSlots {
			break
		}
		c.fresh = c.fresh[BlockSlots:]
	}
	c.fresh = append(make([]int64, 0, BlockSlots), c.fresh...)
	return nil
}

// write writes a block and the ranges of its chunk up to it.
func (c *Column) write(b *bolt.Bucket, number uint64, values []int64) error {
	chunk, block := uint32(number/chunkBlocks), byte(number%chunkBlocks)
	least, greatest := values[0], values[0]
	for _, v := range values {
		least, greatest = min(least, v), max(greatest, v)
	}
	if block == 0 {
		c.ranges = nil
	}
	ranges := appendRange(c.ranges[:len(c.ranges):len(c.ranges)], least, greatest)
	if len(values) == BlockSlots {
		c.ranges = ranges
	}
	if err := put(b, c.bucket, appendChunk(nil, chunk), ranges); err != nil {
		return err
	}
	return put(b, c.bucket, append(appendChunk(nil, chunk), block), appendBlock(nil, values, least, greatest))
}

func appendRange(dst []byte, least, greatest int64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, uint64(least)), uint64(greatest))
}

func appendBlock(dst []byte, values []int64, least, greatest int64) []byte {
	width := (bits.Len64(uint64(greatest)-uint64(least)) + 7) / 8
	dst = binary.LittleEndian.AppendUint64(dst, uint64(least))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(values)-1))
	dst = append(dst, byte(width))
	for _, v := range values {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(v)-uint64(least))
		dst = append(dst, b[:width]...)
	}
	return append(dst, make([]byte, blockPadding)...)
}
