package emit

import (
	"context"

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

// beat says that the producer runs whenever nothing else has said so for a while. While events wait it says
// nothing: they will.
func (e *Emitter) beat(ctx context.Context) {
	for {
		e.beats.Lock()
		silent, over := e.cfg.now().Sub(e.beats.emitted), e.beats.over
		e.beats.Unlock()
		switch {
		case over:
			return
		case silent < e.cfg.Heartbeat:
			if sleep(ctx, e.cfg.Heartbeat-silent) != nil {
				return
			}
			continue
		case e.queue.idle():
			_, _ = e.emitBeat(ctx, beatRunning) // the log says what keeps the ledger from being reached
		}
		if sleep(ctx, e.cfg.Heartbeat) != nil {
			return
		}
	}
}

// emitBeat emits a heartbeat, which says the number it has itself: what the ledger misses below it is lost.
func (e *Emitter) emitBeat(ctx context.Context, state string) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.grace)
	defer cancel()
	ev, err := build(e.cfg.Producer, e.instance, e.cfg.now(), heartbeat(state), nil)
	if err != nil {
		return Receipt{}, err
	}
	return e.put(ctx, ev, true)
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
