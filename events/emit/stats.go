package emit

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imalink/custody/events"
)

// Stats is how an emitter is doing. Counts are since Open.
type Stats struct {
	Accepted   uint64 // events for which Emit returned nil, heartbeats included
	Invalid    uint64 // acts that were not as they should be, refused at the call
	Recorded   uint64 // events that the ledger has recorded
	Duplicates uint64 // events that it had already, from an attempt whose answer was lost
	Refused    uint64 // events that it refused for good
	Failures   uint64 // attempts that failed
	Receipts   uint64 // signed receipts that are of what was sent
	Disputed   uint64 // events of which the ledger gave none, or one of something else

	Waiting    int   // events that are not with the ledger yet
	SpoolBytes int64 // of the spool's files
	SpoolLimit int64
	Torn       int64 // bytes of an unfinished write that Open cut off the spool: nothing that was accepted

	Delivered time.Time // when the ledger last answered with results; zero if it has not
	Trouble   error     // why the last attempt failed; nil if it did not
}

// tally counts for Stats.
type tally struct {
	accepted, invalid, recorded, duplicates, refused, failures, receipts, disputed atomic.Uint64

	mu        sync.Mutex
	delivered time.Time
	trouble   error
}

// Stats says how the emitter is doing.
func (e *Emitter) Stats() Stats {
	s := Stats{
		Accepted: e.tally.accepted.Load(), Invalid: e.tally.invalid.Load(), Recorded: e.tally.recorded.Load(),
		Duplicates: e.tally.duplicates.Load(), Refused: e.tally.refused.Load(), Failures: e.tally.failures.Load(),
		Receipts: e.tally.receipts.Load(), Disputed: e.tally.disputed.Load(),
	}
	e.queue.fill(&s)
	e.tally.mu.Lock()
	defer e.tally.mu.Unlock()
	s.Delivered, s.Trouble = e.tally.delivered, e.tally.trouble
	return s
}

// failed notes an attempt that failed, and logs the first of several and every change of the reason.
func (e *Emitter) failed(err error) {
	e.tally.failures.Add(1)
	e.tally.mu.Lock()
	before := e.tally.trouble
	e.tally.trouble = err
	e.tally.mu.Unlock()
	if before == nil || before.Error() != err.Error() {
		e.cfg.Log.Warn("events cannot be delivered to the ledger; trying again", "producer", e.cfg.Producer, "error", err)
	}
}

// answered notes what became of an event, and reports a refusal.
func (e *Emitter) answered(r Result, id string, number uint64, kind events.Kind) {
	switch r.Status {
	case Recorded:
		e.tally.recorded.Add(1)
	case Duplicate:
		e.tally.duplicates.Add(1)
	case Refused:
		e.tally.refused.Add(1)
		if kind == events.LedgerHeartbeat && r.Err.Type == events.WrongFamily {
			e.endBeats()
		}
		e.cfg.Log.Error("the ledger refuses an event for good", "producer", e.cfg.Producer, "kind", kind.Name(),
			"number", number, "type", r.Err.Type, "path", r.Err.Path, "detail", r.Err.Detail)
		e.cfg.Rejected(Rejection{ID: id, Number: number, Kind: kind, Err: r.Err})
	}
}

// delivered notes that the ledger answered.
func (e *Emitter) delivered() {
	e.tally.mu.Lock()
	before := e.tally.trouble
	e.tally.trouble, e.tally.delivered = nil, e.cfg.now()
	e.tally.mu.Unlock()
	if before != nil {
		e.cfg.Log.Info("events are delivered to the ledger again", "producer", e.cfg.Producer)
	}
}

// courier is what brings the emitter's events to the ledger.
func (e *Emitter) courier(patient bool) *courier {
	return &courier{to: e.cfg.To, patient: patient, failed: func(err error) {
		if !errors.Is(err, context.Canceled) {
			e.failed(err)
		}
	}, pause: sleep}
}
