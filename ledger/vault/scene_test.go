package vault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A scene is a vault with people, some of them linked, and every event that was
// recorded of them.
type scene struct {
	*bench
	ids  []Identifier
	said []said
}

// said is one event: tags of its people, and what was sealed about them.
type said struct {
	cell   CellID
	ids    []Identifier
	tags   []Tag
	salt   [16]byte
	sealed []byte
}

const (
	scenePeople = MaxWraps + 1 // sealed to all, it is sealed to the cell
	secretText  = "what nobody is to read"
)

// newScene records events of each person alone and with others, in every cell.
// candidate:1 to 3 are one person; 2 has acted, too.
func newScene(t testing.TB, with bench) *scene {
	t.Helper()
	s := &scene{bench: newBenchWith(t, with)}
	for i := range scenePeople {
		s.ids = append(s.ids, Identifier(fmt.Sprint("candidate:", i)))
	}
	for _, cell := range []CellID{march, april, legal} {
		for i := range s.ids {
			s.record(cell, s.ids[i])
		}
		s.record(cell, "candidate:2", "candidate:5")
		s.record(cell, s.ids...)
	}
	s.record(byActor, "candidate:2")
	must(t, s.Link(s.ids[1:3]))
	must(t, s.Link(s.ids[2:4]))
	return s
}

// record records one event about some people.
func (s *scene) record(cell CellID, ids ...Identifier) {
	s.t.Helper()
	batch := s.Begin()
	c, err := batch.Cell(cell)
	must(s.t, err)
	e := said{cell: cell, ids: ids, salt: [16]byte{byte(len(s.said)), byte(len(s.said) >> 8)}}
	var people []Person
	for _, id := range ids {
		tag, p, err := batch.Tag(c, id)
		must(s.t, err)
		e.tags, people = append(e.tags, tag), append(people, p)
	}
	if cell.Role == Subject {
		e.sealed, err = batch.Seal(c, e.salt, people, []byte(secretText))
		must(s.t, err)
	}
	must(s.t, batch.Flush(s.t.Context(), s.head))
	s.head++
	s.events[s.head] = e.salt
	batch.Commit()
	s.said = append(s.said, e)
}

// answers is everything there is to be asked, of everybody and every event, in a
// form that does not depend on random keys.
func (s *scene) answers() string {
	s.t.Helper()
	var out strings.Builder
	fmt.Fprintln(&out, "cells", s.Cells())
	fmt.Fprintf(&out, "pending %q\n", s.Pending())
	for _, id := range s.ids {
		_, known, err := s.Lookup(id)
		must(s.t, err)
		linked, err := s.Linked(id)
		must(s.t, err)
		fmt.Fprintln(&out, id.Reveal(), known, reveal(linked))
	}
	for i := range s.said {
		fmt.Fprintln(&out, i, s.said[i].cell, s.about(&s.said[i]))
	}
	return out.String()
}

// about says of an event whose tags resolve, to whom, and who opens its seal.
func (s *scene) about(e *said) (text string) {
	s.t.Helper()
	who, err := s.Who(e.cell, e.tags)
	must(s.t, err)
	for i, id := range e.ids {
		tag, ok, err := s.TagOf(e.cell, id)
		must(s.t, err)
		page, err := s.TagsOf(id, e.cell.Role)
		must(s.t, err)
		own := ok && tag == e.tags[i]
		if slices.Contains(page, Tagged{e.cell, e.tags[i]}) != own {
			s.t.Fatalf("the tag of %q and the page differ", id.Reveal())
		}
		of := "nobody"
		if !who[i].IsZero() {
			first, err := s.IdentifierOf(who[i])
			must(s.t, err)
			linked, err := s.Linked(first)
			must(s.t, err)
			of = strings.Join(reveal(linked), "+")
		}
		opened := "sealed"
		if plain, err := s.Open(e.cell, e.salt, []Identifier{id}, e.sealed); err == nil && string(plain) == secretText {
			opened = "open"
		} else if e.sealed != nil && !errors.Is(err, ErrGone) {
			s.t.Fatalf("opening: %v", err)
		}
		text += fmt.Sprint(" ", id.Reveal(), " ", own, " ", of, " ", opened, ";")
	}
	return text
}

// rows is an Erasing of the person who has an identifier, with the chains that
// stay by identifier.
func (s *scene) rows(id Identifier, stays map[Identifier][]Chain) Erasing {
	s.t.Helper()
	rows, ids, err := s.RowsOf(id)
	must(s.t, err)
	e := Erasing{Rows: map[PersonID][]Chain{}, Pending: []byte("erased")}
	for i := range rows {
		e.Rows[rows[i]] = stays[ids[i]]
	}
	return e
}
