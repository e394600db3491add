package projections

import "encoding/binary"

// A filter is a blocked Bloom filter: one line of 64 bytes takes all bits of a key, so that a look-up touches one
// cache line. At 12 bits a key it answers "perhaps" for about 1 in 150 absent keys.
type filter []byte

const (
	filterLine = 64 // bytes
	filterBits = 12 // a key
	filterHits = 7  // bits set for each key, 9 bits of hash each
)

func newFilter(keys int) filter {
	n := filterLength(keys)
	return make(filter, n, n+4) // room for the checksum
}

// filterLength returns the bytes of a filter for so many keys.
func filterLength(keys int) int {
	return (keys*filterBits + filterLine*8 - 1) / (filterLine * 8) * filterLine
}

func (f filter) add(key Key) {
	line, hash := f.place(key)
	for range filterHits {
		line[hash>>3&63] |= 1 << (hash & 7)
		hash >>= 9
	}
}

func (f filter) has(key Key) bool {
	line, hash := f.place(key)
	for range filterHits {
		if line[hash>>3&63]&(1<<(hash&7)) == 0 {
			return false
		}
		hash >>= 9
	}
	return true
}

// place returns the line of a key and the bits that choose within it. Keys are spread like hashes, but those of one chunk
// of a large segment share their first bytes, so these choose nothing.
func (f filter) place(key Key) (line []byte, hash uint64) {
	lines := uint64(len(f) / filterLine)
	at := uint64(binary.BigEndian.Uint32(key[12:])) * lines >> 32 * filterLine
	return f[at : at+filterLine], binary.BigEndian.Uint64(key[4:12])
}
