package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sentEvent is an event as a producer sends it, as far as the answers go.
type sentEvent struct {
	identity
	Type, Time  string
	ProducerSeq string
	Data        struct {
		Subjects   []struct{ ID string }
		Actor      struct{ ID, Session string }
		Categories []string
		Party      string
		Recipient  *struct{ Party, Role string }
	}
}

// kind is its type without what all types have: data.shared.
func (e *sentEvent) kind() string {
	return strings.TrimSuffix(strings.TrimPrefix(e.Type, "eu.custody."), ".v1")
}

// fold is the brute force: every event in order, and nothing clever.
type fold struct {
	events     []*sentEvent
	class      map[string]string
	registered map[string]bool
	linked     map[string]string // towards the identifier that stands for a person
}

func newFold() *fold {
	return &fold{class: map[string]string{}, registered: map[string]bool{}, linked: map[string]string{}}
}

// person is the identifier that stands for whoever has this one.
func (f *fold) person(id string) string {
	for f.linked[id] != "" {
		id = f.linked[id]
	}
	return id
}

func (f *fold) add(e *sentEvent, class string) {
	f.events = append(f.events, e)
	if class != "" {
		f.class[e.ID] = class
	}
	switch e.kind() {
	case "governance.party-registered":
		f.registered[e.Data.Party] = true
	case "subject.identifiers-linked":
		for _, s := range e.Data.Subjects[1:] {
			if one, other := f.person(e.Data.Subjects[0].ID), f.person(s.ID); one != other {
				f.linked[other] = one
			}
		}
	}
}

func (f *fold) answers() *answers {
	a := &answers{Class: f.class, Counts: map[string]int{}, Quarters: map[string]map[string]int{}, Gaps: f.gaps(), Recipients: map[string]received{},
		Actors: map[string][]string{}, Stolen: f.extent("sess-stolen")}
	a.Accesses, a.Disclosures, a.Timeline = f.about("accesses"), f.about("disclosures"), f.about("timeline")
	for _, e := range f.events {
		if class := f.class[e.ID]; class != "" {
			at, _ := time.Parse(time.RFC3339, e.Time)
			quarter := fmt.Sprintf("Q%d", (at.Month()+2)/3)
			if a.Quarters[quarter] == nil {
				a.Quarters[quarter] = map[string]int{}
			}
			a.Counts[class]++
			if at.Year() == 2025 {
				a.Quarters[quarter][class]++
			}
		}
		if shown("accesses", e) {
			a.Actors[e.Data.Actor.ID] = append(a.Actors[e.Data.Actor.ID], e.ID)
		}
	}
	for _, party := range f.parties() {
		a.Recipients[party] = f.received(party)
		if !f.registered[party] {
			a.Unregistered = append(a.Unregistered, party)
		}
	}
	return a
}

// shown reports whether an event is of a list about a person.
func shown(list string, e *sentEvent) bool {
	switch list {
	case "accesses":
		return slices.Contains([]string{"data.accessed", "data.used", "data.altered", "data.exported"}, e.kind())
	case "disclosures":
		return slices.Contains([]string{"data.shared", "data.transferred", "data.hosted"}, e.kind())
	}
	return true
}

// about is one list for every identifier.
func (f *fold) about(list string) map[string][]string {
	byPerson := map[string][]string{}
	byIdentifier := map[string][]string{}
	for _, e := range f.events {
		people := map[string]bool{}
		for _, s := range e.Data.Subjects {
			byIdentifier[s.ID] = nil
			if p := f.person(s.ID); shown(list, e) && !people[p] {
				people[p] = true
				byPerson[p] = append(byPerson[p], e.ID)
			}
		}
	}
	for id := range byIdentifier {
		byIdentifier[id] = byPerson[f.person(id)]
	}
	return byIdentifier
}

// parties received something, and not about themselves.
func (f *fold) parties() (list []string) {
	for _, e := range f.events {
		if r := e.Data.Recipient; r != nil && r.Role != "subject" && !slices.Contains(list, r.Party) {
			list = append(list, r.Party)
		}
	}
	slices.Sort(list)
	return list
}

func (f *fold) received(party string) received {
	x := f.sum(func(e *sentEvent) bool {
		return e.Data.Recipient != nil && e.Data.Recipient.Role != "subject" && e.Data.Recipient.Party == party
	})
	return received{x.Events, len(x.Persons), x.First, x.Last}
}

func (f *fold) extent(session string) extent {
	return f.sum(func(e *sentEvent) bool { return e.Data.Actor.Session == session })
}

// sum is the extent of some events.
func (f *fold) sum(of func(*sentEvent) bool) (x extent) {
	for _, e := range f.events {
		if !of(e) {
			continue
		}
		x.Events++
		for _, s := range e.Data.Subjects {
			x.Persons = append(x.Persons, f.person(s.ID))
		}
		x.Categories = append(x.Categories, e.Data.Categories...)
		x.First = min(cmp.Or(x.First, e.Time), e.Time)
		x.Last = max(x.Last, e.Time)
	}
	slices.Sort(x.Persons)
	x.Persons = slices.Compact(x.Persons)
	slices.Sort(x.Categories)
	x.Categories = slices.Compact(x.Categories)
	return x
}

// gaps are the numbers that did not come, up to the highest that did.
func (f *fold) gaps() map[string][]uint64 {
	came := map[string]map[uint64]bool{}
	highest := map[string]uint64{}
	for _, e := range f.events {
		if came[e.Source] == nil {
			came[e.Source] = map[uint64]bool{}
		}
		n, _ := strconv.ParseUint(e.ProducerSeq, 10, 64)
		came[e.Source][n] = true
		highest[e.Source] = max(highest[e.Source], n)
	}
	gaps := map[string][]uint64{}
	for source, numbers := range came {
		for n := uint64(1); n < highest[source]; n++ {
			if !numbers[n] {
				gaps[source] = append(gaps[source], n)
			}
		}
	}
	return gaps
}
