package cli

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"
)

const viewsLong = `Shows the views from which questions are answered: how far each has read the
ledger, and whether it serves. A view holds nothing that is not in the ledger: it
can be filled anew at any time, and answers are the same.

  live        up to the ledger, or a moment behind
  building    being filled; it serves once it has caught up
  rebuilding  being filled anew, while the old one serves
  failed      tried again and again; the error says why`

func (s *session) viewsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "views",
		Short: "Show the views that answer questions, or fill one anew",
		Long:  viewsLong,
		Example: `  custody views
  custody views rebuild search`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return group(cmd, args)
			}
			return s.views(cmd.Context())
		},
	}
	cmd.AddCommand(s.viewsRebuildCommand())
	return cmd
}

func (s *session) views(ctx context.Context) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	table := sheet{{"name", "name", 12}, {"version", "version", -7}, {"position", "position", -10}, {"head", "head", -10},
		{"lag", "lag", -8}, {"state", "state", 10}, {"error", "error", 0}}
	rows := e.listing(table.columns()...)
	rows.tint = table.tinted
	for raw, err := range pages[json.RawMessage](ctx, e.client, "/v1/views", "views") {
		if err != nil {
			return rows.end(err)
		}
		cells, err := table.cells(raw, e.zone)
		if err != nil {
			return rows.end(err)
		}
		if err := rows.row(lined(raw), cells...); err != nil {
			return rows.end(err)
		}
	}
	return rows.end(nil)
}

func (s *session) viewsRebuildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild NAME...",
		Short: "Fill views anew, while the old ones serve",
		Long: `Begins to fill views anew from the ledger, and does not wait for the end: custody
views shows how far they are. The old ones serve until then.`,
		Example: `  custody views rebuild search person`,
		Args:    arguments(1, -1),
		RunE:    func(cmd *cobra.Command, args []string) error { return s.rebuild(cmd.Context(), args) },
	}
}

// rebuild begins one view after the other. After an error those before it have
// begun.
func (s *session) rebuild(ctx context.Context, names []string) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	for i, name := range names {
		if err := c.call(ctx, "POST", pathTo("views", name, "rebuild"), nil, nil, nil); err != nil {
			return advise(err, "number %d of %d; those before it have begun", i+1, len(names))
		}
		s.note("begun %d of %d", i+1, len(names))
	}
	return nil
}
