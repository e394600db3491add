package evidence

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
	"slices"
)

// An Accumulator has the roots of both trees over the records appended so far, and nothing but the right edge of
// them: a few kilobytes, whatever their number. The zero value is empty. It is not safe for concurrent use.
type Accumulator struct {
	size    uint64
	edge    []Hash  // of the largest perfect trees, left to right
	blocks  []Node  // of the largest perfect trees of whole blocks, left to right
	entries []Entry // of the block that is not whole
}

// Size is how many records were appended.
func (a *Accumulator) Size() uint64 { return a.size }

// Append appends a record. The error wraps [ErrRecord] if it contradicts itself; then nothing was appended.
func (a *Accumulator) Append(record []byte) error {
	r, err := DecodeRecord(record)
	if err != nil {
		return fmt.Errorf("leaf %d: %w", a.size, err)
	}
	a.edge = append(a.edge, LeafHash(record))
	for range bits.TrailingZeros64(^a.size) {
		n := len(a.edge)
		a.edge = append(a.edge[:n-2], NodeHash(a.edge[n-2], a.edge[n-1]))
	}
	a.size++
	a.entries = append(a.entries, r.Entry())
	if len(a.entries) == BlockSize {
		a.endBlock()
	}
	return nil
}

// endBlock adds the block that has become whole to the edge of the annotated tree.
func (a *Accumulator) endBlock() {
	before := a.size/BlockSize - 1
	a.blocks = append(a.blocks, Block(a.entries))
	for range bits.TrailingZeros64(^before) {
		n := len(a.blocks)
		a.blocks = append(a.blocks[:n-2], Join(a.blocks[n-2], a.blocks[n-1]))
	}
	a.entries = a.entries[:0]
}

// Root is the root of the record log; that of no records is the hash of nothing (RFC 6962, section 2.1).
func (a *Accumulator) Root() Hash {
	if a.size == 0 {
		return sha256.Sum256(nil)
	}
	root := a.edge[len(a.edge)-1]
	for _, h := range slices.Backward(a.edge[:len(a.edge)-1]) {
		root = NodeHash(h, root)
	}
	return root
}

// Annotated is the root of the annotated tree. There is none over no records.
func (a *Accumulator) Annotated() (Node, bool) {
	edge := slices.Clone(a.blocks)
	if len(a.entries) > 0 {
		edge = append(edge, Block(a.entries))
	}
	if len(edge) == 0 {
		return Node{}, false
	}
	root := edge[len(edge)-1]
	for _, n := range slices.Backward(edge[:len(edge)-1]) {
		root = Join(n, root)
	}
	return root, true
}

// Clone is a copy that goes its own way.
func (a *Accumulator) Clone() *Accumulator {
	return &Accumulator{size: a.size, edge: slices.Clone(a.edge), blocks: slices.Clone(a.blocks), entries: slices.Clone(a.entries)}
}
