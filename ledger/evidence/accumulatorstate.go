package evidence

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// accumulatorVersion is that of [Accumulator.AppendState]; another is refused.
const accumulatorVersion = 1

// AppendState appends all that the accumulator is, to go on from later: version (1), size (8), then what the size says
// how many there are of: hashes of the record log's edge (32), nodes of the annotated tree's (144 + 32), entries of the
// block that is not whole (4).
func (a *Accumulator) AppendState(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(append(b, accumulatorVersion), a.size)
	for _, h := range a.edge {
		b = append(b, h[:]...)
	}
	for i := range a.blocks {
		b = a.blocks[i].append(b)
	}
	for _, e := range a.entries {
		b = binary.BigEndian.AppendUint16(b, e.Flags)
		b = binary.BigEndian.AppendUint16(b, e.Day)
	}
	return b
}

// DecodeAccumulator reads what [Accumulator.AppendState] wrote, and takes nothing else. Whether the roots are those of any
// records is for whoever knows them to say. The error wraps [ErrFormat], or [ErrFalse] for counts that no records have.
func DecodeAccumulator(b []byte) (*Accumulator, error) {
	in := &input{b}
	head, err := in.take(1 + 8)
	if err != nil || head[0] != accumulatorVersion {
		return nil, fmt.Errorf("%w: not the state of an accumulator, of version %d", ErrFormat, accumulatorVersion)
	}
	a := &Accumulator{size: binary.BigEndian.Uint64(head[1:])}
	if a.size > MaxSize {
		return nil, fmt.Errorf("%w: more than 2^40 - 1 records", ErrFormat)
	}
	for range bits.OnesCount64(a.size) {
		h, err := in.hash()
		if err != nil {
			return nil, err
		}
		a.edge = append(a.edge, h)
	}
	if err := a.readBlocks(in); err != nil {
		return nil, err
	}
	for range a.size % BlockSize {
		raw, err := in.take(entrySize)
		if err != nil {
			return nil, err
		}
		e := Entry{Flags: binary.BigEndian.Uint16(raw), Day: binary.BigEndian.Uint16(raw[2:])}
		if c := Flags(e.Flags) & Classes; c&(c-1) != 0 || e.Day == NoDay {
			return nil, fmt.Errorf("%w: an entry of no record", ErrFalse)
		}
		a.entries = append(a.entries, e)
	}
	if len(in.rest) > 0 {
		return nil, fmt.Errorf("%w: bytes after the state of an accumulator", ErrFormat)
	}
	return a, nil
}

// readBlocks reads the edge of the annotated tree: its largest perfect trees are of as many blocks as the size has bits.
func (a *Accumulator) readBlocks(in *input) error {
	for blocks := a.size / BlockSize; blocks > 0; {
		width := uint64(1) << (bits.Len64(blocks) - 1)
		raw, err := in.take(AnnotationSize)
		if err != nil {
			return err
		}
		var n Node
		if n.Annotation, err = DecodeAnnotation(raw, width*BlockSize); err != nil {
			return err
		}
		if n.Hash, err = in.hash(); err != nil {
			return err
		}
		a.blocks = append(a.blocks, n)
		blocks -= width
	}
	return nil
}
