package demo

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// A Clock is the story's while a year is being recorded, and the machine's
// otherwise. The zero Clock is the machine's. It may be used concurrently.
type Clock struct{ ms atomic.Int64 }

// Now is the time by it.
func (c *Clock) Now() time.Time {
	if ms := c.ms.Load(); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Now()
}

func (c *Clock) set(t time.Time) { c.ms.Store(t.UnixMilli()) }
func (c *Clock) release()        { c.ms.Store(0) }

// batchLines is the most lines recorded together.
const batchLines = 2_000

// together is how long a span of the story is recorded in one batch, as by a
// collector: no event is recorded later than that after it arrived. Large years
// take longer spans, since a batch costs some fsyncs however small it is.
func (y *Year) together() time.Duration {
	if y.Size <= 50_000 {
		return time.Hour
	}
	return 6 * time.Hour
}

// A batch is consecutive lines, as bytes: most need not be understood when a year
// is taken up where it was left.
type batch struct {
	raw     []byte
	ends    []int // of each line in raw
	fresh   int   // lines that are no retries
	source  string
	id      string // with source the identity of the last fresh line
	arrives time.Time

	subs []ledger.Submission // none if all of it is recorded already
	err  error               // why it cannot be recorded
}

// Fill records what is not yet recorded of the year of a home into the ledger
// there, opened with this clock. It tells progress how many events there are, now
// and then. After an error the same call goes on where it was. The error wraps
// that of [ledger.Ledger.Record], or says which line was refused, which is a fault
// of this package.
func (y *Year) Fill(ctx context.Context, h Home, l *ledger.Ledger, clock *Clock, progress func(recorded int)) error {
	plan, err := h.Plan()
	switch {
	case err != nil:
		return err
	case plan.Spec != y.Spec || plan.Version != version:
		return fmt.Errorf("%w: %s", ErrOther, h.Data)
	case plan.Complete:
		return nil
	}
	clock.set(y.start)
	defer clock.release()
	if err := y.producers(ctx, l); err != nil {
		return err
	}
	if err := y.record(ctx, l, clock, progress); err != nil {
		return err
	}
	return h.complete(plan)
}

// producers registers who sends. Those registered already stay.
func (y *Year) producers(ctx context.Context, l *ledger.Ledger) error {
	by := l.Access().Tokens()[0].ID
	for p := range producers {
		_, err := l.Access().PutProducer(ctx, by, access.Producer{Name: p.source()[1:], Families: p.families()})
		if err != nil {
			return fmt.Errorf("registering a producer: %w", err)
		}
	}
	return nil
}

// record records the lines, batch after batch, each when its last line arrives by
// the story's clock. One batch is made while the one before it is recorded.
func (y *Year) record(ctx context.Context, l *ledger.Ledger, clock *Clock, progress func(int)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	recorded := 0
	for b := range y.ahead(ctx, l) {
		if b.err != nil {
			return b.err
		}
		if len(b.subs) > 0 {
			clock.set(b.arrives)
			if err := recordAll(ctx, l, b.subs); err != nil {
				return err
			}
		}
		recorded += b.fresh
		progress(recorded)
	}
	return ctx.Err()
}

// ahead gives the batches, ready to be recorded, until ctx is done.
func (y *Year) ahead(ctx context.Context, l *ledger.Ledger) <-chan *batch {
	made := make(chan *batch, 4)
	go func() {
		defer close(made)
		b, left := &batch{}, true // left: all batches so far were there already
		give := func() bool {
			if left = left && b.recorded(ctx, l); !left {
				b.decode()
			}
			select {
			case made <- b:
				b = &batch{}
				return true
			case <-ctx.Done():
				return false
			}
		}
		for line := range y.Lines() {
			if len(b.ends) == batchLines || len(b.ends) > 0 && line.Arrives.Truncate(y.together()).After(b.arrives) {
				if !give() {
					return
				}
			}
			b.add(line)
		}
		give()
	}()
	return made
}

func (b *batch) add(line Line) {
	b.raw = append(b.raw, line.Raw...)
	b.ends = append(b.ends, len(b.raw))
	b.arrives = line.Arrives
	if !line.Again {
		b.fresh++
		b.source, b.id = line.Source, line.ID
	}
}

// recorded reports whether the ledger has all of the batch: lines are recorded in
// their order, so it has if it has the last fresh one. Retries say nothing.
func (b *batch) recorded(ctx context.Context, l *ledger.Ledger) bool {
	if b.fresh == 0 {
		return true
	}
	position, err := l.Find(ctx, b.source, b.id)
	if err != nil {
		b.err = fmt.Errorf("finding where the year was left: %w", err)
	}
	return position != 0
}

// decode turns the lines into submissions.
func (b *batch) decode() {
	b.subs = make([]ledger.Submission, len(b.ends))
	from := 0
	for i, end := range b.ends {
		e, err := events.Decode(b.raw[from:end])
		if err != nil {
			b.err = fmt.Errorf("an event that was made up is none: %w", err)
			return
		}
		b.subs[i].Event, from = e, end
	}
}

// recordAll records events, of which none may be refused.
func recordAll(ctx context.Context, l *ledger.Ledger, subs []ledger.Submission) error {
	results, err := l.Record(ctx, subs)
	if err != nil {
		return fmt.Errorf("recording the year: %w", err)
	}
	for _, r := range results {
		if r.Status == ledger.Refused {
			return fmt.Errorf("an event that was made up was refused: %w", r.Err)
		}
	}
	return nil
}
