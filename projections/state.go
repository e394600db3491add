package projections

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// The file holds two buckets.
//
//	state     "state" -> version, position, digest, next number, segments in order of age; then a checksum
//	          "register" -> what the caller stored; then a checksum
//	segments  number of a segment -> bucket of the segment, see segment.go
//
// A bucket in segments that the state does not list is the rest of a merge, and is dropped at opening. Integers
// are big-endian, checksums CRC-32C.
const indexVersion = 1

var (
	stateBucket    = []byte("state")
	segmentsBucket = []byte("segments")
	stateKey       = []byte("state")
	registerKey    = []byte("register")
	castagnoli     = crc32.MakeTable(crc32.Castagnoli)
)

// errDamaged reports a file that is not what was written. It is removed.
var errDamaged = errors.New("projections: index file is damaged")

// damaged returns an error that is [errDamaged] and says where.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), errDamaged)
}

// errVersion reports a file of another version of this program. It is removed.
var errVersion = errors.New("projections: index file has another version")

// A state is what one transaction of the index is at.
type state struct {
	position uint64
	digest   [32]byte
	next     uint64    // number of the next segment
	segments []segment // oldest first
}

// A segment is one immutable sorted run of entries.
type segment struct {
	number uint64
	tier   uint8
	count  uint64 // entries
}

// append adds a segment of sorted entries, in chunks of a size, behind all others. The caller writes s.
func (s *state) append(tx *bolt.Tx, entries []Entry, size int) error {
	if len(entries) == 0 {
		return nil
	}
	g := segment{number: s.next, count: uint64(len(entries))}
	s.next++
	b, err := create(tx, g.number)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(entries, size) {
		if err := putChunk(b, chunk); err != nil {
			return err
		}
	}
	s.segments = append(s.segments, g)
	return nil
}

// due returns the index of the first of mergeWidth neighbours of one tier, or -1: the oldest such run.
func (s *state) due() int {
	run := 0
	for i, g := range s.segments {
		if i > 0 && g.tier != s.segments[i-1].tier {
			run = 0
		}
		if run++; run == mergeWidth {
			return i + 1 - mergeWidth
		}
	}
	return -1
}

const stateHead, segmentSize = 1 + 8 + 32 + 8, 8 + 1 + 8

func (s *state) write(tx *bolt.Tx) error {
	b := make([]byte, 0, stateHead+len(s.segments)*segmentSize+4)
	b = append(b, indexVersion)
	b = binary.BigEndian.AppendUint64(b, s.position)
	b = append(b, s.digest[:]...)
	b = binary.BigEndian.AppendUint64(b, s.next)
	for _, g := range s.segments {
		b = binary.BigEndian.AppendUint64(b, g.number)
		b = append(b, g.tier)
		b = binary.BigEndian.AppendUint64(b, g.count)
	}
	return tx.Bucket(stateBucket).Put(stateKey, sealed(b))
}

func readState(tx *bolt.Tx) (s state, err error) {
	home := tx.Bucket(stateBucket)
	if home == nil {
		return s, damaged("no state")
	}
	b := home.Get(stateKey)
	if len(b) > 0 && b[0] != indexVersion {
		return s, errVersion
	}
	b, err = unsealed(b)
	if err != nil || len(b) < stateHead || (len(b)-stateHead)%segmentSize != 0 {
		return s, damaged("the state")
	}
	s.position = binary.BigEndian.Uint64(b[1:])
	s.digest = [32]byte(b[9:])
	s.next = binary.BigEndian.Uint64(b[41:])
	s.segments = make([]segment, 0, (len(b)-stateHead)/segmentSize+1) // room for one more
	for g := range slices.Chunk(b[stateHead:], segmentSize) {
		s.segments = append(s.segments, segment{binary.BigEndian.Uint64(g), g[8], binary.BigEndian.Uint64(g[9:])})
	}
	return s, nil
}

func writeRegister(tx *bolt.Tx, register []byte) error {
	return tx.Bucket(stateBucket).Put(registerKey, sealed(slices.Clone(register)))
}

func readRegister(tx *bolt.Tx) ([]byte, error) {
	b := tx.Bucket(stateBucket).Get(registerKey)
	if b == nil {
		return nil, nil
	}
	register, err := unsealed(b)
	return bytes.Clone(register), err
}

// sealed appends b's checksum to it.
func sealed(b []byte) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// unsealed returns b without its checksum, if that is right.
func unsealed(b []byte) ([]byte, error) {
	n := len(b) - 4
	if n < 0 || binary.BigEndian.Uint32(b[n:]) != crc32.Checksum(b[:n], castagnoli) {
		return nil, damaged("wrong checksum")
	}
	return b[:n], nil
}
