package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/projections/governance"
)

const registerLong = `Shows what the organisation has put on record about itself: its parties and the
agreements with them, assessments, transfer tools, retention schedules, policies
and so on, each in the version in force at --at (default now) and known at
--known-at. Without WHAT it shows everything.

Facts are recorded with custody record, or sent by a register as events of the
family governance.`

// registered are the sorts of things that a register is of.
func registered() []string {
	var names []string
	for _, what := range governance.Whats() {
		names = append(names, string(what))
	}
	return names
}

type registerOptions struct {
	scope
	limit int
}

func (s *session) registerCommand() *cobra.Command {
	var o registerOptions
	cmd := &cobra.Command{
		Use:   "register [WHAT]",
		Short: "Show parties, agreements, assessments and policies in force",
		Long:  registerLong,
		Example: `  custody register party
  custody register agreement --at 2025-06-30 -o json`,
		Args: arguments(0, 1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return registered(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			what := ""
			if len(args) > 0 {
				what = args[0]
				if !slices.Contains(registered(), what) {
					return advise(misuse("there is no such sort of thing in a register"), "there are %s", strings.Join(registered(), ", "))
				}
			}
			return s.register(cmd.Context(), what, o)
		},
	}
	o.asOfFlags(cmd)
	cmd.Flags().IntVar(&o.limit, "limit", 0, "stop after this many (default all)")
	return cmd
}

func (s *session) register(ctx context.Context, what string, o registerOptions) error {
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
	l := &list{exchange: e, paging: paging{limit: o.limit}, bar: s.reading, fetch: e.whole("/v1/register", t.query("what", what))}
	l.table = sheet{{"what", "what", 16}, {"key", "key", 28}, {"position", "version.position", -9}, {"time", "version.time", 23}, {"data", "version.data", 0}}
	return l.show(ctx)
}
