package evidence

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/imalink/custody/events"
)

// faultOfRecord says what is false about a record.
func (v *Verdict) faultOfRecord() error {
	if _, err := DecodeRecord(v.Raw); err != nil {
		v.Fault = "a record contradicts itself: " + err.Error()
		return nil
	}
	if v.Event == nil {
		return fmt.Errorf("%w: the record does not contradict itself, and no event is told that might", ErrFalse)
	}
	other, err := v.misdescribed()
	if err != nil {
		return fmt.Errorf("%w: an event that this program cannot read: %w", ErrFormat, err)
	}
	if !other {
		return fmt.Errorf("%w: the record is that of the event", ErrFalse)
	}
	v.Fault = "a record is not that of its event"
	return nil
}

// misdescribed reports whether the record of the leaf is not that of its event. The error is that this program cannot
// read the event.
func (v *Verdict) misdescribed() (bool, error) {
	st, err := events.DecodeStored(v.Event)
	if err != nil {
		return false, err
	}
	is := v.Leaf.Record
	must := RecordOf(st, is.Digest, is.Producer)
	return !bytes.Equal(must.Append(nil), v.Raw), nil
}

// Misdescribed reports whether a proof of an event tells it, and its record says otherwise: that is a fault of the
// ledger, and a proof of type 20 can be made of it. Of an event that this program cannot read nothing is said.
func (v *Verdict) Misdescribed() bool {
	if v.Type != TypeEvent || v.Event == nil {
		return false
	}
	other, err := v.misdescribed()
	return err == nil && other
}

// readPlace reads a note, and the index of a leaf under it.
func (v *Verdict) readPlace(in *input) (index uint64, err error) {
	if v.Head.Note, err = in.note(); err != nil {
		return 0, err
	}
	if index, err = in.number(); err == nil && index >= v.Head.Size {
		err = errLeaf()
	}
	return index, err
}

func (v *Verdict) readFalseCommit(in *input) error {
	index, err := v.readPlace(in)
	if err != nil {
		return err
	}
	if v.Event, err = in.event(); err != nil {
		return err
	}
	c, err := ParseCommit(v.Event)
	if err != nil {
		return err
	}
	v.Commit = &c
	all, err := in.records(index + 1)
	if err != nil {
		return err
	}
	if err := v.readRoot(in, Span{0, index + 1}, all); err != nil {
		return err
	}
	return v.faultOfCommit(index, all)
}

// faultOfCommit says what is false about a commit, from the records up to its own.
func (v *Verdict) faultOfCommit(index uint64, all []byte) error {
	v.Raw = all[index*RecordSize:]
	r, err := DecodeRecord(v.Raw)
	if err != nil {
		return err
	}
	if r.Kind != KindCommitted || r.Digest != sha256.Sum256(v.Event) {
		return errEvent()
	}
	v.Leaf = &Leaf{index, r}
	var a Accumulator
	var must Commit
	for i := range index {
		if err := a.Append(all[i*RecordSize:][:RecordSize]); err != nil {
			return err
		}
		if i+1 == v.Commit.Size {
			must, _ = a.Commit(v.Commit.Rules)
		}
	}
	switch is := v.Commit; {
	case is.Size > index:
		v.Fault = "a commit covers more records than are before it"
	case is.Root != must.Root:
		v.Fault = "a commit says another root of the record log"
	case is.Totals != must.Totals:
		v.Fault = "a commit says other totals"
	case is.Annotated != must.Annotated:
		v.Fault = "a commit says another root of the annotated tree"
	default:
		return fmt.Errorf("%w: the commit is true", ErrFalse)
	}
	return nil
}
