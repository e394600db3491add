package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/imalink/custody/ledger/stream"
)

// sequence is the one loop that gives events their place. It fills the open
// group while the one before it is being committed: whoever arrives meanwhile
// shares the next fsync. There is no timer and nothing to tune.
//
// The fields of Ledger under "owned by the sequencer" belong to this goroutine.
// commit, its only helper, touches nothing but the group it was given.
func (l *Ledger) sequence() {
	defer close(l.stopped)
	outcome := make(chan error, 1)
	var solo func() // waits to run alone
	for {
		l.advance()
		if l.inflight == nil && l.open.used() && (l.open.full() || len(l.open.messages) >= groupEager || len(l.incoming) == 0 || solo != nil) {
			l.inflight, l.open = l.open, l.newGroup(l.next)
			l.prepareRotation(l.inflight)
			go func(g *group) { outcome <- l.commit(g) }(l.inflight)
			continue
		}
		if solo != nil && l.idle() {
			l.runAlone(solo)
			solo = nil
		}
		arrivals, solos := l.incoming, l.solo
		if l.current != nil || solo != nil {
			arrivals = nil // the open group is full, or nothing is to be in hand: first things first
		}
		if solo != nil {
			solos = nil
		}
		select {
		case l.current = <-arrivals:
		case err := <-outcome:
			g := l.inflight
			l.inflight = nil
			l.settle(g, err)
		case ask := <-l.asked:
			ask()
		case solo = <-solos:
		case err := <-l.rotated:
			l.finishRotation(err)
		case <-l.quit:
			return // Close has seen every request answered
		}
	}
}

// advance moves the current request's events into the open group until either
// is exhausted.
func (l *Ledger) advance() {
	r := l.current
	if r == nil {
		return
	}
	if reason := l.halted.Load(); reason != nil {
		r.fail(*reason)
	}
	for r.next < len(r.subs) && !l.open.full() {
		if err := l.take(r, r.next); err != nil {
			r.fail(err)
			break
		}
		l.open.holds(r)
		r.next++
	}
	if r.next == len(r.subs) {
		l.current = nil
		r.settle()
	}
}

// take gives one event its result: the position of the first event of that
// identity, a refusal, or a new place at the end of the open group. After an
// error the event has no place; the vault may have met its people.
func (l *Ledger) take(r *request, i int) error {
	sub := &r.subs[i]
	if r.results[i].Err != nil {
		return nil // refused before it came here
	}
	found, err := l.where(r, i)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotRecorded, err)
	}
	if found[0] != 0 {
		r.results[i] = Result{Position: found[0], Status: Duplicate}
		return nil
	}
	position, refusal, err := l.place(sub, found)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotRecorded, err)
	}
	if refusal != nil {
		r.results[i] = Result{Status: Refused, Err: refusal}
		return nil
	}
	r.results[i] = Result{Position: position, Status: Recorded, Warnings: sub.Event.Warnings}
	return nil
}

// commit makes a group durable: what the vault learned first, then the events.
// A nil error means durable. stream.ErrRejected means that no event of the
// group was recorded; after any other error that is unknown.
func (l *Ledger) commit(g *group) error {
	if g.batch == nil {
		return nil // nothing but repeats and refusals
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTime)
	defer cancel()
	if err := g.batch.Flush(ctx, g.base-1); err != nil {
		return fmt.Errorf("making the vault's rows durable: %w", err)
	}
	if len(g.messages) == 0 {
		return nil // what was prepared for an event that failed stays with the vault
	}
	digested := make(chan struct{})
	go func() { // while the store writes
		defer close(digested)
		g.digest()
	}()
	last, err := l.events.Append(ctx, g.messages)
	<-digested
	if err != nil && last >= g.base {
		return fmt.Errorf("group recorded in part, up to %d: %w: %v", last, stream.ErrUnknown, err)
	}
	if err != nil {
		return fmt.Errorf("appending a group: %w", err)
	}
	if last != g.last() {
		return fmt.Errorf("stream ends at %d, expected %d: %w", last, g.last(), stream.ErrUnknown)
	}
	return nil
}

// settle answers a group's requests once its outcome is known.
func (l *Ledger) settle(g *group, err error) {
	if err != nil {
		l.undo(g, err)
		return
	}
	if g.batch != nil {
		g.batch.Commit()
	}
	if n := len(g.messages); n > 0 {
		l.register.keep(g.changes)
		l.tail.add(g.keys)
		l.advanceHead(g)
		l.notarise(g)
		l.stats.group(n, len(g.stored))
		l.rotate(g)
		l.recycle(g)
	}
	g.answer(nil)
}

// undo takes back a group that was not recorded and the open one built on it.
// If it is not known whether the group was recorded, the ledger halts: only a
// start, which reads what is really there, may go on.
func (l *Ledger) undo(g *group, err error) {
	failure := fmt.Errorf("%w: %w", ErrNotRecorded, err)
	if !errors.Is(err, stream.ErrRejected) {
		failure = fmt.Errorf("%w: %w", ErrHalted, err)
		l.halt(failure)
	}
	l.register.back(0)
	l.next = g.base
	open := l.open
	l.open = l.newGroup(l.next)
	current := l.current
	l.current = nil
	if current != nil {
		current.fail(failure)
	}
	for _, g := range []*group{open, g} {
		if g.batch != nil {
			g.batch.Abort()
		}
		g.answer(failure)
	}
	if current != nil {
		current.settle()
	}
}

// halt stops recording for good; the first reason stays.
func (l *Ledger) halt(reason error) {
	if l.halted.CompareAndSwap(nil, &reason) {
		l.logger.Error("recording has stopped; restart to find out what was recorded", "reason", reason)
	}
}
