package recordlog

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/imalink/custody/ledger/evidence"
)

var _ evidence.Reader = (*Log)(nil)

// Records are the records of the leaves, 54 bytes each. The error wraps [ErrRange] or [ErrDamaged].
func (l *Log) Records(leaves evidence.Span) ([]byte, error) {
	if err := l.within(leaves, l.Size()); err != nil {
		return nil, err
	}
	return l.recordsOf(leaves)
}

// Hashes are those of nodes of the record log over perfect spans, from left to right for the fewest reads. The error
// wraps [ErrRange] or [ErrDamaged].
func (l *Log) Hashes(leaves []evidence.Span) ([]evidence.Hash, error) {
	size := l.Size()
	for _, s := range leaves {
		if err := l.whole(s, size); err != nil {
			return nil, err
		}
	}
	return l.hashesOf(leaves)
}

// Node is a node of the annotated tree over a perfect span of whole blocks. The error wraps [ErrRange] or [ErrDamaged].
func (l *Log) Node(blocks evidence.Span) (evidence.Node, error) {
	if err := l.whole(blocks, l.Size()/evidence.BlockSize); err != nil {
		return evidence.Node{}, err
	}
	nodes, err := l.nodesOf([]evidence.Span{blocks})
	if err != nil {
		return evidence.Node{}, err
	}
	return nodes[0], nil
}

// Root is R(n), the root of the record log over the first n records, in O(log n) reads. The error wraps [ErrRange] or
// [ErrDamaged].
func (l *Log) Root(n uint64) (evidence.Hash, error) {
	if n > l.Size() {
		return evidence.Hash{}, beyond()
	}
	hashes, err := l.hashesOf(cover(n))
	e := edge{size: n, hashes: hashes}
	if err != nil {
		return evidence.Hash{}, err
	}
	return e.root(), nil
}

// Annotated is the root of the annotated tree over the first n records, at least 1, in O(log n) reads: its hash is
// G(n), its annotation A(n). The error wraps [ErrRange] or [ErrDamaged].
func (l *Log) Annotated(n uint64) (evidence.Node, error) {
	if n > l.Size() || n == 0 {
		return evidence.Node{}, beyond()
	}
	nodes, err := l.nodesOf(cover(n / evidence.BlockSize))
	if err != nil {
		return evidence.Node{}, err
	}
	last := evidence.Span{From: n / evidence.BlockSize * evidence.BlockSize, To: n}
	records, err := l.recordsOf(last)
	if err != nil {
		return evidence.Node{}, err
	}
	entries, err := entriesOf(records, last.From)
	if err != nil {
		return evidence.Node{}, err
	}
	e := edge{size: n, blocks: nodes, entries: entries}
	return e.annotated(), nil
}

func (l *Log) within(s evidence.Span, size uint64) error {
	if s.From > s.To || s.To > size {
		return beyond()
	}
	return nil
}

func (l *Log) whole(s evidence.Span, size uint64) error {
	if !s.Perfect() || s.To > size {
		return beyond()
	}
	return nil
}

func beyond() error { return fmt.Errorf("%w: beyond what is recorded, or no node", ErrRange) }

func (l *Log) recordsOf(leaves evidence.Span) ([]byte, error) {
	b := make([]byte, leaves.Len()*recordSize)
	return b, readAt(l.files[recordsFile], b, int64(leaves.From)*recordSize)
}

func (l *Log) hashesOf(spans []evidence.Span) ([]evidence.Hash, error) {
	hashes := make([]evidence.Hash, len(spans))
	w := windowOn(l.files[hashesFile], len(spans), hashSize)
	for i, s := range spans {
		b, err := w.at(int64(place(s))*int64(hashSize), hashSize)
		if err != nil {
			return nil, err
		}
		hashes[i] = evidence.Hash(b)
	}
	return hashes, nil
}

func (l *Log) nodesOf(spans []evidence.Span) ([]evidence.Node, error) {
	nodes := make([]evidence.Node, len(spans))
	w := windowOn(l.files[nodesFile], len(spans), nodeSize)
	for i, s := range spans {
		b, err := w.at(int64(place(s))*int64(nodeSize), nodeSize)
		if err != nil {
			return nil, err
		}
		a, err := evidence.DecodeAnnotation(b[:evidence.AnnotationSize], s.Len()*evidence.BlockSize)
		if err != nil {
			return nil, fmt.Errorf("%w: a node of the annotated tree: %w", ErrDamaged, err)
		}
		nodes[i] = evidence.Node{Annotation: a, Hash: evidence.Hash(b[evidence.AnnotationSize:])}
	}
	return nodes, nil
}

// A window is a part of a file that was read, in case what is asked for next lies in it, too.
type window struct {
	file io.ReaderAt
	from int64
	b    []byte
}

const windowSize = 2048

// windowOn is a window for so many pieces of n bytes.
func windowOn(file io.ReaderAt, pieces, n int) window {
	return window{file: file, b: make([]byte, 0, min(pieces*n, windowSize))}
}

// at gives n bytes of the file, to be used before the next call.
func (w *window) at(off int64, n int) ([]byte, error) {
	if off < w.from || off+int64(n) > w.from+int64(len(w.b)) {
		got, err := w.file.ReadAt(w.b[:cap(w.b)], off)
		w.from, w.b = off, w.b[:got]
		if got < n {
			return nil, unread(err)
		}
	}
	return w.b[off-w.from:][:n], nil
}

// readAt fills b. A file that ends before, or cannot be read, is damaged.
func readAt(f io.ReaderAt, b []byte, at int64) error {
	if _, err := f.ReadAt(b, at); err != nil {
		return unread(err)
	}
	return nil
}

func unread(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return ErrClosed
	}
	return fmt.Errorf("%w: reading the record log: %w", ErrDamaged, err)
}
