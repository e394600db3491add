package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/imalink/custody/ledger/stream"
)

// A draft is what one Flush is to write.
type draft struct {
	cells  map[CellID]*cell // for the table; nil if it stays as it is
	people []*person
	rows   []row // as people's rows are to be stored
	stale  []int // people's stale, so that what becomes stale meanwhile stays so
	from   tail
	events uint64
}

// Flush makes durable what the batch created or linked, and rows that an aborted
// batch left to be written anew; with nothing to write it writes nothing. events
// is the position up to which events are durable, below all positions that this
// batch's links name.
//
// If the error wraps stream.ErrRejected nothing was written: Flush may be called
// again, or Abort. After another error of the log it is unknown what was, and
// the vault is halted: every call for a batch returns ErrHalted, until the vault
// is opened anew.
func (b *Batch) Flush(ctx context.Context, events uint64) error {
	v := b.v
	if err := v.indexRoom(ctx); err != nil {
		return fmt.Errorf("%w: writing the vault's index: %w", stream.ErrRejected, err)
	}
	d, err := v.draft(b, events)
	if err != nil || d == nil {
		return err
	}
	messages, entries, err := v.sealUnder(&v.keys, d)
	if err != nil {
		return fmt.Errorf("%w: %w", stream.ErrRejected, err)
	}
	last, err := v.log.Append(ctx, messages)
	v.mu.Lock()
	defer v.mu.Unlock()
	if errors.Is(err, stream.ErrRejected) {
		return fmt.Errorf("writing to the vault: %w", err)
	}
	if want := d.from.sequence + uint64(len(messages)); err == nil && last != want {
		err = fmt.Errorf("stream ends at %d, expected %d", last, want)
	}
	if err != nil {
		v.halted = fmt.Errorf("%w: %w", ErrHalted, err)
		return v.halted
	}
	v.flushed(b, d, messages, entries)
	return nil
}

// draft gathers what is to be written, nil if nothing is.
func (v *Vault) draft(b *Batch, events uint64) (*draft, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := b.usable(); err != nil {
		return nil, err
	}
	d := &draft{from: v.tail, events: max(events, v.tail.events)}
	for _, earlier := range v.open {
		if earlier == b {
			break
		}
		if !earlier.written && !earlier.empty() {
			return nil, fmt.Errorf("%w: one begun before is not flushed", ErrOrder)
		}
	}
	if err := d.gather(b, v.stale, events); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(b.cells, func(c *cell) bool { return !c.durable }) {
		d.cells = maps.Clone(v.cells)
		maps.DeleteFunc(d.cells, func(_ CellID, c *cell) bool { return !c.durable })
		for _, c := range b.cells {
			d.cells[c.id] = c
		}
	}
	if len(d.people) == 0 && d.cells == nil {
		b.written = true
		return nil, nil
	}
	return d, nil
}

func (b *Batch) empty() bool { return len(b.cells)+len(b.born)+len(b.touched) == 0 }

// gather takes each row once: new, linked, or to be written anew. Statements of
// batches that are not written yet are theirs to write.
func (d *draft) gather(b *Batch, stale []*person, events uint64) error {
	seen := map[*person]bool{}
	for _, people := range [][]*person{b.born, b.touched, stale} {
		for _, p := range people {
			if seen[p] || p.born != nil && p.born != b {
				continue
			}
			seen[p] = true
			r := p.row
			r.links = nil
			for _, l := range p.links {
				if l.batch == b && l.position <= events {
					return fmt.Errorf("%w: link at position %d, but events are durable up to %d", ErrOrder, l.position, events)
				}
				if l.batch == nil || l.batch == b || l.batch.written {
					r.links = append(r.links, l)
				}
			}
			d.people, d.rows, d.stale = append(d.people, p), append(d.rows, r), append(d.stale, p.stale)
		}
	}
	return nil
}

// sealUnder encodes a draft, its rows under the shards of keys. The batch holds
// the vault's keys as they are, so no lock is needed. Only the last message
// vouches for events: the rows that are written anew are all there once it is.
func (v *Vault) sealUnder(keys *keyring, d *draft) ([]stream.Message, []*entry, error) {
	var messages []stream.Message
	h := header{epoch: v.keys.epoch, events: d.from.events, previous: d.from.digest}
	add := func(suffix string, data []byte) {
		messages = append(messages, stream.Message{Subject: v.subject + suffix, Data: data})
		h.previous = sha256.Sum256(data)
	}
	if d.cells != nil {
		data, err := v.keys.seal(v.root.live, d.cells, h, newNonce())
		if err != nil {
			return nil, nil, err
		}
		add(subjectTable, data)
	}
	h.kind = kindRows
	entries := make([]*entry, len(d.rows))
	var records []record
	size := 0
	for i := range d.rows {
		s, name := keys.shard(d.rows[i].id)
		stored := keys.put(d.rows[i])
		rec := s.sealRow(&stored, newNonce())
		entries[i] = newEntry(name, rec, &d.rows[i])
		records, size = append(records, rec), size+rec.size()
		lastOne := i == len(d.rows)-1
		if lastOne {
			h.events = d.events
		}
		if lastOne || size >= rowsTarget {
			add(subjectRows, encodeRows(&v.keys.rows, h, records))
			records, size = nil, 0
		}
	}
	return messages, entries, nil
}

// flushed notes that a draft is durable.
func (v *Vault) flushed(b *Batch, d *draft, messages []stream.Message, entries []*entry) {
	b.written = true
	if d.cells != nil {
		for _, c := range b.cells {
			c.durable = true
		}
		v.tail.table = d.from.sequence + 1
	}
	for i, p := range d.people {
		if p.born != nil {
			v.reverse.notes.noteBorn(p)
		}
		p.born, p.entry = nil, entries[i]
		if p.stale == d.stale[i] {
			p.stale = 0
		}
		v.recent.put(p)
		v.unsaved = append(v.unsaved, p)
	}
	v.stale = slices.DeleteFunc(v.stale, func(p *person) bool { return p.stale == 0 })
	v.tail.sequence = d.from.sequence + uint64(len(messages))
	v.tail.digest = sha256.Sum256(messages[len(messages)-1].Data)
	if len(d.rows) > 0 {
		v.tail.events = d.events
	}
	if len(v.unsaved) >= v.every && v.writing == nil {
		v.startWrite()
	}
}
