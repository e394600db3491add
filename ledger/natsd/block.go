package natsd

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/minio/highwayhash"

	"github.com/imalink/custody/ledger/stream"
)

// A block file is records and nothing else. A record, in little-endian order, is
//
//	length    uint32  of the whole record; the highest bit says that it has headers
//	sequence  uint64
//	time      int64   ns since 1970-01-01 UTC
//	subject   uint16 length; the bytes follow
//	headers   uint32 length; the bytes follow
//	data
//	hash      8 bytes, HighwayHash-64 over sequence, time, subject, headers and data
//
// under the key SHA-256("<stream>-<block number>"). The hash does not cover the three lengths. Those of a record with
// headers are checked all the same: moving the subject's end moves the four bytes that the hash leaves out, and the
// headers end at their first empty line. Without headers the subject's end could move unseen, so a record must have
// some: every message that ledger/stream writes does. Neither may the two highest bits of the sequence be set (erased
// and deleted): nothing in these streams ever is. nats-server v2.15.2, filestore.go: writeMsgRecordLocked.
const (
	fixedSize   = 22 // length, sequence, time, subject length
	hashSize    = 8
	headersBit  = 1 << 31
	maxSequence = 1<<62 - 1
	maxRecord   = 32 << 20 // larger ones the server takes for damage
	maxBlock    = 48 << 20 // bytes of a block file: 8 MiB, or one record that is larger, and room
	headerLine  = "NATS/1.0\r\n"
	durableLine = "\r\n" + stream.HeaderDurable + ": "
)

// record is one record of a block; its slices point into the block.
type record struct {
	sequence               uint64
	time                   int64 // ns
	subject, headers, data []byte
	mark                   uint64 // durable mark it carries; 0 if none
	size                   int    // bytes in the block
}

var (
	errTorn     = errors.New("the file ends within the record")
	errLength   = errors.New("lengths that cannot be")
	errHash     = errors.New("hash does not match")
	errHeaders  = errors.New("headers are not well-formed")
	errDeletion = errors.New("a deletion, in a stream that never deletes")
	errMark     = errors.New("durable mark is not below its own sequence")
)

// hasher verifies the records of one block.
type hasher struct{ digest *highwayhash.Digest64 }

func newHasher(stream string, block uint32) (hasher, error) {
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", stream, block))
	d, err := highwayhash.NewDigest64(key[:])
	return hasher{d}, err
}

// record reads the record at the beginning of b. A record that fits its lengths has a size even when it is bad.
func (h hasher) record(b []byte) (record, error) {
	var r record
	if len(b) < fixedSize {
		return r, errTorn
	}
	length := binary.LittleEndian.Uint32(b)
	size, subject := int(length&^headersBit), int(binary.LittleEndian.Uint16(b[20:]))
	switch {
	case size < fixedSize+hashSize || size > maxRecord:
		return r, errLength
	case size > len(b):
		return r, errTorn
	}
	r.size = size
	r.sequence, r.time = binary.LittleEndian.Uint64(b[4:]), int64(binary.LittleEndian.Uint64(b[12:]))
	body, hash := b[fixedSize:size-hashSize], b[size-hashSize:size]
	if length&headersBit == 0 {
		if r.sequence > maxSequence {
			return r, errDeletion
		}
		return r, errHeaders
	}
	if subject+4 > len(body) {
		return r, errLength
	}
	headers := uint64(binary.LittleEndian.Uint32(body[subject:]))
	rest := body[subject+4:]
	if headers > uint64(len(rest)) {
		return r, errLength
	}
	r.subject, r.headers, r.data = body[:subject], rest[:headers], rest[headers:]
	if !h.matches(b[4:20], r.subject, rest, hash) {
		return r, errHash
	}
	if r.sequence > maxSequence {
		return r, errDeletion
	}
	return r, r.check()
}

func (h hasher) matches(fixed, subject, rest, hash []byte) bool {
	h.digest.Reset()
	// A digest's Write never fails.
	h.digest.Write(fixed)
	h.digest.Write(subject)
	h.digest.Write(rest)
	var sum [hashSize]byte
	return bytes.Equal(h.digest.Sum(sum[:0]), hash)
}

// check reads the headers' frame, which the hash covers but for their length, and the durable mark.
func (r *record) check() error {
	end := bytes.Index(r.headers, []byte("\r\n\r\n"))
	if end < 0 || end+4 != len(r.headers) || !bytes.HasPrefix(r.headers, []byte(headerLine)) {
		return errHeaders
	}
	at := bytes.Index(r.headers, []byte(durableLine))
	if at < 0 {
		return nil
	}
	value := r.headers[at+len(durableLine):]
	value = value[:bytes.IndexByte(value, '\r')]
	mark, err := strconv.ParseUint(string(value), 10, 64)
	if err != nil || mark >= r.sequence {
		return errMark
	}
	r.mark = mark
	return nil
}

// callerHeaders are the headers that were the caller's own; nil if none.
func (r *record) callerHeaders() map[string]string {
	var own map[string]string
	for line := range bytes.SplitSeq(r.headers[len(headerLine):], []byte("\r\n")) {
		k, v, ok := bytes.Cut(line, []byte(":"))
		if !ok || stream.Reserved(string(k)) {
			continue
		}
		if own == nil {
			own = make(map[string]string, 1)
		}
		own[string(k)] = string(bytes.TrimLeft(v, " \t"))
	}
	return own
}

// located is where a record begins, and what is wrong with it.
type located struct {
	offset int
	err    error
}

// records reads a block from its beginning, up to and including the first bad record.
func (h hasher) records(b []byte) iter.Seq2[record, located] {
	return func(yield func(record, located) bool) {
		for at := 0; at < len(b); {
			r, err := h.record(b[at:])
			if !yield(r, located{at, err}) || err != nil {
				return
			}
			at += r.size
		}
	}
}

// beyond finds good records after a bad one, whose length cannot be believed: it looks at every offset. A record
// counts if its sequence is above last, though not absurdly, and its hash matches. The work is bounded.
func (h hasher) beyond(b []byte, last uint64) iter.Seq[record] {
	const (
		tries = 1 << 12 // hashes of what merely looked like a record
		ahead = 1 << 40
	)
	return func(yield func(record) bool) {
		for at, failed := 0, 0; at+fixedSize+hashSize <= len(b) && failed < tries; {
			seq := binary.LittleEndian.Uint64(b[at+4:])
			if seq <= last || seq-last > ahead {
				at++
				continue
			}
			r, err := h.record(b[at:])
			if err != nil {
				if errors.Is(err, errHash) {
					failed++
				}
				at++
				continue
			}
			if !yield(r) {
				return
			}
			at, last = at+r.size, r.sequence
		}
	}
}
