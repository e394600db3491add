package evidence

import "fmt"

// A Trail has the roots over the records appended so far, and over as many fewer as it was told to remember: what a
// commit says is looked at once the commit itself has come. It is not safe for concurrent use.
type Trail struct {
	now    Accumulator
	window uint64
	marks  []*Accumulator // one before each block within the window, the oldest first; that may be within one
	tail   []byte         // the records since the oldest mark
}

// NewTrail is a trail over no records that remembers at least the last window of them, at some 70 bytes each.
func NewTrail(window uint64) *Trail { return &Trail{window: window} }

// ResumeTrail is a trail that goes on from where an accumulator is, and remembers nothing before it. The accumulator is
// the trail's from then on.
func ResumeTrail(a *Accumulator, window uint64) *Trail {
	t := &Trail{now: *a, window: window}
	if a.size%BlockSize != 0 { // else Append begins with a mark
		t.marks = []*Accumulator{a.Clone()}
	}
	return t
}

// Size is how many records were appended.
func (t *Trail) Size() uint64 { return t.now.Size() }

// Now has the roots over all of them. The caller does not change it.
func (t *Trail) Now() *Accumulator { return &t.now }

// Append appends a record. The error wraps [ErrRecord]; then nothing was appended.
func (t *Trail) Append(record []byte) error {
	if t.now.Size()%BlockSize == 0 {
		t.marks = append(t.marks, t.now.Clone())
		t.forget()
	}
	if err := t.now.Append(record); err != nil {
		return err
	}
	t.tail = append(t.tail, record...)
	return nil
}

// forget drops what lies before the window, once it is as much as the window itself.
func (t *Trail) forget() {
	n := 0
	for n+1 < len(t.marks) && t.marks[n+1].Size()+t.window <= t.now.Size() {
		n++
	}
	if first := t.marks[0].Size(); t.marks[n].Size()-first >= t.window {
		t.tail = append(t.tail[:0], t.tail[(t.marks[n].Size()-first)*RecordSize:]...)
		t.marks = append(t.marks[:0], t.marks[n:]...)
	}
}

// At has the roots over the first n records. The error wraps [ErrQuestion] if they were forgotten or never there.
func (t *Trail) At(n uint64) (*Accumulator, error) {
	if n == t.now.Size() {
		return t.now.Clone(), nil
	}
	if len(t.marks) == 0 || n < t.marks[0].Size() || n > t.now.Size() {
		return nil, fmt.Errorf("%w: roots over %d records are not remembered", ErrQuestion, n)
	}
	first := t.marks[0].Size()
	a := t.marks[n/BlockSize-first/BlockSize].Clone()
	for i := a.Size(); i < n; i++ {
		if err := a.Append(t.tail[(i-first)*RecordSize : (i-first+1)*RecordSize]); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Contradicts says what of a commit, the record of which is next, is not so; "" if nothing. The error is that of
// [Trail.At].
func (t *Trail) Contradicts(c Commit) (string, error) {
	if c.Size > t.now.Size() {
		return "it covers more records than there are before it", nil
	}
	a, err := t.At(c.Size)
	if err != nil {
		return "", err
	}
	switch root, _ := a.Annotated(); {
	case a.Root() != c.Root:
		return "its root of the record log is another", nil
	case root.Annotation != c.Totals:
		return "its totals are others", nil
	case root.Hash != c.Annotated:
		return "its root of the annotated tree is another", nil
	}
	return "", nil
}
