package events

import (
	"hash/maphash"
	"slices"
	"strconv"
)

// complete reports that nothing the shape requires is missing, by the bits of the fields that were
// seen. It is the quick check; missingIn says what is missing.
func (s *shape) complete(seen uint64, slots []Value, in []byte) bool {
	if s.required&^seen != 0 {
		return false
	}
	if len(s.either) > 0 && !slices.ContainsFunc(s.either, func(mask uint64) bool { return mask&^seen == 0 }) {
		return false
	}
	if c := s.when; c != nil && seen&(1<<c.when) != 0 && seen&(1<<c.then) == 0 {
		v := slots[c.when]
		return !slices.Contains(c.words, string(in[v.off:v.off+v.n]))
	}
	return true
}

// missingIn gives the pointer of the first field, in the order of the catalogue, that is required
// and not there; of a choice, the first that the last alternative lacks.
func missingIn(o Object, path string, stored bool) (string, bool) {
	var seen uint64
	for _, m := range o.members() {
		seen |= 1 << m.field
	}
	members := o.members()
	for i, f := range o.shape.fields {
		here := path + "/" + f.name
		if seen&(1<<i) == 0 {
			if f.required && !(stored && f.ofPerson && o.Get("natural_person").Bool()) {
				return here, true
			}
			continue
		}
		if missing, ok := missingInValue(members[0], here, stored); ok {
			return missing, true
		}
		members = members[1:]
	}
	return o.shape.unmet(o, seen, path)
}

func missingInValue(v Value, path string, stored bool) (string, bool) {
	switch v.form {
	case objectValue:
		return missingIn(v.Object(), path, stored)
	case listValue:
		for i, e := range v.List() {
			if missing, ok := missingInValue(e, path+"/"+strconv.Itoa(i), stored); ok {
				return missing, true
			}
		}
	}
	return "", false
}

// unmet gives the pointer of what the shape's condition or choice asks for in vain.
func (s *shape) unmet(o Object, seen uint64, path string) (string, bool) {
	if c := s.when; c != nil && seen&(1<<c.then) == 0 && slices.Contains(c.words, o.Get(s.fields[c.when].name).Text()) {
		return path + "/" + s.fields[c.then].name, true
	}
	if len(s.either) == 0 || slices.ContainsFunc(s.either, func(mask uint64) bool { return mask&^seen == 0 }) {
		return "", false
	}
	last := s.either[len(s.either)-1]
	for i, f := range s.fields {
		if last&^seen&(1<<i) != 0 {
			return path + "/" + f.name, true
		}
	}
	return "", false
}

// fewItems is up to how many items comparing each with each is the quickest.
const fewItems = 12

// distinct reports that no two items are equal: by comparing each with each, or, when they are many,
// through a hash table with a random seed.
func (d *decoder) distinct(items []Value) bool {
	if len(items) > fewItems {
		return d.distinctHashes(items)
	}
	for i, v := range items {
		for _, w := range items[:i] {
			if d.equal(v, w) {
				return false
			}
		}
	}
	return true
}

func (d *decoder) distinctHashes(items []Value) bool {
	size := 32
	for size < 2*len(items) {
		size *= 2
	}
	table := make([]int32, size) // index+1 of an item; 0 is free
	var h maphash.Hash
	for i, v := range items {
		h.Reset()
		d.hash(&h, v)
		slot := int(h.Sum64() & uint64(size-1))
		for ; table[slot] != 0; slot = (slot + 1) & (size - 1) {
			if d.equal(v, items[table[slot]-1]) {
				return false
			}
		}
		table[slot] = int32(i + 1)
	}
	return true
}

// hash gives equal values equal sums. It reads the decoder's input: the store has no text yet.
func (d *decoder) hash(h *maphash.Hash, v Value) {
	_ = h.WriteByte(v.field)
	switch v.form {
	case textValue:
		_, _ = h.Write(d.in[v.off : v.off+v.n])
	case objectValue, listValue:
		for _, e := range v.elements() {
			d.hash(h, e)
		}
	default:
		_ = h.WriteByte(byte(v.n))
	}
}

// equal compares two values of one spec.
func (d *decoder) equal(v, w Value) bool {
	if v.n != w.n || v.field != w.field {
		return false
	}
	switch v.form {
	case textValue:
		return string(d.in[v.off:v.off+v.n]) == string(d.in[w.off:w.off+w.n])
	case objectValue, listValue:
		return slices.EqualFunc(v.elements(), w.elements(), d.equal)
	}
	return v.off == w.off
}
