package emit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/imalink/custody/events"
)

// An Emitter emits the events of one producer. All its methods may be called concurrently.
type Emitter struct {
	cfg      Config
	instance string
	queue    queue
	tally    tally

	stop    context.CancelFunc // ends sending
	quiet   context.CancelFunc // ends heartbeats
	running sync.WaitGroup     // of the goroutines that send and beat
	closing sync.Once
	beats   struct {
		sync.Mutex
		over    bool      // closed, or the ledger takes no heartbeats
		emitted time.Time // when an event was last accepted
		told    time.Time // the UTC day of the last heartbeat
	}
}

// queue is where events wait until the ledger has them: in memory, with whoever emits them, or in a spool.
type queue interface {
	// put numbers an event and keeps it. number false leaves the event without a number.
	put(ctx context.Context, e *events.Event, number bool) (Receipt, error)

	// run sends what is in the queue until ctx ends.
	run(ctx context.Context)

	drain(ctx context.Context) error // waits until nothing waits, or ctx ends
	close() error                    // after run has returned
	idle() bool
	fill(s *Stats)
}

// A Receipt names the event that an act became.
type Receipt struct {
	ID       string   // with the source the event's identity, by which it can be corrected
	Number   uint64   // producerseq; 0 if it has none
	Position uint64   // where the ledger recorded it; 0 if it waits in the spool
	Warnings []string // pointers of clear strings that end in the number of one of the event's identifiers
}

// Open makes an emitter, and begins to send what waits in its spool. The ledger need not be there.
func Open(c Config) (*Emitter, error) {
	c, err := c.filled()
	if err != nil {
		return nil, err
	}
	e := &Emitter{cfg: c}
	if c.Spool == "" {
		e.instance = NewInstance()
		e.queue = newDirect(e)
	} else {
		s, err := openSpooled(e)
		if err != nil {
			return nil, err
		}
		e.queue, e.instance = s, s.spool.Label()
	}
	var sending, beating context.Context
	sending, e.stop = context.WithCancel(context.Background())
	beating, e.quiet = context.WithCancel(sending)
	e.running.Go(func() { e.queue.run(sending) })
	if c.Receipts != nil {
		e.running.Go(func() { e.collect(sending) })
	}
	if c.Heartbeat > 0 {
		e.beats.emitted = c.now()
		if c.Spool != "" {
			e.start(beating) // which is quick, and comes before all else
		}
		e.running.Go(func() {
			if c.Spool == "" {
				e.start(beating)
			}
			e.beat(beating)
		})
	}
	return e, nil
}

// Instance is the name under which this emitter counts its events (producerinstance). A spool keeps it; without
// one it is another every time.
func (e *Emitter) Instance() string { return e.instance }

// Spool is the folder in which events wait, and identifiers lie in clear; "" if there is none.
func (e *Emitter) Spool() string { return e.cfg.Spool }

// Emit says that something was done. After nil the event is durable: recorded by the ledger, or, if there is a
// spool, kept in it. Whoever emits concurrently shares round trips and syncs.
//
// Without a spool Emit tries again whatever may pass until ctx ends; give ctx a deadline. The error wraps
//
//   - [*events.Error] if the act is not as it should be, or the ledger refuses it;
//   - [ErrSpoolFull], [ErrClosed], or the spool's own error: nothing was kept;
//   - [*Problem] if the ledger takes nothing from this producer, such as for a revoked token;
//   - [ErrUnknown] and ctx's error if it ended after the event had been sent; ctx's error alone if before.
//
// The Receipt's ID is set whenever the event may be recorded.
func (e *Emitter) Emit(ctx context.Context, act Act, options ...Option) (Receipt, error) {
	ev, err := build(e.cfg.Producer, e.instance, e.cfg.now(), act, options)
	if err != nil {
		e.tally.invalid.Add(1)
		return Receipt{}, err
	}
	return e.put(ctx, ev, ev.Instance != "")
}

func (e *Emitter) put(ctx context.Context, ev *events.Event, number bool) (Receipt, error) {
	receipt, err := e.queue.put(ctx, ev, number)
	if err != nil {
		return receipt, err
	}
	e.tally.accepted.Add(1)
	e.emitted()
	receipt.Warnings = ev.Warnings
	return receipt, nil
}

// Drain waits until everything that was accepted is with the ledger, or until ctx ends, whose error it returns.
func (e *Emitter) Drain(ctx context.Context) error { return e.queue.drain(ctx) }

// Close says that the producer stops, and waits until everything that was emitted is with the ledger, but no
// longer than 5 seconds: what is in the spool then stays there for the next start. Nothing can be emitted any
// more.
func (e *Emitter) Close() (err error) {
	e.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), e.cfg.grace)
		defer cancel()
		e.quiet()
		if e.endBeats() {
			_, _ = e.emitBeat(ctx, beatStopped) // a ledger that cannot be reached learns of the silence itself
		}
		_ = e.queue.drain(ctx)
		e.stop()
		e.running.Wait()
		if err = e.queue.close(); err != nil {
			err = fmt.Errorf("emit: closing: %w", err)
		}
	})
	return err
}
