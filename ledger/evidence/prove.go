package evidence

import (
	"fmt"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// A Committed is an event that commits to roots, and the index of its leaf.
type Committed struct {
	Index uint64
	Event []byte // as it is stored
}

// The functions below make proofs from what a reader has. The error wraps [ErrQuestion] if there is no such leaf or
// range; [ErrFalse], [ErrRecord] or [ErrFormat] if the proof would not verify, because the reader does not have what
// the checkpoints or the commit say, or, of a proof of a fault, because there is none; else it is the reader's. They
// change nothing and may be called again.

// ProveEvent proves that an event is in the log. The event may be nil: then only its record is told.
func ProveEvent(r Reader, n checkpoint.Note, index uint64, event []byte) ([]byte, error) {
	return proveLeaf(TypeEvent, r, n, index, event)
}

// ProveFalseRecord proves that the record of a leaf contradicts itself or, if the event is given, that it is not
// that of the event.
func ProveFalseRecord(r Reader, n checkpoint.Note, index uint64, event []byte) ([]byte, error) {
	return proveLeaf(TypeFalseRecord, r, n, index, event)
}

func proveLeaf(t Type, r Reader, n checkpoint.Note, index uint64, event []byte) ([]byte, error) {
	if err := covered(r, n, index); err != nil {
		return nil, err
	}
	leaf := Span{index, index + 1}
	record, err := records(r, leaf)
	if err != nil {
		return nil, err
	}
	w := newWriter(t)
	w.number(index)
	w.note(n)
	w.bytes(record)
	w.event(event)
	return w.end(w.tree(r, prunedTree{size: n.Size, opened: []Span{leaf}}))
}

// ProveGrowth proves that one checkpoint continues another, smaller one.
func ProveGrowth(r Reader, older, newer checkpoint.Note) ([]byte, error) {
	return proveCut(TypeGrowth, r, older, newer)
}

// ProveRewritten proves that one checkpoint does not continue another, smaller one. The reader has the log of the
// newer.
func ProveRewritten(r Reader, older, newer checkpoint.Note) ([]byte, error) {
	return proveCut(TypeRewritten, r, older, newer)
}

func proveCut(t Type, r Reader, older, newer checkpoint.Note) ([]byte, error) {
	if newer.Size > r.Size() || older.Size >= newer.Size {
		return nil, fmt.Errorf("%w: of a checkpoint and a larger one, both of what is recorded", ErrQuestion)
	}
	w := newWriter(t)
	w.note(older)
	w.note(newer)
	return w.end(w.tree(r, prunedTree{size: newer.Size, cut: older.Size}))
}

// ProveFork proves that the log signed two roots for one size.
func ProveFork(a, b checkpoint.Note) ([]byte, error) {
	if string(a.Body()) > string(b.Body()) {
		a, b = b, a
	}
	w := newWriter(TypeFork)
	w.note(a)
	w.note(b)
	return w.end(nil)
}

// ProveReplay answers a question with all records of its range, so the proof takes 54 bytes of memory a record. The
// range of days or instants is the whole log.
// The error wraps [ErrPresent] if the question is of an absence and there are such records.
func ProveReplay(r Reader, n checkpoint.Note, q Question) ([]byte, error) {
	if n.Size > r.Size() {
		return nil, errNotRecorded()
	}
	if err := q.Check(n.Size); err != nil {
		return nil, err
	}
	scope := q.scope(n.Size)
	w := newWriter(TypeReplay)
	w.question(q)
	w.note(n)
	if err := w.records(r, scope); err != nil {
		return nil, err
	}
	return w.end(w.tree(r, prunedTree{size: n.Size, opened: []Span{scope}}))
}

// ProveLight answers a question with the annotated tree that a commit names.
// The error wraps [ErrPresent] if the question is of an absence and there are such records.
func ProveLight(r Reader, n checkpoint.Note, q Question, by Committed) ([]byte, error) {
	if err := covered(r, n, by.Index); err != nil {
		return nil, err
	}
	c, err := ParseCommit(by.Event)
	if err != nil {
		return nil, err
	}
	if c.Size > by.Index {
		return nil, fmt.Errorf("%w: a commit to more records than are before it", ErrFalse)
	}
	if err := checkLight(q, c.Size); err != nil {
		return nil, err
	}
	leaf := Span{by.Index, by.Index + 1}
	record, err := records(r, leaf)
	if err != nil {
		return nil, err
	}
	w := newWriter(TypeLight)
	w.question(q)
	w.note(n)
	w.number(by.Index)
	w.bytes(record)
	w.event(by.Event)
	tree := annotatedTree{leaves: c.Size, width: BlockSize, question: q}
	found, err := tree.prove(w, r)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		listed, err := records(r, s)
		if err != nil {
			return nil, err
		}
		w.bytes(listed)
	}
	return w.end(w.tree(r, prunedTree{size: n.Size, opened: appendIndex(found, by.Index), cut: c.Size}))
}

// ProveFalseCommit proves that a commit says other roots or totals than the records before it have, or covers more.
func ProveFalseCommit(r Reader, n checkpoint.Note, by Committed) ([]byte, error) {
	if err := covered(r, n, by.Index); err != nil {
		return nil, err
	}
	upto := Span{0, by.Index + 1}
	w := newWriter(TypeFalseCommit)
	w.note(n)
	w.number(by.Index)
	w.event(by.Event)
	if err := w.records(r, upto); err != nil {
		return nil, err
	}
	return w.end(w.tree(r, prunedTree{size: n.Size, opened: []Span{upto}}))
}

// end is the proof, if it is one.
func (w *writer) end(err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	if _, err := Verify(w.b, nil); err != nil {
		return nil, err
	}
	return w.b, nil
}

// covered is nil if the reader and the checkpoint have the leaf.
func covered(r Reader, n checkpoint.Note, index uint64) error {
	if index >= n.Size || n.Size > r.Size() {
		return errNotRecorded()
	}
	return nil
}

func errNotRecorded() error {
	return fmt.Errorf("%w: not recorded, or not under this checkpoint", ErrQuestion)
}

// records are those that the reader has of these leaves.
func records(r Reader, s Span) ([]byte, error) {
	b, err := r.Records(s)
	if err == nil && uint64(len(b)) != s.Len()*RecordSize {
		return nil, errReader()
	}
	return b, err
}

func errReader() error { return fmt.Errorf("%w: a reader that has not what it says", ErrFalse) }

// appendIndex appends an index that follows all others to sorted spans.
func appendIndex(spans []Span, index uint64) []Span {
	if last := len(spans) - 1; last >= 0 && spans[last].To == index {
		spans[last].To++
		return spans
	}
	return append(spans, Span{index, index + 1})
}
