package forget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/vault"
)

var (
	// ErrBlocked is wrapped by a [*Blocked].
	ErrBlocked = errors.New("forget: something is in the way of this retention")
	// ErrTooRecent is returned for a period that ends later than the shortest rule of a
	// schedule would end it.
	ErrTooRecent = errors.New("forget: a class is kept for a month at least after the month that it is of")
	// ErrNothing is returned where nothing is left to forget.
	ErrNothing = errors.New("forget: nothing of this class is older")
)

// Blocked says what is in the way of a retention.
type Blocked struct{ By []ask.Blocking }

func (b *Blocked) Error() string {
	return fmt.Sprintf("%v: %s at position %d", ErrBlocked, b.By[0].Why, b.By[0].Position)
}
func (*Blocked) Unwrap() error { return ErrBlocked }

// A Period is a class of events, and the first month of it that stays.
type Period struct {
	Class  events.Retention
	Before vault.Month
}

// PlanRetention says what ending a period would mean, and changes nothing. What
// is in its way is in the plan.
func (o *Office) PlanRetention(ctx context.Context, a ask.Asker, p Period, forCase string) (ask.RetentionPlan, error) {
	if err := o.ended(p); err != nil {
		return ask.RetentionPlan{}, err
	}
	return o.Desk.Retention(ctx, a, p.Class, p.Before, forCase)
}

// Newest is the first month that is kept at the least: nobody forgets by hand what no
// schedule would, such as what happened yesterday.
func Newest(now time.Time) vault.Month { return vault.MonthOf(now) - minMonths }

func (o *Office) ended(p Period) error {
	if p.Before > Newest(o.Now()) {
		return ErrTooRecent
	}
	return nil
}

// Retain destroys the keys of a class of every month before one. Where the ledger
// asks for a second person the error is a [*Waiting] until there is one; else it is
// a [*Blocked], [ErrTooRecent] or [ErrNothing], or one of the desk's or the
// ledger's. If the answer is lost, asking again does it or finds nothing left.
func (o *Office) Retain(ctx context.Context, a ask.Asker, p Period, forCase, approval string) (*report.Certificate, error) {
	if err := o.ended(p); err != nil {
		return nil, err
	}
	var agreed Agreement
	if o.TwoPersons {
		exact := []any{p.Class, p.Before, forCase}
		var err error
		if agreed, err = o.second(a, approval, actOfRetention, exact, func() (Terms, error) { return o.retentionTerms(ctx, a, p, forCase) }); err != nil {
			return nil, err
		}
	}
	c, err := o.decide(ctx, a, p, forCase, agreed)
	agreed.End(err == nil)
	return c, err
}

func (o *Office) decide(ctx context.Context, a ask.Asker, p Period, forCase string, agreed Agreement) (*report.Certificate, error) {
	plan, err := o.Desk.Retention(ctx, a, p.Class, p.Before, forCase)
	if err != nil {
		return nil, err
	}
	if err := agreed.holds(termsOfRetention(&plan, forCase)); err != nil {
		return nil, err
	}
	who := decider(a)
	who.Approved = agreed.By
	return o.retain(ctx, who, p, plan, "")
}

func (o *Office) retain(ctx context.Context, who events.Who, p Period, plan ask.RetentionPlan, rule string) (*report.Certificate, error) {
	if len(plan.Blocking) == 0 && len(plan.Months) > 0 {
		end, err := o.alone(ctx)
		if err != nil {
			return nil, err
		}
		defer end()
		o.before(ctx)
	}
	for attempt := 0; ; attempt++ {
		switch {
		case len(plan.Blocking) > 0:
			return nil, &Blocked{plan.Blocking}
		case len(plan.Months) == 0:
			return nil, ErrNothing
		}
		done, err := o.Ledger.Forget(ctx, ledger.Forgetting{Who: who, Class: p.Class, Before: p.Before, Held: plan.Rows, AsOf: plan.AsOf.Position})
		switch {
		case err == nil && done.Root == 0:
			return nil, ErrNothing
		case err == nil:
			o.Log.Info("a retention period ended", "class", p.Class.String(), "before", p.Before.String(), "cells", done.Cells, "position", done.Position, "root", done.Root)
			c := o.retained(&plan, rule)
			if err := o.justDestroyed(ctx, c, done.Position); err != nil {
				return nil, err
			}
			return c, nil
		case done.Root != 0:
			return nil, fmt.Errorf("%w: %w", ErrDestroyed, err)
		case !errors.Is(err, ledger.ErrChanged) || attempt == attempts:
			return nil, fmt.Errorf("ending a retention: %w", err)
		}
		if plan, err = o.Desk.RetentionDue(ctx, p.Class, p.Before); err != nil {
			return nil, err
		}
	}
}

// retained is what a plan of a retention says.
func (o *Office) retained(p *ask.RetentionPlan, rule string) *report.Certificate {
	c := o.blank(report.Retained, true)
	c.Retention = &report.Retention{Class: p.Class, Before: report.Month(p.Before), Held: uint64(p.Held), Schedule: rule}
	class, _ := ParseClass(p.Class)
	months := map[events.Retention]map[vault.Month]uint64{class: {}}
	for _, m := range p.Months {
		at, _ := ParseMonth(m.Month) // as the plan spells it
		months[class][at] = uint64(m.Cells)
		c.Retention.Cells += uint64(m.Cells)
	}
	c.Cells = cellsOf(months)
	for _, h := range p.Holds {
		c.Holds = append(c.Holds, report.Hold{Position: h.Position, Hold: h.Hold, Ground: h.Ground, Dataset: h.Dataset, Review: report.Day(h.ReviewDue)})
	}
	return c
}
