package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Close refuses new requests, answers those in hand, counts the last refusals,
// writes the durable mark and stops the server. ctx bounds the server's stop.
func (l *Ledger) Close(ctx context.Context) error {
	l.gate.Lock()
	if l.closed {
		l.gate.Unlock()
		return nil
	}
	l.closed = true
	l.gate.Unlock()
	close(l.ending)
	l.tasks.Wait()
	l.flushRefusals()
	notarised := l.closeNotary()
	close(l.quit)
	<-l.stopped
	if l.tail.adding {
		l.finishRotation(<-l.rotated)
	}
	err := errors.Join(notarised, l.writeMark(), l.settleIndex())
	return errors.Join(err, l.release(ctx))
}

// settleIndex moves the whole tail to the index, so that the next start has
// none to read.
func (l *Ledger) settleIndex() error {
	head := l.Head()
	if len(l.tail.now) == 0 || l.Halted() != nil {
		return nil
	}
	snapshot, err := l.register.snapshot()
	if err != nil {
		return fmt.Errorf("register snapshot: %w", err)
	}
	return l.addToIndex(l.tail.now, &rotation{register: snapshot, digest: head.Digest, position: head.Position})
}

// release lets go of everything that Open acquired, in reverse.
func (l *Ledger) release(ctx context.Context) error {
	var errs []error
	if l.vault != nil {
		errs = append(errs, l.vault.Close())
	}
	if l.server != nil {
		errs = append(errs, l.server.Stop(ctx))
	}
	if l.index != nil {
		errs = append(errs, l.index.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}

// keepMark writes the durable mark at most once a second, when there is
// something new to say. A failure is reported and tried again: the mark is a
// second witness, nothing acknowledged depends on it.
func (l *Ledger) keepMark() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var written mark
	for {
		select {
		case <-l.ending:
			return
		case <-tick.C:
		}
		if m := l.mark(); m != written {
			if err := l.writeMark(); err != nil {
				l.logger.Error("durable mark not written", "error", err)
				continue
			}
			written = m
		}
	}
}

// mark is how far each stream is durable now.
func (l *Ledger) mark() mark {
	head := l.Head()
	return mark{Ledger: l.manifest.ID, Events: head.Position, Digest: head.Digest, Vault: l.vaults.Last(), Access: l.access.Position()}
}

func (l *Ledger) writeMark() error {
	m := l.mark()
	if err := m.write(l.paths.mark()); err != nil {
		return err
	}
	l.stats.marked(m.Events, l.now())
	return nil
}
