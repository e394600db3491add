package evidence

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
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

// none is the tally of no records.
func none() Tally { return Tally{First: NoDay} }

func (t Tally) join(u Tally) Tally {
	return Tally{Count: t.Count + u.Count, First: min(t.First, u.First), Last: max(t.Last, u.Last)}
}

// An Annotation is the tallies of all counted flags.
type Annotation [FlagCount]Tally

// AnnotationSize is the length of an encoded annotation in bytes.
const (
	AnnotationSize = FlagCount * tallySize
	tallySize      = 5 + 2 + 2
	entrySize      = 2 + 2
	maxCount       = 1<<40 - 1 // of a tally
)

// Nothing is the annotation of no records.
func Nothing() (a Annotation) {
	for i := range a {
		a[i] = none()
	}
	return a
}

// A Node is a node of the annotated tree: its annotation and its hash.
type Node struct {
	Annotation Annotation
	Hash       Hash
}

// Block is the node of a block of 1 to [BlockSize] entries.
func Block(entries []Entry) Node {
	n := Node{Annotation: Nothing()}
	b := make([]byte, 0, 3+4*BlockSize)
	b = binary.BigEndian.AppendUint16(append(b, 0x02), uint16(len(entries)))
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, e.Flags)
		b = binary.BigEndian.AppendUint16(b, e.Day)
		n.Annotation.Add(e)
	}
	n.Hash = sha256.Sum256(b)
	return n
}

// Add counts an entry.
func (a *Annotation) Add(e Entry) {
	for f := e.Flags; f != 0; f &= f - 1 {
		i := bits.TrailingZeros16(f)
		a[i] = a[i].join(Tally{Count: 1, First: e.Day, Last: e.Day})
	}
}

// Join is the node over two. It hashes the annotations of both, not their sum:
// else one child's count could be moved to the other.
func Join(left, right Node) Node {
	var n Node
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
	for i := range a {
		b = a[i].append(b)
	}
	return b
}

func (t *Tally) append(b []byte) []byte {
	b = append(b, byte(t.Count>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(t.Count))
	b = binary.BigEndian.AppendUint16(b, t.First)
	return binary.BigEndian.AppendUint16(b, t.Last)
}

func decodeTally(b []byte) Tally {
	return Tally{
		Count: uint64(b[0])<<32 | uint64(binary.BigEndian.Uint32(b[1:])),
		First: binary.BigEndian.Uint16(b[5:]), Last: binary.BigEndian.Uint16(b[7:]),
	}
}

// DecodeAnnotation reads 144 bytes over so many leaves. The error wraps [ErrFormat] if they are more or fewer,
// [ErrFalse] if no leaves give it.
func DecodeAnnotation(b []byte, leaves uint64) (Annotation, error) {
	if len(b) != AnnotationSize {
		return Annotation{}, fmt.Errorf("%w: an annotation has %d bytes", ErrFormat, AnnotationSize)
	}
	a := decodeAnnotation(b)
	return a, a.sound(leaves)
}

func decodeAnnotation(b []byte) (a Annotation) {
	for i := range a {
		a[i] = decodeTally(b[tallySize*i:])
	}
	return a
}

// sound refuses an annotation that no leaves, so many, can have.
func (a *Annotation) sound(leaves uint64) error {
	var classes uint64
	for i, t := range a {
		switch {
		case t.Count > leaves:
			return fmt.Errorf("%w: a count of more than the leaves below it", ErrFalse)
		case t.Count == 0 && t != none():
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
