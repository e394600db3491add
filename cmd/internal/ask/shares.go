package ask

import (
	"context"

	"github.com/imalink/custody/projections/search"
)

// Shares is which parties received a person's data (GDPR Art. 15(1)(c)).
type Shares struct {
	AsOf   AsOf    `json:"as_of"`
	Window Window  `json:"window"`
	Items  []Share `json:"items" nullable:"false"`

	Restricted *Restricted `json:"restricted,omitempty" doc:"processing of the person's data is restricted"`
}

// A Share is what one party received of a person.
type Share struct {
	Party      string            `json:"party"`
	Events     uint64            `json:"events"`
	First      *Instant          `json:"first,omitempty" format:"date-time" doc:"event time"`
	Last       *Instant          `json:"last,omitempty" format:"date-time"`
	Roles      []string          `json:"roles" nullable:"false" doc:"in which it received"`
	Categories []string          `json:"categories" nullable:"false"`
	Purposes   []string          `json:"purposes" nullable:"false"`
	Agreements []string          `json:"agreements" nullable:"false" doc:"in force when it received"`
	Classes    map[string]uint64 `json:"classes" doc:"events by transfer class"`
}

// Recipients lists which parties received a person's data.
func (d *Desk) Recipients(ctx context.Context, a Asker, handle string, q Question) (Shares, error) {
	if err := d.about(a, Person, handle, &q); err != nil {
		return Shares{}, err
	}
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Shares{}, err
	}
	now, err := s.restricted(ctx)
	if err != nil {
		return Shares{}, err
	}
	out, err := s.recipients(ctx)
	if err != nil {
		return Shares{}, err
	}
	out.Restricted = now
	return out, nil
}

func (s *sitting) recipients(ctx context.Context) (Shares, error) {
	filter, err := s.filter(ctx)
	if err != nil {
		return Shares{}, err
	}
	out := Shares{AsOf: s.asOf, Window: s.window(), Items: []Share{}}
	err = s.search(func(r *search.Reader) error {
		values, err := r.Values(filter, search.Recipient)
		if err != nil {
			return err
		}
		for _, v := range values[search.Recipient] {
			share, err := shareOf(r, filter, v)
			if err != nil {
				return err
			}
			out.Items = append(out.Items, share)
		}
		return nil
	})
	if err != nil {
		return Shares{}, err
	}
	return given(ctx, s, out, 1, false)
}

func shareOf(r *search.Reader, f search.Filter, party search.ValueCount) (Share, error) {
	f = narrowed(f, search.Recipient, party.Text)
	out := Share{Party: party.Text, Events: party.Count, Classes: map[string]uint64{}}
	first, last, some, err := r.Span(f)
	if err != nil {
		return out, err
	}
	if some {
		out.First, out.Last = instant(first), instant(last)
	}
	values, err := r.Values(f, search.RecipientRole, search.Category, search.Purpose, search.Agreement, search.Class)
	if err != nil {
		return out, err
	}
	out.Roles, out.Categories = named(values[search.RecipientRole]), named(values[search.Category])
	out.Purposes, out.Agreements = named(values[search.Purpose]), named(values[search.Agreement])
	for _, v := range values[search.Class] {
		out.Classes[v.Text] = v.Count
	}
	return out, nil
}
