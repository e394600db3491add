package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// ErrNobody is returned for an identifier that nobody has. What is asked about
// somebody unknown leaves no trace of the identifier, not even a person.
var ErrNobody = errors.New("ledger: nobody has this identifier")

// RecordQuery records that a question is about to be answered and returns the
// position of that event, which is durable. Without it there is no answer.
//
// An *events.Error says what of q cannot be stored, [ErrNobody] that q names
// somebody unknown; then nothing was recorded. After any other error, those of
// [Ledger.Record], it may have been: asking again records it once more, too
// often rather than not at all.
func (l *Ledger) RecordQuery(ctx context.Context, q events.Query) (position uint64, err error) {
	return l.recordOwn(ctx, "question", slices.Concat(q.Subjects, q.Actors), q.Event)
}

// RecordReveal records that identifiers are about to be shown, and returns the
// position of that event, which is durable. Its errors are those of
// [Ledger.RecordQuery].
func (l *Ledger) RecordReveal(ctx context.Context, r events.Reveal) (position uint64, err error) {
	return l.recordOwn(ctx, "reveal", slices.Concat(r.Subjects, r.Actors), r.Event)
}

// RowOf returns what stands for the person with an identifier in a token of role
// subject: the vault's id of the identifier's row. The error is [ErrNobody] if
// nobody has it; of that no trace is left.
func (l *Ledger) RowOf(identifier string) (string, error) {
	row, err := l.vault.RowOf(vault.Identifier(identifier))
	if errors.Is(err, vault.ErrLimit) || err == nil && row.IsZero() {
		return "", ErrNobody
	}
	if err != nil {
		return "", fmt.Errorf("looking up who a token is for: %w", err)
	}
	return row.String(), nil
}

// recordOwn records one event of the ledger's own about people it knows.
func (l *Ledger) recordOwn(ctx context.Context, what string, people []string, event func(id, source string, at time.Time) (*events.Event, error)) (uint64, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return 0, fmt.Errorf("recording a %s: choosing an id: %w", what, err)
	}
	e, err := event(id.String(), OwnSource, l.now())
	if err != nil {
		return 0, fmt.Errorf("recording a %s: %w", what, err)
	}
	for _, id := range people {
		switch _, known, err := l.vault.Lookup(vault.Identifier(id)); {
		case err != nil:
			return 0, fmt.Errorf("recording a %s: %w: %w", what, ErrNotRecorded, err)
		case !known:
			return 0, fmt.Errorf("recording a %s: %w", what, ErrNobody)
		}
	}
	results, err := l.Record(ctx, []Submission{{Event: e}})
	if err != nil {
		return 0, fmt.Errorf("recording a %s: %w", what, err)
	}
	if refusal := results[0].Err; refusal != nil {
		return 0, fmt.Errorf("recording a %s: %w", what, refusal)
	}
	return results[0].Position, nil
}
