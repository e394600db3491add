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

// A Judge decides what a ledger of these [Rules] must have decided of the last event when it recorded it, from the events
// of the register before it, which are told. fault is "" if the event says so; else it is for people, and names nobody.
// The error wraps [ErrUnjudged] if it cannot decide.
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

// telling are the leaves whose events are told with one: those of the register before it, the last commit before it, if
// there is one, itself, and the first commit after it, which is the last of these records.
func telling(all []byte, index uint64) (indices []uint64) {
	kind := func(i uint64) uint8 { return all[i*RecordSize+1] }
	before := index
	for before > 0 && kind(before-1) != KindCommitted {
		before--
	}
	for i := range index {
		if i+1 == before || registers(kind(i)) {
			indices = append(indices, i)
		}
	}
	return append(indices, index, uint64(len(all)/RecordSize)-1)
}

// ProveFalseFacts proves that what a ledger decided of an event is not what it must have decided. event gives the stored
// events. The proof has all records up to the first commit after the event; without one the error wraps [ErrUnjudged].
func ProveFalseFacts(r Reader, n checkpoint.Note, index uint64, event func(index uint64) ([]byte, error), judge Judge) ([]byte, error) {
	if err := covered(r, n, index); err != nil {
		return nil, err
	}
	commit, err := commitAfter(r, Span{index + 1, n.Size})
	if err != nil {
		return nil, err
	}
	upto := Span{0, commit + 1}
	w := newWriter(TypeFalseFacts)
	w.note(n)
	w.number(index)
	w.number(commit)
	from := len(w.b)
	if err := w.records(r, upto); err != nil {
		return nil, err
	}
	for _, i := range telling(w.b[from:], index) {
		b, err := event(i)
		if err != nil {
			return nil, err
		}
		w.event(b)
	}
	if err := w.tree(r, prunedTree{size: n.Size, opened: []Span{upto}}); err != nil {
		return nil, err
	}
	_, err = VerifyFacts(w.b, nil, judge)
	return w.b, err
}

// commitAfter is the first leaf of these whose record is that of a commit.
func commitAfter(r Reader, s Span) (uint64, error) {
	for s.From < s.To {
		some := Span{s.From, min(s.From+atOnce, s.To)}
		b, err := records(r, some)
		if err != nil {
			return 0, err
		}
		for i := range some.Len() {
			if b[i*RecordSize+1] == KindCommitted {
				return some.From + i, nil
			}
		}
		s.From = some.To
	}
	return 0, fmt.Errorf("%w: no commit after the event says under which rules it was recorded", ErrUnjudged)
}

func (v *Verdict) readFalseFacts(in *input) error {
	index, err := v.readPlace(in)
	if err != nil {
		return err
	}
	commit, err := in.number()
	if err != nil {
		return err
	}
	if commit <= index || commit >= v.Head.Size {
		return errLeaf()
	}
	all, err := in.records(commit + 1)
	if err != nil {
		return err
	}
	for _, i := range telling(all, index) {
		b, err := in.event()
		if err != nil {
			return err
		}
		v.told = append(v.told, Told{i, b})
	}
	if err := v.readRoot(in, Span{0, commit + 1}, all); err != nil {
		return err
	}
	return v.holdTold(index, all)
}

// holdTold holds the records up to a commit, and the events that are told, against one another.
func (v *Verdict) holdTold(index uint64, all []byte) error {
	commit := uint64(len(all)/RecordSize) - 1
	for i := range commit + 1 {
		r, err := DecodeRecord(all[i*RecordSize:][:RecordSize])
		if err != nil {
			return err
		}
		if i > index && (r.Kind == KindCommitted) != (i == commit) {
			return fmt.Errorf("%w: not the first commit after the event", ErrFalse)
		}
		if i == index {
			v.Leaf, v.Raw = &Leaf{index, r}, all[i*RecordSize:][:RecordSize]
		}
	}
	told := v.told
	v.told = nil // but for the commits
	for _, t := range told {
		if t.Event == nil || sha256.Sum256(t.Event) != Hash(all[(t.Index+1)*RecordSize-sha256.Size:]) {
			return errEvent()
		}
		if t.Index != index && all[t.Index*RecordSize+1] == KindCommitted {
			c, err := ParseCommit(t.Event)
			if err != nil {
				return err
			}
			v.foreign = v.foreign || c.Rules != Rules()
			continue
		}
		v.told, v.Event = append(v.told, t), t.Event // that of the leaf is the last
	}
	return nil
}

// faultOfFacts says what is false about the facts of the event. The ledger says by its commits under which rules it
// recorded it: by those of other rules nobody here judges.
func (v *Verdict) faultOfFacts(judge Judge) error {
	switch {
	case judge == nil:
		return fmt.Errorf("%w: it takes the rules by which a ledger decides the facts of events", ErrUnjudged)
	case v.foreign:
		return fmt.Errorf("%w: the event was recorded under other rules or legal tables than this program has", ErrUnjudged)
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
