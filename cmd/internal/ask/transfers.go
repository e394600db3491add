package ask

import (
	"context"
	"maps"

	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/projections/search"
)

// ClassCounts are events by transfer class.
type ClassCounts struct {
	AsOf   AsOf              `json:"as_of"`
	Window Window            `json:"window"`
	Tables string            `json:"tables" doc:"version of the legal tables of this program; each event's class was decided when it was recorded"`
	Counts map[string]uint64 `json:"counts" doc:"classes that occur"`
}

// Transfers lists the events that have a transfer class.
func (d *Desk) Transfers(ctx context.Context, a Asker, q Question) (Page, error) {
	q.classed()
	return d.events(ctx, a, q)
}

// classed narrows a question to events that have a class.
func (q *Question) classed() {
	if len(q.Any[search.Class]) > 0 {
		return
	}
	any := maps.Clone(q.Any)
	if any == nil {
		any = map[search.Facet][]string{}
	}
	for _, class := range law.Classes() {
		any[search.Class] = append(any[search.Class], class.String())
	}
	q.Any = any
}

// TransferCounts counts events by class.
func (d *Desk) TransferCounts(ctx context.Context, a Asker, q Question) (ClassCounts, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return ClassCounts{}, err
	}
	filter, err := s.filter(ctx)
	if err != nil {
		return ClassCounts{}, err
	}
	out := ClassCounts{AsOf: s.asOf, Window: s.window(), Tables: law.Version(), Counts: map[string]uint64{}}
	err = s.search(func(r *search.Reader) error {
		values, err := r.Values(filter, search.Class)
		for _, v := range values[search.Class] {
			out.Counts[v.Text] = v.Count
		}
		return err
	})
	if err != nil {
		return ClassCounts{}, err
	}
	return given(ctx, s, out, 0, false)
}
