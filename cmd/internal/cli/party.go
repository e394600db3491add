package cli

import (
	"context"

	"github.com/spf13/cobra"
)

const partyLong = `Shows the parties that received personal data, or one of them: what it received,
and under which registration, agreements, assessments, transfer tools and
subprocessors, as they were in force on the day of --at (default now) and known
at --known-at.

custody party CODE is short for custody party show CODE.

` + scopeHelp

type partyOptions struct {
	scope
	limit int
}

func (s *session) partyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "party [CODE]",
		Short: "Show who received personal data, and under what",
		Long:  partyLong,
		Example: `  custody party list
  custody party acme-bank --at 2025-06-30`,
		Args: arguments(0, 1),
	}
	show := s.partyShowCommand()
	o := partyShowFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return s.partyShow(cmd.Context(), args[0], *o)
	}
	cmd.AddCommand(s.partyListCommand(), show)
	return cmd
}

func partyShowFlags(cmd *cobra.Command) *partyOptions {
	o := &partyOptions{}
	o.windowFlags(cmd)
	o.asOfFlags(cmd)
	return o
}

func (s *session) partyListCommand() *cobra.Command {
	var o partyOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List every party that received anything",
		Long: `Lists every party that received personal data, registered or not: how often, of
how many people, from when to when, and with which transfer classes. People are
counted once however many identifiers they have; those who can no longer be told
apart are counted as unresolved.

` + scopeHelp,
		Example: `  custody party list
  custody party list --from 2025-01-01 --to 2025-12-31 -o csv --out recipients.csv`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return s.partyList(cmd.Context(), o) },
	}
	o.windowFlags(cmd)
	o.asOfFlags(cmd)
	cmd.Flags().IntVar(&o.limit, "limit", 0, "stop after this many (default all)")
	return cmd
}

func (s *session) partyList(ctx context.Context, o partyOptions) error {
	if err := (paging{limit: o.limit}).check(); err != nil {
		return err
	}
	t, err := s.terms(o.scope, nil)
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	l := &list{exchange: e, paging: paging{limit: o.limit}, bar: s.reading, fetch: e.whole("/v1/parties", t.query())}
	l.table = sheet{{"party", "party", 20}, {"registered", "registered", 10}, {"country", "country", 7}, {"events", "events", -8},
		{"persons", "persons", -8}, {"unresolved", "unresolved", -10}, {"classes", "classes", 16}, {"roles", "roles", 16},
		{"first", "first", 23}, {"last", "last", 0}}
	return l.show(ctx)
}

func (s *session) partyShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show CODE",
		Short:             "Show one party and what was in force with it",
		Long:              partyLong,
		Example:           `  custody party show acme-bank --at 2025-06-30 -o json`,
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	o := partyShowFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return s.partyShow(cmd.Context(), args[0], *o) }
	return cmd
}

func (s *session) partyShow(ctx context.Context, code string, o partyOptions) error {
	t, err := s.terms(o.scope, nil)
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	raw, err := e.object(ctx, pathTo("parties", code), t.query())
	if err != nil {
		return e.close(otherwise(err, "custody party list shows who received anything, custody register party who is registered"))
	}
	return e.close(e.outline(raw))
}
