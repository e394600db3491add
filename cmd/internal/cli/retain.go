package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/forget"
)

const retainLong = `Ends how long a class of events is kept (GDPR Art. 5(1)(e)): the keys of every
month of that class before --before are destroyed. Afterwards nobody, of whatever
person, can tell who those events were about, nor open what was sealed in them.
Later months and other classes are untouched, and the events themselves stay. What
is of this month or the one before stays: --before is at most the month before this.

--dry-run says what goes. At a terminal the same is said, and yes is asked for,
unless --yes is given. Where the server runs with --two-persons, a second person
runs custody approve.

A legal hold that names people keeps their keys. One that names nobody is in the
way, and so is an erasure that is open and would be forgotten.

With --schedule a file says how long each class is kept; custody serve with
--retention carries it out every month. Its form:

  {"format": 1, "keep": [{"class": "access", "months": 36}]}`

type retainOptions struct {
	certificateFiles
	class, before, schedule, reference string
	dryRun, yes                        bool
	agreement
}

func (s *session) retainCommand() *cobra.Command {
	var o retainOptions
	cmd := &cobra.Command{
		Use:   "retain --class CLASS --before MONTH",
		Short: "Forget a class of events before a month",
		Long:  retainLong,
		Example: `  custody retain --class access --before 2023-07 --dry-run
  custody retain --class access --before 2023-07 --certificate retained.json
  custody retain --schedule retention.json --dry-run`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.schedule != "" {
				if o.class != "" || o.before != "" || o.json != "" || o.pdf != "" {
					return misuse("--schedule says the classes and months itself, and gives no certificate")
				}
				if o.approval != "" {
					return misuse("an approval is of one class: with --schedule wait for each, with --wait 10m")
				}
				if err := code("case", o.reference); err != nil {
					return err
				}
				return s.retainSchedule(cmd.Context(), o)
			}
			if err := required(cmd, "class", "before"); err != nil {
				return err
			}
			if err := cmp.Or(o.check(), code("case", o.reference)); err != nil {
				return err
			}
			if o.dryRun && (o.json != "" || o.pdf != "") {
				return misuse("--dry-run destroys nothing, and gives no certificate")
			}
			return s.retain(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.class, "class", "", "access, disclosure, legal-state, governance, breach or operation")
	f.StringVar(&o.before, "before", "", "the first month that stays, as 2023-07; the one before this month at the latest")
	f.StringVar(&o.schedule, "schedule", "", "file that says how long each class is kept")
	f.StringVar(&o.reference, "case", "", "the case this is asked for; it is recorded")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would go, and change nothing")
	f.BoolVar(&o.yes, "yes", false, "do not ask at a terminal")
	o.certificateFiles.flags(cmd)
	o.agreement.flags(cmd)
	cmd.RegisterFlagCompletionFunc("class", one(retentionClasses()))
	return cmd
}

func (s *session) retain(ctx context.Context, o retainOptions) error {
	if err := o.certificateFiles.check(s.outFile); err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	if o.dryRun {
		raw, err := e.object(ctx, pathTo("retention", o.class), caseQuery(o.reference, "before", o.before))
		if err != nil {
			return e.close(err)
		}
		return e.close(e.outline(raw))
	}
	if err := s.confirmPlan(ctx, e, o); err != nil {
		return e.close(err)
	}
	var raw json.RawMessage
	if err := e.agreed(ctx, o.agreement, "/v1/retention", o.body(o.class, o.before), &raw); err != nil {
		return e.close(err)
	}
	return e.close(e.certificate(raw, o.certificateFiles))
}

func (o *retainOptions) body(class, before string) map[string]any {
	body := caseBody(o.reference)
	body["class"], body["before"] = class, before
	return body
}

// confirmPlan says what goes to whoever is at the terminal, and asks.
func (s *session) confirmPlan(ctx context.Context, e *exchange, o retainOptions) error {
	if o.yes || !terminal(s.Stdin) {
		return nil
	}
	plan, err := e.retentionPlan(ctx, o.class, o.before, o.reference)
	if err != nil {
		return err
	}
	return s.confirm(o.yes, plan.says(o.class, o.before))
}

// retentionPlan is what is read of a plan of a retention.
type retentionPlan struct {
	Events uint64 `json:"events"`
	Held   uint64 `json:"held"`
	Months []struct {
		Month string `json:"month"`
		Cells uint64 `json:"cells"`
	} `json:"months"`
	Blocking []struct {
		Position uint64 `json:"position"`
		Why      string `json:"why"`
	} `json:"blocking"`
}

func (e *exchange) retentionPlan(ctx context.Context, class, before, reference string) (p retentionPlan, err error) {
	err = e.ask(ctx, "GET", pathTo("retention", class), caseQuery(reference, "before", before), nil, &p)
	return p, err
}

// says what goes, in a sentence.
func (p *retentionPlan) says(class, before string) string {
	return fmt.Sprintf("The keys of class %s before %s are destroyed: %s of %s; of %s, people can no longer be told, and what is sealed no longer be opened. Held: %s.",
		class, before, some(int(p.cells()), "cell"), some(len(p.Months), "month"), some(int(p.Events), "event"), count(p.Held))
}

func (p *retentionPlan) cells() (n uint64) {
	for _, m := range p.Months {
		n += m.Cells
	}
	return n
}

// retainSchedule carries out every rule of a schedule, or says what it would do.
// One that cannot be carried out does not hold up the others.
func (s *session) retainSchedule(ctx context.Context, o retainOptions) error {
	schedule, err := forget.ReadSchedule(o.schedule)
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	rows := e.listing(column{"class", 12}, column{"months", -7}, column{"before", 8}, column{"events", -9}, column{"held", -6}, column{"outcome", 0})
	var failed error
	for _, rule := range schedule.Keep {
		done, err := s.rule(ctx, e, rule, o)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", rule.Class, err))
			done.Outcome = cmp.Or(done.Outcome, "not done")
		}
		if err := rows.row(done, done.Class, fmt.Sprint(rule.Months), done.Before, count(done.Events), count(done.Held), done.Outcome); err != nil {
			return e.close(err)
		}
	}
	return e.close(rows.end(failed))
}

// ruled is what one rule of a schedule does.
type ruled struct {
	Class   string `json:"class"`
	Before  string `json:"before"`
	Events  uint64 `json:"events"`
	Held    uint64 `json:"held"`
	Outcome string `json:"outcome"`
}

func (s *session) rule(ctx context.Context, e *exchange, rule forget.Rule, o retainOptions) (ruled, error) {
	out := ruled{Class: rule.Class.String(), Before: rule.Before(time.Now()).String()}
	plan, err := e.retentionPlan(ctx, out.Class, out.Before, o.reference)
	if err != nil {
		return out, err
	}
	out.Events, out.Held = plan.Events, plan.Held
	switch {
	case len(plan.Months) == 0:
		out.Outcome = "nothing is older"
		return out, nil
	case len(plan.Blocking) > 0:
		p := &problem{Blocking: plan.Blocking}
		out.Outcome = "in the way: " + p.inTheWay()
		if !o.dryRun {
			return out, errors.New("something is in the way")
		}
		return out, nil
	case o.dryRun:
		out.Outcome = "would be forgotten"
		return out, nil
	}
	if err := s.confirm(o.yes, plan.says(out.Class, out.Before)); err != nil {
		return out, err
	}
	if err := e.agreed(ctx, o.agreement, "/v1/retention", o.body(out.Class, out.Before), nil); err != nil {
		return out, err
	}
	out.Outcome = "forgotten"
	return out, nil
}
