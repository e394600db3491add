package emit

import (
	"context"

	"github.com/imalink/custody/events"
)

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
	return e.cfg.Receipts.Expect(list...)
}

// collect collects receipts until ctx ends.
func (e *Emitter) collect(ctx context.Context) {
	told := func(position uint64, err error) {
		if err == nil {
			e.tally.receipts.Add(1)
			return
		}
		e.tally.disputed.Add(1)
		e.cfg.Log.Error("the ledger gives no receipt of what was sent", "producer", e.cfg.Producer, "position", position, "error", err)
		e.cfg.Disputed(position, err)
	}
	e.cfg.Receipts.Follow(ctx, told, func(err error) {
		e.cfg.Log.Warn("receipts cannot be collected; trying again", "producer", e.cfg.Producer, "error", err)
	})
}
