package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/imalink/custody/events"
)

// pendingFormat is the version of what the vault keeps of a pending event.
const pendingFormat = 1

// A pending is a ledger.key-shredded that the vault keeps with the keys that are
// in force since, until it is recorded: a crash between the two loses neither.
// It names nobody. FORMAT.md, "Pending event".
type pending struct {
	Format   int       `json:"format"`
	ID       string    `json:"id"` // of the event
	At       time.Time `json:"at"`
	Role     string    `json:"role"`
	Token    string    `json:"token"`
	Approved string    `json:"approved_by,omitempty"`
	Erasure  uint64    `json:"erasure,omitempty"`
	Class    uint8     `json:"class,omitempty"`
	Before   string    `json:"before,omitempty"`
	Former   uint64    `json:"former"`
	Root     uint64    `json:"root"`
}

func newPending(s events.Shredding, now time.Time) (pending, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return pending{}, fmt.Errorf("%w: choosing an id: %w", ErrNotRecorded, err)
	}
	p := pending{
		Format: pendingFormat, ID: id.String(), At: now.UTC().Truncate(time.Millisecond),
		Role: s.Role, Token: s.Token, Approved: s.Approved, Erasure: s.Erasure, Class: uint8(s.Class), Before: s.Before, Former: s.Former, Root: s.Root,
	}
	if _, err := p.event(); err != nil {
		return pending{}, fmt.Errorf("what an erasure is recorded as: %w", err)
	}
	return p, nil
}

func (p pending) event() (*events.Event, error) {
	return events.Shredding{
		Who:     events.Who{Role: p.Role, Token: p.Token, Approved: p.Approved},
		Erasure: p.Erasure, Class: events.Retention(p.Class), Before: p.Before, Former: p.Former, Root: p.Root,
	}.Event(p.ID, OwnSource, p.At)
}

func (p pending) encode() []byte {
	b, _ := json.Marshal(p) // texts, numbers and a time: cannot fail
	return b
}

// decodePending accepts exactly what encode gives.
func decodePending(b []byte) (p pending, err error) {
	if err := json.Unmarshal(b, &p); err != nil || p.Format != pendingFormat || !bytes.Equal(p.encode(), b) {
		return pending{}, fmt.Errorf("%w: the vault's pending event is not one", ErrDamaged)
	}
	if _, err := p.event(); err != nil {
		return pending{}, fmt.Errorf("%w: the vault's pending event: %w", ErrDamaged, err)
	}
	return p, nil
}

// recordPending records p and returns its position. Repeating it gives the same.
func (l *Ledger) recordPending(ctx context.Context, p pending) (uint64, error) {
	e, err := p.event()
	if err != nil {
		return 0, err
	}
	results, err := l.submit(context.WithoutCancel(ctx), []Submission{{Event: e}})
	if err != nil {
		return 0, fmt.Errorf("recording that keys were destroyed: %w", err)
	}
	if refusal := results[0].Err; refusal != nil {
		return 0, fmt.Errorf("recording that keys were destroyed: %w", refusal)
	}
	return results[0].Position, nil
}

// finishPending records what the vault has pending, if a crash came between.
// After an error nothing was recorded, or it is not known: opening again tries
// again.
func (l *Ledger) finishPending(ctx context.Context) error {
	b := l.vault.Pending()
	if b == nil {
		return nil
	}
	p, err := decodePending(b)
	if err != nil {
		return err
	}
	position, err := l.Find(ctx, OwnSource, p.ID)
	if err != nil || position != 0 {
		return err
	}
	position, err = l.recordPending(ctx, p)
	if err != nil {
		return err
	}
	l.logger.Warn("keys were destroyed and a crash came before it was recorded: it is now", "position", position)
	return nil
}
