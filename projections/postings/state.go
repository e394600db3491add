package postings

import (
	"encoding/binary"
	"math/bits"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/rows"
)

// The bucket holds a state and segments.
//
//	"state" -> version, size of a key, next number, last position, segments in order of age; sealed, see [rows.Seal]
//	's' and number of a segment -> bucket of the segment, see segment.go
//
// Integers are big-endian.
const layoutVersion = 2

const (
	mergeWidth = 8       // neighbours of one tier that become one segment of the next
	wholePairs = 1 << 12 // the newest segment is young, and written again with each flush, until it has so many pairs
)

// A state says what a bucket consists of.
type state struct {
	size     int    // of a key
	next     uint64 // number of the next segment
	last     uint64 // greatest position
	segments []segment
}

// A segment is one sorted run of pairs.
type segment struct {
	number  uint64
	tier    uint8  // never greater than that of the segment before
	sources uint8  // so many segments after this one are moving into it
	count   uint64 // pairs, counting those that are moving into it
	first   uint64 // least position, at most
	last    uint64 // greatest position
}

// sealName stands for the bucket in the state's checksum.
const sealName = "postings"

const stateHead, segmentSize = 1 + 1 + 8 + 8, 8 + 1 + 1 + 8 + 8 + 8

func stateKey() []byte { return []byte("state") }

func segmentName(number uint64) []byte { return binary.BigEndian.AppendUint64([]byte{'s'}, number) }

func (s *state) write(home *bolt.Bucket) error {
	b := make([]byte, 0, stateHead+len(s.segments)*segmentSize+rows.SealSize)
	b = append(b, layoutVersion, byte(s.size))
	b = binary.BigEndian.AppendUint64(b, s.next)
	b = binary.BigEndian.AppendUint64(b, s.last)
	for _, g := range s.segments {
		b = binary.BigEndian.AppendUint64(b, g.number)
		b = append(b, g.tier, g.sources)
		b = binary.BigEndian.AppendUint64(b, g.count)
		b = binary.BigEndian.AppendUint64(b, g.first)
		b = binary.BigEndian.AppendUint64(b, g.last)
	}
	return home.Put(stateKey(), rows.Seal(sealName, stateKey(), b))
}

func readState(home *bolt.Bucket) (*state, error) { return decodeState(home.Get(stateKey())) }

func decodeState(value []byte) (*state, error) {
	b, err := rows.Unseal(sealName, stateKey(), value)
	if err != nil || len(b) < stateHead || (len(b)-stateHead)%segmentSize != 0 {
		return nil, rows.Damaged("the state")
	}
	if b[0] != layoutVersion || b[1] <= Spread || b[1] > MaxKey {
		return nil, rows.Damaged("the state is of another version")
	}
	s := &state{size: int(b[1]), next: binary.BigEndian.Uint64(b[2:]), last: binary.BigEndian.Uint64(b[10:])}
	for g := range slices.Chunk(b[stateHead:], segmentSize) {
		s.segments = append(s.segments, segment{
			number: binary.BigEndian.Uint64(g), tier: g[8], sources: g[9], count: binary.BigEndian.Uint64(g[10:]),
			first: binary.BigEndian.Uint64(g[18:]), last: binary.BigEndian.Uint64(g[26:]),
		})
	}
	for i, left := 0, 0; i < len(s.segments); i++ {
		g := s.segments[i]
		sources := int(g.sources)
		if g.number >= s.next || left > 0 && sources > 0 || i+sources >= len(s.segments) {
			return nil, rows.Damaged("the state has segment %d", g.number)
		}
		left = max(left-1, sources)
	}
	return s, nil
}

// tierOf returns the tier of a segment of so many pairs that no merge has made: how often mergeWidth is in it.
func tierOf(pairs, whole int) uint8 {
	return uint8(max(0, bits.Len(uint(pairs/whole))-1) / bits.TrailingZeros(mergeWidth))
}

// append adds a segment behind all others. Smaller ones before it take its tier, so that those of one tier are
// always neighbours.
func (s *state) append(g segment) {
	for i := range s.segments {
		s.segments[i].tier = max(s.segments[i].tier, g.tier)
	}
	s.segments = append(s.segments, g)
}

// due returns the index of the newest segment that others are moving into, or of the first of mergeWidth neighbours
// of one tier that are to become one; -1 if there is nothing to merge. The newest come first because there are the most
// of them: a large merge that waits costs nothing, while small segments pile up. No segment is young.
func (s *state) due() int {
	found, run := -1, 0
	for i := 0; i < len(s.segments); i++ {
		g := s.segments[i]
		switch {
		case g.sources > 0:
			found, run = i, 0
			i += int(g.sources)
			continue
		case run > 0 && g.tier != s.segments[i-1].tier:
			run = 0
		}
		if run++; run == mergeWidth {
			found, run = i+1-mergeWidth, 0
		}
	}
	return found
}
