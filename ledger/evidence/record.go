package evidence

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// RecordSize is the length of a record in bytes.
const RecordSize = 54

const recordVersion = 1

// KindWithheld stands in records for the kinds that would tell of breaches and inquiries; KindCommitted is
// that of ledger.committed.
const (
	KindWithheld  = 255
	KindCommitted = 71
)

// NoDay is the day of nothing; records end before it, in 2149.
const NoDay = 0xFFFF

// Limits of what a record has room for: milliseconds of its time, its producer's sequence.
const (
	MaxTime     = NoDay*dayMillis - 1
	MaxSequence = 1<<48 - 1
	dayMillis   = 24 * 60 * 60 * 1000
)

// A Hash is a SHA-256.
type Hash = [sha256.Size]byte

// A Record is what an outsider may have of one event (docs/FORMAT.md, "Record"). It names nobody.
type Record struct {
	Kind     uint8
	Flags    Flags
	Region   [2]byte // an outside country, ZZ, or two zero bytes
	Time     int64   // of the event, in milliseconds since 1970
	Producer uint16  // number of its source and instance, from 1
	Sequence uint64  // the producer's, 0 for none
	Digest   Hash    // of the stored event
}

// Day is the UTC day of the event's time, in days since 1970-01-01.
func (r *Record) Day() uint16 { return uint16(r.Time / dayMillis) }

// Entry is what the annotated tree has of the record.
func (r *Record) Entry() Entry { return Entry{Flags: uint16(r.Flags), Day: r.Day()} }

// Append appends the 54 bytes.
func (r *Record) Append(b []byte) []byte {
	b = append(b, recordVersion, r.Kind)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Flags))
	b = append(b, r.Region[:]...)
	b = append48(b, uint64(r.Time))
	b = binary.BigEndian.AppendUint16(b, r.Producer)
	b = append48(b, r.Sequence)
	return append(b, r.Digest[:]...)
}

func append48(b []byte, n uint64) []byte {
	return append(b, byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func read48(b []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(b))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
}

// DecodeRecord reads 54 bytes. The error wraps [ErrRecord] if they are none or contradict themselves.
func DecodeRecord(b []byte) (Record, error) {
	if len(b) != RecordSize || b[0] != recordVersion {
		return Record{}, fmt.Errorf("%w: not %d bytes of version %d", ErrRecord, RecordSize, recordVersion)
	}
	r := Record{
		Kind: b[1], Flags: Flags(binary.BigEndian.Uint32(b[2:])), Region: [2]byte(b[6:8]), Time: int64(read48(b[8:])),
		Producer: binary.BigEndian.Uint16(b[14:]), Sequence: read48(b[16:]), Digest: Hash(b[22:]),
	}
	return r, r.Sound()
}

// Sound is nil unless the record contradicts itself; then it wraps [ErrRecord] and says how.
func (r *Record) Sound() error {
	switch class := r.Flags & Classes; {
	case r.Flags&^Counted != 0:
		return fmt.Errorf("%w: flags that are not defined", ErrRecord)
	case bits.OnesCount32(uint32(class)) > 1:
		return fmt.Errorf("%w: two transfer classes", ErrRecord)
	case r.Region != [2]byte{} && class&^T0 == 0:
		return fmt.Errorf("%w: a region outside the EEA, of a class that has none", ErrRecord)
	case r.Region != [2]byte{} && (!capital(r.Region[0]) || !capital(r.Region[1])):
		return fmt.Errorf("%w: a region that is no country", ErrRecord)
	case r.Time < 0 || r.Time > MaxTime:
		return fmt.Errorf("%w: a time after 2149", ErrRecord)
	case r.Producer == 0:
		return fmt.Errorf("%w: no producer number", ErrRecord)
	case r.Sequence > MaxSequence:
		return fmt.Errorf("%w: a sequence of 2^48 or more", ErrRecord)
	}
	return nil
}

func capital(c byte) bool { return c >= 'A' && c <= 'Z' }

// LeafHash is the hash of a leaf of the record log (RFC 6962, section 2.1).
func LeafHash(record []byte) Hash {
	var b [1 + RecordSize]byte
	if len(record) != RecordSize {
		panic("evidence: a record of another length")
	}
	copy(b[1:], record)
	return sha256.Sum256(b[:])
}

// NodeHash is the hash of an inner node of the record log (RFC 6962, section 2.1).
func NodeHash(left, right Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 0x01
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}
