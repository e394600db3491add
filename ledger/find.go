package ledger

import (
	"context"
	"fmt"
)

// Find is the position of the event with an identity, 0 if none is recorded. It
// costs a look into the tail and one into the index, whatever the ledger's size.
func (l *Ledger) Find(ctx context.Context, source, id string) (uint64, error) {
	k := identityKey(source, id)
	found := make(chan uint64, 1)
	select {
	case l.asked <- func() { found <- l.tail.find(k) }:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-l.stopped:
		return 0, ErrClosed
	}
	// The tail lets go of a key only once the index has it: who finds it in
	// neither, asking in this order, finds it nowhere.
	if position := <-found; position != 0 {
		return position, nil
	}
	var position [1]uint64
	if err := l.index.Lookup([][16]byte{k}, position[:]); err != nil {
		return 0, fmt.Errorf("identity index: %w", err)
	}
	return position[0], nil
}
