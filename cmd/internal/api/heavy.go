package api

import (
	"context"
	"time"
)

const (
	heavyAtOnce   = 2                // answers that read much of the ledger, at once
	heavyPatience = 20 * time.Second // for which another waits for its turn
)

// heavy waits for a turn to read much of the ledger: proofs that open records, statements. Recording goes on beside
// them. What it gives ends the turn.
func (a *API) heavy(ctx context.Context) (done func(), err error) {
	wait := time.NewTimer(heavyPatience)
	defer wait.Stop()
	select {
	case a.turns <- struct{}{}:
		return func() { <-a.turns }, nil
	case <-wait.C:
		return nil, problem(busy, "other proofs and statements are being made; ask again")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
