package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// ErrChanged is returned when what an erasure was decided from is not so any
// more: somebody was linked, held, or acted meanwhile. Nothing happened; decide
// again.
var ErrChanged = errors.New("ledger: changed since it was decided")

// An Erasing says whose keys are to be destroyed, and what that was decided from.
type Erasing struct {
	Who     events.Who
	Opening uint64                           // position of the ledger.erasure-opened that it ends
	Rows    map[vault.PersonID][]vault.Chain // every row of the person; the chains that stay of each
	AsOf    uint64                           // position up to which holds and acts were looked for
}

// A Forgetting says which cells are to be destroyed.
type Forgetting struct {
	Who    events.Who
	Class  events.Retention
	Before vault.Month
	Held   []vault.PersonID // rows that a legal hold keeps
	AsOf   uint64           // position up to which holds were looked for
}

// A Shredded is keys that are destroyed.
type Shredded struct {
	Position uint64 // of the ledger.key-shredded that says so
	Former   uint64 // version of the root key that was destroyed with them
	Root     uint64 // version in force since
	Cells    int    // cells destroyed
	Shards   int    // of the vault's 256, those whose keys were replaced
}

// RecordOpening records that an erasure begins and returns the position of that
// event, which is durable and the erasure's number from then on. Its errors are
// those of [Ledger.RecordQuery].
func (l *Ledger) RecordOpening(ctx context.Context, o events.Opening) (position uint64, err error) {
	return l.recordOwn(ctx, "opening of an erasure", o.Subjects, o.Event)
}

// RecordCancelling records that an erasure will not be carried out. Its errors
// are those of [Ledger.RecordQuery].
func (l *Ledger) RecordCancelling(ctx context.Context, c events.Cancelling) (position uint64, err error) {
	return l.recordOwn(ctx, "cancelling of an erasure", nil, c.Event)
}

// Erase destroys a person's keys for good and records that. Recording is held up
// meanwhile, by some milliseconds.
//
// [ErrChanged] and [ErrNobody] mean that nothing happened. Whatever the error, if
// Shredded has a Root the keys are destroyed, and only the event that says so is
// missing: it follows at the latest when the ledger is opened. Without one nothing
// happened, but after [ErrHalted]: then opening the ledger finds out, and records
// it if they are.
func (l *Ledger) Erase(ctx context.Context, e Erasing) (Shredded, error) {
	says := events.Shredding{Who: e.Who, Erasure: e.Opening}
	return l.shred(ctx, says, func(pending []byte) (done Shredded, err error) {
		if err := l.unchanged(ctx, e.AsOf, e.Rows); err != nil {
			return done, err
		}
		if done.Shards, err = l.vault.Shards(slices.Collect(maps.Keys(e.Rows))); err != nil {
			return done, err
		}
		done.Root, err = l.vault.Erase(ctx, vault.Erasing{Rows: e.Rows, Pending: pending})
		return done, err
	})
}

// Forget destroys the keys of a class of every month before one, for good, and
// records that. A class that is forgotten up to there already is left alone, and
// nothing is recorded. Its errors are those of [Ledger.Erase].
func (l *Ledger) Forget(ctx context.Context, f Forgetting) (Shredded, error) {
	says := events.Shredding{Who: f.Who, Class: f.Class, Before: f.Before.String()}
	return l.shred(ctx, says, func(pending []byte) (done Shredded, err error) {
		if err := l.unchanged(ctx, f.AsOf, nil); err != nil {
			return done, err
		}
		done.Root, done.Cells, err = l.vault.Forget(ctx, vault.Forgetting{
			Class: uint8(f.Class), Before: f.Before, Held: f.Held, Pending: pending,
		})
		return done, err
	})
}

// shred changes keys while nothing is being recorded, and then records it.
func (l *Ledger) shred(ctx context.Context, says events.Shredding, change func(pending []byte) (Shredded, error)) (Shredded, error) {
	l.gate.RLock()
	defer l.gate.RUnlock()
	if l.closed {
		return Shredded{}, ErrClosed
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	if err := l.finishPending(ctx); err != nil { // of a change whose event failed: the next would take its place
		return Shredded{}, fmt.Errorf("%w: %w", ErrNotRecorded, err)
	}
	var done Shredded
	var p pending
	var failed error
	err := l.alone(ctx, func() {
		if reason := l.halted.Load(); reason != nil {
			failed = *reason
			return
		}
		says.Former, says.Root = l.vault.RootVersion(), l.vault.Next()
		if p, failed = newPending(says, l.now()); failed == nil {
			done, failed = change(p.encode())
			failed = l.changed(failed)
		}
	})
	if err := errors.Join(err, failed); err != nil || done.Root == 0 {
		return Shredded{}, err
	}
	done.Former = says.Former
	done.Position, err = l.recordPending(ctx, p)
	return done, err
}

// changed gives what the vault says of a change the ledger's errors, and halts
// the ledger if the vault has.
func (l *Ledger) changed(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrChanged):
		return err
	case errors.Is(err, vault.ErrGone):
		return fmt.Errorf("%w: %w", ErrNobody, err)
	case errors.Is(err, vault.ErrHalted):
		err = fmt.Errorf("%w: changing keys: %w", ErrHalted, err)
		l.halt(err)
		return err
	case errors.Is(err, vault.ErrOrder):
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	return fmt.Errorf("%w: changing keys: %w", ErrNotRecorded, err)
}

// unchanged looks at what was recorded after a position: for a legal hold, and
// for anybody of rows who acted and would not stay known for it.
func (l *Ledger) unchanged(ctx context.Context, asOf uint64, rows map[vault.PersonID][]vault.Chain) error {
	chains := make(map[vault.Identifier][]vault.Chain, len(rows))
	for row, stay := range rows {
		id, err := l.vault.IdentifierOf(row)
		if err != nil {
			return err
		}
		chains[id] = stay
	}
	for m, err := range l.events.Replay(ctx, asOf+1, l.events.Last()) {
		if err != nil {
			return fmt.Errorf("reading what was recorded meanwhile: %w", err)
		}
		st, err := events.DecodeStored(m.Data)
		if err != nil {
			return fmt.Errorf("%w: position %d: %w", ErrDamaged, m.Sequence, err)
		}
		concerns, err := l.concerns(st, chains)
		if err != nil {
			return err
		}
		if concerns {
			return fmt.Errorf("%w: by the event at position %d", ErrChanged, m.Sequence)
		}
	}
	return nil
}

// concerns reports whether an event may change what is to be erased: it places a
// hold, or has one of the identifiers as somebody who acted, whose keys of such
// acts do not stay.
func (l *Ledger) concerns(st *events.Stored, chains map[vault.Identifier][]vault.Chain) (bool, error) {
	if st.Event.Kind == events.GovernanceHoldPlaced {
		return true, nil
	}
	if st.Event.Kind.ByLedger() {
		return false, nil // whoever asks about somebody does not make them act
	}
	acted, cell := actorTags(st.Event), cellOf(st.Event, vault.Actor)
	for id, stay := range chains {
		if slices.Contains(stay, vault.Chain{Class: cell.Class, Role: vault.Actor}) {
			continue
		}
		tag, ok, err := l.vault.TagOf(cell, id)
		if err != nil {
			return false, err
		}
		if ok && slices.Contains(acted, tag.String()) {
			return true, nil
		}
	}
	return false, nil
}

// actorTags are the tags of everybody who acted in a stored event.
func actorTags(e *events.Event) (tags []string) {
	e.Rewrite(func(_ string, s events.Secrecy, v events.Value) events.Value {
		if s == events.Actor {
			tags = append(tags, v.Text())
		}
		return v
	})
	return tags
}
