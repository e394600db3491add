package ask

import (
	"context"
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections/search"
)

// Restricted says that a person's data may be stored and not much else: processing
// is restricted (GDPR Art. 18), or an erasure is open.
type Restricted struct {
	Since   Instant `json:"since" format:"date-time" doc:"event time"`
	Erasure uint64  `json:"erasure,omitempty" doc:"the erasure that is open: the position that opened it"`
}

// A Restriction is one that is in force.
type Restriction struct {
	Position uint64  `json:"position" doc:"of the event that began it"`
	Since    Instant `json:"since" format:"date-time" doc:"event time"`
	Kind     string  `json:"kind" doc:"data.restricted or ledger.erasure-opened"`
	System   string  `json:"system,omitempty" doc:"everywhere if absent"`
	Dataset  string  `json:"dataset,omitempty" doc:"all data if absent"`
}

// A State is what holds of a person's data.
type State struct {
	AsOf         AsOf          `json:"as_of"`
	Window       Window        `json:"window"`
	Restricted   *Restricted   `json:"restricted,omitempty" doc:"absent if processing is not restricted"`
	Restrictions []Restriction `json:"restrictions" nullable:"false" doc:"in force; by event time"`
}

// State says whether processing of a person's data is restricted.
func (d *Desk) State(ctx context.Context, a Asker, handle string, q Question) (State, error) {
	if err := d.about(a, Person, handle, &q); err != nil {
		return State{}, err
	}
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return State{}, err
	}
	out := State{AsOf: s.asOf, Window: s.window()}
	if out.Restrictions, err = s.restrictions(ctx); err != nil {
		return State{}, err
	}
	out.Restricted = restricted(out.Restrictions)
	return given(ctx, s, out, 1, false)
}

// restricted sums restrictions up; nil if there are none.
func restricted(all []Restriction) (sum *Restricted) {
	for _, r := range all {
		if sum == nil {
			sum = &Restricted{Since: r.Since}
		}
		if r.Kind == events.LedgerErasureOpened.Name() {
			sum.Erasure = r.Position
		}
	}
	return sum
}

// restrictions gives those in force of the person that the question is about. It
// looks at the events of the class that they are of.
func (s *sitting) restrictions(ctx context.Context) ([]Restriction, error) {
	if err := s.wait(ctx, searchView, personView); err != nil {
		return nil, err
	}
	k, err := kinOf(s.vault, s.q.About[0].ID.id)
	if err != nil {
		return nil, err
	}
	listed, err := s.positions(k.listed(everyone, uint8(events.DataRestricted.Retention())), personView)
	if err != nil {
		return nil, err
	}
	return s.restrictionsAmong(ctx, listed)
}

// restrictionsAmong gives those in force by the events at some positions.
func (s *sitting) restrictionsAmong(ctx context.Context, listed []uint64) ([]Restriction, error) {
	listed, err := s.shareable(listed)
	if err != nil {
		return nil, err
	}
	var cards []search.Card
	err = s.search(func(r *search.Reader) error {
		for position, err := range r.Walk(s.among(listed, events.DataRestricted, events.DataUnrestricted, events.LedgerErasureOpened)) {
			if err != nil {
				return err
			}
			card, err := r.Card(position)
			if err != nil {
				return err
			}
			cards = append(cards, card)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(cards, func(a, b search.Card) int { return a.Time.Compare(b.Time) }) // what comes late may be overtaken
	all := []Restriction{}
	for i := range cards {
		if all, err = s.follows(ctx, all, &cards[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// follows gives the restrictions in force after one more event. Lifting one names
// the same system and dataset, or fewer: then all of them.
func (s *sitting) follows(ctx context.Context, all []Restriction, c *search.Card) ([]Restriction, error) {
	next := Restriction{Position: c.Position, Since: Instant{c.Time}, Kind: c.Kind.Name(), System: c.Get(search.System), Dataset: c.Get(search.Dataset)}
	switch c.Kind {
	case events.DataUnrestricted:
		return slices.DeleteFunc(all, func(r Restriction) bool {
			return r.Kind == events.DataRestricted.Name() && (next.System == "" || next.System == r.System) && (next.Dataset == "" || next.Dataset == r.Dataset)
		}), nil
	case events.LedgerErasureOpened:
		if _, ended, err := s.ended(ctx, c.Position); ended || err != nil {
			return all, err
		}
	}
	return append(all, next), nil
}

// restricted sums up whether the person that the question is about is restricted.
func (s *sitting) restricted(ctx context.Context) (*Restricted, error) {
	all, err := s.restrictions(ctx)
	return restricted(all), err
}
