package api

import (
	"context"
	"time"

	"github.com/imalink/custody/ledger"
)

// slowLedger takes its time to record, and notes if it is told to stop.
type slowLedger struct {
	*fakeLedger
	wait      time.Duration
	cancelled bool
}

func (l *slowLedger) Record(ctx context.Context, subs []ledger.Submission) ([]ledger.Result, error) {
	select {
	case <-time.After(l.wait):
	case <-ctx.Done():
		l.cancelled = true
		return nil, ctx.Err()
	}
	return l.fakeLedger.Record(ctx, subs)
}
