package statement

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/imalink/custody/events/law"
)

// places gathers where examined data were, by who says so.
type places struct {
	register *book
	parties  map[placed]*stay   // by registration
	own      map[string]*ownOne // by what events say themselves
}

// placed is a registration.
type placed struct {
	party    string
	position uint64
}

type ownOne struct {
	stay
	Location
}

// A stay is how long, and in how many events.
type stay struct {
	first, last law.Day
	events      uint64
}

func (s *stay) add(d law.Day) {
	if s.events == 0 {
		s.first, s.last = d, d
	}
	s.first, s.last = min(s.first, d), max(s.last, d)
	s.events++
}

func newPlaces(b *book) *places {
	return &places{register: b, parties: map[placed]*stay{}, own: map[string]*ownOne{}}
}

// add takes in an event of the range that has a class.
func (p *places) add(e *entry) {
	if known := e.st.Facts.Party; known != nil && e.class != law.T1 {
		key := placed{known.Code, known.Position}
		if p.parties[key] == nil {
			p.parties[key] = &stay{}
		}
		p.parties[key].add(e.day)
	}
	d := e.st.Event.Data
	location := d.Get("location").Object()
	storage, access := location.Get("storage").Texts(), location.Get("access").Texts()
	if len(storage)+len(access) == 0 {
		return
	}
	l := Location{Source: Own, Party: p.register.importer(e.st).party, Storage: sortedTexts(storage), Access: sortedTexts(access), Assertion: d.Get("assertion").Text()}
	key := strings.Join([]string{l.Party, strings.Join(l.Storage, ","), strings.Join(l.Access, ","), l.Assertion}, " ")
	if p.own[key] == nil {
		p.own[key] = &ownOne{Location: l}
	}
	p.own[key].add(e.day)
}

func sortedTexts(texts []string) []string { return slices.Sorted(slices.Values(texts)) }

// locations are the registrations that decided, what events say themselves, and
// where registered systems are.
func (w *walk) locations(months int) (all []Location) {
	for key, s := range w.places.parties {
		r := w.register.at(key.party, key.position)
		l := Location{
			Source: Register, Position: key.position, Party: key.party, Country: r.country, Storage: r.storage, Access: r.access, IO: r.io,
			Assertion: r.assertion, Confirmed: r.confirmed, Stale: stale(r.confirmed, s.last, months),
		}
		all = append(all, l.during(*s))
	}
	for _, o := range w.places.own {
		all = append(all, o.Location.during(o.stay))
	}
	for _, name := range sortedKeys(w.register.systems) {
		r, ok := w.register.systemOn(name, w.to)
		if !ok || !r.personal || len(r.storage)+len(r.access) == 0 {
			continue
		}
		l := Location{Source: OfSystem, Position: r.position, System: name, Storage: r.storage, Access: r.access, Assertion: r.assertion}
		all = append(all, l.during(stay{first: max(w.from, r.day), last: w.to}))
	}
	slices.SortFunc(all, func(a, b Location) int {
		return cmp.Or(compareTexts(a.System, b.System, a.Party, b.Party, b.Source, a.Source), cmp.Compare(a.Position, b.Position),
			slices.Compare(a.Storage, b.Storage), slices.Compare(a.Access, b.Access), strings.Compare(a.Assertion, b.Assertion))
	})
	return all
}

func (l Location) during(s stay) Location {
	l.Events, l.First, l.Last = s.events, dayOf(s.first), dayOf(s.last)
	l.Outside = outsideOn(s.last, []string{l.Country}, l.Storage, l.Access)
	return l
}

// stale reports whether a confirmation is missing, or is more months before a day
// than it may be.
func stale(confirmed Day, on law.Day, months int) bool {
	t, err := time.Parse(time.DateOnly, string(confirmed))
	return err != nil || law.DayOf(t.AddDate(0, months, 0)) < on
}
