package ask

import (
	"cmp"
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/search"
)

// A Page is one page of a list of events.
type Page struct {
	AsOf   AsOf   `json:"as_of"`
	Window Window `json:"window"`
	Total  uint64 `json:"total" doc:"events in the whole answer"`
	Items  []Item `json:"items" nullable:"false"`
	Next   string `json:"next,omitempty" doc:"cursor of the next page, absent on the last"`

	Restricted *Restricted `json:"restricted,omitempty" doc:"of a list about one data subject: processing is restricted"`
}

// Events lists the events that a question is about.
func (d *Desk) Events(ctx context.Context, a Asker, q Question) (Page, error) {
	if err := d.open(a, &q); err != nil {
		return Page{}, err
	}
	return d.events(ctx, a, q)
}

// events lists the events of a question whose handles are open.
func (d *Desk) events(ctx context.Context, a Asker, q Question) (Page, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Page{}, err
	}
	return s.list(ctx)
}

// list answers a question with a page of events.
func (s *sitting) list(ctx context.Context) (Page, error) {
	page := Page{AsOf: s.asOf, Window: s.window(), Items: []Item{}}
	var shown []shown
	var more bool
	var counted tally
	err := s.listing(ctx, func(r *search.Reader, f search.Filter) (_ bool, err error) {
		if !s.continues() {
			if s.total, err = r.Count(f); err != nil {
				return false, err
			}
			if counted, err = s.tally(r, f); err != nil {
				return false, err
			}
		}
		shown, more, err = s.page(r, f)
		return more, err
	})
	if err != nil {
		return Page{}, err
	}
	page.Total = s.total
	if page.Items, err = s.items(shown); err != nil {
		return Page{}, err
	}
	if more {
		if page.Next, err = s.next(shown[len(shown)-1].Position); err != nil {
			return Page{}, err
		}
	}
	persons, err := s.count(counted)
	if err != nil {
		return Page{}, err
	}
	return given(ctx, s, page, persons.known, counted.more)
}

// paged gives the positions of one page of events, and whether there are more; the
// first page also counts them all.
func (s *sitting) paged(ctx context.Context) (positions []uint64, more bool, err error) {
	err = s.listing(ctx, func(r *search.Reader, f search.Filter) (_ bool, err error) {
		if !s.continues() {
			if s.total, err = r.Count(f); err != nil {
				return false, err
			}
		}
		positions, more, err = r.Page(f, s.after, s.q.Limit, s.q.Newest)
		return more, err
	})
	return positions, more, err
}

// A shown event is its card, and its people's tags.
type shown struct {
	search.Card
	people projections.People
}

// page reads the events of one page.
func (s *sitting) page(r *search.Reader, f search.Filter) (page []shown, more bool, err error) {
	positions, more, err := r.Page(f, s.after, s.q.Limit, s.q.Newest)
	if err != nil {
		return nil, false, err
	}
	page = make([]shown, len(positions))
	for i, position := range positions {
		if page[i], err = show(r, position); err != nil {
			return nil, false, err
		}
	}
	return page, more, nil
}

func show(r *search.Reader, position uint64) (e shown, err error) {
	if e.Card, err = r.Card(position); err != nil {
		return e, err
	}
	e.people, err = r.People(position)
	return e, err
}

// search reads the view of that name.
func (s *sitting) search(fn func(*search.Reader) error) error {
	return s.views.Read(searchView, func(tx *bolt.Tx) error {
		r, err := search.Read(tx)
		if err != nil {
			return fmt.Errorf("reading the view of events: %w", err)
		}
		return fn(r)
	})
}

// items are what a list shows of events.
func (s *sitting) items(page []shown) ([]Item, error) {
	actors := newCrowd(s.vault)
	for i := range page {
		actors.add(page[i].people.ActorCell, page[i].people.Actor)
	}
	if err := actors.resolve(); err != nil {
		return nil, err
	}
	items := make([]Item, len(page))
	for i := range page {
		items[i] = itemOf(&page[i].Card)
		people := &page[i].people
		actor := Actor{Role: page[i].Get(search.ActorRole), Kind: page[i].Get(search.ActorKind), Unit: page[i].Get(search.ActorUnit), Party: page[i].Get(search.ActorParty)}
		if !people.Actor.IsZero() {
			actor.Mask = s.masks.of("actor", actors.who(people.ActorCell, people.Actor))
		}
		if actor != (Actor{}) {
			items[i].Actor = &actor
		}
	}
	return items, nil
}

func itemOf(c *search.Card) Item {
	return Item{
		Position: c.Position, Source: c.Source, ID: c.ID, Kind: c.Kind.Name(), Time: Instant{c.Time}, Recorded: Instant{c.Recorded},
		Relay: c.Get(search.Relay), Persons: c.Subjects,
		System: c.Get(search.System), Dataset: c.Get(search.Dataset), Environment: c.Get(search.Environment),
		Activity: c.Get(search.Activity), Categories: c.All(search.Category), Special: c.Get(search.Special) == "true",
		Purpose: c.Get(search.Purpose), Basis: c.Get(search.Basis), Mode: c.Get(search.Mode), Origin: c.Get(search.Origin),
		Party: cmp.Or(c.Get(search.Recipient), c.Get(search.ActorParty), c.Get(search.Party)), RecipientRole: c.Get(search.RecipientRole),
		Agreement: c.Get(search.Agreement), Class: c.Get(search.Class), Region: c.Get(search.Region), Countries: c.All(search.Country),
		Tool: c.Get(search.Tool), Forgotten: c.Get(search.Forgotten) == "true",
	}
}
