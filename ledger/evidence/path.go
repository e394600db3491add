package evidence

import (
	"fmt"
	"slices"
)

// InclusionPath is the proof by RFC 6962, section 2.1.1, that a leaf is in the tree over the first size leaves: from
// its sibling up. The error wraps [ErrQuestion] if there is no such leaf.
func InclusionPath(r Reader, index, size uint64) ([]Hash, error) {
	if index >= size || size > r.Size() {
		return nil, fmt.Errorf("%w: a leaf that is not there", ErrQuestion)
	}
	var path []Span
	for s := (Span{0, size}); s.Len() > 1; {
		left, right := s.halves()
		if index < left.To {
			s, path = left, append(path, right)
		} else {
			s, path = right, append(path, left)
		}
	}
	slices.Reverse(path)
	return hashes(r, path)
}

// GrowthPath is the proof by RFC 6962, section 2.1.2, that the tree over the first size leaves continues the one over
// the first from: none if they are the same. The error wraps [ErrQuestion] if there are no such trees.
func GrowthPath(r Reader, from, size uint64) ([]Hash, error) {
	if from == 0 || from > size || size > r.Size() {
		return nil, fmt.Errorf("%w: sizes that were not there", ErrQuestion)
	}
	var path []Span
	s := Span{0, size}
	for from < s.To {
		left, right := s.halves()
		if from <= left.To {
			s, path = left, append(path, right)
		} else {
			s, path = right, append(path, left)
		}
	}
	if s.From > 0 { // else it is the older tree itself, whose root is known
		path = append(path, s)
	}
	slices.Reverse(path)
	return hashes(r, path)
}
