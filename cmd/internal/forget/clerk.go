package forget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/events"
)

// rounds is how often the clerk looks at what is due.
const rounds = time.Hour

// maxNamed bounds how many open erasures one line of the log has the numbers of.
const maxNamed = 100

// A clerk is in the ledger as this token, of the role of operators: nobody asked,
// the day came.
func clerk() events.Who { return events.Who{Role: "operator", Token: "clerk"} }

// Run carries out what is due, now and every hour, until ctx ends: erasures whose
// legs are done or whose day has come, and the retention schedule, if there is
// one. What cannot be carried out is logged, and tried again an hour later. What is
// open at first is logged, too: an erasure that was to be carried out at once and
// did not come to it waits for its day.
func (o *Office) Run(ctx context.Context, schedule *Schedule) {
	if err := o.Opened(ctx); err != nil && ctx.Err() == nil {
		o.Log.Error("erasures that are open were not all found", "error", err)
	}
	tick := time.NewTicker(rounds)
	defer tick.Stop()
	for {
		if err := o.Due(ctx); err != nil && ctx.Err() == nil {
			o.Log.Error("erasures that are due were not all carried out", "error", err)
		}
		if schedule != nil {
			if err := o.Keep(ctx, *schedule); err != nil && ctx.Err() == nil {
				o.Log.Error("the retention schedule was not carried out as a whole", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Opened logs which erasures are open, the oldest first.
func (o *Office) Opened(ctx context.Context) error {
	open, err := o.Desk.OpenErasures(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	numbers := make([]uint64, min(len(open), maxNamed))
	for i := range numbers {
		numbers[i] = open[i].Position
	}
	o.Log.Warn("erasures are open", "count", len(open), "erasures", numbers)
	return nil
}

// Due carries out every open erasure whose legs are all done and whose recipients
// were told, or whose day has come. One that cannot be carried out does not hold
// up the others; the error joins what went wrong.
func (o *Office) Due(ctx context.Context) error {
	open, err := o.Desk.OpenErasures(ctx)
	if err != nil {
		return fmt.Errorf("finding open erasures: %w", err)
	}
	var failed []error
	for _, e := range open {
		if !e.Complete && o.Now().Before(e.Due) {
			continue
		}
		if err := o.pursue(ctx, e.Position); err != nil && !errors.Is(err, ErrEnded) {
			failed = append(failed, fmt.Errorf("erasure %d: %w", e.Position, err))
		}
	}
	return errors.Join(failed...)
}

// pursue carries out one erasure whose time has come.
func (o *Office) pursue(ctx context.Context, position uint64) error {
	o.turn.Lock()
	defer o.turn.Unlock()
	d, err := o.Desk.Pursue(ctx, position)
	if err == nil {
		_, err = o.carryOut(ctx, clerk(), &d)
	}
	return err
}

// Keep ends the retention of whatever is older than a schedule keeps it.
func (o *Office) Keep(ctx context.Context, s Schedule) error {
	var failed []error
	for _, rule := range s.Keep {
		p := Period{rule.Class, rule.Before(o.Now())}
		plan, err := o.Desk.RetentionDue(ctx, p.Class, p.Before)
		if err == nil && len(plan.Months) > 0 {
			o.announce(&plan, rule)
			_, err = o.retain(ctx, clerk(), p, plan, fmt.Sprintf("months-%d", rule.Months))
		}
		if err != nil && !errors.Is(err, ErrNothing) {
			failed = append(failed, fmt.Errorf("%s before %s: %w", p.Class, p.Before, err))
		}
	}
	return errors.Join(failed...)
}

// announce logs what a rule is about to destroy.
func (o *Office) announce(p *ask.RetentionPlan, rule Rule) {
	if len(p.Blocking) > 0 {
		return
	}
	o.Log.Warn("the retention schedule is about to destroy keys", "class", p.Class, "months", rule.Months, "from", p.Months[0].Month,
		"before", p.Before, "cells", p.Cells(), "events", p.Events, "held", p.Held)
}
