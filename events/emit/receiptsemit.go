package emit

import (
	"context"
	"fmt"
	"time"

	"github.com/imalink/custody/events"
)

// receiptsEvery is how often it is looked again at receipts that could not be collected.
const receiptsEvery = time.Minute

// expect notes that receipts of what the ledger has recorded are to be collected.
func (e *Emitter) expect(results []Result, sent func(i int) *events.Event) error {
	if e.cfg.Receipts == nil {
		return nil
	}
	var list []Sent
	for i, r := range results {
		if ev := sent(i); r.Position > 0 && ev.Kind != 0 { // of an older catalogue nothing can be expected
			list = append(list, Sent{r.Position, ev})
		}
	}
	err := e.cfg.Receipts.Expect(list...)
	select {
	case e.expected <- struct{}{}:
	default:
	}
	return err
}

// collect collects receipts until ctx ends: of what is recorded meanwhile, and of what a former run left.
func (e *Emitter) collect(ctx context.Context) {
	said := map[uint64]bool{}
	told := func(position uint64, err error) {
		switch {
		case err == nil:
			e.tally.receipts.Add(1)
		case !said[position]:
			said[position] = true
			e.tally.disputed.Add(1)
			e.cfg.Log.Error("the ledger gives no receipt of what was sent", "producer", e.cfg.Producer, "position", position, "error", err)
			e.cfg.Disputed(position, err)
		}
	}
	for before := ""; ; {
		err := e.cfg.Receipts.Collect(ctx, told)
		if ctx.Err() != nil {
			return
		}
		text := fmt.Sprint(err)
		if err != nil && text != before {
			e.cfg.Log.Warn("receipts cannot be collected; trying again", "producer", e.cfg.Producer, "error", err)
		}
		before = text
		more := e.expected
		if err != nil {
			more = nil // it would go wrong again
		}
		later := time.NewTimer(receiptsEvery)
		select {
		case <-more:
		case <-later.C:
		case <-ctx.Done():
		}
		later.Stop()
	}
}
