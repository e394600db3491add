package forget

import (
	"context"
	"fmt"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
)

// Acts that two people agree on, in words.
const (
	actOfErasure   = "erase what somebody did as an actor"
	actOfRetention = "forget a class of events"
)

// Terms are what a second person is told of an act before they agree: codes and
// counts, and nothing of whom it is about. Which of them there are depends on the
// act.
type Terms struct {
	Reason  string   `json:"reason,omitempty" doc:"why, a code"`
	Ground  string   `json:"ground,omitempty" doc:"why what somebody did as an actor may go, a code"`
	Request string   `json:"request,omitempty" doc:"reference of the person's request"`
	Case    string   `json:"case,omitempty" doc:"what it is asked for, a code"`
	Keep    []string `json:"keep,omitempty" doc:"classes that stay, each with its ground, as disclosure:A17-3-e"`
	Due     string   `json:"due,omitempty" doc:"when keys are destroyed at the latest, if somebody said so" format:"date-time"`
	Now     bool     `json:"now,omitempty" doc:"keys are destroyed at once"`
	Who     string   `json:"who,omitempty" doc:"whose identities are shown"`
	From    string   `json:"from,omitempty" doc:"of which event times" format:"date-time"`
	To      string   `json:"to,omitempty" format:"date-time"`
	Class   string   `json:"class,omitempty" doc:"of retention"`
	Before  string   `json:"before,omitempty" doc:"the first month that stays"`

	Identifiers int    `json:"identifiers,omitempty" doc:"of the one person"`
	Events      uint64 `json:"events,omitempty" doc:"of producers, that list the person; or whose people are forgotten"`
	Acts        uint64 `json:"acts,omitempty" doc:"events of producers in which the person acted, or is named as somebody who acts"`
	Cells       int    `json:"cells,omitempty" doc:"one for each month and role: subject, actor"`
	Held        int    `json:"held,omitempty" doc:"people whose keys stay, because of a legal hold"`
}

// erasureTerms are those of an erasure as things are. They are recorded as a
// question about the person.
func (o *Office) erasureTerms(ctx context.Context, a ask.Asker, r *Request) (Terms, error) {
	m, err := o.Desk.ErasureMeasure(ctx, a, r.Identifier, r.options())
	return r.terms(m), err
}

func (r *Request) terms(m ask.Measure) Terms {
	t := Terms{Reason: r.Reason, Ground: r.Ground, Request: r.Request, Case: r.Case, Due: stamp(r.Due), Now: r.Now,
		Identifiers: m.Identifiers, Events: m.Events, Acts: m.Acts}
	for _, k := range r.Keep {
		t.Keep = append(t.Keep, fmt.Sprintf("%s:%s", k.Class, k.Ground))
	}
	return t
}

// retentionTerms are those of a retention as things are.
func (o *Office) retentionTerms(ctx context.Context, a ask.Asker, p Period, forCase string) (Terms, error) {
	plan, err := o.Desk.Retention(ctx, a, p.Class, p.Before, forCase)
	switch {
	case err != nil:
		return Terms{}, err
	case len(plan.Blocking) > 0:
		return Terms{}, &Blocked{plan.Blocking}
	case len(plan.Months) == 0:
		return Terms{}, ErrNothing
	}
	return termsOfRetention(&plan, forCase), nil
}

func termsOfRetention(p *ask.RetentionPlan, forCase string) Terms {
	return Terms{Case: forCase, Class: p.Class, Before: p.Before, Events: p.Events, Cells: p.Cells(), Held: p.Held}
}

func revealTerms(r *ask.RevealRequest) Terms {
	return Terms{Reason: r.ReasonCode, Case: r.Case, Who: r.Who, From: stamp(r.From), To: stamp(r.To)}
}

// stamp is an instant as text, "" of none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
