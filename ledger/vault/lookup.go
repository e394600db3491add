package vault

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// A Tagged is the tag that somebody has in a cell.
type Tagged struct {
	Cell CellID
	Tag  Tag
}

// People returns the person who has an identifier, and every identifier of that
// person, ascending; the zero PersonID if nobody has it. It creates nothing and
// leaves no trace of the identifier. Links of events that are not yet durable do
// not count.
func (v *Vault) People(id Identifier) (self PersonID, ids []Identifier, err error) {
	rows, err := v.rowsOf(id)
	if err != nil || len(rows) == 0 {
		return PersonID{}, nil, err
	}
	least := slices.MinFunc(rows, func(a, b person) int { return compareRIDs(a.rid, b.rid) })
	for i := range rows {
		ids = append(ids, rows[i].id)
	}
	slices.Sort(ids)
	return PersonID(least.rid), ids, nil
}

// RowOf returns the id of an identifier's own row, which stays the same whatever
// it is linked with; the zero PersonID if nobody has the identifier. A token that
// is for one person holds this.
func (v *Vault) RowOf(id Identifier) (PersonID, error) {
	p, ok, err := v.Lookup(id)
	if err != nil || !ok {
		return PersonID{}, err
	}
	return PersonID(p.p.rid), nil
}

// IdentifierOf returns the identifier of a row. The error wraps [ErrGone] if the
// row is no more. The identifier is in clear: who asks is to be recorded first.
func (v *Vault) IdentifierOf(row PersonID) (Identifier, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	p, err := v.rowIfAny(rid(row))
	if err != nil {
		return "", err
	}
	if p == nil {
		return "", fmt.Errorf("%w: no such row", ErrGone)
	}
	return p.id, nil
}

// TagsOf returns the tags that the person who has an identifier has in every
// cell of a role, by any identifier, ascending by cell; none if nobody has it.
// It costs a row for each identifier and a MAC for each cell, and holds
// recording up for the rows only.
func (v *Vault) TagsOf(id Identifier, role Role) ([]Tagged, error) {
	rows, cells, err := v.rowsAndCells(id, role)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	tags := make([]Tagged, 0, len(cells)*len(rows))
	for i := range rows {
		p := &rows[i]
		for _, c := range cells {
			tags = append(tags, Tagged{c.id, c.tagOf(p.chain(c.id.Class, c.id.Role))})
		}
		for _, k := range p.kept { // what outlived its key, or its cell
			if k.cell.Month != everyMonth && k.cell.Role == role {
				tags = append(tags, Tagged{k.cell, k.tag})
			}
		}
	}
	slices.SortFunc(tags, Tagged.compare)
	return slices.Compact(tags), nil
}

// Candidates returns what a name without its type may stand for: each identifier
// that somebody has, of every type that identifiers have and of none, ascending. A
// type is what an identifier begins with, up to a colon; 256 count, of at most 32
// bytes. It leaves no trace of the name. The first call reads every row, as that
// of [Vault.Who] does.
func (v *Vault) Candidates(name Identifier) ([]Identifier, error) {
	if err := name.check(); err != nil {
		return nil, err
	}
	types, err := v.types()
	if err != nil {
		return nil, fmt.Errorf("reading the types of identifiers: %w", err)
	}
	var found []Identifier
	for _, of := range append(types, "") {
		id := of + name
		if len(id) > MaxIdentifier {
			continue
		}
		_, known, err := v.Lookup(id)
		if err != nil {
			return nil, err
		}
		if known {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// rowsOf copies what never changes of the rows of the person who has an
// identifier, so that it can be used without the lock; none if nobody has it.
func (v *Vault) rowsOf(id Identifier) ([]person, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rowsLocked(id)
}

// rowsAndCells is rowsOf, and the live cells of a role at the same moment: between
// the two a cell may go, whose tags some rows have since.
func (v *Vault) rowsAndCells(id Identifier, role Role) ([]person, []*cell, error) {
	if err := id.check(); err != nil {
		return nil, nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	rows, err := v.rowsLocked(id)
	return rows, v.cellsOf(role), err
}

// rowsLocked is rowsOf for who has the lock.
func (v *Vault) rowsLocked(id Identifier) ([]person, error) {
	p, err := v.find(id)
	if err != nil || p == nil {
		return nil, err
	}
	people, err := v.component(p, false)
	if err != nil {
		return nil, err
	}
	rows := make([]person, len(people))
	for i, q := range people {
		rows[i] = person{row: q.row}
		rows[i].links = nil // which change
	}
	return rows, nil
}

// rowIfAny is byRID of a row that may not be there: then it is nil.
func (v *Vault) rowIfAny(r rid) (*person, error) {
	if p := v.recent.byRID[r]; p != nil {
		return p, nil
	}
	rec, ok, err := v.index.row(r)
	if err != nil || !ok {
		return nil, err
	}
	return v.load(rec)
}

// cellsOf returns the live cells of a role. The caller holds the lock.
func (v *Vault) cellsOf(role Role) []*cell {
	cells := make([]*cell, 0, len(v.cells))
	for id, c := range v.cells {
		if id.Role == role {
			cells = append(cells, c)
		}
	}
	return cells
}

func (t Tagged) compare(u Tagged) int {
	return cmp.Or(t.Cell.compare(u.Cell), bytes.Compare(t.Tag[:], u.Tag[:]))
}

// types returns the types of identifiers, each with its colon.
func (v *Vault) types() ([]Identifier, error) {
	for {
		types, err := v.reversed().seenTypes()
		if !errors.Is(err, errOutdated) {
			return types, err
		}
	}
}
