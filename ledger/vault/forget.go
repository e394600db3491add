package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A Forgetting says which cells go: those of a class, of both roles, before a
// month. Cost does not depend on how many people there are, but on how many are
// held.
type Forgetting struct {
	Class  uint8
	Before Month
	// Held are all rows under a legal hold: their tags, and the keys of what was
	// sealed about them, are kept of the cells that go, and of those that went
	// before as far as they were kept until now. What was kept of the class for
	// others goes, too.
	Held    []PersonID
	Pending []byte // recorded later as the event that says so; nil leaves what is pending
}

// Forget destroys the keys of cells for good: nobody can resolve their tags any
// more, or open what was sealed in them, but for rows that are held. It returns
// the version of the root in force since, and how many cells went. If the class
// is forgotten up to that month already nothing is done, not even for who is held
// no more, and root is 0. The error wraps [ErrOrder] if it is forgotten up to a
// later month, [ErrGone] if a row that is held is no more; else it is as that of
// [Vault.Erase].
func (v *Vault) Forget(ctx context.Context, f Forgetting) (root uint64, cells int, err error) {
	root, err = v.rekey(ctx, func() (c *change, err error) {
		c, cells, err = v.forgetting(f)
		return c, err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("forgetting: %w", err)
	}
	return root, cells, nil
}

// forgetting plans a forgetting, as the vault is now; nil if there is nothing to do.
func (v *Vault) forgetting(f Forgetting) (c *change, cells int, err error) {
	if err := errors.Join(checkPending(f.Pending), (CellID{Class: f.Class, Role: Subject}).check()); err != nil {
		return nil, 0, err
	}
	switch before, ever := v.keys.forgotten[f.Class]; {
	case ever && f.Before < before:
		return nil, 0, fmt.Errorf("%w: class %d is forgotten up to %v, which is after %v", ErrOrder, f.Class, before, f.Before)
	case ever && f.Before == before:
		return nil, 0, nil
	}
	going := v.going(f)
	c = &change{forget: map[uint8]Month{f.Class: f.Before}, pending: f.Pending}
	seen := map[PersonID]bool{}
	for _, id := range f.Held {
		if seen[id] {
			continue
		}
		seen[id] = true
		r, err := v.heldRow(id, f.Class, going)
		if err != nil {
			return nil, 0, err
		}
		c.held = append(c.held, r)
	}
	return c, len(going), nil
}

// going returns the cells that go.
func (v *Vault) going(f Forgetting) (cells []*cell) {
	for id, c := range v.cells {
		if id.Class == f.Class && id.Month < f.Before {
			cells = append(cells, c)
		}
	}
	return cells
}

// heldRow returns a row with what it is to keep of a class's cells that go. What
// it kept until now stays beside it under the hold in force, which counts until
// the change does.
func (v *Vault) heldRow(id PersonID, class uint8, going []*cell) (row, error) {
	p, err := v.rowIfAny(rid(id))
	if err != nil {
		return row{}, err
	}
	if p == nil {
		return row{}, fmt.Errorf("%w: no such row", ErrGone)
	}
	q := person{row: p.row}
	q.links = slices.Clone(p.links)
	q.compact()
	r := q.row
	r.held = slices.DeleteFunc(v.keys.put(q.row).held, func(h holding) bool { return h.class != class })
	r.kept = slices.Clone(q.kept)
	for _, c := range going {
		if tag, seal, ok := q.in(c.id, c); ok {
			r.kept = append(r.kept, kept{cell: c.id, tag: tag, key: seal})
		}
	}
	if r.kept = sortedKept(r.kept); len(r.kept) > MaxKept {
		return row{}, fmt.Errorf("%w: a row would keep %d keys, at most %d", ErrLimit, len(r.kept), MaxKept)
	}
	return r, nil
}
