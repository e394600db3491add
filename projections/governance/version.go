package governance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// An Origin says which event something in the register comes from.
type Origin struct {
	Position uint64    `json:"position"`
	Source   string    `json:"source"`
	ID       string    `json:"id"`
	Time     time.Time `json:"time"`     // when it happened, by the producer; UTC
	Recorded time.Time `json:"recorded"` // by the ledger; UTC, whole milliseconds
}

// A Version is what one event says about a thing.
type Version struct {
	Origin
	Kind     events.Kind       `json:"-"`
	Name     string            `json:"kind"` // of Kind
	Actor    projections.Tag   `json:"-"`    // who recorded it
	Named    []projections.Tag `json:"-"`    // the employee it is about, after whom the actor acted for
	Subjects int               `json:"subjects,omitempty"`
	Data     json.RawMessage   `json:"data"` // the event's clear data, an object; the people it lists are left out and counted
}

// Cell is the cell of Actor and Named.
func (v *Version) Cell() projections.Cell {
	return projections.CellOf(v.Kind, v.Time, projections.Actor)
}

// stored is a version as a row holds it, as JSON. The position is in the row's key.
type stored struct {
	Kind     events.Kind     `json:"kind"`
	Source   string          `json:"source"`
	ID       string          `json:"id"`
	Second   int64           `json:"second"` // the event's time: seconds since 1970 and nanoseconds
	Nano     int64           `json:"nano"`
	Recorded int64           `json:"recorded"` // milliseconds since 1970
	Actor    []byte          `json:"actor,omitempty"`
	Named    [][]byte        `json:"named,omitempty"`
	Subjects int             `json:"subjects,omitempty"`
	Data     json.RawMessage `json:"data"`
}

// encode makes the row's value of an event.
func encode(e *projections.Event) ([]byte, error) {
	ev, people := e.Stored.Event, e.People
	s := stored{
		Kind: ev.Kind, Source: ev.Source, ID: ev.ID, Second: ev.At.Unix(), Nano: int64(ev.At.Nanosecond()),
		Recorded: e.Stored.Recorded.UnixMilli(), Subjects: len(people.Subjects), Data: clearData(ev),
	}
	if !people.Actor.IsZero() {
		s.Actor = people.Actor[:]
	}
	for _, tag := range people.Named {
		s.Named = append(s.Named, bytes.Clone(tag[:]))
	}
	return json.Marshal(s)
}

// clearData is an event's data without what was not stored in clear: identifiers of people, tags of references,
// and what is sealed.
func clearData(e *events.Event) []byte {
	without := func(string, events.Secrecy, events.Value) events.Value { return events.Value{} }
	data := e.Rewrite(without).Data
	data, _ = data.With("subjects", events.Value{})
	dst := []byte{'{'}
	for name, v := range data.All() {
		if len(dst) > 1 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), name...), '"', ':')
		dst = v.AppendJSON(dst)
	}
	return append(dst, '}')
}

// errVersion reports a row that is not as this package writes them.
var errVersion = fmt.Errorf("not a version of a thing: %w", projections.ErrDamaged)

// decode reads what encode made. The version keeps nothing of b. The error quotes nothing of it either.
func decode(position uint64, b []byte) (Version, error) {
	damaged := fmt.Errorf("governance: position %d: %w", position, errVersion)
	var s stored
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Version{}, damaged
	}
	if _, err := d.Token(); err != io.EOF || !s.sound() {
		return Version{}, damaged
	}
	v := Version{
		Origin: Origin{Position: position, Source: s.Source, ID: s.ID,
			Time: time.Unix(s.Second, s.Nano).UTC(), Recorded: time.UnixMilli(s.Recorded).UTC()},
		Kind: s.Kind, Name: s.Kind.Name(), Subjects: s.Subjects, Data: s.Data,
	}
	if len(s.Actor) > 0 {
		v.Actor = projections.Tag(s.Actor)
	}
	for _, tag := range s.Named {
		v.Named = append(v.Named, projections.Tag(tag))
	}
	return v, nil
}

// sound reports that a row can be a version.
func (s *stored) sound() bool {
	const tag = len(projections.Tag{})
	if _, ok := rowOf(s.Kind); !ok {
		return false
	}
	for _, named := range s.Named {
		if len(named) != tag {
			return false
		}
	}
	return (len(s.Actor) == 0 || len(s.Actor) == tag) && s.Subjects >= 0 &&
		s.Nano >= 0 && s.Nano < int64(time.Second) && bytes.HasPrefix(s.Data, []byte{'{'})
}

// into reads the version's data into an answer, whose fields have the catalogue's names.
func (v *Version) into(answer any) error {
	if err := json.Unmarshal(v.Data, answer); err != nil {
		return fmt.Errorf("governance: position %d: %w", v.Position, errVersion) // the cause may quote the data
	}
	return nil
}
