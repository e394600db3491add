package vault

import "encoding/binary"

// A decoder takes fields off the front of b. Once b is too short, or a field is
// not what it can be, short is set and every further field is zero, so that a
// format's decoder checks once, at its end.
type decoder struct {
	b     []byte
	short bool
}

func (d *decoder) take(n int) []byte {
	if d.short || n > len(d.b) {
		d.short = true
		return nil
	}
	field := d.b[:n:n]
	d.b = d.b[n:]
	return field
}

// fits says whether n items of a size are there, before memory is made for them.
func (d *decoder) fits(n, size int) bool {
	if d.short || n > len(d.b)/size {
		d.short = true
	}
	return !d.short && n > 0
}

func (d *decoder) copy(dst []byte) { copy(dst, d.take(len(dst))) }

func (d *decoder) uint8() uint8 {
	var b [1]byte
	d.copy(b[:])
	return b[0]
}

func (d *decoder) uint16() uint16 {
	var b [2]byte
	d.copy(b[:])
	return binary.BigEndian.Uint16(b[:])
}

func (d *decoder) uint32() uint32 {
	var b [4]byte
	d.copy(b[:])
	return binary.BigEndian.Uint32(b[:])
}

func (d *decoder) uint64() uint64 {
	var b [8]byte
	d.copy(b[:])
	return binary.BigEndian.Uint64(b[:])
}

// bool is a byte that is 0 or 1.
func (d *decoder) bool() bool {
	b := d.uint8()
	if b > 1 {
		d.short = true
	}
	return b == 1
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// cellIDSize is a cell's name: class, role, and month in two's complement.
const cellIDSize = 1 + 1 + 4

func (d *decoder) cellID() CellID {
	return CellID{Class: d.uint8(), Role: Role(d.uint8()), Month: Month(int32(d.uint32()))}
}

func (id CellID) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint32(append(dst, id.Class, byte(id.Role)), uint32(id.Month))
}
