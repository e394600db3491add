package ledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/imalink/custody/events"
)

// OwnSource is the source of the events that the ledger writes itself. No
// producer can be registered under this name.
const OwnSource = "/custody"

// refusalPeriod is how often refusals are recorded, while there are any.
const refusalPeriod = time.Minute

// refusals counts what was refused, by producer and reason, until a
// ledger.refused event records it. A refusal is evidence too: dropping it would
// fake cleanliness. Counts of the last period are lost if the process is
// killed; they were promised to nobody.
type refusals struct {
	mu     sync.Mutex
	since  time.Time
	counts map[string]map[string]int64
}

// CountRefusal counts n refusals of events of a producer for one reason, a type
// of [events.Error]. A producer that is not registered must be given as "".
func (l *Ledger) CountRefusal(producer, reason string, n int64) {
	l.refusals.add(l.now(), producer, reason, n)
}

func (r *refusals) add(at time.Time, producer, reason string, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.counts) == 0 {
		r.counts, r.since = map[string]map[string]int64{}, at
	}
	if at.Before(r.since) {
		r.since = at
	}
	if producer == "" {
		producer = "unregistered"
	}
	if r.counts[producer] == nil {
		r.counts[producer] = map[string]int64{}
	}
	r.counts[producer][reason] += n
}

// take empties the counts.
func (r *refusals) take() (since time.Time, counts map[string]map[string]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	since, counts = r.since, r.counts
	r.counts = nil
	return since, counts
}

func (l *Ledger) countRefusals() {
	tick := time.NewTicker(refusalPeriod)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.flushRefusals()
		case <-l.ending:
			return
		}
	}
}

// flushRefusals records what was refused since the last time, one event a
// producer. What cannot be recorded is counted again.
func (l *Ledger) flushRefusals() {
	since, counts := l.refusals.take()
	var producers []string
	for p := range counts {
		producers = append(producers, p)
	}
	slices.Sort(producers)
	for _, p := range producers {
		if err := l.recordRefusals(p, since, counts[p]); err != nil {
			l.logger.Error("refusals not recorded; will try again", "producer", p, "error", err)
			for reason, n := range counts[p] {
				l.refusals.add(since, p, reason, n)
			}
		}
	}
}

// recordRefusals records one producer's refusals since a time. After an error
// they may be recorded and then counted twice: too many rather than too few.
func (l *Ledger) recordRefusals(producer string, since time.Time, counts map[string]int64) error {
	now := l.now()
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("choosing an id: %w", err)
	}
	e := events.Refusals{Producer: producer, From: since, To: now, Types: counts}.Event(id.String(), OwnSource, now)
	_, err = l.submit(context.Background(), []Submission{{Event: e}})
	return err
}
