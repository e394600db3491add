package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"

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
// counts as the same.
func sameContent(v *vault.Vault, e *events.Event, st *events.Stored) (bool, error) {
	subject, actor := cellOf(st.Event, vault.Subject), cellOf(st.Event, vault.Actor)
	if st.Facts.Forgotten || gone(v, subject) || gone(v, actor) {
		return true, nil
	}
	c := comparison{vault: v, subject: subject, actor: actor, known: true}
	tagged := e.AppendRewritten(nil, c.replace)
	if c.err != nil {
		return false, c.err
	}
	if !c.known || !bytes.Equal(tagged, withoutDefaults(st).AppendJSON(nil)) {
		return false, nil
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
	known          bool // everybody named is somebody the vault knows
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

func (c *comparison) tag(cell vault.CellID, id vault.Identifier) vault.Tag {
	tag, ok, err := c.vault.TagOf(cell, id)
	c.err = errors.Join(c.err, err)
	c.known = c.known && ok
	return tag
}

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
