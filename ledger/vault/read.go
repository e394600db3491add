package vault

import "slices"

// Lookup returns who has an identifier; false if nobody has. It creates nothing
// and leaves no trace of the identifier.
func (v *Vault) Lookup(id Identifier) (Person, bool, error) {
	if err := id.check(); err != nil {
		return Person{}, false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	p, err := v.find(id)
	if err != nil || p == nil {
		return Person{}, false, err
	}
	return Person{p: p}, true, nil
}

// TagOf returns the tag that an identifier has in a cell; false if it has none:
// nobody has it, or the cell has had no event, or is gone and nothing was kept.
func (v *Vault) TagOf(cell CellID, id Identifier) (Tag, bool, error) {
	if err := id.check(); err != nil {
		return Tag{}, false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	p, err := v.find(id)
	if err != nil || p == nil {
		return Tag{}, false, err
	}
	tag, _, ok := p.in(cell, v.cells[cell])
	return tag, ok, nil
}

// RefOf returns the tag of a joinable reference in a cell; false if the cell has
// had no event or is gone.
func (v *Vault) RefOf(cell CellID, value Identifier) (Tag, bool) {
	v.mu.Lock()
	c := v.cells[cell]
	v.mu.Unlock()
	if c == nil {
		return Tag{}, false
	}
	return c.reference(value), true
}

// RootVersion is the version of the root key in force.
func (v *Vault) RootVersion() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.keys.epoch
}

// Shards is in how many shards, of 256, some rows stand. A row that is no more
// stands in none.
func (v *Vault) Shards(rows []PersonID) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	in := map[uint8]bool{}
	for _, row := range rows {
		p, err := v.rowIfAny(rid(row))
		if err != nil {
			return 0, err
		}
		if p != nil {
			s, _ := v.keys.shard(p.id)
			in[s.number] = true
		}
	}
	return len(in), nil
}

// Cells returns every live cell, ascending.
func (v *Vault) Cells() []CellID {
	v.mu.Lock()
	defer v.mu.Unlock()
	ids := make([]CellID, 0, len(v.cells))
	for id := range v.cells {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, CellID.compare)
	return ids
}

// Linked returns every identifier of the person who has id, id included,
// ascending; none if nobody has it. Links of events that are not yet durable do
// not count.
func (v *Vault) Linked(id Identifier) ([]Identifier, error) { return v.linked(id, false) }

// Linked is [Vault.Linked] with what this batch and those before it say.
func (b *Batch) Linked(id Identifier) ([]Identifier, error) { return b.v.linked(id, true) }

func (v *Vault) linked(id Identifier, pending bool) ([]Identifier, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	p, err := v.find(id)
	if err != nil || p == nil {
		return nil, err
	}
	people, err := v.component(p, pending)
	if err != nil {
		return nil, err
	}
	ids := make([]Identifier, len(people))
	for i, q := range people {
		ids[i] = q.id
	}
	slices.Sort(ids)
	return ids, nil
}
