package ask

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/projections/governance"
	"github.com/imalink/custody/projections/search"
)

// Received is a party that received personal data, and how much (GDPR Art. 4(9), 30(1)(d)).
type Received struct {
	Party      string            `json:"party"`
	Registered bool              `json:"registered"`
	Country    string            `json:"country,omitempty"`
	Events     uint64            `json:"events" doc:"events that name it as recipient"`
	Persons    *int              `json:"persons,omitempty" doc:"data subjects; linked identifiers are one; absent for roles that may not ask about persons"`
	Unresolved *int              `json:"unresolved,omitempty" doc:"tags of the subjects that are nobody's any more"`
	First      *Instant          `json:"first,omitempty" format:"date-time" doc:"event time"`
	Last       *Instant          `json:"last,omitempty" format:"date-time"`
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

// Parties lists who received anything in what was asked for. Counting people costs a
// step for each person, month and party: they are resolved, not counted by tag.
func (d *Desk) Parties(ctx context.Context, a Asker, q Question) (Parties, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Parties{}, err
	}
	if err := s.wait(ctx, searchView, recipientsView, governanceView); err != nil {
		return Parties{}, err
	}
	all, err := s.receipts(nil)
	if err != nil {
		return Parties{}, err
	}
	out := Parties{AsOf: s.asOf, Window: s.window(), Items: make([]Received, 0, len(all))}
	everybody := newCrowd(s.vault)
	for _, p := range all {
		if _, err := s.resolved(&p); err != nil {
			return Parties{}, err
		}
		everybody.join(p.people)
		out.Items = append(out.Items, p.party)
	}
	known, _ := everybody.persons()
	return given(ctx, s, out, known, false)
}

// plain is the question without people, as a filter.
func (s *sitting) plain() search.Filter {
	return search.Filter{Any: s.q.Any, From: s.q.From, To: s.q.To, Until: s.asOf.Position}
}

// receipts are what one party received, before people are resolved and the
// register is asked.
type receipts struct {
	party  Received
	people *crowd
	known  bool // something registered names it
}

// receipts gives the receipts of some parties; nil is of all that received anything,
// in order of their codes.
func (s *sitting) receipts(codes []string) (all []receipts, err error) {
	var counts chosen
	err = s.search(func(r *search.Reader) error {
		if codes == nil {
			values, err := r.Values(s.plain(), search.Recipient)
			if err != nil {
				return err
			}
			codes = named(values[search.Recipient])
		}
		for _, code := range codes {
			p, err := s.receiptsOf(r, code)
			if err != nil {
				return fmt.Errorf("a party: %w", err)
			}
			all = append(all, p)
		}
		counts, err = s.chosen(r, codes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, s.receivers(all, counts)
}

// receiptsOf gives what a party received, without the people.
func (s *sitting) receiptsOf(r *search.Reader, code string) (receipts, error) {
	f := narrowed(s.plain(), search.Recipient, code)
	var sum Summary
	p := receipts{people: newCrowd(s.vault)}
	if err := sum.fill(r, f); err != nil {
		return p, err
	}
	values, err := r.Values(f, search.RecipientRole, search.Class)
	if err != nil {
		return p, err
	}
	p.party = Received{Party: code, Events: sum.Events, First: sum.First, Last: sum.Last, Categories: sum.Categories,
		Roles: named(values[search.RecipientRole]), Classes: map[string]uint64{}}
	for _, v := range values[search.Class] {
		p.party.Classes[v.Text] = v.Count
	}
	return p, nil
}

// resolved completes receipts, and gives what the register says of the party.
func (s *sitting) resolved(p *receipts) (register governance.Party, err error) {
	if err := p.people.resolve(); err != nil {
		return register, err
	}
	if s.asker.may(access.QueryPersons) {
		known, unresolved := p.people.persons()
		p.party.Persons, p.party.Unresolved = &known, &unresolved
	}
	at := s.inForce()
	if at.IsZero() {
		at = s.now()
	}
	err = s.views.Read(governanceView, func(tx *bolt.Tx) error {
		r, err := governance.Read(tx)
		if err != nil {
			return err
		}
		register, p.known, err = r.Party(p.party.Party, at, s.asOf.Position)
		return err
	})
	if err != nil {
		return register, fmt.Errorf("reading the register: %w", err)
	}
	if register.Registration != nil {
		p.party.Registered, p.party.Country = true, register.Registration.Country
	}
	return register, nil
}

// Party shows one party, with its agreements, assessments and locations at the
// question's times. The error wraps ledger.ErrNoEvent if nothing names it.
func (d *Desk) Party(ctx context.Context, a Asker, code string, q Question) (PartyDetail, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return PartyDetail{}, err
	}
	if err := s.wait(ctx, searchView, recipientsView, governanceView); err != nil {
		return PartyDetail{}, err
	}
	all, err := s.receipts([]string{code})
	if err != nil {
		return PartyDetail{}, err
	}
	p := all[0]
	register, err := s.resolved(&p)
	if err != nil {
		return PartyDetail{}, err
	}
	if !p.known && p.party.Events == 0 {
		return PartyDetail{}, fmt.Errorf("%w: no event names this party", ledger.ErrNoEvent)
	}
	known, _ := p.people.persons()
	return given(ctx, s, PartyDetail{s.asOf, s.window(), p.party, register}, known, false)
}
