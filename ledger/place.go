package ledger

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

// place gives a new event its place at the end of the open group: defaults and
// facts from the register as it stands, tags and seals from the vault, the
// stored bytes. On a refusal nothing has changed; after an error, which is a
// fault of the vault's, it may have met the event's people.
func (l *Ledger) place(sub *Submission, found places) (position uint64, refusal *events.Error, err error) {
	g := l.open
	if g.batch == nil {
		g.batch = l.vault.Begin()
	}
	if refusal, err := linkable(g.batch, sub.Event); refusal != nil || err != nil {
		return 0, refusal, err
	}
	st := &events.Stored{Recorded: l.clock(), Relay: sub.Relay}
	rand.Read(st.Salt[:])
	e, defaulted := l.register.fill(sub.Event)
	st.Facts = l.register.facts(e)
	st.Facts.Defaulted = defaulted
	st.Facts.BasisRef, st.Facts.Reference = found[1], found[2]
	if err := pseudonymise(g.batch, e, st); err != nil {
		return 0, nil, fmt.Errorf("pseudonymising: %w", err)
	}
	start := len(g.stored)
	stored := st.Append(g.stored)
	raw := stored[start:len(stored):len(stored)]
	if len(raw) > events.MaxStored {
		return 0, nil, fmt.Errorf("an event of %d bytes as stored; the limit is %d", len(raw), events.MaxStored)
	}
	if err := l.link(g.batch, e, st.Salt); err != nil {
		return 0, nil, fmt.Errorf("linking: %w", err)
	}
	position = l.next
	l.next++
	l.lastRecorded = st.Recorded
	before := l.register.depth()
	l.register.apply(e, position)
	g.changes += l.register.depth() - before
	for _, k := range introduced(e) {
		g.keys[k] = position
	}
	g.messages = append(g.messages, stream.Message{Subject: l.subject(e), Data: raw})
	g.stored = stored
	g.recorded = st.Recorded
	return position, nil, nil
}

// clock is the recorded time of the next event: now, but never before the last.
func (l *Ledger) clock() time.Time {
	now := l.now().UTC().Truncate(time.Millisecond)
	if now.Before(l.lastRecorded) {
		return l.lastRecorded
	}
	return now
}

// subject is custody.<ledger>.<producer>.<family>.<kind>: low in cardinality,
// and never about a person.
func (l *Ledger) subject(e *events.Event) string {
	return "custody." + l.manifest.Name + "." + e.Source[1:] + "." + e.Kind.Name()
}

// cells are the two cells whose keys an event's tags are made with.
type cells struct{ subject, actor vault.Cell }

// pseudonymise makes st the stored form of e: people become tags, references
// that join events become keyed tags, and what is delicate goes into the seal.
func pseudonymise(b *vault.Batch, e *events.Event, st *events.Stored) error {
	var c cells
	var err error
	if c.subject, err = b.Cell(cellOf(e, vault.Subject)); err != nil {
		return err
	}
	if c.actor, err = b.Cell(cellOf(e, vault.Actor)); err != nil {
		return err
	}
	st.Facts.Forgotten = c.subject.Gone() || c.actor.Gone()
	var people []vault.Person
	var secrets sealer
	st.Event = e.Rewrite(func(ptr string, s events.Secrecy, v events.Value) events.Value {
		if err != nil {
			return v
		}
		switch s {
		case events.Subject, events.Actor:
			cell := c.actor
			if s == events.Subject {
				cell = c.subject
			}
			var tag vault.Tag
			var person vault.Person
			tag, person, err = b.Tag(cell, vault.Identifier(v.Text()))
			if s == events.Subject {
				people = append(people, person)
			}
			return events.TextOf(tag.String())
		case events.Joinable:
			secrets.add(ptr, v)
			var tag vault.Tag
			tag, err = b.Ref(c.of(ptr), vault.Identifier(v.Text()))
			return events.TextOf(tag.String())
		default:
			secrets.add(ptr, v)
			return events.Value{}
		}
	})
	if err != nil || secrets.empty() || st.Facts.Forgotten {
		return err
	}
	st.Sealed, err = b.Seal(c.subject, st.Salt, people, secrets.bytes())
	return err
}

// cellOf names the cell whose keys tag an event's people of one role.
func cellOf(e *events.Event, role vault.Role) vault.CellID {
	return vault.CellID{Class: uint8(e.Kind.Retention()), Role: role, Month: vault.MonthOf(e.At)}
}

// sessionPointer is the one joinable reference that belongs to the actor.
const sessionPointer = "/data/actor/session"

// of is the cell of a joinable reference: sessions belong to actors.
func (c cells) of(ptr string) vault.Cell {
	if ptr == sessionPointer {
		return c.actor
	}
	return c.subject
}

// A sealer gathers what an event's seal holds: a JSON object from the pointer
// of each field to its value, in the catalogue's order.
type sealer struct{ buf []byte }

func (s *sealer) empty() bool { return len(s.buf) == 0 }

func (s *sealer) add(ptr string, v events.Value) {
	sep := byte(',')
	if s.empty() {
		sep = '{'
	}
	s.buf = append(s.buf, sep, '"')
	s.buf = append(s.buf, ptr...) // constant pointers of the catalogue need no escaping
	s.buf = append(s.buf, '"', ':')
	s.buf = v.AppendJSON(s.buf)
}

func (s *sealer) bytes() []byte { return append(s.buf, '}') }

// link makes or ends the links that an identifiers event is about. They take
// effect only with the event: its position and salt are kept beside them.
func (l *Ledger) link(b *vault.Batch, e *events.Event, salt [16]byte) error {
	switch e.Kind {
	case events.SubjectIdentifiersLinked:
		return b.Link(subjectsOf(e), l.next, salt)
	case events.SubjectIdentifiersUnlinked:
		return b.Unlink(subjectsOf(e), l.next, salt)
	}
	return nil
}

// linkable refuses a link that the vault has no room for, before anybody in it
// is made known.
func linkable(b *vault.Batch, e *events.Event) (*events.Error, error) {
	if e.Kind != events.SubjectIdentifiersLinked && e.Kind != events.SubjectIdentifiersUnlinked {
		return nil, nil
	}
	err := b.Room(subjectsOf(e))
	if errors.Is(err, vault.ErrLimit) {
		return &events.Error{Path: "/data/subjects", Type: events.OutOfRange, Detail: fmt.Sprintf(
			"at most %d identifiers in one link, and %d links of one identifier", vault.MaxLinked, vault.MaxLinks)}, nil
	}
	return nil, err
}

func subjectsOf(e *events.Event) (ids []vault.Identifier) {
	for _, s := range e.Data.Get("subjects").List() {
		ids = append(ids, vault.Identifier(s.Object().Get("id").Text()))
	}
	return ids
}
