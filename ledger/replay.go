package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"sort"
	"time"

	"github.com/imalink/custody/events"
)

// Replay yields the stored events from position from (1 is the first) up to
// the head at the time of the call, contiguous and in order. It stops with an
// error at the first gap; nothing that is not durable is ever yielded. It
// implements [events.Replayer].
func (l *Ledger) Replay(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return l.ReplayTo(ctx, from, l.Head().Position)
}

// ReplayTo is Replay up to and including position to, or the head if that is
// before it.
func (l *Ledger) ReplayTo(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		from, to := max(from, 1), min(to, l.Head().Position)
		if from > to {
			return
		}
		for m, err := range l.events.Replay(ctx, from, to) {
			if err != nil {
				yield(events.Record{}, fmt.Errorf("replay: %w", err))
				return
			}
			if !yield(events.Record{Position: m.Sequence, Digest: sha256.Sum256(m.Data), Raw: m.Data}, nil) {
				return
			}
		}
	}
}

// Event is the stored event at a position. It wraps [ErrNoEvent] if the ledger
// has not come so far.
func (l *Ledger) Event(ctx context.Context, position uint64) (events.Record, error) {
	if head := l.Head().Position; position == 0 || position > head {
		return events.Record{}, fmt.Errorf("%w: position %d of %d", ErrNoEvent, position, head)
	}
	m, err := l.events.Get(ctx, position)
	if err != nil {
		return events.Record{}, fmt.Errorf("reading position %d: %w", position, err)
	}
	return events.Record{Position: position, Digest: sha256.Sum256(m.Data), Raw: m.Data}, nil
}

// RecordedSince is the position of the first event recorded at or after t, or
// one beyond the head. It reads about log2(head) events.
func (l *Ledger) RecordedSince(ctx context.Context, t time.Time) (uint64, error) {
	var failure error
	n := sort.Search(int(l.Head().Position), func(i int) bool {
		if failure != nil {
			return true
		}
		rec, err := l.Event(ctx, uint64(i)+1)
		if err == nil {
			var st *events.Stored
			if st, err = events.DecodeStored(rec.Raw); err == nil {
				return !st.Recorded.Before(t)
			}
		}
		failure = err
		return true
	})
	return uint64(n) + 1, failure
}
