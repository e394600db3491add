package recordlog

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Producers numbers the pairs of source and instance in the order in which they first occur in the stream, from 1
// (docs/FORMAT.md, "Record"). The zero value has seen none. It is not safe for concurrent use.
type Producers struct {
	numbers map[producer]uint16
	waiting []first // not in the file yet, by position
}

// overflow is the number of every pair beyond the 65,534 that have their own.
const overflow = 65535

type producer struct{ source, instance string }

// first is where a producer first occurs: in the file its position (8), then source and instance, each behind its length (4).
type first struct {
	producer
	position uint64
}

// Number is the number of the pair that the event at a position has: the next, if it never occurred before.
// Positions must be asked in order; one that was asked before may be asked again.
func (p *Producers) Number(position uint64, source, instance string) uint16 {
	who := producer{source, instance}
	if n, ok := p.numbers[who]; ok {
		return n
	}
	if len(p.numbers) == overflow-1 {
		return overflow
	}
	p.add(first{who, position})
	p.waiting = append(p.waiting, first{who, position})
	return p.numbers[who]
}

func (p *Producers) add(f first) {
	if p.numbers == nil {
		p.numbers = make(map[producer]uint16)
	}
	p.numbers[f.producer] = uint16(len(p.numbers) + 1)
}

// upTo appends to b what the file is to get for the first n records, and says how many pairs that is.
func (p *Producers) upTo(n uint64, b []byte) ([]byte, int) {
	for i, f := range p.waiting {
		if f.position > n {
			return b, i
		}
		b = f.append(b)
	}
	return b, len(p.waiting)
}

// wrote says that so many of the pairs that waited are in the file.
func (p *Producers) wrote(pairs int) { p.waiting = slices.Delete(p.waiting, 0, pairs) }

func (f *first) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, f.position)
	for _, s := range []string{f.source, f.instance} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// decodeProducers reads the pairs that occur in the first n records, and says how many bytes those take. The
// error wraps [ErrDamaged].
func decodeProducers(b []byte, n uint64) (Producers, uint64, error) {
	var p Producers
	var length, before uint64
	for rest := b; len(rest) > 0; {
		f, size, ok := decodeFirst(rest)
		if !ok {
			return p, 0, fmt.Errorf("%w: producer %d is cut short", ErrDamaged, len(p.numbers)+1)
		}
		if f.position > n {
			break
		}
		if _, twice := p.numbers[f.producer]; twice || f.position <= before || len(p.numbers) == overflow-1 {
			return p, 0, fmt.Errorf("%w: producer %d cannot follow those before it", ErrDamaged, len(p.numbers)+1)
		}
		p.add(f)
		before, length, rest = f.position, length+uint64(size), rest[size:]
	}
	return p, length, nil
}

func decodeFirst(b []byte) (f first, size int, ok bool) {
	if len(b) < 8 {
		return f, 0, false
	}
	f.position = binary.BigEndian.Uint64(b)
	size = 8
	for _, s := range []*string{&f.source, &f.instance} {
		if len(b)-size < 4 {
			return f, 0, false
		}
		length := int(binary.BigEndian.Uint32(b[size:]))
		size += 4
		if len(b)-size < length {
			return f, 0, false
		}
		*s, size = string(b[size:size+length]), size+length
	}
	return f, size, true
}
