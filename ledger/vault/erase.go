package vault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/imalink/custody/ledger/stream"
)

// Limits of a change of keys.
const (
	MaxPending = 64 << 10 // bytes of its pending event
	MaxKept    = 16 << 10 // kept keys of one row
)

// A Chain names the keys derived from a person's key for one class and role.
type Chain struct {
	Class uint8
	Role  Role
}

// An Erasing says which rows go, and which chains stay of each: none means that
// the row goes, identifier and all.
//
// Of a row that stays, the chains named go on giving the tags that they gave and
// opening what they opened. For all else it has a new key, as somebody new: the
// tags it gave and what was sealed are nobody's, and events to come find a key.
type Erasing struct {
	Rows    map[PersonID][]Chain // every row of the person, each by its own id
	Pending []byte               // recorded later as the event that says so; nil leaves what is pending
}

// Erase destroys the keys of a person for good, and returns the version of the
// root in force since. It waits for open batches, and holds new ones up; readers
// are answered as before it, or as after.
//
// An error that wraps [ErrOrder] means that the person is not exactly these rows,
// [ErrGone] that one of them is no more, [ErrLimit] that something is beyond its
// limit; these, and stream.ErrRejected, mean that nothing happened. So does
// [ErrAbandoned], but that one version of the root is used up. After any other
// error the vault is halted: opening it finds out.
func (v *Vault) Erase(ctx context.Context, e Erasing) (root uint64, err error) {
	root, err = v.rekey(ctx, func() (*change, error) { return v.erasing(e) })
	if err != nil {
		return 0, fmt.Errorf("erasing: %w", err)
	}
	return root, nil
}

// erasing plans an erasure, as the vault is now.
func (v *Vault) erasing(e Erasing) (*change, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	people, err := v.exactly(e.Rows)
	if err != nil {
		return nil, err
	}
	left, goes := map[rid]row{}, map[rid]bool{}
	for _, p := range people {
		if r, stays := p.left(e.Rows[PersonID(p.rid)]); stays {
			left[p.rid] = r
		} else {
			goes[p.rid] = true
		}
	}
	for of, r := range left {
		r.links = slices.DeleteFunc(r.links, func(l link) bool { return goes[l.other] })
		left[of] = r
	}
	amend := func(r *row) (stays bool) {
		if l, ok := left[r.rid]; ok {
			*r = l
		}
		return !goes[r.rid]
	}
	return &change{shards: v.shardsOf(people), amend: amend, pending: e.Pending}, nil
}

func (e *Erasing) check() error {
	if err := checkPending(e.Pending); err != nil {
		return err
	}
	if len(e.Rows) == 0 {
		return fmt.Errorf("%w: no row to erase", ErrLimit)
	}
	for _, chains := range e.Rows {
		for _, c := range chains {
			if err := (CellID{Class: c.Class, Role: c.Role}).check(); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkPending(b []byte) error {
	if len(b) > MaxPending {
		return fmt.Errorf("%w: pending event of %d bytes, at most %d", ErrLimit, len(b), MaxPending)
	}
	return nil
}

// exactly returns the rows named, which must be one person's, all of them: who
// was linked meanwhile would be erased in part.
func (v *Vault) exactly(rows map[PersonID][]Chain) ([]*person, error) {
	var people []*person
	for id := range rows {
		p, err := v.rowIfAny(rid(id))
		if err != nil {
			return nil, err
		}
		if p == nil {
			return nil, fmt.Errorf("%w: no such row", ErrGone)
		}
		if people != nil {
			continue // all are asked for: one that is no more is told apart
		}
		if people, err = v.component(p, false); err != nil {
			return nil, err
		}
	}
	for _, p := range people {
		if _, ok := rows[PersonID(p.rid)]; !ok || len(people) != len(rows) {
			return nil, fmt.Errorf("%w: the person has %d rows, and not the %d that were named", ErrOrder, len(people), len(rows))
		}
	}
	return people, nil
}

// shardsOf returns the shards of rows, each once.
func (v *Vault) shardsOf(people []*person) []uint8 {
	numbers := map[uint8]bool{}
	for _, p := range people {
		s, _ := v.keys.shard(p.id)
		numbers[s.number] = true
	}
	return slices.Sorted(maps.Keys(numbers))
}

// left returns what is left of a row with these chains; stays is false if nothing.
func (p *person) left(chains []Chain) (r row, stays bool) {
	old := person{row: p.row}
	old.links = slices.Clone(p.links)
	old.compact()
	r = row{rid: p.rid, id: p.id, key: newKey(), links: old.links}
	for _, k := range p.kept {
		if slices.Contains(chains, Chain{k.cell.Class, k.cell.Role}) {
			r.kept = append(r.kept, k)
		}
	}
	for _, c := range chains {
		r.kept = append(r.kept, kept{cell: CellID{c.Class, c.Role, everyMonth}, key: *old.chain(c.Class, c.Role)})
	}
	r.kept = sortedKept(r.kept)
	return r, len(r.kept) > 0
}

// sortedKept sorts kept keys by cell, and leaves each cell once: two of one cell
// are the same.
func sortedKept(all []kept) []kept {
	slices.SortFunc(all, func(a, b kept) int { return a.cell.compare(b.cell) })
	return slices.CompactFunc(all, func(a, b kept) bool { return a.cell == b.cell })
}

// unchanged is an error after which nothing happened: of this package's own that
// say so, or wrapping stream.ErrRejected.
func unchanged(err error) error {
	for _, own := range []error{ErrOrder, ErrGone, ErrLimit, ErrHalted} {
		if errors.Is(err, own) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", stream.ErrRejected, err)
}

// Pending is the event that the change of keys in force left to be recorded, nil
// if none. It stays until the next change. It is not to be modified.
func (v *Vault) Pending() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.keys.pending
}

// Next is the version that the next root key will have.
func (v *Vault) Next() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.tail.highest + 1
}

// RowsOf returns every row of the person who has an identifier, and at the same
// place its identifier; none if nobody has it. It creates nothing and leaves no
// trace of the identifier. Links of events that are not yet durable do not count.
func (v *Vault) RowsOf(id Identifier) (rows []PersonID, ids []Identifier, err error) {
	people, err := v.rowsOf(id)
	for i := range people {
		rows, ids = append(rows, PersonID(people[i].rid)), append(ids, people[i].id)
	}
	return rows, ids, err
}
