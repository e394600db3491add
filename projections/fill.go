package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A filler folds events into one file. It ends when it is stopped or the file is replaced or damaged; after any other
// failure it opens the model again, as of the last commit, and goes on from there.
type filler struct {
	p      *projector
	file   *viewFile
	cancel context.CancelFunc
	done   chan struct{}

	// Of the filler's goroutine.
	building bool // the file is new, and not durable yet
	model    Model
	at       mark // of the last event folded
	pending  int  // events folded since the last flush
	people   int  // data subjects of these events
	since    time.Time

	// Guarded by p.mu.
	settled   bool // the new file is durable
	placed    bool // the file has the view's path
	committed uint64
	reaching  uint64  // what readers may see: committed or, during a commit, the position that it brings
	rate      float64 // events a second of the last commit
	fault     error   // why the model is to be opened again
	feed      *feed   // where events come from, nil before
}

// queued is how many batches a feed holds: enough that a flush does not hold up the others.
const queued = 16

func (f *filler) run(ctx context.Context) {
	defer close(f.done)
	for failures := 0; ; failures++ {
		before := f.p.committed(f)
		stack, err := contained(func() error { return f.fill(ctx) })
		switch {
		case errors.Is(err, ErrDamaged): // also when stopped: bbolt may not have let go of its locks
			f.p.condemn(f.file, err)
			return
		case errors.Is(err, errReplaced), ctx.Err() != nil:
			return
		case f.p.committed(f) > before:
			failures = 0
		}
		f.p.set.log.Warn("view does not go on", "view", f.p.view.Name, "error", err, "stack", string(stack))
		f.p.fail(f, err)
		pause(ctx, backoff(failures))
	}
}

// fill opens the model and folds what comes until something fails or ctx ends.
func (f *filler) fill(ctx context.Context) error {
	err := f.file.db.View(func(tx *bolt.Tx) (err error) {
		if f.at, err = f.p.view.markOf(tx); err == nil {
			f.model, err = f.p.view.Open(tx)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("opening the model: %w", err)
	}
	f.pending, f.people = 0, 0
	d := &feed{filler: f, in: make(chan batch, queued), gone: make(chan struct{}), fed: f.at.position, building: f.building}
	defer close(d.gone)
	f.p.begun(f, d)
	f.p.set.join(d)
	due := time.NewTimer(gathering)
	defer due.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b := <-d.in:
			err = f.take(b, len(d.in) > 0)
			if b.end && f.pending > 0 {
				due.Reset(time.Until(f.since.Add(gathering)))
			}
		case <-f.p.hurry:
			if wanted := f.p.wanted.Load(); f.committedSoFar() < wanted && wanted <= f.at.position {
				err = f.commit()
			}
		case <-due.C:
			err = f.commit()
		}
		if err != nil {
			return err
		}
	}
}

// committedSoFar is p.committed, for the filler itself.
func (f *filler) committedSoFar() uint64 { return f.at.position - uint64(f.pending) }

// commit flushes what was folded, unless the file is new: that is flushed in large pieces, and when it settles.
func (f *filler) commit() error {
	if f.building || f.pending == 0 {
		return nil
	}
	return f.flush()
}

// take folds a batch, and commits what is due: after [FlushEvents] or [FlushPeople], and at the end of a pass. If nobody
// waits for this view, it lets be what a pass brought that was hurried for another, or behind which more has come: it is
// committed with what follows.
func (f *filler) take(b batch, more bool) error {
	for _, e := range b.events {
		if e.Position != f.at.position+1 {
			return fmt.Errorf("position %d follows %d", e.Position, f.at.position)
		}
		if f.pending == 0 {
			f.since = time.Now()
		}
		f.model.Fold(e)
		f.at = mark{e.Position, e.Digest}
		f.pending++
		f.people += len(e.People.Subjects)
		if f.pending == FlushEvents || f.people >= FlushPeople {
			if err := f.flush(); err != nil {
				return err
			}
		}
	}
	switch awaited := f.p.wanted.Load() > f.committedSoFar(); {
	case b.settle != nil:
		defer close(b.settle)
		return f.settle()
	case !b.end || (b.hurried || more) && !awaited:
		return nil
	}
	return f.commit()
}

// flush commits what was folded, and the position with it. If the commit itself failed, so that the file may or may
// not have it, then the file stays only if the system refused to write: after a failed sync nobody knows what is on
// the disk.
func (f *filler) flush() error {
	if err := f.p.reach(f); err != nil {
		return err
	}
	committing := false
	err := f.file.update(func(tx *bolt.Tx) error {
		if err := f.model.Flush(tx); err != nil {
			return fmt.Errorf("flushing: %w", err)
		}
		if err := f.p.view.putMark(tx, f.at); err != nil {
			return fmt.Errorf("flushing: %w", err)
		}
		committing = true
		return nil
	})
	var refused *fs.PathError
	switch {
	case err != nil && committing && !errors.As(err, &refused):
		return fmt.Errorf("%w or may be: committing: %w", ErrDamaged, err)
	case err != nil && committing:
		return fmt.Errorf("committing: %w", err)
	case err != nil:
		return err
	}
	rate := float64(f.pending) / max(time.Since(f.since).Seconds(), 1e-6)
	f.pending, f.people = 0, 0
	f.p.advance(f, rate)
	return nil
}

// settle commits what was folded and makes a new file durable, so that it can be put in its place.
func (f *filler) settle() error {
	if f.pending > 0 {
		if err := f.flush(); err != nil {
			return err
		}
	}
	if !f.building { // it was told before, by a pass that was interrupted
		return nil
	}
	if err := f.file.settle(); err != nil {
		return fmt.Errorf("%w or may be: syncing: %w", ErrDamaged, err)
	}
	f.building = false
	f.p.settle(f)
	return nil
}

// trouble returns why the filler does not go on. The caller holds p.mu.
func (f *filler) trouble() error {
	if f.fault == nil && f.feed != nil {
		return f.feed.starved
	}
	return f.fault
}

// starved notes why a feed gets nothing, or with nil that it does.
func (f *filler) starved(d *feed, err error) {
	f.p.mu.Lock()
	defer f.p.mu.Unlock()
	if d.starved != nil || err != nil {
		d.starved = err
		f.p.notify()
	}
}
