package vault

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
)

// stateVersion is the version of the index's layout, which is never migrated.
const stateVersion = 2

// append encodes the state of the index:
//
//	 1      format version, 2
//	 8      sequence of the last message that is in
//	32      its SHA-256
//	 8      durable event position that it vouches for
//	 8      sequence of the table in force
//	 8      highest root version of any message
//	 8      version of the root in force
//	32      sum of the entries' MACs
//	 4+24n  rows with links above that event position: rid, position; ascending
//	32      HMAC-SHA256 of all that
func (s *state) append(dst []byte, k *key) []byte {
	start := len(dst)
	dst = append(dst, stateVersion)
	dst = binary.BigEndian.AppendUint64(dst, s.tail.sequence)
	dst = append(dst, s.tail.digest[:]...)
	for _, n := range []uint64{s.tail.events, s.tail.table, s.tail.highest, s.epoch, s.sum[0], s.sum[1], s.sum[2], s.sum[3]} {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s.open)))
	for _, r := range slices.SortedFunc(maps.Keys(s.open), compareRIDs) {
		dst = append(dst, r[:]...)
		dst = binary.BigEndian.AppendUint64(dst, s.open[r])
	}
	m := mac(k, dst[start:])
	return append(dst, m[:]...)
}

func compareRIDs(a, b rid) int { return bytes.Compare(a[:], b[:]) }

// decodeState accepts exactly what state.append emits, but for the MAC, which it
// leaves to the caller.
func decodeState(b []byte) (s state, ok bool) {
	d := decoder{b: b}
	version := d.uint8()
	s.tail.sequence = d.uint64()
	d.copy(s.tail.digest[:])
	for _, n := range []*uint64{&s.tail.events, &s.tail.table, &s.tail.highest, &s.epoch, &s.sum[0], &s.sum[1], &s.sum[2], &s.sum[3]} {
		*n = d.uint64()
	}
	s.open = map[rid]uint64{}
	n := int(d.uint32())
	d.fits(n, 16+8)
	var last rid
	for range n {
		if d.short {
			return state{}, false
		}
		var r rid
		d.copy(r[:])
		if len(s.open) > 0 && compareRIDs(r, last) <= 0 {
			return state{}, false
		}
		s.open[r], last = d.uint64(), r
	}
	d.take(len(key{}))
	return s, version == stateVersion && !d.short && len(d.b) == 0
}
