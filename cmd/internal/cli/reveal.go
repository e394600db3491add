package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

const revealLong = `Shows who is behind the masks of an event, or of all events of a session. Each
identity that is shown is recorded first, with the reason and who asked; where the
ledger asks for a second person, with who approved.

` + eventHelp

type revealOptions struct {
	scope
	session, who, reason, words string
	agreement
}

func (s *session) revealCommand() *cobra.Command {
	var o revealOptions
	cmd := &cobra.Command{
		Use:   "reveal EVENT|--session S --reason CODE",
		Short: "Show who is behind masks, for a reason",
		Long:  revealLong,
		Example: `  custody reveal 10541 --reason dsar-15-1-c
  custody reveal --session sess-4711 --who subjects --reason breach-scope --case breach-2026-07
  custody reveal 10541 --who all --reason court-order --wait 10m`,
		Args:              arguments(0, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(cmd, "reason"); err != nil {
				return err
			}
			if err := cmp.Or(oneOf("who", o.who, []string{"actors", "subjects", "all"}), code("reason", o.reason)); err != nil {
				return err
			}
			if (len(args) == 1) == (o.session != "") {
				return misuse("either an event or a --session is asked about")
			}
			event := ""
			if len(args) == 1 {
				event = args[0]
			}
			return s.reveal(cmd.Context(), event, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.session, "session", "", "what producers call a session")
	f.StringVar(&o.who, "who", "actors", "whose identities: actors, subjects or all")
	f.StringVar(&o.reason, "reason", "", "why, a code; it is recorded")
	f.StringVar(&o.words, "words", "", "why, in words; they are recorded and sealed")
	o.windowFlags(cmd)
	o.caseFlag(cmd)
	o.agreement.flags(cmd)
	cmd.RegisterFlagCompletionFunc("who", one([]string{"actors", "subjects", "all"}))
	return cmd
}

func (s *session) reveal(ctx context.Context, event string, o revealOptions) error {
	t, err := s.terms(o.scope, nil)
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	body := t.body()
	body["who"], body["reason"] = o.who, o.reason
	if o.words != "" {
		body["words"] = o.words
	}
	if event == "" {
		body["session"] = o.session
	} else {
		at, err := e.locate(ctx, event)
		if err != nil {
			return e.close(err)
		}
		position, err := strconv.ParseUint(at, 10, 63)
		if err != nil {
			return e.close(misuse("an event is named by its position, by /producer/id, or by its id"))
		}
		body["position"] = position
	}
	var raw json.RawMessage
	if err := e.agreed(ctx, o.agreement, "/v1/reveals", body, &raw); err != nil {
		return e.close(err)
	}
	return e.close(e.revealed(raw))
}

// revealed shows the identities behind masks.
func (e *exchange) revealed(raw json.RawMessage) error {
	if e.format == "json" {
		return e.describe(raw)
	}
	var shown struct {
		preamble
		Items      []json.RawMessage `json:"items"`
		Unresolved int               `json:"unresolved"`
	}
	if err := understand(raw, &shown); err != nil {
		return err
	}
	if err := e.remark(shown.preamble); err != nil {
		return err
	}
	if shown.Unresolved > 0 {
		e.note("besides these, %s of people who were erased or forgotten", some(shown.Unresolved, "tag"))
	}
	columns := sheet{{"mask", "mask", 24}, {"identifier", "id", 32}, {"where", "pointer", 0}}
	rows := e.listing(columns.columns()...)
	for _, item := range shown.Items {
		cells, err := columns.cells(item, e.zone)
		if err != nil {
			return err
		}
		if err := rows.row(item, cells...); err != nil {
			return err
		}
	}
	return rows.end(nil)
}

// caseQuery is the parameters of a question, with the case it is asked for.
func caseQuery(reference string, pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	if reference != "" {
		q.Set("case", reference)
	}
	return q
}
