package projections

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"github.com/imalink/custody/events"
)

// A piece is what one goroutine decodes: records in order, so many that handing them over costs nothing.
type piece struct {
	records []events.Record
	size    int // bytes
	events  []*Event
	err     error         // of what comes behind events
	done    chan struct{} // closed when it is decoded
}

const (
	pieceRecords = 256
	pieceSize    = 1 << 20 // bytes of records beyond which no more are added
)

// decoded replays source from a position on, and yields the events in their order, many at a time. They are decoded
// on all CPUs, a few pieces ahead of who takes them. After an error nothing more is yielded.
func decoded(ctx context.Context, source events.Replayer, from uint64) iter.Seq2[[]*Event, error] {
	return func(yield func([]*Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		queue := make(chan *piece, runtime.GOMAXPROCS(0)) // in order; its length bounds what is under way
		var work sync.WaitGroup
		defer work.Wait()
		defer cancel()
		work.Go(func() {
			defer close(queue)
			for p := range pieces(ctx, source, from) {
				work.Go(p.decode)
				select {
				case queue <- p:
				case <-ctx.Done():
					return
				}
			}
		})
		for p := range queue {
			<-p.done
			if len(p.events) > 0 && !yield(p.events, nil) {
				return
			}
			if p.err != nil {
				yield(nil, p.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// pieces cuts a replay into pieces. The last may have an error.
func pieces(ctx context.Context, source events.Replayer, from uint64) iter.Seq[*piece] {
	return func(yield func(*piece) bool) {
		next, p := from, newPiece()
		for rec, err := range source.Replay(ctx, from) {
			if err == nil && rec.Position != next {
				err = fmt.Errorf("the source gave position %d instead of %d", rec.Position, next)
			}
			if err != nil {
				p.err = err
				break
			}
			next++
			p.records, p.size = append(p.records, rec), p.size+len(rec.Raw)
			if len(p.records) < pieceRecords && p.size < pieceSize {
				continue
			}
			if !yield(p) {
				return
			}
			p = newPiece()
		}
		if len(p.records) > 0 || p.err != nil {
			yield(p)
		}
	}
}

func newPiece() *piece { return &piece{done: make(chan struct{})} }

func (p *piece) decode() {
	defer close(p.done)
	p.events = make([]*Event, 0, len(p.records))
	for _, rec := range p.records {
		e, err := Decode(rec)
		if err != nil {
			p.err = fmt.Errorf("decoding: %w", err)
			break
		}
		p.events = append(p.events, e)
	}
	p.records = nil // nobody holds the bytes any longer
}
