package ask

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
)

// viewTime is how long a question waits for its views.
const viewTime = 5 * time.Second

// A Config is what questions are answered from.
type Config struct {
	Ledger *ledger.Ledger
	Views  *projections.Set

	// Record records a question before its answer is given; nil is
	// [ledger.Ledger.RecordQuery].
	Record func(context.Context, events.Query) (position uint64, err error)
	// Reveal records that identifiers are shown, before they are; nil is
	// [ledger.Ledger.RecordReveal].
	Reveal func(context.Context, events.Reveal) (position uint64, err error)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// A Desk answers questions. Its methods may be called concurrently.
//
// A page costs what it shows. The first page of a list also counts, with a step for
// each event that concerns whom it is about, and looks at up to [countedEvents]
// events to count their people. Beyond that only answers grow that sum up:
// summaries, histograms and the map, each with the events summed, and parties with
// the people who were given away, once a month and party.
type Desk struct {
	ledger *ledger.Ledger
	vault  *vault.Vault
	views  *projections.Set
	record func(context.Context, events.Query) (uint64, error)
	reveal func(context.Context, events.Reveal) (uint64, error)
	now    func() time.Time
	seals  *seals

	endings endings // of erasures
	stretch int     // how many events are looked at at a time, see [sitting.listing]
}

// firstStretch is how many events about somebody a next page looks at first.
const firstStretch = 1 << 12

// New makes a desk. Handles and cursors are good at this desk only.
func New(cfg Config) (*Desk, error) {
	d := &Desk{ledger: cfg.Ledger, vault: cfg.Ledger.Vault(), views: cfg.Views, record: cfg.Record, reveal: cfg.Reveal, now: cfg.Now, stretch: firstStretch}
	if d.record == nil {
		d.record = cfg.Ledger.RecordQuery
	}
	if d.reveal == nil {
		d.reveal = cfg.Ledger.RecordReveal
	}
	if d.now == nil {
		d.now = time.Now
	}
	var err error
	d.seals, err = newSeals()
	return d, err
}

// An Asker is who asks, and within what.
type Asker struct {
	Token      string // id of the token: handles and cursors are its own
	Name       string
	Role       access.Role
	access.Box // case, window, and for role subject the person: nothing beyond is shown
}

// holds reports whether an event time is in the asker's window.
func (a Asker) holds(at time.Time) bool {
	return !at.Before(a.From) && (a.To.IsZero() || at.Before(a.To))
}

// may reports whether the asker's role allows something.
func (a Asker) may(what access.Action) bool { return slices.Contains(access.RolesOf(what), a.Role) }

// stored is the event at a position.
func (d *Desk) stored(ctx context.Context, position uint64) (*events.Stored, error) {
	rec, err := d.ledger.Event(ctx, position)
	if err != nil {
		return nil, err
	}
	st, err := events.DecodeStored(rec.Raw)
	if err != nil {
		return nil, fmt.Errorf("%w: position %d: %v", ledger.ErrDamaged, position, err)
	}
	return st, nil
}

// wait returns once the views named have come to where the answer is complete.
func (s *sitting) wait(ctx context.Context, names ...string) error {
	ctx, cancel := context.WithTimeout(ctx, viewTime)
	defer cancel()
	if err := s.views.Wait(ctx, s.asOf.Position, names...); err != nil {
		return fmt.Errorf("waiting for the views: %w", err)
	}
	return nil
}

// given records a question, and only then gives its answer. After an error the
// question may be recorded all the same; asking again records it once more.
func given[T any](ctx context.Context, s *sitting, answer T, persons int, more bool) (T, error) {
	if err := s.recorded(ctx, persons, more); err != nil {
		var none T
		return none, err
	}
	return answer, nil
}

// recorded records the question, unless it goes on with an answer whose first page
// did. persons is how many people the answer is about; with more they are those
// of its first [countedEvents] events only, and "more" is among the filters.
func (s *sitting) recorded(ctx context.Context, persons int, more bool) error {
	if s.continues() {
		return nil
	}
	q := events.Query{
		Query: s.q.Name, Role: string(s.asker.Role), Token: s.asker.Name, Case: s.q.Case,
		Filters: s.q.filters(), Persons: int64(persons), AsOf: s.asOf.Position, From: s.q.From, To: s.q.To,
	}
	for _, about := range s.q.About {
		switch about.What {
		case Person:
			q.Persons = max(q.Persons, 1)
			q.Subjects = append(q.Subjects, about.ID.id.Reveal())
		case Acting:
			q.Actors = append(q.Actors, about.ID.id.Reveal())
		}
	}
	if more {
		q.Filters = append(q.Filters, "more")
	}
	_, err := s.Desk.record(ctx, q)
	if errors.Is(err, ledger.ErrNobody) && len(s.q.About) > 0 { // erased since
		return s.nobody(ctx)
	}
	if err != nil {
		return errors.Join(ErrNotRecorded, err)
	}
	return nil
}

// nobody records that a question found nobody, and that much of it only, and
// returns [ErrNotKnown].
func (s *sitting) nobody(ctx context.Context) error {
	s.q.About, s.q.Cursor = nil, ""
	if err := s.recorded(ctx, 0, false); err != nil {
		return err
	}
	return ErrNotKnown
}
