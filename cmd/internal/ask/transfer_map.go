package ask

import (
	"context"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections/search"
	"github.com/imalink/custody/projections/transfers"
)

// A TransferMap is what went where, for what and under what.
type TransferMap struct {
	AsOf   AsOf            `json:"as_of"`
	Window Window          `json:"window"`
	Items  []transfers.Row `json:"items" nullable:"false"`
}

// TransferMap draws the map of the transfers in the question's window: the rows
// with the class, category, party, region, purpose and tool asked for. It reads
// every transfer up to where the answer is complete.
func (d *Desk) TransferMap(ctx context.Context, a Asker, q Question) (TransferMap, error) {
	s, err := d.begin(ctx, a, q)
	if err != nil {
		return TransferMap{}, err
	}
	for facet := range q.Any {
		if _, drawn := drawn(&transfers.Row{})[facet]; !drawn {
			return TransferMap{}, fmt.Errorf("%w: the map has no %s", ErrQuestion, facet)
		}
	}
	if err := s.wait(ctx, transfersView); err != nil {
		return TransferMap{}, err
	}
	out := TransferMap{AsOf: s.asOf, Window: s.window(), Items: []transfers.Row{}}
	err = s.views.Read(transfersView, func(tx *bolt.Tx) error {
		r, err := transfers.Read(tx)
		if err != nil {
			return err
		}
		rows, err := r.Map(transfers.Filter{From: s.q.From, To: s.q.To, Until: s.asOf.Position})
		for _, row := range rows {
			if q.draws(&row) {
				out.Items = append(out.Items, row)
			}
		}
		return err
	})
	if err != nil {
		return TransferMap{}, fmt.Errorf("reading the map of transfers: %w", err)
	}
	return given(ctx, s, out, 0, false)
}

// draws reports whether a row of the map is asked for.
func (q *Question) draws(row *transfers.Row) bool {
	values := drawn(row)
	for facet, asked := range q.Any {
		if !slices.Contains(asked, values[facet]) {
			return false
		}
	}
	return true
}

// drawn is what a row of the map can be asked for by.
func drawn(row *transfers.Row) map[search.Facet]string {
	return map[search.Facet]string{search.Class: row.Class, search.Category: row.Category, search.Party: row.Party,
		search.Region: row.Region, search.Purpose: row.Purpose, search.Tool: row.Tool}
}
