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
	lines := (keys*filterBits + filterLine*8 - 1) / (filterLine * 8)
	return make(filter, lines*filterLine, lines*filterLine+4) // room for the checksum
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

// place returns the line of a key and the hash that chooses its bits. Keys of one chunk share their first bits, so
// both halves are mixed.
func (f filter) place(key Key) (line []byte, hash uint64) {
	const odd1, odd2 = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03 // 2^64 divided by two irrational numbers
	hash = binary.LittleEndian.Uint64(key[8:]) * odd1
	hash ^= hash >> 32
	lines := uint64(len(f) / filterLine)
	at := hash & 0xFFFFFFFF * lines >> 32 * filterLine
	hash = (hash ^ binary.LittleEndian.Uint64(key[:])) * odd2
	return f[at : at+filterLine], hash >> 1
}
