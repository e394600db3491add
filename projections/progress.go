package projections

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// watch returns a channel that is closed when something changes.
func (p *projector) watch() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// want notes that somebody waits for position, so that it is committed as soon as it is folded.
func (p *projector) want(position uint64) {
	raise(&p.wanted, position)
	nudge(p.hurry)
}

// raise makes n at least least.
func raise(n *atomic.Uint64, least uint64) {
	for old := n.Load(); old < least && !n.CompareAndSwap(old, least); old = n.Load() {
	}
}

// nudge wakes who reads from c, now or the next time.
func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait returns once what is read has committed position.
func (p *projector) wait(ctx context.Context, position uint64) error {
	for {
		p.mu.Lock()
		at, there, trouble, changed := uint64(0), false, p.trouble(), p.changed
		if p.serving != nil {
			at, there = p.serving.committed, p.serving.committed >= position
		}
		p.mu.Unlock()
		switch {
		case p.set.ctx.Err() != nil:
			return ErrViewsClosed
		case there:
			return nil
		case trouble != nil:
			return fmt.Errorf("%w: %s: %w", ErrFailed, p.view.Name, trouble)
		}
		select {
		case <-changed:
		case <-p.set.ctx.Done():
		case <-ctx.Done():
			return fmt.Errorf("%w: %s is at position %d, not yet at %d: %w", ErrBehind, p.view.Name, at, position, context.Cause(ctx))
		}
	}
}

// readable returns the file to read.
func (p *projector) readable() (*viewFile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch trouble := p.trouble(); {
	case p.set.ctx.Err() != nil:
		return nil, ErrViewsClosed
	case p.serving != nil:
		return p.serving.file, nil
	case trouble != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrFailed, p.view.Name, trouble)
	}
	return nil, fmt.Errorf("%w: %s is being filled", ErrBehind, p.view.Name)
}

// condemn lets nobody read a file any longer, and has it removed.
func (p *projector) condemn(file *viewFile, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.serving != nil && p.serving.file == file:
		p.reached = p.floor()
		p.damaged, p.serving = append(p.damaged, condemned{p.serving, why}), nil
	case p.filling != nil && p.filling.file == file:
		p.damaged, p.filling = append(p.damaged, condemned{p.filling, why}), nil
		p.asked = p.serving != nil // once more
	default:
		return // replaced, or condemned already
	}
	p.notify()
}

// lack notes why there is no file, or with nil that there is one.
func (p *projector) lack(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != nil || err != nil {
		p.fault = err
		p.notify()
	}
}

// begun notes that a filler has opened its model, at the position of the file, and where its events come from. A
// commit that failed may have been done.
func (p *projector) begun(f *filler, d *feed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.fault, f.feed = nil, d
	f.committed, f.reaching = f.at.position, max(f.reaching, f.at.position)
	p.promote(f)
	p.notify()
}

// errReplaced ends a filler whose file is no longer used.
var errReplaced = errors.New("projections: view file is replaced")

// reach notes that a filler is about to commit everything it folded; or forbids it, as somebody who found the file
// before it was replaced could read further in it than in the other.
func (p *projector) reach(f *filler) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f != p.serving && f != p.filling {
		return errReplaced
	}
	f.reaching = max(f.reaching, f.at.position)
	return nil
}

// advance notes that a filler has committed everything it folded.
func (p *projector) advance(f *filler, rate float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.committed, f.rate = f.at.position, rate
	p.promote(f)
	p.notify()
}

// settle notes that a filler's file is durable.
func (p *projector) settle(f *filler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.settled = true
	p.notify()
}

// fail notes why a filler does not go on.
func (p *projector) fail(f *filler, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.fault = err
	p.notify()
}

func (p *projector) committed(f *filler) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return f.committed
}
