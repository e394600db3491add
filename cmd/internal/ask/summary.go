package ask

import (
	"context"
	"maps"
	"slices"

	"github.com/imalink/custody/projections/search"
)

// A Summary is the extent of some events: the figures of a breach (GDPR Art.
// 33(3)(a)). Who the people are needs another question.
type Summary struct {
	AsOf       AsOf              `json:"as_of"`
	Window     Window            `json:"window"`
	Events     uint64            `json:"events"`
	Persons    int               `json:"persons" doc:"data subjects; linked identifiers are one"`
	Unresolved int               `json:"unresolved" doc:"tags of the subjects that are nobody's any more: erased, or forgotten"`
	Categories []string          `json:"categories" nullable:"false"`
	Systems    []string          `json:"systems" nullable:"false"`
	Kinds      map[string]uint64 `json:"kinds"`
	First      *Instant          `json:"first,omitempty" format:"date-time" doc:"event time"`
	Last       *Instant          `json:"last,omitempty" format:"date-time"`
}

// SessionSummary says how far a session went.
func (d *Desk) SessionSummary(ctx context.Context, a Asker, handle string, q Question) (Summary, error) {
	if err := d.about(a, Session, handle, &q); err != nil {
		return Summary{}, err
	}
	return d.summary(ctx, a, q)
}

// summary sums up the events of a question whose handles are open. It costs a look
// at each of them: the people are counted by resolving.
func (d *Desk) summary(ctx context.Context, a Asker, q Question) (Summary, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return Summary{}, err
	}
	return s.summary(ctx)
}

func (s *sitting) summary(ctx context.Context) (Summary, error) {
	filter, err := s.filter(ctx)
	if err != nil {
		return Summary{}, err
	}
	out := Summary{AsOf: s.asOf, Window: s.window()}
	people := newCrowd(s.vault)
	err = s.search(func(r *search.Reader) error {
		if err := out.fill(r, filter); err != nil {
			return err
		}
		return subjects(r, filter, people)
	})
	if err != nil {
		return Summary{}, err
	}
	if err := people.resolve(); err != nil {
		return Summary{}, err
	}
	out.Persons, out.Unresolved = people.persons()
	return given(ctx, s, out, out.Persons, false)
}

// subjects adds to a crowd the subjects of events.
func subjects(r *search.Reader, f search.Filter, people *crowd) error {
	for position, err := range r.Walk(f) {
		if err != nil {
			return err
		}
		p, err := r.People(position)
		if err != nil {
			return err
		}
		people.add(p.SubjectCell, p.Subjects...)
	}
	return nil
}

// fill sums up all but the people.
func (out *Summary) fill(r *search.Reader, f search.Filter) (err error) {
	if out.Events, err = r.Count(f); err != nil {
		return err
	}
	first, last, some, err := r.Span(f)
	if err != nil {
		return err
	}
	if some {
		out.First, out.Last = instant(first), instant(last)
	}
	values, err := r.Values(f, search.Category, search.System, search.Kind)
	if err != nil {
		return err
	}
	out.Kinds = map[string]uint64{}
	for _, v := range values[search.Kind] {
		out.Kinds[v.Text] = v.Count
	}
	out.Categories = named(values[search.Category])
	out.Systems = named(values[search.System])
	return nil
}

// named gives the values, in alphabetical order.
func named(values []search.ValueCount) []string {
	names := map[string]bool{}
	for _, v := range values {
		names[v.Text] = true
	}
	return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(names))))
}
