package ledger

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger/evidence"
)

// A Judge decides again, event by event from the first, what a ledger decided when it recorded them: defaults, the
// party's facts, the transfer class. It needs no key: what only sealed fields say is taken as stored. It is not safe
// for concurrent use.
type Judge struct {
	register *register
	before   time.Time // when the last event was recorded
	older    uint64
	rules    string // of this program, as commits say them
	other    bool   // the last commit was made under others
}

// NewJudge is a judge that has seen nothing.
func NewJudge() *Judge {
	return &Judge{register: newRegister(), rules: fmt.Sprintf("%x", evidence.Rules())}
}

// Older is how many events were classed under other rules or legal tables than those of this program. Their classes, and
// what follows from the tables besides, were not decided again.
func (j *Judge) Older() uint64 { return j.older }

// Next judges the event at the next position. faults are what is not as it should be, for people to read; they name
// no person. The error is that the bytes are no event in its one spelling; then nothing can be said of it.
func (j *Judge) Next(position uint64, raw []byte) (st *events.Stored, faults []string, err error) {
	st, err = events.DecodeStored(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("not an event in its one spelling: %w", err)
	}
	if st.Recorded.Before(j.before) {
		faults = append(faults, "recorded before the event that precedes it")
	}
	j.before = st.Recorded
	faults = append(faults, j.facts(position, st, raw)...)
	j.register.apply(st.Event, position)
	j.register.keep(j.register.depth())
	if st.Event.Kind == events.LedgerCommitted {
		j.other = st.Event.Data.Get("rules").Text() != j.rules
	}
	return st, faults, nil
}

// JudgeFacts decides again what a ledger decided of the last of these events. It is an [evidence.Judge]: an event that says
// other legal tables than those of this program, or is in no spelling that it reads, it does not judge.
func JudgeFacts(told []evidence.Told) (fault string, err error) {
	j := NewJudge()
	var st *events.Stored
	var faults []string
	for _, t := range told {
		if st, faults, err = j.Next(t.Index+1, t.Event); err != nil {
			return "", fmt.Errorf("%w: position %d: %w", evidence.ErrUnjudged, t.Index+1, err)
		}
	}
	if st != nil && st.Facts.Tables != "" && st.Facts.Tables != law.Version() {
		return "", fmt.Errorf("%w: the class of the event is by other legal tables than this program has", evidence.ErrUnjudged)
	}
	return strings.Join(faults, "; "), nil
}

// facts holds the facts of an event against what the register said at its place.
func (j *Judge) facts(position uint64, st *events.Stored, raw []byte) (faults []string) {
	older := j.other || st.Facts.Tables != "" && st.Facts.Tables != law.Version()
	if older && !j.other && !law.Published(st.Facts.Tables) {
		return []string{"its class is by legal tables that were never published"}
	}
	again := *st
	filled, defaulted := j.register.fill(withoutDefaults(st))
	again.Event = filled
	again.Facts = j.register.facts(filled)
	again.Facts.Defaulted = defaulted
	// What only the sealed fields say is taken as stored.
	again.Facts.Special, again.Facts.A9, again.Facts.Forgotten = st.Facts.Special, st.Facts.A9, st.Facts.Forgotten
	again.Facts.BasisRef, again.Facts.Reference = st.Facts.BasisRef, st.Facts.Reference
	if older { // a class is by the tables of its day; reclassifying is a question of its own
		j.older++
		again.Facts.Class, again.Facts.Tables = st.Facts.Class, st.Facts.Tables
		again.Facts.Region, again.Facts.Outside = st.Facts.Region, st.Facts.Outside
		again.Facts.Party = j.register.partyAsStored(filled, st.Facts.Party)
	}
	if !bytes.Equal(again.Append(nil), raw) {
		faults = append(faults, "its facts are not what the register said at this place")
	}
	for _, ref := range []uint64{st.Facts.BasisRef, st.Facts.Reference} {
		if ref >= position {
			faults = append(faults, "refers to an event that was not recorded yet")
		}
	}
	return faults
}
