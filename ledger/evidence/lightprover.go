package evidence

import (
	"encoding/binary"
	"math/bits"
)

// A lightProver writes a pruned annotated tree of what a reader has.
type lightProver struct {
	tree annotatedTree
	r    Reader
	w    *writer
	list []Span // of a list
}

// prove writes the tree, and finds the leaves of a list.
func (t annotatedTree) prove(w *writer, r Reader) ([]Span, error) {
	p := lightProver{tree: t, r: r, w: w}
	err := p.write(t.blocks())
	return p.list, err
}

func (p *lightProver) write(blocks Span) error {
	n, err := p.node(blocks)
	if err != nil {
		return err
	}
	leaves := p.tree.below(blocks)
	switch {
	case p.tree.mayClose(leaves, &n.Annotation):
		p.w.b = n.appendClosed(append(p.w.b, tagClosed))
		return nil
	case blocks.Len() == 1:
		return p.block(leaves)
	}
	p.w.b = append(p.w.b, tagOpen)
	left, right := blocks.halves()
	if err := p.write(left); err != nil {
		return err
	}
	return p.write(right)
}

func (p *lightProver) block(leaves Span) error {
	entries, err := p.entries(leaves)
	if err != nil {
		return err
	}
	p.w.b = append(p.w.b, tagOpen)
	q := p.tree.question
	for i, e := range entries {
		p.w.b = binary.BigEndian.AppendUint16(p.w.b, e.Flags)
		p.w.b = binary.BigEndian.AppendUint16(p.w.b, e.Day)
		if index := leaves.From + uint64(i); q.What == List && q.Flags&Flags(e.Flags) != 0 && q.matches(index, e) {
			p.list = appendIndex(p.list, index)
		}
	}
	return nil
}

// node is that over blocks of the first leaves, of which the reader may have more.
func (p *lightProver) node(blocks Span) (Node, error) {
	leaves := p.tree.below(blocks)
	switch {
	case blocks.Perfect() && leaves.Len() == blocks.Len()*p.tree.width:
		return p.r.Node(blocks)
	case blocks.Len() == 1:
		entries, err := p.entries(leaves)
		if err != nil {
			return Node{}, err
		}
		return Block(entries), nil
	}
	l, r := blocks.halves()
	left, err := p.node(l)
	if err != nil {
		return Node{}, err
	}
	right, err := p.node(r)
	if err != nil {
		return Node{}, err
	}
	return Join(left, right), nil
}

func (p *lightProver) entries(leaves Span) ([]Entry, error) {
	b, err := records(p.r, leaves)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, BlockSize)
	for ; len(b) > 0; b = b[RecordSize:] {
		r, err := DecodeRecord(b[:RecordSize])
		if err != nil {
			return nil, err
		}
		entries = append(entries, r.Entry())
	}
	return entries, nil
}

// appendClosed appends a closed node: only what its annotation counts, and its hash.
func (n *Node) appendClosed(b []byte) []byte {
	var counted uint16
	for i, y := range n.Annotation {
		if y.Count > 0 {
			counted |= 1 << i
		}
	}
	b = binary.BigEndian.AppendUint16(b, counted)
	for f := counted; f != 0; f &= f - 1 {
		b = n.Annotation[bits.TrailingZeros16(f)].append(b)
	}
	return append(b, n.Hash[:]...)
}
