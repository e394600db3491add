package ask

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger/vault"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/access"
	"github.com/imalink/custody/projections/person"
	"github.com/imalink/custody/projections/postings"
	"github.com/imalink/custody/projections/search"
)

// filter turns the question into what the view of events understands, once the
// views it takes have come far enough.
func (s *sitting) filter(ctx context.Context) (search.Filter, error) {
	f, err := s.beside(ctx)
	if err != nil {
		return search.Filter{}, err
	}
	f.Among, _, err = s.concerning(math.MaxInt)
	return f, err
}

// beside is the filter but for whom the question is about.
func (s *sitting) beside(ctx context.Context) (search.Filter, error) {
	if err := s.wait(ctx, s.viewsNeeded()...); err != nil {
		return search.Filter{}, err
	}
	f := s.plain()
	f.Any = s.unread()
	return f, nil
}

// listing reads, by read, a page of what the question is about. A page behind the
// first looks at what concerns somebody from the cursor on, and at more of it, by
// read again, until the page is full: it does not cost a step for all of it.
func (s *sitting) listing(ctx context.Context, read func(*search.Reader, search.Filter) (more bool, err error)) error {
	f, err := s.beside(ctx)
	if err != nil {
		return err
	}
	most := math.MaxInt
	if s.continues() {
		most = s.stretch
	}
	for {
		var whole, more bool
		if f.Among, whole, err = s.concerning(most); err != nil {
			return err
		}
		err := s.search(func(r *search.Reader) (err error) {
			more, err = read(r, f)
			return err
		})
		if err != nil || more || whole {
			return err
		}
		most *= 4
	}
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

// concerning gives the positions of the events that concern everybody, and the
// session, that the question is about, ascending; nil if it is about nobody. They
// begin behind the cursor, in the order of the list. Of the first whom it is about
// it looks at so many at most, and reports whether these were all.
func (s *sitting) concerning(most int) (positions []uint64, whole bool, err error) {
	newest := s.continues() && s.q.Newest
	from := s.after + 1
	if newest {
		from = s.after - 1
	}
	whole = true
	for i, about := range s.q.About {
		err := s.union(about, newest, func(u *postings.Union) (err error) {
			if i > 0 {
				positions, err = common(positions, u)
				return err
			}
			positions = []uint64{}
			for position, err := range u.From(from) {
				if err != nil {
					return err
				}
				if whole = len(positions) < most; !whole {
					break
				}
				positions = append(positions, position)
			}
			return nil
		})
		if err != nil {
			return nil, false, err
		}
	}
	if newest {
		slices.Reverse(positions)
	}
	positions, err = s.shareable(positions)
	return positions, whole, err
}

// union goes through the positions of the events that concern somebody or a
// session.
func (s *sitting) union(about About, newest bool, fn func(*postings.Union) error) error {
	keys, view, err := s.keys(about)
	if err != nil {
		return fmt.Errorf("finding tags: %w", err)
	}
	return s.under(keys, view, newest, fn)
}

// under goes through the positions of the events that a view has under keys.
func (s *sitting) under(keys [][]byte, view string, newest bool, fn func(*postings.Union) error) error {
	read := access.Read
	if view == personView {
		read = person.Read
	}
	err := s.views.Read(view, func(tx *bolt.Tx) error {
		r, err := read(tx, s.asOf.Position)
		if err != nil {
			return err
		}
		return fn(r.Union(keys, newest))
	})
	if err != nil {
		return fmt.Errorf("reading the view %s: %w", view, err)
	}
	return nil
}

// positions are those of the events that a view has under keys, ascending; not nil.
func (s *sitting) positions(keys [][]byte, view string) ([]uint64, error) {
	positions := []uint64{}
	err := s.under(keys, view, false, func(u *postings.Union) error {
		for position, err := range u.From(1) {
			if err != nil {
				return err
			}
			positions = append(positions, position)
		}
		return nil
	})
	return positions, err
}

// common keeps of some positions, in the order of a union, those that it has.
func common(positions []uint64, u *postings.Union) ([]uint64, error) {
	both := positions[:0]
	for _, position := range positions {
		switch found, ok, err := u.Seek(position); {
		case err != nil:
			return nil, err
		case !ok:
			return both, nil
		case found == position:
			both = append(both, position)
		}
	}
	return both, nil
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

// narrowed is a filter with one facet held to some values.
func narrowed(f search.Filter, facet search.Facet, values ...string) search.Filter {
	any := maps.Clone(f.Any)
	if any == nil {
		any = map[search.Facet][]string{}
	}
	any[facet] = values
	f.Any = any
	return f
}
