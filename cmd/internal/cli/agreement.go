package cli

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/forget"
)

// agreement is how a command comes by a second person.
type agreement struct {
	approval string
	wait     time.Duration
}

func (o *agreement) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.approval, "approval", "", "what a second person approved, where one is needed")
	f.DurationVar(&o.wait, "wait", 0, "wait so long for a second person to run custody approve (default not)")
}

// agreed posts something that may need a second person, and waits for one if it
// is to.
func (e *exchange) agreed(ctx context.Context, o agreement, path string, body map[string]any, out any) error {
	body = maps.Clone(body)
	if o.approval != "" {
		body["approval"] = o.approval
	}
	deadline := time.Now().Add(o.wait)
	for {
		err := e.ask(ctx, "POST", path, nil, body, out)
		p, ok := errors.AsType[*problem](err)
		if !ok || p.Approval == nil {
			return err
		}
		if body["approval"] == nil {
			e.note("a second person runs: custody approve %s", p.Approval.ID)
		}
		body["approval"] = p.Approval.ID
		if time.Now().After(deadline) {
			return advise(err, "then repeat this with --approval %s, or wait for it with --wait 10m", p.Approval.ID)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *session) approveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "approve [ID]",
		Short: "Be the second person, where two must agree",
		Long: `Approves an act that somebody else asked for, or lists those that wait. Whoever
asked cannot approve; who did is recorded with the act. The list says what exactly
would be done, in codes and counts and without naming anybody; if more or less
would be done by then, it is not. What waits is forgotten after an hour, and when
the server restarts.`,
		Example: `  custody approve
  custody approve 0123456789abcdef0123456789abcdef`,
		Args:              arguments(0, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return s.approvals(cmd.Context())
			}
			return s.approve(cmd.Context(), args[0])
		},
	}
}

// approve says yes. Saying it twice changes nothing.
func (s *session) approve(ctx context.Context, id string) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	var a approval
	if err := e.ask(ctx, "POST", pathTo("approvals", id), nil, nil, &a); err != nil {
		return e.close(otherwise(err, "custody approve lists what waits"))
	}
	return e.close(e.describe(a, field{"approved", a.Act}, field{"exactly", exactly(a.Terms)}, field{"asked by", a.By}, field{"good until", shown(a.Expires, e.zone)}))
}

// approval is an act that waits for a second person.
type approval struct {
	ID       string       `json:"id"`
	Act      string       `json:"act"`
	Terms    forget.Terms `json:"terms"`
	By       string       `json:"by"`
	Asked    string       `json:"asked"`
	Expires  string       `json:"expires"`
	Approved string       `json:"approved_by,omitempty"`
}

// exactly says what is agreed on, each of the terms that there are by its name.
func exactly(t forget.Terms) string {
	var list []string
	say := func(name, value string) {
		if value != "" && value != "0" {
			list = append(list, name+"="+value)
		}
	}
	say("reason", t.Reason)
	say("ground", t.Ground)
	say("request", t.Request)
	say("case", t.Case)
	say("keep", strings.Join(t.Keep, ","))
	say("due", t.Due)
	if t.Now {
		list = append(list, "now")
	}
	say("who", t.Who)
	say("from", t.From)
	say("to", t.To)
	say("class", t.Class)
	say("before", t.Before)
	say("identifiers", count(t.Identifiers))
	say("events", count(t.Events))
	say("acts", count(t.Acts))
	say("cells", count(t.Cells))
	say("held", count(t.Held))
	return strings.Join(list, " ")
}

func (s *session) approvals(ctx context.Context) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	var waiting struct {
		Approvals []approval `json:"approvals"`
	}
	if err := e.ask(ctx, "GET", "/v1/approvals", nil, nil, &waiting); err != nil {
		return e.close(err)
	}
	rows := e.listing(column{"id", 32}, column{"asked by", 16}, column{"approved by", 16}, column{"until", 23}, column{"act", 37}, column{"exactly", 0})
	for _, a := range waiting.Approvals {
		if err := rows.row(a, a.ID, a.By, a.Approved, shown(a.Expires, e.zone), a.Act, exactly(a.Terms)); err != nil {
			return e.close(err)
		}
	}
	return e.close(rows.end(nil))
}
