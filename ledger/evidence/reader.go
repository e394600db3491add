package evidence

import "math/bits"

// A Span is the leaves, or the blocks, [From, To).
type Span struct{ From, To uint64 }

// Len is how many there are.
func (s Span) Len() uint64 { return s.To - s.From }

// Perfect reports whether a whole tree of its own stands over the span: it has a power of two of leaves, and begins
// at a multiple of that. The hash of such a node is the same however much the log grows.
func (s Span) Perfect() bool {
	n := s.Len()
	return s.From < s.To && n&(n-1) == 0 && s.From&(n-1) == 0
}

// halves are the spans of the two children: the left one has the largest power of two less than the whole.
func (s Span) halves() (left, right Span) {
	k := s.From + 1<<(bits.Len64(s.Len()-1)-1)
	return Span{s.From, k}, Span{k, s.To}
}

// within reports whether the span lies in another.
func (s Span) within(t Span) bool { return t.From <= s.From && s.To <= t.To }

// A Reader has the records of a ledger and the nodes above them, for proofs to be made from. What it gives need not
// be trusted: a proof is verified before it is given away.
type Reader interface {
	// Size is how many records there are.
	Size() uint64
	// Records are the records of the leaves, RecordSize bytes each. The caller does not change them.
	Records(leaves Span) ([]byte, error)
	// Hashes are those of nodes of the record log, one for each span. All spans are perfect.
	Hashes(leaves []Span) ([]Hash, error)
	// Node is a node of the annotated tree over blocks that are whole. The span is perfect.
	Node(blocks Span) (Node, error)
}
