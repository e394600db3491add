package ask

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/projections/governance"
	"github.com/imalink/custody/projections/search"
)

// Received is a party that received personal data, and how much (GDPR Art. 4(9), 30(1)(d)).
type Received struct {
	Party      string            `json:"party"`
	Registered bool              `json:"registered"`
	Country    string            `json:"country,omitempty"`
	Events     uint64            `json:"events" doc:"events that name it as recipient"`
	Persons    int               `json:"persons" doc:"data subjects; linked identifiers are one"`
	Unresolved int               `json:"unresolved" doc:"tags of the subjects that are nobody's any more"`
	First      *time.Time        `json:"first,omitempty" doc:"event time"`
	Last       *time.Time        `json:"last,omitempty"`
	Roles      []string          `json:"roles" nullable:"false" doc:"in which it received"`
	Categories []string          `json:"categories" nullable:"false"`
	Classes    map[string]uint64 `json:"classes" doc:"events by transfer class"`
}

// Parties is every party that received anything.
type Parties struct {
	AsOf   AsOf       `json:"as_of"`
	Window Window     `json:"window"`
	Items  []Received `json:"items" nullable:"false"`
}

// A PartyDetail is one party: what it received, and under what.
type PartyDetail struct {
	AsOf     AsOf             `json:"as_of"`
	Window   Window           `json:"window"`
	Party    Received         `json:"party"`
	Register governance.Party `json:"register" doc:"in force at the time asked for, as known at the position"`
}

// Parties lists who received anything. Counting people costs a look at every
// disclosure: they are resolved, not counted by tag.
func (d *Desk) Parties(ctx context.Context, a Asker, q Question) (Parties, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Parties{}, err
	}
	if err := s.wait(ctx, searchView, governanceView); err != nil {
		return Parties{}, err
	}
	out := Parties{AsOf: s.asOf, Window: s.window(), Items: []Received{}}
	everybody := newCrowd(s.vault)
	err = s.search(func(r *search.Reader) error {
		values, err := r.Values(s.plain(), search.Recipient)
		if err != nil {
			return err
		}
		for _, v := range values[search.Recipient] {
			p, err := s.party(r, v.Text, everybody)
			if err != nil {
				return fmt.Errorf("a party: %w", err)
			}
			out.Items = append(out.Items, p)
		}
		return nil
	})
	if err != nil {
		return Parties{}, err
	}
	slices.SortFunc(out.Items, func(a, b Received) int { return strings.Compare(a.Party, b.Party) })
	known, _ := everybody.persons()
	return out, s.recorded(ctx, known, false)
}

// plain is the question's window as a filter.
func (s *sitting) plain() search.Filter {
	return search.Filter{Any: maps.Clone(s.q.Any), From: s.q.From, To: s.q.To, Until: s.asOf.Position}
}

// party sums up what one party received.
func (s *sitting) party(r *search.Reader, code string, everybody *crowd) (Received, error) {
	f := s.plain()
	f.Any = map[search.Facet][]string{search.Recipient: {code}}
	var sum Summary
	people := newCrowd(s.vault)
	if err := sum.fill(r, f, people); err != nil {
		return Received{}, err
	}
	if err := people.resolve(); err != nil {
		return Received{}, err
	}
	everybody.join(people)
	p := Received{Party: code, Events: sum.Events, First: sum.First, Last: sum.Last, Categories: sum.Categories, Classes: map[string]uint64{}}
	p.Persons, p.Unresolved = people.persons()
	values, err := r.Values(f, search.RecipientRole, search.Class)
	if err != nil {
		return Received{}, err
	}
	p.Roles = named(values[search.RecipientRole])
	for _, v := range values[search.Class] {
		p.Classes[v.Text] = v.Count
	}
	reg, known, err := s.registration(code)
	if err != nil {
		return Received{}, err
	}
	p.Registered = known && reg.Registration != nil
	if p.Registered {
		p.Country = reg.Registration.Country
	}
	return p, nil
}

// registration is what the register says of a party at the question's times.
func (s *sitting) registration(code string) (p governance.Party, known bool, err error) {
	at := s.q.At
	if at.IsZero() {
		at = s.now()
	}
	err = s.views.Read(governanceView, func(tx *bolt.Tx) error {
		r, err := governance.Read(tx)
		if err != nil {
			return err
		}
		p, known, err = r.Party(code, at, s.asOf.Position)
		return err
	})
	if err != nil {
		err = fmt.Errorf("reading the register: %w", err)
	}
	return p, known, err
}

// Party shows one party, with its agreements, assessments and locations at the
// question's times. The error wraps ledger.ErrNoEvent if nothing names it.
func (d *Desk) Party(ctx context.Context, a Asker, code string, q Question) (PartyDetail, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return PartyDetail{}, err
	}
	if err := s.wait(ctx, searchView, governanceView); err != nil {
		return PartyDetail{}, err
	}
	out := PartyDetail{AsOf: s.asOf, Window: s.window()}
	err = s.search(func(r *search.Reader) (err error) {
		out.Party, err = s.party(r, code, newCrowd(s.vault))
		return err
	})
	if err != nil {
		return PartyDetail{}, err
	}
	var known bool
	if out.Register, known, err = s.registration(code); err != nil {
		return PartyDetail{}, err
	}
	if !known && out.Party.Events == 0 {
		return PartyDetail{}, fmt.Errorf("%w: no event names this party", ledger.ErrNoEvent)
	}
	return out, s.recorded(ctx, out.Party.Persons, false)
}
