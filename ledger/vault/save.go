package vault

import (
	"context"
)

// The index is written beside the work, many rows at a time: a start that finds
// it behind reads the rest from the stream. Until then rows stay in the overlay.
const (
	indexEvery = 8192 // rows
	indexLag   = 4    // times as many unsaved rows make Flush wait
)

// A write is one write of the index under way. err is set before done is closed.
type write struct {
	done chan struct{}
	err  error
}

// startWrite begins to write all that is unsaved. The caller holds the lock.
func (v *Vault) startWrite() {
	people := v.unsaved
	v.unsaved = nil
	entries := make([]*entry, 0, len(people))
	for _, p := range people {
		if p.entry != nil { // nil: an earlier write had it in a later form
			entries = append(entries, p.entry)
		}
	}
	w := &write{done: make(chan struct{})}
	v.writing = w
	t, epoch := v.tail, v.keys.epoch
	go func() {
		w.err = v.index.write(nil, entries, t, epoch)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.writing = nil
		if w.err != nil { // nothing of it happened: next time again
			v.unsaved = append(people, v.unsaved...)
		} else {
			v.saved(people, entries)
		}
		close(w.done)
	}()
}

// saved lets go of rows that have not changed since they were written.
func (v *Vault) saved(people []*person, entries []*entry) {
	written := make(map[*entry]bool, len(entries))
	for _, e := range entries {
		written[e] = true
	}
	for _, p := range people {
		if written[p.entry] {
			p.entry = nil
			v.release(p)
		}
	}
}

// indexRoom waits while far more rows are unsaved than one write takes. It
// returns why the index could not be written, once that has become too many.
func (v *Vault) indexRoom(ctx context.Context) error {
	for {
		v.mu.Lock()
		w, full := v.writing, len(v.unsaved) >= indexLag*v.every
		if full && w == nil {
			v.startWrite()
			w = v.writing
		}
		v.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-w.done:
			if w.err != nil {
				return w.err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// saveIndex writes all that is unsaved, and waits for it.
func (v *Vault) saveIndex() error {
	for {
		v.mu.Lock()
		if v.writing == nil {
			if v.halted != nil || v.index.state.tail == v.tail {
				v.mu.Unlock()
				return nil
			}
			v.startWrite()
		}
		w := v.writing
		v.mu.Unlock()
		<-w.done
		if w.err != nil {
			return w.err
		}
	}
}
