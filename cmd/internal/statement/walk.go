package statement

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// A walk reads the stored events, one after another, and notes what a statement
// says of them. Its parts see every event, in order.
type walk struct {
	span
	recorded time.Time // of the last event read

	register  *book
	list      *list
	systems   *systems
	sequences *sequences
	places    *places
	chain     *chain
	again     *again
	losses    *losses
}

// An entry is one stored event that is being looked at.
type entry struct {
	position uint64
	digest   [32]byte
	st       *events.Stored
	day      law.Day
	inside   bool      // its day is one of the range
	class    law.Class // of an event whose day is; else none
}

func newWalk(s span) *walk {
	b := newBook()
	return &walk{
		span: s, register: b, list: newList(b), systems: newSystems(s), sequences: newSequences(s), places: newPlaces(b),
		chain: newChain(b), again: newAgain(), losses: newLosses(s),
	}
}

// progressEvery is after how many events Progress is told.
const progressEvery = 1 << 12

// read reads every event that the figures cover.
func (w *walk) read(ctx context.Context, src *Sources) error {
	n := src.Figures.Events
	var last uint64
	for rec, err := range src.Replay(ctx, 1, n) {
		if err != nil {
			return fmt.Errorf("reading stored events: %w", err)
		}
		if last++; rec.Position != last {
			return fmt.Errorf("%w: position %d is missing", ErrDamaged, last)
		}
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			return fmt.Errorf("%w: position %d: %w", ErrDamaged, last, err)
		}
		w.add(w.entry(rec, st))
		if src.Progress != nil && last%progressEvery == 0 {
			src.Progress(last, n)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("reading stored events: %w", err)
	}
	if last != n {
		return fmt.Errorf("%w: they end at position %d of %d", ErrDamaged, last, n)
	}
	if src.Progress != nil {
		src.Progress(n, n)
	}
	return nil
}

func (w *walk) entry(rec events.Record, st *events.Stored) *entry {
	e := &entry{position: rec.Position, digest: rec.Digest, st: st, day: law.DayOf(st.Event.At)}
	if e.inside = w.holds(e.day); e.inside {
		e.class, _ = law.ParseClass(st.Facts.Class)
	}
	return e
}

// add gives an event to every part. The register comes last: what an event means
// was decided by what was registered before it.
func (w *walk) add(e *entry) {
	w.recorded = e.st.Recorded
	w.losses.add(e)
	w.sequences.add(e)
	w.systems.add(e)
	if e.class != law.None {
		w.list.add(e)
		w.places.add(e)
		w.chain.add(e)
	}
	if e.inside {
		w.again.add(e)
	}
	w.list.correct(e)
	w.register.add(e)
}

// statement is what the walk found.
func (w *walk) statement(months int) *Statement {
	s := &Statement{
		Transfers: w.list.transfers, Working: w.list.working,
		Parents: w.chain.parents(), Onward: w.chain.onward(),
		Locations:   w.locations(months),
		Systems:     w.systems.rows(w.register),
		Again:       w.again.decide(w.register),
		Corrections: w.list.corrections(),
		Policies:    w.register.policiesIn(w.span),
	}
	s.Again.Register = w.losses.last
	s.Unknowns = Unknowns{
		Parties: lacking(s.Transfers, w.register), Gaps: w.sequences.gaps(), Producers: w.sequences.producers(),
		Refused: w.losses.refused(), Lost: w.losses.lost, Bare: w.systems.bare(w.register),
	}
	s.Classes = w.list.table(s)
	s.Controls = w.register.controls(w.span, s, months)
	return s
}

// cosigners says of each who keeps its key.
func (w *walk) cosigners(signed []Cosignature) (all []Cosigner) {
	for _, c := range signed {
		all = append(all, w.register.cosigner(c))
	}
	slices.SortFunc(all, func(a, b Cosigner) int { return compareTexts(a.Role, b.Role, a.Key, b.Key) })
	return all
}
