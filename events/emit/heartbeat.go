package emit

import (
	"context"
	"time"

	"github.com/imalink/custody/events"
)

// States that a heartbeat tells.
const (
	beatStarted = "started"
	beatRunning = "running"
	beatStopped = "stopped"
)

// heartbeat is the act of saying nothing but that the producer is there.
type heartbeat string

func (heartbeat) Kind() events.Kind { return events.LedgerHeartbeat }
func (h heartbeat) data(w *writer)  { text(w, "state", string(h)) }

// start says that the producer started.
func (e *Emitter) start(ctx context.Context) {
	if _, err := e.emitBeat(ctx, beatStarted); err != nil && ctx.Err() == nil {
		e.cfg.Log.Warn("the ledger was not told that the producer started", "producer", e.cfg.Producer, "error", err)
	}
}

// day is one of UTC, as statements count them.
const day = 24 * time.Hour

// beat says that the producer runs whenever nothing else has said so for a while, unless events wait: they will. And
// on each UTC day once, whatever else it says: a statement counts the days on which nobody said that all is told.
func (e *Emitter) beat(ctx context.Context) {
	for {
		e.beats.Lock()
		now := e.cfg.now()
		silent, over, today := now.Sub(e.beats.emitted), e.beats.over, e.beats.told.Equal(now.Truncate(day))
		e.beats.Unlock()
		wait := e.cfg.Heartbeat
		switch {
		case over:
			return
		case today && silent < e.cfg.Heartbeat:
			wait -= silent
		case !today || e.queue.idle():
			_, _ = e.emitBeat(ctx, beatRunning) // the log says what keeps the ledger from being reached
		}
		if sleep(ctx, min(wait, now.Truncate(day).Add(day).Sub(now))) != nil {
			return
		}
	}
}

// emitBeat emits a heartbeat, which says the number it has itself: what the ledger misses below it is lost.
func (e *Emitter) emitBeat(ctx context.Context, state string) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.grace)
	defer cancel()
	now := e.cfg.now()
	ev, err := build(e.cfg.Producer, e.instance, now, heartbeat(state), nil)
	if err != nil {
		return Receipt{}, err
	}
	receipt, err := e.put(ctx, ev, true)
	if err == nil {
		e.beats.Lock()
		e.beats.told = now.Truncate(day)
		e.beats.Unlock()
	}
	return receipt, err
}

// numbered gives an event its number. It changes the event.
func numbered(e *events.Event, number uint64) {
	e.Seq = number
	if e.Kind == events.LedgerHeartbeat {
		e.Data, _ = e.Data.With("last", events.IntOf(int64(number)))
	}
}

// emitted notes that the producer has shown itself.
func (e *Emitter) emitted() {
	e.beats.Lock()
	e.beats.emitted = e.cfg.now()
	e.beats.Unlock()
}

// endBeats ends heartbeats for ever, and reports whether there were any.
func (e *Emitter) endBeats() bool {
	e.beats.Lock()
	defer e.beats.Unlock()
	before := e.beats.over
	e.beats.over = true
	return e.cfg.Heartbeat > 0 && !before
}
