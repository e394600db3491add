package spool

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// A segment is a file of records. Its numbers are big-endian, its checksums CRC-32C.
//
//	header   magic (8), number (8), number of its first record (8), owner (64), label (64), checksum (4), zeros (4)
//	record   length (4), its highest bit set if the record has no number, mark (4), checksum (4), payload
//
// Owner and label end in zeros. The mark of a record is how many bytes of the file were known to be durable
// when it was written: what is torn lies behind every mark; what is not as it was written before one is
// damage. The checksum of a record covers the file's number and the record's place as well, so that nothing
// that stands elsewhere is taken for it.
const (
	magic         = "custody\x01"
	labelBytes    = 64
	segmentHeader = 8 + 8 + 8 + labelBytes + labelBytes + 4 + 4
	recordHeader  = 4 + 4 + 4

	uncounted = 1 << 31 // in a record's length: it has no number
)

type segment struct {
	number uint64
	first  uint64 // number of its first record
	size   int64  // bytes that are durable
	file   *os.File
}

// header is what a segment begins with.
type header struct {
	number, first uint64
	owner, label  string
}

func (h header) encode() []byte {
	b := make([]byte, 0, segmentHeader)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint64(b, h.number)
	b = binary.BigEndian.AppendUint64(b, h.first)
	b = append(b, h.owner...)
	b = append(b, make([]byte, labelBytes-len(h.owner))...)
	b = append(b, h.label...)
	b = append(b, make([]byte, labelBytes-len(h.label))...)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
	return append(b, 0, 0, 0, 0)
}

// decodeHeader reads what encode wrote, and accepts nothing else.
func decodeHeader(b []byte) (header, bool) {
	if len(b) < segmentHeader || string(b[:8]) != magic {
		return header{}, false
	}
	h := header{
		number: binary.BigEndian.Uint64(b[8:]),
		first:  binary.BigEndian.Uint64(b[16:]),
		owner:  string(bytes.TrimRight(b[24:24+labelBytes], "\x00")),
		label:  string(bytes.TrimRight(b[24+labelBytes:24+2*labelBytes], "\x00")),
	}
	return h, bytes.Equal(h.encode(), b[:segmentHeader])
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// seal writes the headers of the group's records, which will stand in a segment from offset on.
func (g *group) seal(segment uint64, offset int64) {
	from := 0
	for _, r := range g.records {
		putRecord(g.bytes[from:r.end], r.counts, segment, offset+int64(from), offset)
		from = r.end
	}
}

// putRecord writes the header of a record whose payload stands behind it.
func putRecord(b []byte, counts bool, segment uint64, offset, mark int64) {
	length := uint32(len(b) - recordHeader)
	if !counts {
		length |= uncounted
	}
	binary.BigEndian.PutUint32(b[0:], length)
	binary.BigEndian.PutUint32(b[4:], uint32(mark))
	binary.BigEndian.PutUint32(b[8:], checksum(b, segment, offset))
}

// checksum covers where a record stands, its length, mark and payload.
func checksum(b []byte, segment uint64, offset int64) uint32 {
	var at [16]byte
	binary.BigEndian.PutUint64(at[:], segment)
	binary.BigEndian.PutUint64(at[8:], uint64(offset))
	sum := crc32.Update(0, castagnoli(), at[:])
	sum = crc32.Update(sum, castagnoli(), b[:8])
	return crc32.Update(sum, castagnoli(), b[recordHeader:])
}

// A record is one as it stands in a file.
type record struct {
	payload []byte
	counts  bool
	mark    int64
}

// size is how many bytes the record takes.
func (r record) size() int64 { return int64(recordHeader + len(r.payload)) }

// recordAt reads the record at the beginning of b, which stands at an offset of a segment; false if none stands
// there.
func recordAt(b []byte, segment uint64, offset int64) (record, bool) {
	if len(b) <= recordHeader {
		return record{}, false
	}
	length := binary.BigEndian.Uint32(b)
	n, mark := int64(length&^uncounted), int64(binary.BigEndian.Uint32(b[4:]))
	if n == 0 || n > MaxRecord || n > int64(len(b))-recordHeader || mark < segmentHeader || mark > offset {
		return record{}, false
	}
	b = b[: recordHeader+n : recordHeader+n]
	if binary.BigEndian.Uint32(b[8:]) != checksum(b, segment, offset) {
		return record{}, false
	}
	return record{b[recordHeader:], length&uncounted == 0, mark}, true
}

// contents are what stands in a segment.
type contents struct {
	records int
	counted int   // records with a number
	end     int64 // where the records end
	damaged bool  // the end is not where a write was torn: what is behind it was written when more was durable
}

// survey reads a segment's bytes, which have a header.
func survey(b []byte, segment uint64) contents {
	c := contents{end: segmentHeader}
	for c.end < int64(len(b)) {
		r, ok := recordAt(b[c.end:], segment, c.end)
		if !ok {
			break
		}
		c.records++
		if r.counts {
			c.counted++
		}
		c.end += r.size()
	}
	for at := c.end + 1; at < int64(len(b)); at++ {
		if r, ok := recordAt(b[at:], segment, at); ok && r.mark > c.end {
			c.damaged = true
			break
		}
	}
	return c
}

func segmentPath(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%012d.spool", number))
}

// create makes a new segment, durable with its name.
func (d disk) create(dir string, h header) (_ *segment, err error) {
	path := segmentPath(dir, h.number)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making a file of the spool: %w", err)
	}
	if _, err = d.write(f, h.encode(), 0); err == nil {
		if err = d.sync(f); err == nil {
			err = syncDir(dir)
		}
	}
	if err != nil {
		f.Close()
		os.Remove(path) // if it stays, it holds no record and is made anew
		return nil, fmt.Errorf("making a file of the spool: %w", err)
	}
	return &segment{number: h.number, first: h.first, size: segmentHeader, file: f}, nil
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
