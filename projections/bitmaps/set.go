package bitmaps

import (
	"iter"
	"math/bits"
)

// ChunkSlots is how many slots a chunk has.
const ChunkSlots = 1 << 16

// A Set is a set of slots of one chunk, counted from its first: one bit a slot. The zero Set is empty.
type Set [ChunkSlots / 64]uint64

// Clear removes all.
func (s *Set) Clear() { *s = Set{} }

// Add adds one slot.
func (s *Set) Add(slot uint16) { s[slot>>6] |= 1 << (slot & 63) }

// Remove removes one slot.
func (s *Set) Remove(slot uint16) { s[slot>>6] &^= 1 << (slot & 63) }

// Has reports whether a slot is in the set.
func (s *Set) Has(slot uint16) bool { return s[slot>>6]>>(slot&63)&1 != 0 }

// AddRange adds the slots from one up to another, which is not added. 0 <= from <= to <= ChunkSlots.
func (s *Set) AddRange(from, to int) {
	if from >= to {
		return
	}
	first, last := from>>6, (to-1)>>6
	head, tail := ^uint64(0)<<(from&63), ^uint64(0)>>(63-(to-1)&63)
	if first == last {
		s[first] |= head & tail
		return
	}
	s[first] |= head
	for i := first + 1; i < last; i++ {
		s[i] = ^uint64(0)
	}
	s[last] |= tail
}

// And keeps what is in other, too, and reports whether that is anything.
func (s *Set) And(other *Set) bool {
	var any uint64
	for i := range s {
		s[i] &= other[i]
		any |= s[i]
	}
	return any != 0
}

// IsEmpty reports that nothing is in the set.
func (s *Set) IsEmpty() bool { return *s == Set{} }

// Count is how many slots are in the set.
func (s *Set) Count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// All yields the slots in ascending order.
func (s *Set) All() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(uint16(i<<6 | bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// Backward yields the slots in descending order.
func (s *Set) Backward() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for i := len(s) - 1; i >= 0; i-- {
			for w := s[i]; w != 0; {
				top := 63 - bits.LeadingZeros64(w)
				if !yield(uint16(i<<6 | top)) {
					return
				}
				w &^= 1 << top
			}
		}
	}
}
