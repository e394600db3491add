package postings

import "encoding/binary"

// A filter is a blocked Bloom filter: one line of 64 bytes takes all bits of a key. At 12 bits a key it answers
// "perhaps" for about 1 in 150 absent keys.
type filter []byte

const (
	filterLine = 64 // bytes
	filterBits = 12 // a key
	filterHits = 7  // bits set for each key, 9 bits of hash each
)

// filterKeys returns how many keys a filter is for if it must not be longer than limit.
func filterKeys(limit int) int { return limit / filterLine * filterLine * 8 / filterBits }

// newFilter makes a filter of keys, given by what of them is spread, Spread bytes each.
func newFilter(spread []byte) filter {
	keys := len(spread) / Spread
	n := (keys*filterBits + filterLine*8 - 1) / (filterLine * 8) * filterLine
	f := make(filter, n)
	for ; len(spread) > 0; spread = spread[Spread:] {
		line, hash := f.place(spread)
		for range filterHits {
			line[hash>>3&63] |= 1 << (hash & 7)
			hash >>= 9
		}
	}
	return f
}

func (f filter) has(spread []byte) bool {
	line, hash := f.place(spread)
	for range filterHits {
		if line[hash>>3&63]&(1<<(hash&7)) == 0 {
			return false
		}
		hash >>= 9
	}
	return true
}

// place returns the line of a key and the bits that choose within it. The keys of one filter of a large segment share the
// first of the bytes that are spread, so these choose nothing.
func (f filter) place(spread []byte) (line []byte, hash uint64) {
	lines := uint64(len(f) / filterLine)
	at := uint64(binary.BigEndian.Uint32(spread[12:])) * lines >> 32 * filterLine
	return f[at : at+filterLine], binary.BigEndian.Uint64(spread[4:])
}
