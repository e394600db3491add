package vault

import (
	"maps"
	"slices"
)

// A change of keys alters few rows: it takes some, and of others it leaves a part.
// All the rest keep the key of their own, whatever key their shard has since, and
// so every tag. What was made of them is carried over.

// after returns the reverse after a change of keys that altered some rows. It holds
// nothing of r but what is carried over, which begins at once; whoever asks
// meanwhile waits for it. Until then both are in memory. The caller holds the
// vault's lock.
func (r *reverse) after(altered map[rid]bool) *reverse {
	next := newReverse(r.v, r.budget)
	if !r.notes.watching {
		return next // nobody has asked
	}
	next.notes = r.notes
	if r.notes.former == nil {
		next.notes.former = r
	}
	next.notes.altered = map[rid]bool{}
	maps.Copy(next.notes.altered, r.notes.altered) // what r did not come to carry over
	maps.Copy(next.notes.altered, altered)
	next.notes.born, _ = r.notes.born.without(altered)
	r.notes = notes{relinked: map[rid]bool{}}
	go func() {
		next.mu.Lock()
		defer next.mu.Unlock()
		_ = next.carry() // after an error whoever asks tries again
	}()
	return next
}

// carry takes over what the reverse before had, if it had all, but for rows that
// were altered and odd ones: those are read anew. After an error, calling it again begins anew.
func (r *reverse) carry() error {
	v := r.v
	v.mu.Lock()
	former, altered := r.notes.former, r.notes.altered
	v.mu.Unlock()
	if former == nil {
		return nil
	}
	former.mu.Lock()
	defer former.mu.Unlock()
	if former.filled {
		if err := r.take(former, altered); err != nil {
			return err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.reverse != r {
		return errOutdated
	}
	r.notes.former, r.notes.altered = nil, nil
	r.filled = former.filled
	return nil
}

// take is carry of a former reverse that had every row, and which the caller has
// locked.
func (r *reverse) take(former *reverse, altered map[rid]bool) error {
	rows, moves := former.rows.without(altered)
	r.rows, r.least = rows, maps.Clone(former.least)
	maps.DeleteFunc(r.least, func(of, _ rid) bool { return altered[of] })
	r.cells, r.order, r.size = map[CellID]*tagged{}, nil, 0
	for _, t := range former.order {
		c, err := r.cell(t.id)
		if err != nil {
			return err
		}
		if next := t.moved(c, &rows, moves); next != nil {
			r.cells[t.id], r.order, r.size = next, append(r.order, next), r.size+next.size
		}
	}
	again := maps.Clone(altered)
	for _, p := range former.rows.odd {
		again[p.rid] = true // what it kept may have ended with a hold
	}
	for of := range again {
		if err := r.readAgain(of); err != nil {
			return err
		}
	}
	r.v.mu.Lock()
	maps.Copy(again, former.notes.relinked) // what it could not find out any more
	r.v.mu.Unlock()
	return r.relink(again)
}

// readAgain adds a row as it is now, if it is.
func (r *reverse) readAgain(of rid) error {
	v := r.v
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.reverse != r {
		return errOutdated
	}
	p, err := v.rowIfAny(of)
	if err != nil || p == nil {
		return err
	}
	r.rows.add(&p.row)
	return nil
}

// A move says what became of the rows of one type of a directory.
type move struct {
	to   int      // number of the type now; -1 if none of its rows is left
	gone []uint32 // numbers of the rows left out, ascending
}

// without returns a directory without some rows and all odd ones, and of each type
// what became of it.
func (d *directory) without(rows map[rid]bool) (next directory, moves []move) {
	moves = make([]move, len(d.types))
	for i := range d.types {
		t, m := &d.types[i], &moves[i]
		for n, of := range t.rids {
			if rows[of] {
				m.gone = append(m.gone, uint32(n))
			}
		}
		if m.to = -1; len(m.gone) < len(t.rids) {
			m.to = next.of(t.name)
			next.types[m.to] = ofType{name: t.name, rids: but(t.rids, m.gone), keys: but(t.keys, m.gone)}
		}
	}
	return next, moves
}

// but returns all but those of some numbers, which ascend; the same memory if there
// is none.
func but[T any](all []T, gone []uint32) []T {
	if len(gone) == 0 {
		return all
	}
	left := make([]T, 0, len(all)-len(gone))
	from := 0
	for _, n := range gone {
		left = append(left, all[from:n]...)
		from = int(n) + 1
	}
	return append(left, all[from:]...)
}

// moved returns what was made of a cell as rows are numbered now; nil if its keys
// are not c any more.
func (t *tagged) moved(c *cell, rows *directory, moves []move) *tagged {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c == nil || t.cell != c {
		return nil
	}
	next := &tagged{id: t.id, cell: c}
	for range rows.types {
		next.types = append(next.types, finder{id: t.id, cell: c})
	}
	for i := range t.types {
		from, m := &t.types[i], moves[i]
		if m.to < 0 || len(from.runs) == 0 {
			continue
		}
		before, _ := slices.BinarySearch(m.gone, uint32(len(from.rows.rids))) // those after it were not made yet
		n := len(from.rows.rids) - before
		to, all := &next.types[m.to], &rows.types[m.to]
		to.rows = ofType{name: all.name, rids: all.rids[:n:n], keys: all.keys[:n:n]}
		for _, r := range from.runs {
			to.runs = append(to.runs, r.without(m.gone))
		}
		next.size += n * runSizeInMemory
	}
	return next
}

// without returns a run without some rows, as the others are numbered then.
func (r run) without(gone []uint32) run {
	if len(gone) == 0 {
		return r
	}
	next := run{make([]uint64, 0, len(r.rows)), make([]uint32, 0, len(r.rows))}
	for i, n := range r.rows {
		if before, is := slices.BinarySearch(gone, n); !is {
			next.prefixes, next.rows = append(next.prefixes, r.prefixes[i]), append(next.rows, n-uint32(before))
		}
	}
	return next
}
