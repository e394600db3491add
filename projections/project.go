package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// A projector keeps one view. Its goroutine opens, begins, places and removes files; each file has a filler.
//
// serving is read, and filled on. filling is new; once it has caught up and is durable it gets the view's path, and
// it is read as soon as it has come at least as far as readers have been: nobody ever reads less than before.
type projector struct {
	set  *Set
	view View

	// Of the projector's goroutine.
	judged   bool // the file found at the start has been opened or discarded
	discards int  // since a file was last placed

	wanted atomic.Uint64 // the greatest position anybody has waited for in this view
	hurry  chan struct{} // somebody waits

	mu      sync.Mutex    // guards what follows, and the fillers' fields that say so
	changed chan struct{} // closed and replaced whenever something changes
	serving *filler
	filling *filler
	old     []*filler   // replaced, and yet to be closed
	damaged []condemned // yet to be removed
	reached uint64      // the greatest position that may have been read in files that served before
	asked   bool        // for a new file
	fault   error       // why there is no file, or not in its place
	state   State
	since   time.Time
}

// A condemned filler has a file that cannot be trusted, and nobody reads any longer.
type condemned struct {
	*filler
	why error
}

func newProjector(s *Set, v View) *projector {
	return &projector{set: s, view: v, changed: make(chan struct{}), hurry: make(chan struct{}, 1), state: Building, since: time.Now()}
}

func (p *projector) path() string    { return filepath.Join(p.set.dir, p.view.Name+".db") }
func (p *projector) newPath() string { return p.path() + ".new" }

// run does what is to be done for the view, whenever something has changed, until ctx ends.
func (p *projector) run(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		changed := p.watch()
		err := p.tend(ctx)
		p.lack(err)
		if err != nil && ctx.Err() == nil {
			p.set.log.Warn("view has no file", "view", p.view.Name, "error", err)
			pause(ctx, backoff(failures))
			failures++
			continue
		}
		failures = 0
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (p *projector) tend(ctx context.Context) error {
	p.mu.Lock()
	serving, filling, asked := p.serving, p.filling, p.asked
	settled := filling != nil && filling.settled && !filling.placed
	old, damaged := p.old, p.damaged // all there are: a file condemned from now on is filling or serving here
	p.old, p.damaged = nil, nil
	p.mu.Unlock()
	if err := p.sweep(ctx, old, damaged); err != nil {
		return err
	}
	switch {
	case !p.judged:
		return p.open(ctx)
	case settled:
		return p.place(filling, serving)
	case filling == nil && (serving == nil || asked):
		return p.begin()
	}
	return nil
}

// sweep stops fillers whose files are no longer used, and closes those files, or removes them. Files that are damaged
// one after the other make it wait.
func (p *projector) sweep(ctx context.Context, old []*filler, damaged []condemned) error {
	for _, f := range old {
		f.stop()
		p.set.work.Go(func() { // waits for readers
			if err := f.file.db.Close(); err != nil {
				p.set.log.Warn("closing a replaced file", "view", p.view.Name, "error", err)
			}
		})
	}
	var errs []error
	for _, f := range damaged {
		p.set.log.Warn("view file is discarded", "view", p.view.Name, "error", f.why)
		f.stop()
		errs = append(errs, f.file.discard())
		if p.discards++; p.discards > 1 {
			pause(ctx, backoff(p.discards))
		}
	}
	return errors.Join(errs...)
}

// open begins to serve the file that is there, or removes it if it cannot be used.
func (p *projector) open(ctx context.Context) error {
	file, at, err := openView(p.path(), &p.view, func(m mark) error { return p.set.agrees(ctx, m) })
	switch {
	case err == nil:
		p.judged = true
		p.launch(file, at, false)
		return nil
	case errors.Is(err, ErrDamaged), errors.Is(err, errForeign):
		p.set.log.Warn("view file is discarded", "view", p.view.Name, "error", err)
		if err := removeIfThere(p.path()); err != nil {
			return fmt.Errorf("discarding the file: %w", err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("opening the file: %w", err)
	}
	p.judged = true
	return p.begin()
}

// begin begins to fill a new file.
func (p *projector) begin() error {
	file, err := newView(p.newPath(), &p.view)
	if err != nil {
		return fmt.Errorf("beginning a file: %w", err)
	}
	p.launch(file, mark{}, true)
	return nil
}

// place gives a durable file the view's path, which the one that serves has. If that fails it is tried again; after a
// power cut the path may be either's.
func (p *projector) place(f, serving *filler) error {
	if err := f.file.rename(p.path()); err != nil {
		return fmt.Errorf("putting a new file in its place: %w", err)
	}
	if serving != nil {
		serving.file.path = "" // it lives on without a name
	}
	if err := syncFolder(p.set.dir); err != nil {
		return fmt.Errorf("putting a new file in its place: %w", err)
	}
	p.discards = 0
	p.mu.Lock()
	defer p.mu.Unlock()
	f.placed = true
	p.promote(f)
	p.notify()
	return nil
}

// launch starts a filler for a file that is at a mark.
func (p *projector) launch(file *viewFile, at mark, building bool) {
	ctx, cancel := context.WithCancel(p.set.ctx)
	f := &filler{p: p, file: file, cancel: cancel, done: make(chan struct{}), building: building,
		placed: !building, committed: at.position, reaching: at.position}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filling, p.asked = f, false
	p.promote(f)
	p.notify()
	p.set.work.Go(func() { f.run(ctx) })
}

// promote lets the new file serve if it can. The caller holds mu.
func (p *projector) promote(f *filler) {
	if f != p.filling || !f.placed || f.committed < p.floor() {
		return
	}
	if p.reached = p.floor(); p.serving != nil {
		p.old = append(p.old, p.serving)
	}
	p.serving, p.filling = f, nil
}

// floor returns the greatest position that may have been read. The caller holds mu.
func (p *projector) floor() uint64 {
	if p.serving == nil {
		return p.reached
	}
	return max(p.reached, p.serving.reaching)
}

func (f *filler) stop() {
	f.cancel()
	<-f.done
}

// rebuild asks for a new file.
func (p *projector) rebuild() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.set.ctx.Err() != nil:
		return ErrViewsClosed
	case p.serving == nil || p.filling != nil || p.asked:
		return ErrRebuilding
	}
	p.asked = true
	p.notify()
	return nil
}

// close closes all files. Nothing runs any more, except readers, for which it waits.
func (p *projector) close() error {
	p.mu.Lock()
	serving, filling, old, damaged := p.serving, p.filling, p.old, p.damaged
	p.serving, p.filling, p.old, p.damaged = nil, nil, nil, nil
	p.mu.Unlock()
	var errs []error
	for _, f := range damaged {
		errs = append(errs, f.file.discard())
	}
	for _, f := range append(old, serving, filling) {
		if f != nil {
			errs = append(errs, f.file.db.Close())
		}
	}
	if filling != nil && !filling.placed {
		errs = append(errs, removeIfThere(filling.file.path))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing view %s: %w", p.view.Name, err)
	}
	return nil
}
