package ask

import (
	"github.com/imalink/custody/projections/search"
)

// countedEvents is how many events of an answer are looked at to count the people
// in it for its record.
const countedEvents = 10_000

// A tally is whom the events of an answer are about, before they are resolved.
type tally struct {
	about *crowd // nil when the question names the person
	more  bool   // there were more events than were looked at
}

// People counts people by resolving their tags.
type People struct {
	known, unresolved int
}

// tally gathers whom an answer is about, for its record.
func (s *sitting) tally(r *search.Reader, f search.Filter) (tally, error) {
	for _, about := range s.q.About {
		if about.What == Person {
			return tally{}, nil
		}
	}
	t := tally{about: newCrowd(s.vault)}
	n := 0
	for position, err := range r.Walk(f) {
		if err != nil {
			return t, err
		}
		if n++; n > countedEvents {
			t.more = true
			break
		}
		people, err := r.People(position)
		if err != nil {
			return t, err
		}
		t.about.add(people.SubjectCell, people.Subjects...)
	}
	return t, nil
}

// count resolves a tally. One person is asked about where there is none.
func (s *sitting) count(t tally) (People, error) {
	if t.about == nil {
		return People{known: 1}, nil
	}
	if err := t.about.resolve(); err != nil {
		return People{}, err
	}
	known, unresolved := t.about.persons()
	return People{known, unresolved}, nil
}
