package evidence

import (
	"crypto/sha256"
	"fmt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// Told is a stored event, and where it is.
type Told struct {
	Index uint64
	Event []byte
}

// A Judge decides what a ledger must have decided of the last event when it recorded it, from the events told before it:
// those of the register, and the one just before. fault is "" if the event says so; else it is for people, and names
// nobody. The error wraps [ErrUnjudged] if it cannot decide.
type Judge func(told []Told) (fault string, err error)

// registers reports whether an event of the kind changes what is decided of later ones.
func registers(kind uint8) bool {
	switch events.Kind(kind) {
	case events.GovernancePartyRegistered, events.GovernanceAgreementSigned, events.GovernanceAgreementEnded,
		events.GovernanceTransferTool, events.GovernanceActivityRegistered:
		return true
	}
	return false
}

// telling are the leaves whose events are told with one, by all records up to its own: that is the last of them.
func telling(all []byte) (indices []uint64) {
	last := uint64(len(all)/RecordSize) - 1
	for i := range last + 1 {
		if i+1 >= last || registers(all[i*RecordSize+1]) {
			indices = append(indices, i)
		}
	}
	return indices
}

// ProveFalseFacts proves that what a ledger decided of an event is not what it must have decided. event gives the stored
// events. The proof has all records up to the event.
func ProveFalseFacts(r Reader, n checkpoint.Note, index uint64, event func(index uint64) ([]byte, error), judge Judge) ([]byte, error) {
	if err := covered(r, n, index); err != nil {
		return nil, err
	}
	upto := Span{0, index + 1}
	w := newWriter(TypeFalseFacts)
	w.note(n)
	w.number(index)
	from := len(w.b)
	if err := w.records(r, upto); err != nil {
		return nil, err
	}
	for _, i := range telling(w.b[from:]) {
		b, err := event(i)
		if err != nil {
			return nil, err
		}
		w.event(b)
	}
	if err := w.tree(r, prunedTree{size: n.Size, opened: []Span{upto}}); err != nil {
		return nil, err
	}
	_, err := VerifyFacts(w.b, nil, judge)
	return w.b, err
}

func (v *Verdict) readFalseFacts(in *input) error {
	index, err := v.readPlace(in)
	if err != nil {
		return err
	}
	all, err := in.records(index + 1)
	if err != nil {
		return err
	}
	for _, i := range telling(all) {
		b, err := in.event()
		if err != nil {
			return err
		}
		v.told = append(v.told, Told{i, b})
	}
	if err := v.readRoot(in, Span{0, index + 1}, all); err != nil {
		return err
	}
	return v.holdTold(index, all)
}

// holdTold holds the records up to a leaf, and the events that are told, against one another.
func (v *Verdict) holdTold(index uint64, all []byte) error {
	var last Record
	for i := range index + 1 {
		r, err := DecodeRecord(all[i*RecordSize:][:RecordSize])
		if err != nil {
			return err
		}
		last = r
	}
	for _, told := range v.told {
		if told.Event == nil || sha256.Sum256(told.Event) != Hash(all[(told.Index+1)*RecordSize-sha256.Size:]) {
			return errEvent()
		}
	}
	v.Leaf, v.Raw, v.Event = &Leaf{index, last}, all[index*RecordSize:], v.told[len(v.told)-1].Event
	return nil
}

// faultOfFacts says what is false about the facts of the last event told.
func (v *Verdict) faultOfFacts(judge Judge) error {
	if judge == nil {
		return fmt.Errorf("%w: it takes the rules by which a ledger decides the facts of events", ErrUnjudged)
	}
	fault, err := judge(v.told)
	if err != nil {
		return err
	}
	if fault == "" {
		return fmt.Errorf("%w: the facts of the event are as they must be", ErrFalse)
	}
	v.Fault = "what the log decided of an event is false: " + fault
	return nil
}
