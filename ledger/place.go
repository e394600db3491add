package ledger

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/notary"
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
	e, defaulted := l.register.fill(sub.Event)
	st := &events.Stored{Event: e, Recorded: l.clock(), Relay: sub.Relay, Facts: l.register.facts(e)}
	rand.Read(st.Salt[:])
	st.Facts.Defaulted = defaulted
	st.Facts.BasisRef, st.Facts.Reference = found[1], found[2]
	start := len(g.stored)
	stored, err := appendPseudonymised(g.stored, g.batch, st)
	if err != nil {
		return 0, nil, fmt.Errorf("pseudonymising: %w", err)
	}
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
	g.leaves = append(g.leaves, notary.LeafOf(st))
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

// appendPseudonymised appends the stored form of st, whose event is as its
// producer sent it: people become tags, references that join events become
// keyed tags, and what is delicate goes into the seal.
func appendPseudonymised(dst []byte, b *vault.Batch, st *events.Stored) ([]byte, error) {
	var room [256]byte
	p := pseudonyms{batch: b, salt: st.Salt, secrets: sealer{room[:0]}}
	if err := p.findCells(st.Event); err != nil {
		return nil, err
	}
	st.Facts.Forgotten = p.subject.Gone() || p.actor.Gone()
	dst = st.AppendRewritten(dst, p.replace, p.seal)
	return dst, p.err
}

// pseudonyms are what one event's people and references become. The first error
// stays, and the vault is not asked any more.
type pseudonyms struct {
	batch          *vault.Batch
	subject, actor vault.Cell // whose keys the tags are made with
	salt           [16]byte
	people         []vault.Person // the subjects
	secrets        sealer
	err            error
}

func (p *pseudonyms) findCells(e *events.Event) (err error) {
	if p.subject, err = p.batch.Cell(cellOf(e, vault.Subject)); err == nil {
		p.actor, err = p.batch.Cell(cellOf(e, vault.Actor))
	}
	return err
}

func (p *pseudonyms) replace(dst []byte, ptr string, s events.Secrecy, v events.Value) []byte {
	if p.err != nil {
		return dst
	}
	if ptr != "" {
		p.secrets.add(ptr, v)
	}
	var tag vault.Tag
	switch id := vault.Identifier(v.Text()); s {
	case events.Subject:
		var person vault.Person
		tag, person, p.err = p.batch.Tag(p.subject, id)
		p.people = append(p.people, person)
	case events.Actor:
		tag, _, p.err = p.batch.Tag(p.actor, id)
	case events.Joinable:
		cell := p.subject
		if ptr == sessionPointer {
			cell = p.actor
		}
		tag, p.err = p.batch.Ref(cell, id)
	default:
		return dst
	}
	return tag.AppendJSON(dst)
}

// seal seals what replace has gathered; nothing if one of the cells is gone.
func (p *pseudonyms) seal() (sealed []byte) {
	if p.err != nil || p.secrets.empty() || p.subject.Gone() || p.actor.Gone() {
		return nil
	}
	sealed, p.err = p.batch.Seal(p.subject, p.salt, p.people, p.secrets.bytes())
	return sealed
}

// cellOf names the cell whose keys tag an event's people of one role.
func cellOf(e *events.Event, role vault.Role) vault.CellID {
	return vault.CellID{Class: uint8(e.Kind.Retention()), Role: role, Month: vault.MonthOf(e.At)}
}

// sessionPointer is the one joinable reference that belongs to the actor.
const sessionPointer = "/data/actor/session"

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
