package audit

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

// width is how many hashes a full tile has.
const width = recordlog.TileWidth

// hashTiles makes the tiles of hashes of a record log again (c2sp.org/tlog-tiles), leaf by leaf. It keeps those that are
// not full.
type hashTiles struct {
	size uint64
	rows [][]evidence.Hash // by level, from the leaves up
}

// append adds the hash of a leaf, and hands over the tiles that it makes full. They are not changed afterwards.
func (t *hashTiles) append(leaf evidence.Hash, full func(recordlog.Tile, []evidence.Hash)) {
	t.size++
	h := leaf
	for level, subtrees := 0, t.size; ; level, subtrees = level+1, subtrees/width {
		if level == len(t.rows) {
			t.rows = append(t.rows, make([]evidence.Hash, 0, width))
		}
		t.rows[level] = append(t.rows[level], h)
		if len(t.rows[level]) < width {
			return
		}
		row := t.rows[level]
		full(recordlog.Tile{Level: level, Index: subtrees/width - 1, Width: width}, row)
		h = perfect(row)
		t.rows[level] = make([]evidence.Hash, 0, width)
	}
}

// partial hands over the tiles that are not full, and not empty.
func (t *hashTiles) partial(each func(recordlog.Tile, []evidence.Hash)) {
	for level, row := range t.rows {
		if len(row) > 0 {
			each(recordlog.Tile{Level: level, Index: t.size >> (8 * level) / width, Width: len(row)}, slices.Clone(row))
		}
	}
}

// root is the root over all leaves, of which there is at least one.
func (t *hashTiles) root() evidence.Hash {
	var edge []evidence.Hash
	for _, row := range slices.Backward(t.rows) {
		for n := width / 2; n > 0; n /= 2 {
			if len(row)&n != 0 {
				edge = append(edge, perfect(row[:n]))
				row = row[n:]
			}
		}
	}
	root := edge[len(edge)-1]
	for _, h := range slices.Backward(edge[:len(edge)-1]) {
		root = evidence.NodeHash(h, root)
	}
	return root
}

// perfect is the root over a power of two of hashes.
func perfect(hashes []evidence.Hash) evidence.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return evidence.NodeHash(perfect(hashes[:half]), perfect(hashes[half:]))
}

// restoreTiles are the tiles over size leaves whose rows are as they were written down.
func restoreTiles(size uint64, rows [][]byte) (hashTiles, error) {
	t := hashTiles{size: size}
	if levels := (bits.Len64(size) + 7) / 8; len(rows) != levels {
		return t, fmt.Errorf("%d levels of hashes, of %d", len(rows), levels)
	}
	for level, b := range rows {
		if have := int(size >> (8 * level) % width); len(b) != have*hashSize {
			return t, fmt.Errorf("level %d of hashes has %d bytes", level, len(b))
		}
		row := make([]evidence.Hash, 0, width)
		for ; len(b) > 0; b = b[hashSize:] {
			row = append(row, evidence.Hash(b[:hashSize]))
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}

const hashSize = len(evidence.Hash{})

// written are the rows, to be written down.
func (t *hashTiles) written() [][]byte {
	rows := make([][]byte, len(t.rows))
	for level, row := range t.rows {
		rows[level] = joined(row)
	}
	return rows
}

// joined are hashes as a tile has them.
func joined(hashes []evidence.Hash) []byte {
	b := make([]byte, 0, len(hashes)*hashSize)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}
