package access

import (
	"fmt"
	"time"

	"github.com/imalink/custody/events"
)

// A Box is what a token is for, beyond its role. The zero Box bounds nothing.
type Box struct {
	Case     string    // the case that every question is asked for, a code; "" leaves it to the question
	From, To time.Time // the window of event time it may look at: From included, To excluded; zero is open; whole milliseconds, UTC
	Person   string    // for RoleSubject, whose record: the vault's id of a row, 32 lower-case hexadecimal digits
}

// windowed reports whether b leaves out any event time.
func (b Box) windowed() bool { return !b.From.IsZero() || !b.To.IsZero() }

// boxable reports whether tokens of role r may have a case and a window: those
// that may ask about people.
func boxable(r Role) bool { return actionsOf(r).has(QueryPersons) }

// normal returns b as it is kept: its instants in whole milliseconds, UTC.
func (b Box) normal() Box {
	b.From, b.To = b.From.UTC().Truncate(time.Millisecond), b.To.UTC().Truncate(time.Millisecond)
	return b
}

// check says which field of b is not as a token of role r can have it, or
// returns nil.
func (b Box) check(r Role) *events.Error {
	refuse := func(path, kind, detail string) *events.Error {
		return &events.Error{Path: path, Type: kind, Detail: detail}
	}
	const only = "only a token that may ask about people has one"
	switch {
	case b.Case != "" && !boxable(r):
		return refuse("/case", events.UnknownField, only)
	case !b.From.IsZero() && !boxable(r):
		return refuse("/from", events.UnknownField, only)
	case !b.To.IsZero() && !boxable(r):
		return refuse("/to", events.UnknownField, only)
	case !b.From.IsZero() && !b.To.IsZero() && !b.From.Before(b.To):
		return refuse("/to", events.OutOfRange, "must be after from")
	case b.Person != "" && r != RoleSubject:
		return refuse("/person", events.UnknownField, "only a token of role subject has one")
	case b.Person == "" && r == RoleSubject:
		return refuse("/person", events.MissingField, "a token of role subject is for one person")
	case b.Person != "" && !validHex(b.Person, personDigits):
		return refuse("/person", events.BadFormat, "must be 32 lower-case hexadecimal digits")
	case b.Case != "":
		return events.CheckCode("/case", b.Case)
	}
	return nil
}

const personDigits = 32

// boxFields are a Box as it is stored.
type boxFields struct {
	Case   string `json:"case,omitempty"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Person string `json:"person,omitempty"`
}

// fields returns b as it is stored.
func (b Box) fields() boxFields {
	f := boxFields{Case: b.Case, Person: b.Person}
	if !b.From.IsZero() {
		f.From = stamp(b.From)
	}
	if !b.To.IsZero() {
		f.To = stamp(b.To)
	}
	return f
}

// box reads what fields wrote for a token of role r.
func (f boxFields) box(r Role) (b Box, err error) {
	b.Case, b.Person = f.Case, f.Person
	if f.From != "" {
		if b.From, err = unstamp(f.From); err != nil {
			return Box{}, err
		}
	}
	if f.To != "" {
		if b.To, err = unstamp(f.To); err != nil {
			return Box{}, err
		}
	}
	if f == (boxFields{}) {
		return b, nil // as before tokens had boxes
	}
	if refusal := b.check(r); refusal != nil && refusal.Type != events.PersonalData { // what looks personal may be judged otherwise tomorrow
		return Box{}, fmt.Errorf("%w: a token's %s", ErrCorrupt, refusal.Path[1:])
	}
	return b, nil
}
