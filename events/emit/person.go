package emit

import (
	"fmt"
	"log/slog"

	"github.com/imalink/custody/events"
)

const hidden = "[hidden]"

// discreet keeps whatever embeds it from printing itself, in any verb, log or encoding.
type discreet struct{}

// String, GoString, Format, MarshalText and LogValue give no part of the value.
func (discreet) String() string               { return hidden }
func (discreet) GoString() string             { return hidden }
func (discreet) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(hidden)) }
func (discreet) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (discreet) LogValue() slog.Value         { return slog.StringValue(hidden) }

// An Identifier names a person by type and number, such as candidate:10412 or employee:jdp: 1 to 256
// characters. It never prints itself, not even from inside another struct. The ledger replaces it by a tag
// before anything is stored.
type Identifier struct {
	discreet
	v events.Value
}

// ID makes an identifier.
func ID(id string) Identifier { return Identifier{v: events.TextOf(id)} }

func (id Identifier) write(w *writer, name string) {
	if !id.v.IsZero() {
		w.key(name)
		w.string(id.v.Text())
	}
}

// A Subject is a person whose data it is (the data subject, Art. 4(1) GDPR).
type Subject struct {
	discreet
	ID      Identifier
	Role    SubjectRole
	Country string // ISO 3166-1 alpha-2, where known
}

// Subjects are people of one role. One event names at most 5,000; a larger act is several events that share a
// [Bulk].
func Subjects(role SubjectRole, ids ...string) []Subject {
	list := make([]Subject, len(ids))
	for i, id := range ids {
		list[i] = Subject{ID: ID(id), Role: role}
	}
	return list
}

// An Actor is who did it. A processor's or contractor's actor names its party.
type Actor struct {
	discreet
	ID      Identifier
	Role    string // a code, such as recruiter
	Kind    ActorKind
	Party   string     // code of the organisation, unless it is the controller's own
	Unit    string     // a code, such as recruitment
	Session string     // 1 to 128 characters; joins what one session did
	For     Identifier // on whose behalf, such as a colleague's
}

// Staff is one of the controller's own people.
func Staff(id, role string) Actor { return Actor{ID: ID(id), Role: role, Kind: ActorHuman} }

// Service is a program that acts by itself.
func Service(id, role string) Actor { return Actor{ID: ID(id), Role: role, Kind: ActorService} }

func (a Actor) write(w *writer) {
	w.object("actor", func(w *writer) {
		a.ID.write(w, "id")
		text(w, "role", a.Role)
		text(w, "kind", a.Kind)
		text(w, "party", a.Party)
		text(w, "unit", a.Unit)
		text(w, "session", a.Session)
		a.For.write(w, "for")
	})
}

func writeSubjects(w *writer, list []Subject) {
	if len(list) == 0 {
		return
	}
	w.key("subjects")
	w.b = append(w.b, '[')
	for i, s := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '{')
		inner := writer{b: w.b}
		s.ID.write(&inner, "id")
		text(&inner, "role", s.Role)
		text(&inner, "country", s.Country)
		w.b = append(inner.b, '}')
	}
	w.b = append(w.b, ']')
}
