package evidence

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// The tags of nodes of a pruned annotated tree.
const (
	tagClosed = 0
	tagOpen   = 1
)

// An annotatedTree is the tree over so many leaves, of which a proof has only the nodes that a question must see
// (docs/FORMAT.md, "Pruned annotated tree").
type annotatedTree struct {
	leaves   uint64
	width    uint64 // entries of a block: BlockSize; tests take less
	question Question
}

func (t *annotatedTree) blocks() Span { return Span{0, (t.leaves + t.width - 1) / t.width} }

// below are the leaves of blocks.
func (t *annotatedTree) below(blocks Span) Span {
	return Span{blocks.From * t.width, min(blocks.To*t.width, t.leaves)}
}

// place is where a tally lies, seen from the question's range.
func (t *annotatedTree) place(leaves Span, y Tally) (inside, outside bool) {
	q := t.question
	if q.Of == Days {
		first, last := uint64(y.First), uint64(y.Last)
		return q.From <= first && last <= q.To, last < q.From || q.To < first
	}
	return leaves.within(Span{q.From, q.To}), leaves.To <= q.From || q.To <= leaves.From
}

// mayClose reports whether the annotation of a node answers the question for the leaves below it.
func (t *annotatedTree) mayClose(leaves Span, a *Annotation) bool {
	for f := t.question.Flags; f != 0; f &= f - 1 {
		y := a[bits.TrailingZeros32(uint32(f))]
		if y.Count == 0 {
			continue
		}
		if inside, outside := t.place(leaves, y); !outside && (!inside || t.question.What == List) {
			return false
		}
	}
	return true
}

// An answer is what a walk over the tree has found.
type answer struct {
	counts [FlagCount]uint64
	list   []uint64 // indices, of a list
	listed []Entry  // the same leaves'
}

// addClosed counts what lies below a closed node.
func (w *walk) addClosed(leaves Span, a *Annotation) {
	for f := w.tree.question.Flags; f != 0; f &= f - 1 {
		i := bits.TrailingZeros32(uint32(f))
		if inside, _ := w.tree.place(leaves, a[i]); inside {
			w.counts[i] += a[i].Count
		}
	}
}

// addEntry counts an entry of an open block.
func (w *walk) addEntry(index uint64, e Entry) {
	f := Flags(e.Flags) & w.tree.question.Flags
	if f == 0 || !w.tree.question.matches(index, e) {
		return
	}
	for g := f; g != 0; g &= g - 1 {
		w.counts[bits.TrailingZeros32(uint32(g))]++
	}
	if w.tree.question.What == List {
		w.list = append(w.list, index)
		w.listed = append(w.listed, e)
	}
}

// A walk reads a pruned annotated tree.
type walk struct {
	answer
	tree annotatedTree
	in   *input
}

// read is the answer of a proof, and the root it is true under.
func (t annotatedTree) read(in *input) (answer, Node, error) {
	w := walk{tree: t, in: in}
	root, err := w.node(t.blocks())
	return w.answer, root, err
}

func (w *walk) node(blocks Span) (Node, error) {
	tag, err := w.in.take(1)
	if err != nil {
		return Node{}, err
	}
	leaves := w.tree.below(blocks)
	var n Node
	switch {
	case tag[0] == tagClosed:
		n, err = w.closed()
	case tag[0] != tagOpen:
		err = fmt.Errorf("%w: a node that is neither closed nor open", ErrFormat)
	case blocks.Len() == 1:
		n, err = w.block(leaves)
	default:
		n, err = w.children(blocks)
	}
	if err != nil {
		return Node{}, err
	}
	if err := n.Annotation.sound(leaves.Len()); err != nil {
		return Node{}, err
	}
	may := w.tree.mayClose(leaves, &n.Annotation)
	switch {
	case tag[0] == tagClosed && !may:
		return Node{}, fmt.Errorf("%w: a node is closed that must be open", ErrFalse)
	case tag[0] == tagOpen && may:
		return Node{}, fmt.Errorf("%w: a node is open without need", ErrFalse)
	case may:
		w.addClosed(leaves, &n.Annotation)
	}
	return n, nil
}

func (w *walk) children(blocks Span) (Node, error) {
	l, r := blocks.halves()
	left, err := w.node(l)
	if err != nil {
		return Node{}, err
	}
	right, err := w.node(r)
	if err != nil {
		return Node{}, err
	}
	return Join(left, right), nil
}

func (w *walk) block(leaves Span) (Node, error) {
	b, err := w.in.take(entrySize * leaves.Len())
	if err != nil {
		return Node{}, err
	}
	var space [BlockSize]Entry
	entries := space[:leaves.Len()]
	for i := range entries {
		entries[i] = Entry{binary.BigEndian.Uint16(b[entrySize*i:]), binary.BigEndian.Uint16(b[entrySize*i+2:])}
		w.addEntry(leaves.From+uint64(i), entries[i])
	}
	return Block(entries), nil
}

// closed reads a closed node.
func (w *walk) closed() (Node, error) {
	b, err := w.in.take(2)
	if err != nil {
		return Node{}, err
	}
	n := Node{Annotation: Nothing()}
	for f := binary.BigEndian.Uint16(b); f != 0; f &= f - 1 {
		b, err := w.in.take(tallySize)
		if err != nil {
			return Node{}, err
		}
		y := decodeTally(b)
		if y.Count == 0 {
			return Node{}, fmt.Errorf("%w: a tally of nothing that need not be told", ErrFormat)
		}
		n.Annotation[bits.TrailingZeros16(f)] = y
	}
	n.Hash, err = w.in.hash()
	return n, err
}
