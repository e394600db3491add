package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"

	"github.com/spf13/cobra"
)

func (s *session) erasureCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "erasure",
		Short: "Follow the erasures that were opened",
		Long: `An erasure is known by its number: the position of the event that opened it.
Nothing here names anybody.`,
		Example: `  custody erasure list
  custody erasure show 10543
  custody erasure shred 10543 --certificate erased.json
  custody erasure cancel 10543 --reason withdrawn`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(s.erasureListCommand(), s.erasureShowCommand(), s.erasureShredCommand(), s.erasureCancelCommand())
	return cmd
}

func (s *session) erasureListCommand() *cobra.Command {
	var o scope
	var p paging
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the erasures, open and ended",
		Long: `Lists the erasures that were opened: why, until when, and what became of them.

` + scopeHelp,
		Example: `  custody erasure list
  custody erasure list -o ndjson | jq 'select(.state == "open")'`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.check(); err != nil {
				return err
			}
			t, err := s.terms(o, nil)
			if err != nil {
				return err
			}
			e, err := s.begin()
			if err != nil {
				return err
			}
			l := &list{exchange: e, paging: p, bar: s.reading, fetch: e.paged("/v1/erasures", t, p.order()), table: sheet{
				{"number", "position", -9}, {"opened", "opened", 23}, {"state", "state", 9}, {"due", "due", 23}, {"reason", "reason_code", 18},
				{"request", "request", 20}, {"by", "token", 12}, {"ended at", "ended.position", 0}}}
			return l.show(cmd.Context())
		},
	}
	o.windowFlags(cmd)
	o.asOfFlags(cmd)
	p.flags(cmd)
	return cmd
}

func (s *session) erasureShowCommand() *cobra.Command {
	var o scope
	var files certificateFiles
	cmd := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Show how far an erasure is",
		Long: `Shows one erasure: while it is open, which legal holds are in its way, which legs
are due, and who is to be told. With --certificate or --pdf its certificate is
written, in a copy that names nobody.`,
		Example: `  custody erasure show 10543
  custody erasure show 10543 --pdf erasure-10543.pdf --lang nl`,
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := erasurePath(args[0])
			if err != nil {
				return err
			}
			return s.showErasure(cmd.Context(), path, o, files)
		},
	}
	o.caseFlag(cmd)
	files.flags(cmd)
	return cmd
}

func erasurePath(number string) (string, error) {
	if n, err := strconv.ParseUint(number, 10, 63); err != nil || n == 0 {
		return "", advise(misuse("an erasure is named by its number"), "custody erasure list shows them")
	}
	return pathTo("erasures", number), nil
}

func (s *session) showErasure(ctx context.Context, path string, o scope, files certificateFiles) error {
	if err := files.check(s.outFile); err != nil {
		return err
	}
	t, err := s.terms(o, nil)
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	if files.json == "" && files.pdf == "" {
		raw, err := e.object(ctx, path, t.query())
		if err != nil {
			return e.close(otherwise(err, "custody erasure list shows the numbers there are"))
		}
		return e.close(e.outline(raw))
	}
	raw, err := e.object(ctx, path+"/certificate", t.query())
	if err != nil {
		return e.close(otherwise(err, "custody erasure list shows the numbers there are"))
	}
	return e.close(e.certificate(raw, files))
}

func (s *session) erasureShredCommand() *cobra.Command {
	var reference string
	var files certificateFiles
	cmd := &cobra.Command{
		Use:   "shred NUMBER",
		Short: "Destroy the keys of an open erasure at once",
		Long: `Carries out an erasure that is open, before its legs are done and before its day.
What is still due then stands on the certificate.`,
		Example:           `  custody erasure shred 10543 --certificate erased.json --pdf erased.pdf`,
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := erasurePath(args[0])
			if err != nil {
				return err
			}
			if err := cmp.Or(code("case", reference), files.check(s.outFile)); err != nil {
				return err
			}
			e, err := s.begin()
			if err != nil {
				return err
			}
			var raw json.RawMessage
			if err := e.ask(cmd.Context(), "POST", path+"/shred", nil, caseBody(reference), &raw); err != nil {
				return e.close(otherwise(err, "custody erasure list shows the numbers there are"))
			}
			return e.close(e.certificate(raw, files))
		},
	}
	cmd.Flags().StringVar(&reference, "case", "", "the case this is asked for; it is recorded")
	files.flags(cmd)
	return cmd
}

func caseBody(reference string) map[string]any {
	if reference == "" {
		return map[string]any{}
	}
	return map[string]any{"case": reference}
}

func (s *session) erasureCancelCommand() *cobra.Command {
	var reason, reference string
	cmd := &cobra.Command{
		Use:               "cancel NUMBER --reason CODE",
		Short:             "End an open erasure without carrying it out",
		Long:              `Cancels an erasure that is open. The person is no longer restricted because of it.`,
		Example:           `  custody erasure cancel 10543 --reason withdrawn`,
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(cmd, "reason"); err != nil {
				return err
			}
			if err := cmp.Or(code("reason", reason), code("case", reference)); err != nil {
				return err
			}
			path, err := erasurePath(args[0])
			if err != nil {
				return err
			}
			e, err := s.begin()
			if err != nil {
				return err
			}
			body := caseBody(reference)
			body["reason"] = reason
			var at struct {
				Position uint64 `json:"position"`
			}
			if err := e.ask(cmd.Context(), "POST", path+"/cancel", nil, body, &at); err != nil {
				return e.close(otherwise(err, "custody erasure list shows the numbers there are"))
			}
			return e.close(e.describe(at, field{"cancelled", "at position " + strconv.FormatUint(at.Position, 10)}))
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, a code such as withdrawn; it is recorded")
	cmd.Flags().StringVar(&reference, "case", "", "the case this is asked for; it is recorded")
	return cmd
}
