package ledger

import "context"

// alone has do run in the sequencer while no group is open or being committed:
// no batch of the vault is open then, and no event gets a place meanwhile. It
// waits for what is in hand, and holds up what comes after. An error of ctx's or
// [ErrClosed] means that do was not called.
func (l *Ledger) alone(ctx context.Context, do func()) error {
	ran := make(chan struct{})
	select {
	case l.solo <- func() { do(); close(ran) }:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.stopped:
		return ErrClosed
	}
	<-ran
	return nil
}

// idle reports whether the sequencer has nothing in hand.
func (l *Ledger) idle() bool { return l.current == nil && l.inflight == nil && !l.open.used() }

// runAlone runs what waited to be alone. A group that was begun for an event that
// failed, and that nobody waits for, would keep the vault busy: it is dropped.
func (l *Ledger) runAlone(do func()) {
	if l.open.batch != nil {
		l.open.batch.Abort()
		l.open = l.newGroup(l.next)
	}
	do()
}
