package emit

import (
	"context"
	"fmt"
	"time"
)

// followEvery is how often it is looked again at receipts that could not be collected.
const followEvery = time.Minute

// Follow collects receipts until ctx ends: of what is expected meanwhile, and of what former runs left. told is told of
// each position what came of it, as by [Receipts.Collect]; of one that the ledger does not prove, once. trouble is told
// why collecting failed, whenever that is another reason than before; it is tried again.
func (s *Receipts) Follow(ctx context.Context, told func(position uint64, err error), trouble func(err error)) {
	said := map[uint64]bool{}
	once := func(position uint64, err error) {
		if err == nil || !said[position] {
			told(position, err)
		}
		if err != nil {
			said[position] = true
		}
	}
	for before := ""; ; {
		err := s.Collect(ctx, once)
		if ctx.Err() != nil {
			return
		}
		text := fmt.Sprint(err)
		if err != nil && text != before {
			trouble(err)
		}
		before = text
		more := s.noted
		if err != nil {
			more = nil // it would go wrong again
		}
		later := time.NewTimer(followEvery)
		select {
		case <-more:
		case <-later.C:
		case <-ctx.Done():
		}
		later.Stop()
	}
}
