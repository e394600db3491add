package recordlog

import (
	"crypto/sha256"
	"fmt"
	"math/bits"

	"github.com/imalink/custody/ledger/evidence"
)

// An edge is the right edge of both trees: all that appending needs of what went before.
type edge struct {
	size    uint64
	hashes  []evidence.Hash  // of the largest perfect trees of records, left to right
	blocks  []evidence.Node  // of the largest perfect trees of whole blocks, left to right
	entries []evidence.Entry // of the block that is not whole
}

// written is what appended records add to the files of both trees.
type written struct{ hashes, nodes []byte }

// copyTo makes to the same edge, in to's own memory.
func (e *edge) copyTo(to *edge) {
	to.size = e.size
	to.hashes = append(to.hashes[:0], e.hashes...)
	to.blocks = append(to.blocks[:0], e.blocks...)
	to.entries = append(to.entries[:0], e.entries...)
}

// appendAll adds records, and makes w the nodes that they complete. The error wraps [evidence.ErrRecord].
func (e *edge) appendAll(records []byte, w *written) error {
	w.hashes, w.nodes = w.hashes[:0], w.nodes[:0]
	for ; len(records) > 0; records = records[recordSize:] {
		if err := e.append(records[:recordSize], w); err != nil {
			return err
		}
	}
	return nil
}

// append adds a record, and to w the nodes that it completes. The error wraps [evidence.ErrRecord]; then nothing was added.
func (e *edge) append(record []byte, w *written) error {
	r, err := evidence.DecodeRecord(record)
	if err != nil {
		return fmt.Errorf("leaf %d: %w", e.size, err)
	}
	h := evidence.LeafHash(record)
	w.hashes = append(w.hashes, h[:]...)
	for range bits.TrailingZeros64(^e.size) {
		last := len(e.hashes) - 1
		h = evidence.NodeHash(e.hashes[last], h)
		e.hashes = e.hashes[:last]
		w.hashes = append(w.hashes, h[:]...)
	}
	e.hashes = append(e.hashes, h)
	e.size++
	e.entries = append(e.entries, r.Entry())
	if len(e.entries) == evidence.BlockSize {
		e.endBlock(w)
	}
	return nil
}

// endBlock adds the block that has become whole to the annotated tree.
func (e *edge) endBlock(w *written) {
	n := evidence.Block(e.entries)
	w.nodes = appendNode(w.nodes, &n)
	before := e.size/evidence.BlockSize - 1
	for range bits.TrailingZeros64(^before) {
		last := len(e.blocks) - 1
		n = evidence.Join(e.blocks[last], n)
		e.blocks = e.blocks[:last]
		w.nodes = appendNode(w.nodes, &n)
	}
	e.blocks = append(e.blocks, n)
	e.entries = e.entries[:0]
}

func appendNode(b []byte, n *evidence.Node) []byte {
	return append(n.Annotation.Append(b), n.Hash[:]...)
}

// root is R of the records: the hash of nothing if there are none.
func (e *edge) root() evidence.Hash {
	if e.size == 0 {
		return sha256.Sum256(nil)
	}
	return fold(e.hashes, evidence.NodeHash)
}

// annotated is the root of the annotated tree: no node at all if there are no records.
func (e *edge) annotated() evidence.Node {
	if e.size == 0 {
		return evidence.Node{}
	}
	parts := append(make([]evidence.Node, 0, len(e.blocks)+1), e.blocks...)
	if len(e.entries) > 0 {
		parts = append(parts, evidence.Block(e.entries))
	}
	return fold(parts, evidence.Join)
}
