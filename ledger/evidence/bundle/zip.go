package bundle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// The parts of a zip file (PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16), little-endian. All that a
// bundle does not choose is fixed.
const (
	localSignature   = 0x04034b50
	centralSignature = 0x02014b50
	endSignature     = 0x06054b50

	localSize   = 30
	centralSize = 46
	endSize     = 22

	zipVersion = 20             // made by and needed: 2.0, MS-DOS
	firstDay   = 0x0021         // 1980-01-01
	maxMembers = len(names) + 1 // and the manifest
)

// A member is a file in the zip.
type member struct {
	name string
	data []byte
}

func (m member) compare(n member) int { return strings.Compare(m.name, n.name) }

type members []member

// size is the length of the zip file.
func (all members) size() uint64 {
	n := uint64(endSize)
	for _, m := range all {
		n += localSize + centralSize + 2*uint64(len(m.name)) + uint64(len(m.data))
	}
	return n
}

// write writes the zip file. The error wraps [ErrFormat] if it would be too large, and nothing was written.
func (all members) write(w io.Writer) error {
	if all.size() > MaxSize {
		return fmt.Errorf("%w: more than %d bytes", ErrFormat, uint64(MaxSize))
	}
	var central []byte
	offset := 0
	for _, m := range all {
		common := m.common()
		local := binary.LittleEndian.AppendUint32(nil, localSignature)
		local = append(append(local, common...), m.name...)
		central = m.central(central, common, offset)
		for _, part := range [][]byte{local, m.data} {
			if _, err := w.Write(part); err != nil {
				return fmt.Errorf("writing a bundle: %w", err)
			}
			offset += len(part)
		}
	}
	if _, err := w.Write(end(central, len(all), offset)); err != nil {
		return fmt.Errorf("writing a bundle: %w", err)
	}
	return nil
}

// common is what the local header and the central one share, from the version needed to the length of extra fields.
func (m member) common() []byte {
	b := binary.LittleEndian.AppendUint16(nil, zipVersion)
	b = append(b, 0, 0, 0, 0, 0, 0) // flags, method (stored), time
	b = binary.LittleEndian.AppendUint16(b, firstDay)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(m.data))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(m.data))) // compressed
	b = binary.LittleEndian.AppendUint32(b, uint32(len(m.data)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(m.name)))
	return append(b, 0, 0)
}

// central appends the member's header in the central directory.
func (m member) central(b, common []byte, offset int) []byte {
	b = binary.LittleEndian.AppendUint32(b, centralSignature)
	b = binary.LittleEndian.AppendUint16(b, zipVersion)
	b = append(b, common...)
	b = append(b, make([]byte, 2+2+2+4)...) // comment, disk, attributes
	b = binary.LittleEndian.AppendUint32(b, uint32(offset))
	return append(b, m.name...)
}

// end is the central directory and its end.
func end(central []byte, count, offset int) []byte {
	b := binary.LittleEndian.AppendUint32(central, endSignature)
	b = append(b, 0, 0, 0, 0) // disks
	b = binary.LittleEndian.AppendUint16(b, uint16(count))
	b = binary.LittleEndian.AppendUint16(b, uint16(count))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(central)))
	b = binary.LittleEndian.AppendUint32(b, uint32(offset))
	return append(b, 0, 0) // comment
}

// split takes names and contents from the local headers of a zip file, and stops where there is none: at the
// central directory, or at what no bundle has. [members.writes] tells them apart.
func split(b []byte) members {
	var all members
	for len(all) < maxMembers {
		m, rest, ok := readMember(b)
		if !ok {
			break
		}
		all, b = append(all, m), rest
	}
	return all
}

// writes reports whether b is what write writes.
func (all members) writes(b []byte) bool {
	c := &comparison{rest: b, same: true}
	err := all.write(c)
	return err == nil && c.same && len(c.rest) == 0
}

// readMember reads a local header and what it is of.
func readMember(b []byte) (m member, rest []byte, ok bool) {
	if len(b) < localSize || binary.LittleEndian.Uint32(b) != localSignature {
		return member{}, nil, false
	}
	size, name := uint64(binary.LittleEndian.Uint32(b[22:])), uint64(binary.LittleEndian.Uint16(b[26:]))
	b = b[localSize:]
	if uint64(len(b)) < name+size {
		return member{}, nil, false
	}
	return member{name: string(b[:name]), data: b[name : name+size : name+size]}, b[name+size:], true
}

// A comparison is written to, and compares.
type comparison struct {
	rest []byte // of what should be written
	same bool
}

func (c *comparison) Write(b []byte) (int, error) {
	after, same := bytes.CutPrefix(c.rest, b)
	c.rest, c.same = after, c.same && same
	return len(b), nil
}
