package evidence

// A prunedTree is the record tree over so many leaves, of which a proof has only the hashes that somebody lacks who
// has the opened leaves and wants the root, and the root over the leaves before the cut (docs/FORMAT.md, "Pruned
// record tree"). Prover and verifier walk it alike: its shape follows from these, never from a proof.
type prunedTree struct {
	size   uint64
	opened []Span // sorted, apart from one another, not empty
	cut    uint64 // 0 for none
}

// holds is which of the opened spans have leaves in s, of those that may.
func holds(opened []Span, s Span) []Span {
	for len(opened) > 0 && opened[0].To <= s.From {
		opened = opened[1:]
	}
	for len(opened) > 0 && opened[len(opened)-1].From >= s.To {
		opened = opened[:len(opened)-1]
	}
	return opened
}

func (t *prunedTree) cuts(s Span) bool { return s.From < t.cut && t.cut < s.To }

// closed are the nodes whose hashes a proof has, in their order.
func (t *prunedTree) closed() []Span { return t.appendClosed(nil, Span{0, t.size}, t.opened) }

func (t *prunedTree) appendClosed(spans []Span, s Span, opened []Span) []Span {
	opened = holds(opened, s)
	switch {
	case len(opened) == 0 && !t.cuts(s):
		return append(spans, s)
	case len(opened) > 0 && s.within(opened[0]): // all of its leaves are opened
		return spans
	}
	left, right := s.halves()
	return t.appendClosed(t.appendClosed(spans, left, opened), right, opened)
}

// A folding computes the roots of a pruned tree.
type folding struct {
	prunedTree
	leaf func() Hash          // the next of the opened leaves
	next func() (Hash, error) // the next hash of the proof
	edge []Hash               // of the largest nodes before the cut, left to right
}

// roots are those over all leaves and over the leaves before the cut, if there is one.
func (t prunedTree) roots(leaf func() Hash, next func() (Hash, error)) (whole, cut Hash, err error) {
	f := folding{prunedTree: t, leaf: leaf, next: next}
	if whole, err = f.fold(Span{0, t.size}, t.opened); err != nil {
		return Hash{}, Hash{}, err
	}
	return whole, foldEdge(f.edge), nil
}

func (f *folding) fold(s Span, opened []Span) (Hash, error) {
	opened = holds(opened, s)
	switch {
	case len(opened) == 0 && !f.cuts(s):
		return f.next()
	case s.Len() == 1:
		return f.leaf(), nil
	}
	l, r := s.halves()
	left, err := f.fold(l, opened)
	if err != nil {
		return Hash{}, err
	}
	if f.cuts(s) && l.To <= f.cut {
		f.edge = append(f.edge, left)
	}
	right, err := f.fold(r, opened)
	if err != nil {
		return Hash{}, err
	}
	return NodeHash(left, right), nil
}

// foldEdge is the root over the largest perfect trees of a log, left to right: of none it is zero.
func foldEdge(edge []Hash) (root Hash) {
	for i := len(edge) - 1; i >= 0; i-- {
		if i == len(edge)-1 {
			root = edge[i]
		} else {
			root = NodeHash(edge[i], root)
		}
	}
	return root
}

// hashes are those of nodes of the log over the first leaves of a reader, perfect or not.
func hashes(r Reader, spans []Span) ([]Hash, error) {
	var perfect []Span
	for _, s := range spans {
		perfect = appendPerfect(perfect, s)
	}
	parts, err := r.Hashes(perfect)
	if err != nil {
		return nil, err
	}
	if len(parts) != len(perfect) {
		return nil, errReader()
	}
	nodes := make([]Hash, len(spans))
	for i, s := range spans {
		n := len(appendPerfect(nil, s))
		nodes[i], parts = foldEdge(parts[:n]), parts[n:]
	}
	return nodes, nil
}

// appendPerfect appends the largest perfect spans that make up a node's.
func appendPerfect(spans []Span, s Span) []Span {
	for !s.Perfect() {
		var left Span
		left, s = s.halves()
		spans = append(spans, left)
	}
	return append(spans, s)
}
