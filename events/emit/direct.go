package emit

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/imalink/custody/events"
)

// direct is the queue of an emitter without a spool: whoever emits waits until the ledger has the event. What
// gathers while one batch is in flight goes with the next. An event gets its number when it is first sent, so
// that one nobody waits for any more before that leaves no hole.
type direct struct {
	e    *Emitter
	wake chan struct{} // capacity 1: somebody waits

	mu      sync.Mutex
	waiting []*waiter // in order
	sending int       // events in flight
	next    uint64    // number of the next event
	closed  bool
	empty   chan struct{} // closed when nothing waits and nothing is in flight; nil: nobody asks
}

// A waiter is an event somebody waits for.
type waiter struct {
	event  *events.Event
	number bool          // it is to be numbered
	done   chan struct{} // closed when result or err is set
	result Result
	err    error
}

func newDirect(e *Emitter) *direct {
	return &direct{e: e, wake: make(chan struct{}, 1), next: 1}
}

func (d *direct) put(ctx context.Context, ev *events.Event, number bool) (Receipt, error) {
	w := &waiter{event: ev, number: number, done: make(chan struct{})}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return Receipt{}, ErrClosed
	}
	d.waiting = append(d.waiting, w)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		if d.leave(w) {
			return Receipt{}, fmt.Errorf("emit: not sent: %w", ctx.Err())
		}
		select {
		case <-w.done:
		default:
			return Receipt{ID: ev.ID}, fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
		}
	}
	switch {
	case w.err != nil:
		return Receipt{ID: ev.ID, Number: ev.Seq}, w.err
	case w.result.Status == Refused:
		return Receipt{}, fmt.Errorf("emit: the ledger refuses it: %w", w.result.Err)
	}
	return Receipt{ID: ev.ID, Number: ev.Seq, Position: w.result.Position}, nil
}

// leave takes back what has not been sent.
func (d *direct) leave(w *waiter) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, other := range d.waiting {
		if other == w {
			d.waiting = append(d.waiting[:i], d.waiting[i+1:]...)
			d.settled()
			return true
		}
	}
	return false
}

func (d *direct) run(ctx context.Context) {
	c := d.e.courier(false)
	for {
		if batch, raw := d.take(); len(batch) > 0 {
			results, err := c.deliver(ctx, raw)
			d.settle(batch, results, err)
			continue
		}
		select {
		case <-d.wake:
		case <-ctx.Done():
			return
		}
	}
}

// take numbers the events that wait, as many as one batch has.
func (d *direct) take() (batch []*waiter, raw [][]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(len(d.waiting), batchEvents)
	batch, d.waiting = d.waiting[:n:n], d.waiting[n:]
	for _, w := range batch {
		if w.number {
			numbered(w.event, d.next)
			d.next++
		}
		raw = append(raw, w.event.AppendJSON(nil))
	}
	d.sending = n
	return batch, raw
}

// settle tells everybody of a batch what became of their event.
func (d *direct) settle(batch []*waiter, results []Result, err error) {
	switch {
	case err == nil:
		d.e.delivered()
	case errors.Is(err, context.Canceled): // closed meanwhile
		err = fmt.Errorf("%w: %w", ErrUnknown, ErrClosed)
	default:
		d.e.failed(err)
	}
	if err := d.e.expect(results, func(i int) *events.Event { return batch[i].event }); err != nil {
		d.e.cfg.Log.Error("receipts of recorded events will be missing", "producer", d.e.cfg.Producer, "error", err)
	}
	for i, w := range batch {
		if i < len(results) {
			w.result = results[i]
			d.e.answered(w.result, w.event.ID, w.event.Seq, w.event.Kind)
		} else {
			w.err = unsettled(err)
		}
		close(w.done)
	}
	d.mu.Lock()
	d.sending = 0
	d.settled()
	d.mu.Unlock()
}

// unsettled is an error of delivery in the words of this package.
func unsettled(err error) error {
	if _, ok := errors.AsType[*Problem](err); ok {
		return fmt.Errorf("emit: not recorded: %w", err)
	}
	return err
}

// settled tells drain that nothing is left. The caller holds the lock.
func (d *direct) settled() {
	if d.empty != nil && len(d.waiting) == 0 && d.sending == 0 {
		close(d.empty)
		d.empty = nil
	}
}

func (d *direct) drain(ctx context.Context) error {
	d.mu.Lock()
	if d.empty == nil {
		d.empty = make(chan struct{})
	}
	empty := d.empty
	d.settled()
	d.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close tells those who still wait that nobody sends any more.
func (d *direct) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, w := range d.waiting {
		w.err = ErrClosed
		close(w.done)
	}
	d.waiting = nil
	return nil
}

func (d *direct) idle() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.waiting) == 0 && d.sending == 0
}

func (d *direct) fill(s *Stats) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Waiting = len(d.waiting) + d.sending
}
