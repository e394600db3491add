package bitmaps

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"

	"github.com/imalink/custody/projections/rows"
)

// A container is the slots of one chunk that have one value, in the smallest form: its first byte, then little-endian
//
//	listForm  each slot, ascending: 2 bytes
//	bitsForm  one bit a slot: 8,192 bytes
//	runsForm  the first and the last slot of each run, ascending: 4 bytes
//
// It is never empty.
type container []byte

const (
	listForm byte = 1 + iota
	bitsForm
	runsForm
)

// listMost is how many slots a list has at most: beyond that, bits are smaller.
const listMost = ChunkSlots / 16

// parse checks the form of a container, so that reading it cannot go wrong. That a list ascends is not read here: the
// checksum answers for it.
func parse(b []byte) (container, error) {
	if len(b) < 3 {
		return nil, rows.Damaged("a container of %d bytes", len(b))
	}
	c, data := container(b), b[1:]
	switch b[0] {
	case listForm:
		if len(data)%2 == 0 {
			return c, nil
		}
	case bitsForm:
		if len(data) == len(Set{})*8 {
			return c, nil
		}
	case runsForm:
		if len(data)%4 == 0 && apart(data) {
			return c, nil
		}
	}
	return nil, rows.Damaged("the form of a container")
}

// apart reports that runs are in order and do not touch.
func apart(data []byte) bool {
	end := -2
	for i := 0; i < len(data); i += 4 {
		first, last := u16(data[i:]), u16(data[i+2:])
		if first <= end+1 || last < first {
			return false
		}
		end = last
	}
	return true
}

func u16(b []byte) int { return int(binary.LittleEndian.Uint16(b)) }

// union adds the container's slots to a set.
func (c container) union(s *Set) {
	switch data := c[1:]; c[0] {
	case listForm:
		for ; len(data) >= 2; data = data[2:] {
			s.Add(binary.LittleEndian.Uint16(data))
		}
	case bitsForm:
		for i := range s {
			s[i] |= binary.LittleEndian.Uint64(data)
			data = data[8:]
		}
	case runsForm:
		for i := 0; i < len(data); i += 4 {
			s.AddRange(u16(data[i:]), u16(data[i+2:])+1)
		}
	}
}

// common counts the slots that are in a set, too.
func (c container) common(s *Set) (n int) {
	switch data := c[1:]; c[0] {
	case listForm:
		for ; len(data) >= 2; data = data[2:] {
			slot := binary.LittleEndian.Uint16(data)
			n += int(s[slot>>6] >> (slot & 63) & 1)
		}
	case bitsForm:
		for _, w := range s {
			n += bits.OnesCount64(w & binary.LittleEndian.Uint64(data))
			data = data[8:]
		}
	case runsForm:
		for i := 0; i < len(data); i += 4 {
			n += s.countRange(u16(data[i:]), u16(data[i+2:])+1)
		}
	}
	return n
}

// countRange counts the slots from one up to another that are in the set.
func (s *Set) countRange(from, to int) (n int) {
	first, last := from>>6, (to-1)>>6
	head, tail := ^uint64(0)<<(from&63), ^uint64(0)>>(63-(to-1)&63)
	if first == last {
		return bits.OnesCount64(s[first] & head & tail)
	}
	n = bits.OnesCount64(s[first]&head) + bits.OnesCount64(s[last]&tail)
	for i := first + 1; i < last; i++ {
		n += bits.OnesCount64(s[i])
	}
	return n
}

// A builder gathers the slots of one container in ascending order: a list while that is the smaller form, then bits.
type builder struct {
	list        []uint16
	bits        *Set
	count, runs int
	dirty       bool // not written as it is
	last        int
}

// add adds a slot behind those that are there; one that was added last is there already.
func (b *builder) add(slot uint16) {
	switch {
	case b.count > 0 && int(slot) == b.last:
		return
	case b.count == 0 || int(slot) > b.last+1:
		b.runs++
	}
	b.count++
	b.last, b.dirty = int(slot), true
	if b.bits != nil {
		b.bits.Add(slot)
		return
	}
	b.list = append(b.list, slot)
	if b.count > listMost {
		b.bits = new(Set)
		for _, slot := range b.list {
			b.bits.Add(slot)
		}
		b.list = nil
	}
}

// container gives the container, with room for a checksum.
func (b *builder) container() container {
	form, size := listForm, 2*b.count
	switch {
	case 4*b.runs < size && 4*b.runs < len(Set{})*8:
		form, size = runsForm, 4*b.runs
	case b.bits != nil:
		form, size = bitsForm, len(Set{})*8
	}
	c := append(make(container, 0, 1+size+rows.SealSize), form)
	switch form {
	case listForm:
		for _, slot := range b.list {
			c = binary.LittleEndian.AppendUint16(c, slot)
		}
	case bitsForm:
		for _, w := range b.bits {
			c = binary.LittleEndian.AppendUint64(c, w)
		}
	case runsForm:
		c = b.appendRuns(c)
	}
	return c
}

func (b *builder) appendRuns(c container) container {
	first, last := -1, -1
	for slot := range b.slots() {
		if slot := int(slot); first < 0 || slot > last+1 {
			if first >= 0 {
				c = appendRun(c, first, last)
			}
			first = slot
		}
		last = int(slot)
	}
	return appendRun(c, first, last)
}

func (b *builder) slots() iter.Seq[uint16] {
	if b.bits != nil {
		return b.bits.All()
	}
	return slices.Values(b.list)
}

func appendRun(dst container, first, last int) container {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(first))
	return binary.LittleEndian.AppendUint16(dst, uint16(last))
}
