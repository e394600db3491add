package projections

import (
	"fmt"

	"github.com/imalink/custody/events"
)

// An Event is one recorded event, decoded once for all models. Models share it: it is never modified, and its
// values may be kept.
type Event struct {
	Position uint64
	Digest   [32]byte // SHA-256 of the stored bytes
	Stored   *events.Stored
	People   People
}

// People are the tags of an event. Models take them from here, never from the event's data.
type People struct {
	Subjects    []Tag // of data.subjects, in their order
	Actor       Tag   // of data.actor.id
	Named       []Tag // whom else the event names in the role of an actor: for whom, which employee, which handlers
	Session     Tag   // of data.actor.session, in the actors' cell
	SubjectCell Cell
	ActorCell   Cell
}

// Decode reads a record as models want it. The error says what in it is not as the ledger stores it.
func Decode(rec events.Record) (*Event, error) {
	st, err := events.DecodeStored(rec.Raw)
	if err != nil {
		return nil, fmt.Errorf("position %d: %w", rec.Position, err)
	}
	return &Event{Position: rec.Position, Digest: rec.Digest, Stored: st, People: peopleOf(st.Event)}, nil
}

func peopleOf(e *events.Event) People {
	p := People{SubjectCell: CellOf(e.Kind, e.At, Subject), ActorCell: CellOf(e.Kind, e.At, Actor)}
	if subjects := e.Data.Get("subjects").List(); len(subjects) > 0 {
		p.Subjects = make([]Tag, 0, len(subjects))
		for _, s := range subjects {
			p.Subjects = append(p.Subjects, tagIn(s.Object().Get("id").Text()))
		}
	}
	actor := e.Data.Get("actor").Object()
	p.Actor, p.Session = tagIn(actor.Get("id").Text()), tagIn(actor.Get("session").Text())
	named := func(v events.Value) {
		if t := tagIn(v.Text()); !t.IsZero() {
			p.Named = append(p.Named, t)
		}
	}
	named(actor.Get("for"))
	named(e.Data.Get("employee"))
	for _, h := range e.Data.Get("handlers").List() {
		named(h)
	}
	return p
}
