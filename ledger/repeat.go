package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// compareRepeats holds every repeat of r against the event that was recorded
// under its identity. Nothing is kept for this: the stored event is loaded, the
// repeat is tagged with the stored event's own cell, the seal is opened. Other
// content is refused as a conflict; where the keys to compare with are gone,
// the repeat is a duplicate, never a conflict and never a new person.
func (l *Ledger) compareRepeats(ctx context.Context, r *request) error {
	for i := range r.results {
		res := &r.results[i]
		if res.Status != Duplicate {
			continue
		}
		rec, err := l.Event(ctx, res.Position)
		if err != nil {
			return err
		}
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			return fmt.Errorf("%w: position %d: %w", ErrDamaged, rec.Position, err)
		}
		same, err := sameContent(l.vault, r.subs[i].Event, st)
		if err != nil {
			return fmt.Errorf("position %d: %w", rec.Position, err)
		}
		if !same {
			*res = Result{Status: Refused, Err: &events.Error{
				Path: "/id", Type: events.Conflict, Detail: "this source has recorded another event under this id",
			}}
		}
	}
	return nil
}

// sameContent reports whether e, as a producer sends it, is the event stored as
// st, leaving aside what the ledger added. What can no longer be compared
// counts as the same: cells that are gone, and people who were erased.
func sameContent(v *vault.Vault, e *events.Event, st *events.Stored) (bool, error) {
	subject, actor := cellOf(st.Event, vault.Subject), cellOf(st.Event, vault.Actor)
	if st.Facts.Forgotten || gone(v, subject) || gone(v, actor) {
		return true, nil
	}
	c := comparison{vault: v, subject: subject, actor: actor}
	stored := withoutDefaults(st)
	same := bytes.Equal(e.AppendRewritten(nil, c.replace), stored.AppendJSON(nil))
	if c.err == nil && !same {
		same, c.err = c.sameButErased(e, stored)
	}
	if c.err != nil || !same {
		return false, c.err
	}
	if st.Sealed == nil || c.secrets.empty() {
		return st.Sealed == nil && c.secrets.empty(), nil
	}
	plain, err := v.Open(subject, st.Salt, c.people, st.Sealed)
	if errors.Is(err, vault.ErrGone) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("opening the seal: %w", err)
	}
	return bytes.Equal(plain, c.secrets.bytes()), nil
}

// gone reports whether a cell that an event was recorded in is no more.
func gone(v *vault.Vault, cell vault.CellID) bool {
	_, live := v.RefOf(cell, "any")
	return !live
}

// A comparison rewrites a repeat as its first was, creating nothing.
type comparison struct {
	vault          *vault.Vault
	subject, actor vault.CellID
	people         []vault.Identifier
	secrets        sealer
	err            error
}

func (c *comparison) replace(dst []byte, ptr string, s events.Secrecy, v events.Value) []byte {
	if ptr != "" {
		c.secrets.add(ptr, v)
	}
	var tag vault.Tag
	switch id := vault.Identifier(v.Text()); s {
	case events.Subject:
		c.people = append(c.people, id)
		tag = c.tag(c.subject, id)
	case events.Actor:
		tag = c.tag(c.actor, id)
	case events.Joinable:
		cell := c.subject
		if ptr == sessionPointer {
			cell = c.actor
		}
		tag, _ = c.vault.RefOf(cell, id)
	default:
		return dst
	}
	return tag.AppendJSON(dst)
}

// tag is no tag of anybody's for an identifier that nobody has.
func (c *comparison) tag(cell vault.CellID, id vault.Identifier) vault.Tag {
	tag, _, err := c.vault.TagOf(cell, id)
	c.err = errors.Join(c.err, err)
	return tag
}

// sameButErased compares a repeat with what is stored wherever that can be: a tag
// of somebody who was erased says nothing any more of whose it was.
func (c *comparison) sameButErased(e, stored *events.Event) (bool, error) {
	erased, err := c.erased(stored)
	if err != nil || !slices.Contains(erased, true) {
		return false, err
	}
	nobody := vault.Tag{}.AppendJSON(nil)
	next := 0
	gone := func() bool { next++; return next <= len(erased) && erased[next-1] }
	again := comparison{vault: c.vault, subject: c.subject, actor: c.actor}
	repeat := e.AppendRewritten(nil, func(dst []byte, ptr string, s events.Secrecy, v events.Value) []byte {
		if identifies(s) && gone() {
			return append(dst, nobody...)
		}
		return again.replace(dst, ptr, s, v)
	})
	next = 0
	first := stored.Rewrite(func(_ string, s events.Secrecy, v events.Value) events.Value {
		if identifies(s) && gone() {
			return events.TextOf(vault.Tag{}.String())
		}
		return v
	})
	return bytes.Equal(repeat, first.AppendJSON(nil)), again.err
}

// erased says of each person in a stored event, in order, whether the tag is
// nobody's any more.
func (c *comparison) erased(stored *events.Event) ([]bool, error) {
	type place struct {
		cell vault.CellID
		at   int // among the tags of that cell
	}
	var places []place
	tags := map[vault.CellID][]vault.Tag{}
	stored.Rewrite(func(_ string, s events.Secrecy, v events.Value) events.Value {
		if identifies(s) {
			cell := c.subject
			if s == events.Actor {
				cell = c.actor
			}
			tag, _ := vault.ParseTag(v.Text()) // it is one, or the event would not have been read
			places = append(places, place{cell, len(tags[cell])})
			tags[cell] = append(tags[cell], tag)
		}
		return v
	})
	people := map[vault.CellID][]vault.PersonID{}
	for cell, tags := range tags {
		var err error
		if people[cell], err = c.vault.Who(cell, tags); err != nil {
			return nil, fmt.Errorf("finding whose tags are recorded: %w", err)
		}
	}
	erased := make([]bool, len(places))
	for i, p := range places {
		erased[i] = people[p.cell][p.at].IsZero()
	}
	return erased, nil
}

func identifies(s events.Secrecy) bool { return s == events.Subject || s == events.Actor }

// withoutDefaults is the stored event without what the register filled in.
func withoutDefaults(st *events.Stored) *events.Event {
	if len(st.Facts.Defaulted) == 0 {
		return st.Event
	}
	e := *st.Event
	for _, name := range st.Facts.Defaulted {
		e.Data, _ = e.Data.With(name, events.Value{})
	}
	return &e
}
