package vault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
)

// A Batch is what one group of events needs of the vault, from its first tag to
// its durable commit. It holds the vault's keys as they are for as long.
//
// Batches overlap: while one is flushed and its events are committed, the next
// is filled, and sees the people that the one before is about to create. They
// are flushed, and end, in the order they began; if one is aborted before it was
// flushed, so must be those begun after it.
//
// All methods but Flush belong to one goroutine, the same for all batches. Flush
// may run beside them, but for those of its own batch.
type Batch struct {
	secret
	v *Vault

	// guarded by the vault's lock
	cells   []*cell   // created
	born    []*person // created
	touched []*person // whose links it changed
	written bool      // flushed, or nothing was to be
	doomed  bool      // an earlier one was aborted, whose people this one may use
	ended   bool
}

// Begin starts a batch. It waits while keys are being changed. Every batch is
// ended by exactly one of Commit and Abort.
func (v *Vault) Begin() *Batch {
	v.epoch.RLock()
	b := &Batch{v: v}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open = append(v.open, b)
	return b
}

// Cell returns the cell of an id, which it creates if need be: Flush makes it
// durable. A cell that was forgotten stays so, see Cell.Gone.
func (b *Batch) Cell(id CellID) (Cell, error) {
	if err := id.check(); err != nil {
		return Cell{}, err
	}
	v := b.v
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := b.usable(); err != nil {
		return Cell{}, err
	}
	if v.keys.gone(id) {
		return Cell{gone: true}, nil
	}
	c := v.cells[id]
	if c == nil {
		c = newCell(id, newKey())
		v.cells[id] = c
		b.cells = append(b.cells, c)
		b.written = false
	}
	return Cell{cell: c}, nil
}

// Tag returns the tag of an identifier in a cell, and whose it is. Somebody
// unknown is created: Flush makes the row durable. In a cell that is gone the tag
// is random, and nobody is created. Whose keys for this class and role were
// destroyed, in part, has new ones.
func (b *Batch) Tag(c Cell, id Identifier) (Tag, Person, error) {
	if err := errors.Join(c.check(), id.check()); err != nil {
		return Tag{}, Person{}, err
	}
	if c.gone {
		return randomTag(), Person{}, nil
	}
	v := b.v
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := b.usable(); err != nil {
		return Tag{}, Person{}, err
	}
	p, err := v.find(id)
	if err != nil {
		return Tag{}, Person{}, err
	}
	if p == nil {
		p = b.create(id)
	}
	return c.cell.tagOf(p.chain(c.cell.id.Class, c.cell.id.Role)), Person{p: p}, nil
}

// Ref returns the tag of a joinable reference, such as a session, in a cell. It
// needs no row. In a cell that is gone it is random.
func (b *Batch) Ref(c Cell, value Identifier) (Tag, error) {
	if err := errors.Join(c.check(), value.check()); err != nil {
		return Tag{}, err
	}
	if c.gone {
		return randomTag(), nil
	}
	return c.cell.reference(value), nil
}

func (b *Batch) create(id Identifier) *person {
	p := &person{row: row{id: id, key: newKey()}, born: b}
	_, _ = rand.Read(p.rid[:])
	b.v.recent.put(p)
	b.born = append(b.born, p)
	b.written = false
	return p
}

func (b *Batch) usable() error {
	switch {
	case b.v.halted != nil:
		return b.v.halted
	case b.ended:
		return fmt.Errorf("%w: it has ended", ErrOrder)
	case b.doomed:
		return fmt.Errorf("%w: one before it was aborted", ErrOrder)
	}
	return nil
}

// Commit ends the batch once its events are durable. A batch that was not
// flushed, and has something to, is aborted instead.
func (b *Batch) Commit() {
	b.v.mu.Lock()
	defer b.v.mu.Unlock()
	if b.written {
		b.end(b.v.keepLinks)
	} else {
		b.end(b.v.dropLinks)
	}
}

// Abort ends the batch if its events were not recorded. What was flushed stays:
// people without events; links are taken back, and their rows written anew by
// the next Flush. What was not flushed is forgotten, and later batches with it.
func (b *Batch) Abort() {
	b.v.mu.Lock()
	defer b.v.mu.Unlock()
	b.end(b.v.dropLinks)
}

// end settles the batch's links and lets go of the vault's keys. It may be
// called again, which does nothing.
func (b *Batch) end(settle func(*Batch, *person)) {
	if b.ended {
		return
	}
	b.ended = true
	v := b.v
	for _, p := range b.touched {
		settle(b, p)
	}
	if len(b.born)+len(b.cells)+len(b.touched) > 0 && !b.written {
		b.forget()
	}
	i := slices.Index(v.open, b)
	v.open = slices.Delete(v.open, i, i+1)
	for _, p := range slices.Concat(b.born, b.touched) {
		v.release(p)
	}
	v.epoch.RUnlock()
}

// forget drops what the batch created and did not write. After a write whose
// outcome is unknown the vault is halted, so nobody is created twice.
func (b *Batch) forget() {
	v := b.v
	for _, c := range b.cells {
		delete(v.cells, c.id)
	}
	for _, p := range b.born {
		v.recent.remove(p)
		p.born = nil
	}
	b.born = nil
	i := slices.Index(v.open, b)
	for _, later := range v.open[i+1:] {
		later.doomed = true
	}
}

// release moves p from the overlay to the cache once the index has it.
func (v *Vault) release(p *person) {
	if v.recent.byID[p.id] != p || !p.settled() {
		return
	}
	v.recent.remove(p)
	v.cache.remove(p.id)
	v.cache.put(p)
}

// find returns who has an identifier, nil if nobody.
func (v *Vault) find(id Identifier) (*person, error) {
	if p := v.recent.byID[id]; p != nil {
		return p, nil
	}
	if p := v.cache.get(id); p != nil {
		return p, nil
	}
	s, name := v.keys.shard(id)
	rec, ok, err := v.index.lookup(name)
	if err != nil || !ok {
		return nil, err
	}
	p, err := v.load(rec)
	if err != nil {
		return nil, err
	}
	if p.id != id || rec.shard != s.number {
		return nil, damaged("index: row of shard %d is filed under another's name", rec.shard)
	}
	v.cache.put(p)
	return p, nil
}

// load opens a record that the index has.
func (v *Vault) load(rec record) (*person, error) {
	s := &v.keys.shards[rec.shard]
	if rec.key != s.id {
		return nil, damaged("index: row of shard %d under a former key", rec.shard)
	}
	r, err := v.keys.openRow(rec)
	if err != nil {
		return nil, err
	}
	return &person{row: r}, nil
}

func randomTag() (t Tag) {
	_, _ = rand.Read(t[:])
	return t
}
