package audit

import (
	"context"
	"iter"
)

// atOnce is how many answers of a ledger are waited for at the same time.
const atOnce = 8

// ahead fetches for each number from from to to, without the last, some at the same time, and yields what comes in
// order. After an error it ends. A fetch that nobody waits for any more is cancelled.
func ahead[T any](ctx context.Context, from, to uint64, fetch func(ctx context.Context, i uint64) (T, error)) iter.Seq2[T, error] {
	type answer struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		queue := make(chan chan answer, atOnce-1)
		go func() {
			defer close(queue)
			for i := from; i < to; i++ {
				one := make(chan answer, 1)
				select {
				case queue <- one:
				case <-ctx.Done():
					return
				}
				go func() {
					v, err := fetch(ctx, i)
					one <- answer{v, err}
				}()
			}
		}()
		for one := range queue {
			a := <-one
			if !yield(a.value, a.err) || a.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var none T
			yield(none, err)
		}
	}
}
