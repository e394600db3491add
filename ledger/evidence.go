package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/notary"
)

// Evidence is what makes proofs of the ledger; nil if it keeps none.
func (l *Ledger) Evidence() *notary.Notary { return l.notary }

// openNotary begins to keep evidence, unless pace is 0.
func (l *Ledger) openNotary(pace time.Duration) (err error) {
	if pace == 0 {
		return nil
	}
	n, err := notary.Open(notary.Config{
		Dir: l.paths.evidence(), Keys: l.paths.keys, Pace: pace, Log: l.logger, Now: l.now,
		Stream: notary.Stream{
			Head:   func() uint64 { return l.Head().Position },
			Replay: l.ReplayTo, Event: l.Event, Commit: l.recordCommitment, Announced: l.Announced,
		},
	})
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	l.notary = n
	l.noted.Store(n)
	return nil
}

// notarise hands a durable group over to the notary.
func (l *Ledger) notarise(g *group) {
	if n := l.noted.Load(); n != nil {
		n.Offer(g.base, g.leaves)
	}
}

func (l *Ledger) closeNotary() error {
	if l.notary == nil {
		return nil
	}
	l.noted.Store(nil)
	if err := l.notary.Close(); err != nil {
		return fmt.Errorf("closing the evidence: %w", err)
	}
	return nil
}

// recordCommitment records a commitment, even while the ledger is being closed.
func (l *Ledger) recordCommitment(ctx context.Context, c events.Commitment) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("choosing an id: %w", err)
	}
	e, err := c.Event(id.String(), OwnSource, l.now())
	if err != nil {
		return err
	}
	results, err := l.submit(ctx, []Submission{{Event: e}})
	if err == nil && results[0].Err != nil {
		err = results[0].Err
	}
	return err
}

// RecordKey records that a key which signs evidence is added or retired. Its errors are those of
// [Ledger.RecordQuery].
func (l *Ledger) RecordKey(ctx context.Context, k events.KeyAnnouncement) (position uint64, err error) {
	return l.recordOwn(ctx, "key", nil, k.Event)
}

// Announced are the keys that events announced, of witnesses and auditors, and the log's own that are retired.
func (l *Ledger) Announced(ctx context.Context) (notary.Announced, error) {
	found := make(chan notary.Announced, 1)
	select {
	case l.asked <- func() { found <- l.register.Announced.Clone() }:
		return <-found, nil
	case <-ctx.Done():
		return notary.Announced{}, ctx.Err()
	case <-l.stopped:
		return notary.Announced{}, ErrClosed
	}
}
