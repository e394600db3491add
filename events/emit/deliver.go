package emit

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// Limits of one batch; the ledger's own are higher.
const (
	batchEvents = 1000
	batchBytes  = 2 << 20
)

// Pauses between attempts: the bound doubles from the first to the last, and half of it is random.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 15 * time.Second
	attempt    = time.Minute // how long one attempt may take
)

// A courier brings batches to the ledger, one at a time.
type courier struct {
	to Transport

	// patient couriers wait until somebody has seen to what keeps the ledger from taking anything: a revoked
	// token, a wrong address. Others give up with the Problem.
	patient bool

	failed func(err error) // told of every attempt that failed
	pause  func(ctx context.Context, d time.Duration) error
}

// deliver sends events, in order, until the ledger has said of each what became of it. The same bytes are sent
// in every attempt. After an error the results are those of the first events; what became of the others is not
// known.
func (c *courier) deliver(ctx context.Context, evs [][]byte) ([]Result, error) {
	results := make([]Result, 0, len(evs))
	for size := len(evs); len(results) < len(evs); {
		part := evs[len(results):]
		part = part[:min(size, c.fits(part))]
		got, err := c.insist(ctx, part)
		p, answered := errors.AsType[*Problem](err)
		switch {
		case err == nil:
			results, size = append(results, got...), len(evs)
		case !answered || p.verdict() != theirs:
			return results, err
		case len(part) > 1:
			size = len(part) / 2 // find the event that is meant
		case p.Word == "":
			return results, err // no proxy refuses an event
		default:
			results, size = append(results, p.refusal()), len(evs)
		}
	}
	return results, nil
}

// fits is how many of the events one batch takes, one at least.
func (c *courier) fits(evs [][]byte) int {
	room := min(batchBytes, c.to.MaxBytes()) - len("[]")
	for i, e := range evs[:min(len(evs), batchEvents)] {
		if room -= len(e) + 1; room < 0 && i > 0 {
			return i
		}
	}
	return min(len(evs), batchEvents)
}

// insist sends one batch until it is answered with results or with what no other attempt can change.
func (c *courier) insist(ctx context.Context, evs [][]byte) ([]Result, error) {
	batch := join(evs)
	for n := 0; ; n++ {
		results, err := c.try(ctx, batch, len(evs))
		if err == nil {
			return results, nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
		wait := backoff(n)
		if p, ok := errors.AsType[*Problem](err); ok {
			v := p.verdict()
			stuck := v == ours || v == theirs && p.Word == "" && len(evs) == 1
			if v == theirs && !stuck || stuck && !c.patient {
				return nil, err
			}
			if stuck {
				wait = backoff(100)
			}
			wait = max(wait, p.RetryAfter)
		}
		c.failed(err)
		if err := c.pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (c *courier) try(ctx context.Context, batch []byte, n int) ([]Result, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	answer, err := c.to.Send(ctx, batch)
	if err != nil {
		return nil, err
	}
	return readResults(answer, n)
}

// join makes the JSON array of some events.
func join(evs [][]byte) []byte {
	size := len("[]")
	for _, e := range evs {
		size += len(e) + 1
	}
	batch := append(make([]byte, 0, size), '[')
	for i, e := range evs {
		if i > 0 {
			batch = append(batch, ',')
		}
		batch = append(batch, e...)
	}
	return append(batch, ']')
}

// backoff is how long to wait after attempt n, from 0, has failed.
func backoff(n int) time.Duration {
	bound := min(lastPause, firstPause<<min(n, 16))
	return bound/2 + rand.N(bound/2)
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Deliver sends events to the ledger, in order and in batches, one in flight, until it has said of each what
// became of it: for programs that keep events in a store of their own (see package outbox). It tries again
// whatever may pass, until ctx ends; events must be the same bytes whenever they are sent again.
//
// After an error the results are those of the first events. Of the others nothing is known, and delivering
// them again is safe. failed, if given, is told of each attempt that failed.
func Deliver(ctx context.Context, to Transport, evs [][]byte, failed func(error)) ([]Result, error) {
	if failed == nil {
		failed = func(error) {}
	}
	c := courier{to: to, failed: failed, pause: sleep}
	return c.deliver(ctx, slices.Clip(evs))
}
