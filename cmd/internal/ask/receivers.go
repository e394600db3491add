package ask

import (
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/recipients"
	"github.com/imalink/custody/projections/search"
)

// chosen is which events count, a bit a position; nil is all.
type chosen []uint64

// chosen gives the events that the question asks for, of those that have one of
// some recipients.
func (s *sitting) chosen(r *search.Reader, codes []string) (chosen, error) {
	f := s.plain()
	if len(f.Any) == 0 && f.From.IsZero() && f.To.IsZero() {
		return nil, nil
	}
	set := make(chosen, s.asOf.Position/64+1)
	for position, err := range r.Walk(narrowed(f, search.Recipient, codes...)) {
		if err != nil {
			return nil, err
		}
		set[position/64] |= 1 << (position % 64)
	}
	return set, nil
}

func (c chosen) has(position uint64) bool { return c == nil || c[position/64]>>(position%64)&1 != 0 }

// receivers adds to receipts the people whose data the party was given by an event
// that counts.
func (s *sitting) receivers(all []receipts, counts chosen) error {
	err := s.views.Read(recipientsView, func(tx *bolt.Tx) error {
		r, err := recipients.Read(tx, s.asOf.Position)
		if err != nil {
			return err
		}
		for _, p := range all {
			for given, err := range r.People(p.party.Party) {
				if err != nil {
					return err
				}
				if slices.ContainsFunc(given.Positions, counts.has) {
					p.people.add(given.Cell, given.Tag)
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading who received: %w", err)
	}
	return nil
}
