package ask

import (
	"context"
	"fmt"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/access"
	"github.com/imalink/custody/projections/person"
	"github.com/imalink/custody/projections/search"
)

// filter turns the question into what the view of events understands, once the
// views it takes have come far enough.
func (s *sitting) filter(ctx context.Context) (search.Filter, error) {
	if err := s.wait(ctx, s.viewsNeeded()...); err != nil {
		return search.Filter{}, err
	}
	f := search.Filter{Any: s.unread(), From: s.q.From, To: s.q.To, Until: s.asOf.Position}
	for i, about := range s.q.About {
		positions, err := s.concerning(about)
		if err != nil {
			return search.Filter{}, err
		}
		if i > 0 {
			positions = common(f.Among, positions)
		}
		f.Among = positions
	}
	return f, nil
}

// unread is what the question restricts, and that an answer about somebody leaves
// out who asked about them, unless kinds are named: asking must not change the
// answer. Reads shows it.
func (s *sitting) unread() map[search.Facet][]string {
	if len(s.q.About) == 0 || len(s.q.Any[search.Kind])+len(s.q.Any[search.Family]) > 0 {
		return s.q.Any
	}
	any := maps.Clone(s.q.Any)
	if any == nil {
		any = map[search.Facet][]string{}
	}
	for _, k := range events.Kinds() {
		if !slices.Contains(readings(), k) {
			any[search.Kind] = append(any[search.Kind], k.Name())
		}
	}
	return any
}

func (s *sitting) viewsNeeded() []string {
	names := []string{searchView}
	for _, about := range s.q.About {
		if about.What == Person {
			names = append(names, personView)
		} else {
			names = append(names, accessView)
		}
	}
	return names
}

// checkValues refuses a value that no event can have: a typing error must not
// look like an answer.
func checkValues(filters map[search.Facet][]string) error {
	for facet, values := range filters {
		for _, v := range values {
			known := true
			switch facet {
			case search.Kind:
				known = slices.ContainsFunc(events.Kinds(), func(k events.Kind) bool { return k.Name() == v })
			case search.Family:
				known = slices.ContainsFunc(events.Kinds(), func(k events.Kind) bool { return k.Family() == v })
			case search.Class:
				class, is := law.ParseClass(v)
				known = is && class != law.None
			}
			if !known {
				return fmt.Errorf("%w: there is no such %s", ErrQuestion, facet)
			}
		}
	}
	return nil
}

// concerning gives the positions of the events that concern somebody or a
// session, ascending. It costs a step for each.
func (s *sitting) concerning(about About) (positions []uint64, err error) {
	keys, view, err := s.keys(about)
	if err != nil {
		return nil, fmt.Errorf("finding tags: %w", err)
	}
	read := access.Read
	if view == personView {
		read = person.Read
	}
	positions = []uint64{}
	err = s.views.Read(view, func(tx *bolt.Tx) error {
		r, err := read(tx, s.asOf.Position)
		if err != nil {
			return err
		}
		for position, err := range r.Union(keys, false).From(1) {
			if err != nil {
				return err
			}
			positions = append(positions, position)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the view %s: %w", view, err)
	}
	return positions, nil
}

// common gives what is in both of two ascending lists.
func common(a, b []uint64) []uint64 {
	both := []uint64{}
	for _, position := range a {
		i, found := slices.BinarySearch(b, position)
		if found {
			both = append(both, position)
		}
		b = b[i:]
	}
	return both
}

// keys are those under which a view has somebody, or a session: one for each
// live cell.
func (s *sitting) keys(about About) (keys [][]byte, view string, err error) {
	switch about.What {
	case Person:
		tags, err := s.vault.TagsOf(about.ID.id, vault.Subject)
		for _, t := range tags {
			keys = append(keys, person.Key(cellOf(t.Cell), projections.Tag(t.Tag)))
		}
		return keys, personView, err
	case Acting:
		tags, err := s.vault.TagsOf(about.ID.id, vault.Actor)
		for _, t := range tags {
			keys = append(keys, access.Key(access.Actor, cellOf(t.Cell), projections.Tag(t.Tag)))
		}
		return keys, accessView, err
	}
	for _, cell := range s.vault.Cells() {
		if cell.Role != vault.Actor {
			continue
		}
		if tag, live := s.vault.RefOf(cell, about.ID.id); live {
			keys = append(keys, access.Key(access.Session, cellOf(cell), projections.Tag(tag)))
		}
	}
	return keys, accessView, nil
}

// narrowed is a filter with one facet held to one value.
func narrowed(f search.Filter, facet search.Facet, value string) search.Filter {
	any := maps.Clone(f.Any)
	if any == nil {
		any = map[search.Facet][]string{}
	}
	any[facet] = []string{value}
	f.Any = any
	return f
}
