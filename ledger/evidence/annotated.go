package evidence

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// BlockSize is how many entries a block of the annotated tree has; the last may have fewer.
const BlockSize = 256

// An Entry is what the annotated tree has of a record: its counted flags and its day.
type Entry struct{ Flags, Day uint16 }

// A Tally says how many records have a flag, and the first and last of their days.
type Tally struct {
	Count       uint64 // below 2^40
	First, Last uint16 // NoDay and 0 if the count is zero
}

const maxCount = 1<<40 - 1

// An Annotation is the tallies of all counted flags.
type Annotation [FlagCount]Tally

// AnnotationSize is the length of an encoded annotation in bytes.
const AnnotationSize = FlagCount * (5 + 2 + 2)

// A Node is a node of the annotated tree: its annotation and its hash.
type Node struct {
	Annotation Annotation
	Hash       Hash
}

// Block is the node of a block of 1 to [BlockSize] entries.
func Block(entries []Entry) Node {
	n := Node{Annotation: nothing}
	b := make([]byte, 0, 3+4*BlockSize)
	b = binary.BigEndian.AppendUint16(append(b, 0x02), uint16(len(entries)))
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, e.Flags)
		b = binary.BigEndian.AppendUint16(b, e.Day)
		n.Annotation.add(e)
	}
	n.Hash = sha256.Sum256(b)
	return n
}

// nothing is the annotation of no records. It is not changed.
var nothing = func() (a Annotation) {
	for i := range a {
		a[i].First = NoDay
	}
	return a
}()

func (a *Annotation) add(e Entry) {
	for i := range a {
		if e.Flags&(1<<i) != 0 {
			a[i] = a[i].join(Tally{Count: 1, First: e.Day, Last: e.Day})
		}
	}
}

func (t Tally) join(u Tally) Tally {
	return Tally{Count: t.Count + u.Count, First: min(t.First, u.First), Last: max(t.Last, u.Last)}
}

// Join is the node over two. It hashes the annotations of both, not their sum:
// else one child's count could be moved to the other.
func Join(left, right Node) Node {
	n := Node{}
	for i := range n.Annotation {
		n.Annotation[i] = left.Annotation[i].join(right.Annotation[i])
	}
	b := make([]byte, 0, 1+2*(AnnotationSize+sha256.Size))
	b = left.append(append(b, 0x03))
	b = right.append(b)
	n.Hash = sha256.Sum256(b)
	return n
}

func (n *Node) append(b []byte) []byte { return append(n.Annotation.Append(b), n.Hash[:]...) }

// Append appends the 144 bytes.
func (a *Annotation) Append(b []byte) []byte {
	for _, t := range a {
		b = append(b, byte(t.Count>>32))
		b = binary.BigEndian.AppendUint32(b, uint32(t.Count))
		b = binary.BigEndian.AppendUint16(b, t.First)
		b = binary.BigEndian.AppendUint16(b, t.Last)
	}
	return b
}

// DecodeAnnotation reads 144 bytes over so many leaves. The error wraps [ErrFalse] if no leaves give it.
func DecodeAnnotation(b []byte, leaves uint64) (a Annotation, err error) {
	if len(b) != AnnotationSize {
		return a, fmt.Errorf("%w: an annotation has %d bytes", ErrFormat, AnnotationSize)
	}
	for i := range a {
		f := b[9*i:]
		a[i] = Tally{
			Count: uint64(f[0])<<32 | uint64(binary.BigEndian.Uint32(f[1:])),
			First: binary.BigEndian.Uint16(f[5:]), Last: binary.BigEndian.Uint16(f[7:]),
		}
	}
	return a, a.sound(leaves)
}

// sound refuses an annotation that no leaves, so many, can have.
func (a *Annotation) sound(leaves uint64) error {
	var classes uint64
	for i, t := range a {
		switch {
		case t.Count > leaves:
			return fmt.Errorf("%w: a count of more than the leaves below it", ErrFalse)
		case t.Count == 0 && t != nothing[i]:
			return fmt.Errorf("%w: days of no records", ErrFalse)
		case t.Count > 0 && (t.First > t.Last || t.Last == NoDay):
			return fmt.Errorf("%w: days out of order", ErrFalse)
		}
		if Flags(1<<i)&Classes != 0 {
			classes += t.Count
		}
	}
	if classes > leaves {
		return fmt.Errorf("%w: more transfer classes than leaves", ErrFalse)
	}
	return nil
}
