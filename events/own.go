package events

import (
	"bytes"
	"iter"
)

// shortestSearched is the least number of bytes of an identifier that is searched for.
const shortestSearched = 3

// shortestNumber is the least number of digits in which an identifier and a clear string may not
// both end without a warning.
const shortestNumber = 4

// own is what ownIdentifiers found, as indices of clear strings.
type own struct {
	contains   int   // the first that contains an identifier, or -1
	sameNumber []int // those that end in the number an identifier ends in
}

// ownIdentifiers searches the clear strings for the identifiers; both are folded. Few identifiers are
// searched for one by one. For many, a bitmap is made of the triples of bytes that the clear strings
// have, and an identifier is searched for only if all of its own triples are among them, the last
// one, which tells most, looked up first: thousands of subjects cost a look-up or two each.
func ownIdentifiers(identifiers, clear []byte) own {
	found := own{contains: -1}
	var triples *tripleSet
	if len(identifiers) > manyIdentifiers {
		triples = triplesOf(clear)
	}
	first := len(clear)
	for identifier := range parts(identifiers) {
		if len(identifier) < shortestSearched || !triples.mayContain(identifier) {
			continue
		}
		if i := bytes.Index(clear[:first], identifier); i >= 0 {
			first = i
			found.contains = bytes.Count(clear[:i], []byte{separator})
		}
	}
	if found.contains < 0 {
		found.sameNumber = sameNumbers(identifiers, clear)
	}
	return found
}

// parts yields the strings before each separator.
func parts(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := bytes.IndexByte(b, separator)
			if !yield(b[:n]) {
				return
			}
			b = b[n+1:]
		}
	}
}

// manyIdentifiers is from how many bytes of identifiers on the bitmap pays for itself.
const manyIdentifiers = 1024

// tripleSet is a bitmap of hashed triples of bytes.
type tripleSet [1 << 10]uint64

func triplesOf(text []byte) *tripleSet {
	t := new(tripleSet)
	for i := range len(text) - 2 {
		h := tripleHash(text[i:])
		t[h>>6] |= 1 << (h & 63)
	}
	return t
}

// mayContain is false only if the word is in none of the strings. A nil set knows nothing.
func (t *tripleSet) mayContain(word []byte) bool {
	if t == nil {
		return true
	}
	for i := len(word) - 3; i >= 0; i-- {
		if h := tripleHash(word[i:]); t[h>>6]&(1<<(h&63)) == 0 {
			return false
		}
	}
	return true
}

// tripleHash hashes the first three bytes to 16 bits.
func tripleHash(b []byte) uint32 {
	return (uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])) * 2654435761 >> 16
}

// sameNumbers gives the clear strings that end in the same number, of shortestNumber digits or more,
// as some identifier.
func sameNumbers(identifiers, clear []byte) (same []int) {
	i := 0
	for text := range parts(clear) {
		if number := trailingNumber(text); number != nil && endsInNumber(identifiers, number) {
			same = append(same, i)
		}
		i++
	}
	return same
}

// endsInNumber reports that one of the identifiers ends in exactly this number.
func endsInNumber(identifiers, number []byte) bool {
	for identifier := range parts(identifiers) {
		if bytes.HasSuffix(identifier, number) && len(trailingNumber(identifier)) == len(number) {
			return true
		}
	}
	return false
}

// trailingNumber is the digits that s ends in, or nil if they are few.
func trailingNumber(s []byte) []byte {
	i := len(s)
	for i > 0 && atoms[s[i-1]]&d09 != 0 {
		i--
	}
	if len(s)-i < shortestNumber {
		return nil
	}
	return s[i:]
}
