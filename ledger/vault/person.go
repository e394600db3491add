package vault

import (
	"slices"
)

// A person is a row in memory. rid, id and key never change; all else is
// guarded by the vault's lock.
type person struct {
	row
	chains []chain // derived keys, made as needed
	born   *Batch  // batch that is to make the row durable; nil once it is
	stale  int     // not 0: the stored row has a link that does not hold, and is to be written anew
	entry  *entry  // the row as stored, until the index has it

	newer, older *person // neighbours in the cache
}

// A chain is KC: what of a person's key belongs to one class and role.
type chain struct {
	secret
	class uint8
	role  Role
	key   key
}

// A Person is a handle of somebody the vault knows, or is about to. The zero
// Person is nobody. It says nothing of whom it stands for.
type Person struct {
	secret
	p *person
}

// IsZero says whether p is nobody.
func (p Person) IsZero() bool { return p.p == nil }

// chain returns KC: the one that was kept, or what the row's key gives.
func (p *person) chain(class uint8, role Role) *key {
	for i := range p.chains {
		if c := &p.chains[i]; c.class == class && c.role == role {
			return &c.key
		}
	}
	if k := p.keptFor(CellID{class, role, everyMonth}); k != nil {
		return &k.key
	}
	p.chains = append(p.chains, chain{class: class, role: role, key: p.key.derive(labelPerson, class, byte(role))})
	return &p.chains[len(p.chains)-1].key
}

func (p *person) keptFor(id CellID) *kept {
	i, ok := slices.BinarySearchFunc(p.kept, id, func(k kept, id CellID) int { return k.cell.compare(id) })
	if !ok {
		return nil
	}
	return &p.kept[i]
}

// in returns the person's tag in a cell, and the key of what is sealed about
// them there. c is nil if the cell is gone; ok is false if nothing of it was kept.
func (p *person) in(id CellID, c *cell) (tag Tag, seal key, ok bool) {
	if k := p.keptFor(id); k != nil {
		return k.tag, k.key, true
	}
	if c == nil {
		return Tag{}, key{}, false
	}
	tag, seal = c.person(p.chain(id.Class, id.Role))
	return tag, seal, true
}

// settled says whether the index has all there is to know of p.
func (p *person) settled() bool {
	return p.born == nil && p.stale == 0 && p.entry == nil &&
		!slices.ContainsFunc(p.links, func(l link) bool { return l.batch != nil })
}

// An overlay holds the persons that the index does not have as they are.
type overlay struct {
	byID  map[Identifier]*person
	byRID map[rid]*person
}

func newOverlay() overlay {
	return overlay{byID: map[Identifier]*person{}, byRID: map[rid]*person{}}
}

func (o overlay) put(p *person)    { o.byID[p.id], o.byRID[p.rid] = p, p }
func (o overlay) remove(p *person) { delete(o.byID, p.id); delete(o.byRID, p.rid) }

// A cache keeps the persons last used, up to a bound.
type cache struct {
	max   int
	byID  map[Identifier]*person
	first *person // last used
	last  *person // first to go
}

func newCache(max int) *cache { return &cache{max: max, byID: make(map[Identifier]*person)} }

func (c *cache) get(id Identifier) *person {
	p := c.byID[id]
	if p != nil && p != c.first {
		c.unlink(p)
		c.push(p)
	}
	return p
}

// put adds p, whose identifier must not be there.
func (c *cache) put(p *person) {
	if len(c.byID) >= c.max {
		oldest := c.last
		c.unlink(oldest)
		delete(c.byID, oldest.id)
	}
	c.byID[p.id] = p
	c.push(p)
}

func (c *cache) remove(id Identifier) {
	if p := c.byID[id]; p != nil {
		c.unlink(p)
		delete(c.byID, id)
	}
}

// wipe zeroes the keys of everybody in the cache, which is used no more. Go may
// have copied them: memory is no part of what an erasure promises.
func (c *cache) wipe() {
	for _, p := range c.byID {
		p.key = key{}
		clear(p.chains)
	}
}

func (c *cache) push(p *person) {
	p.newer, p.older = nil, c.first
	if c.first != nil {
		c.first.newer = p
	} else {
		c.last = p
	}
	c.first = p
}

func (c *cache) unlink(p *person) {
	if p.newer != nil {
		p.newer.older = p.older
	} else {
		c.first = p.older
	}
	if p.older != nil {
		p.older.newer = p.newer
	} else {
		c.last = p.newer
	}
	p.newer, p.older = nil, nil
}
