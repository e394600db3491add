package coverage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// TestImpossibleBlocks holds that a block is refused which no events give.
func TestImpossibleBlocks(t *testing.T) {
	one := func(position, head uint64, beat ...byte) []byte {
		b := binary.AppendUvarint([]byte{0, 1}, position)
		return append(append(binary.AppendUvarint(b, head), 0, 0), beat...)
	}
	if _, err := decodeBlock(one(1, 3, byte(stopped), 9)); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"no entries":               {0, 0},
		"too many entries":         append([]byte{0, 0x81, 2}, bytes.Repeat([]byte{1, 2, 0, 0}, 257)...),
		"position twice":           one(0, 1, byte(running), 0),
		"number 0":                 one(1, zigzag(-1)<<2|2),
		"number of 15 digits":      one(1, zigzag(maxSeq)<<2|2),
		"distance without number":  one(1, 4),
		"heartbeat of no state":    one(1, 1, 0, 0),
		"heartbeat of other state": one(1, 1, 4, 0),
		"more than entries":        one(1, 2, 0),
	} {
		if k, err := decodeBlock(b); !errors.Is(err, errBlock) {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
}

// FuzzBlock holds that a block is read only as it is written.
func FuzzBlock(f *testing.F) {
	f.Add((&block{before: 3, entries: []entry{
		{position: 5, recorded: 1_700_000_000_000, time: 1_699_999_999_000, seq: 7},
		{position: 6, recorded: 1_700_000_000_000, time: 1_600_000_000_000, beat: stopped, last: 12},
		{position: 900, recorded: 1_700_000_000_001, time: -5, seq: 3, beat: running},
		{position: 901, recorded: 1_700_000_000_001, time: -5, seq: 4},
	}}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := decodeBlock(b)
		if err == nil && !bytes.Equal(k.encode(), b) {
			t.Errorf("%x is read as %+v, which is %x", b, k, k.encode())
		}
	})
}

// FuzzTally holds that a tally is read only as it is written.
func FuzzTally(f *testing.F) {
	sum := tally{received: 9, firstAt: 2, lastAt: 300, firstSeen: 1_700_000_000_000, lastSeen: 1_700_000_500_000, earliest: -3, latest: 8,
		longest: 4, longestSince: 5, highest: 30, unnumbered: 1, repeated: 2, late: 3, missing: []Range{{1, 1}, {3, 9}, {29, 29}},
		beats: 4, beat: stopped, beatSeen: 6, announced: 40, stopped: true}
	f.Add(sum.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		sum, err := decodeTally(b)
		if err == nil && !bytes.Equal(sum.encode(), b) {
			t.Errorf("%x is read as %+v, which is %x", b, sum, sum.encode())
		}
	})
}

// FuzzRefusal holds that a sum of refusals is read only as it is written.
func FuzzRefusal(f *testing.F) {
	f.Add(refusalSum{count: 300, first: 1_700_000_000_000, last: -1}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeRefusal(b)
		if err == nil && !bytes.Equal(s.encode(), b) {
			t.Errorf("%x is read as %+v, which is %x", b, s, s.encode())
		}
	})
}
