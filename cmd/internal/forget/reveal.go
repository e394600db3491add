package forget

import (
	"context"
	"fmt"

	"github.com/imalink/custody/cmd/internal/ask"
)

// Reveal shows who is behind tags, once that is recorded. Where the ledger asks
// for a second person the error is a [*Waiting] until there is one.
func (o *Office) Reveal(ctx context.Context, a ask.Asker, r ask.RevealRequest, approval string) (ask.Revealed, error) {
	var agreed Agreement
	if o.TwoPersons {
		var err error
		if agreed, err = o.second(a, approval, actOf(r), r, func() (Terms, error) { return revealTerms(&r), nil }); err != nil {
			return ask.Revealed{}, err
		}
	}
	r.Approved = agreed.By
	shown, err := o.Desk.Reveal(ctx, a, r)
	agreed.End(err == nil)
	return shown, err
}

// actOf says in words what is asked, without naming anybody.
func actOf(r ask.RevealRequest) string {
	switch {
	case r.Position != 0:
		return fmt.Sprintf("reveal %s of the event at position %d, because of %s", r.Who, r.Position, r.ReasonCode)
	case r.Session != "":
		return fmt.Sprintf("reveal %s of a session, because of %s", r.Who, r.ReasonCode)
	}
	return "reveal who was looked up, because of " + r.ReasonCode
}
