package vault

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// reverseBudget is the default of Options.ReverseBudget.
const reverseBudget = 256 << 20

// A PersonID stands for a person: the least rid among the rows that links
// connect, as of now. A row's own, which no link changes, stands for it too
// wherever one is asked for. It is random and says nothing of who it is; the
// zero PersonID is nobody.
type PersonID [16]byte

// IsZero says whether id is nobody.
func (id PersonID) IsZero() bool { return id == PersonID{} }

// String is the id in 32 hex digits.
func (id PersonID) String() string               { return hex.EncodeToString(id[:]) }
func (id PersonID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// ParsePersonID reads what String writes; false for anything else.
func ParsePersonID(text string) (id PersonID, ok bool) {
	if len(text) != 2*len(id) {
		return PersonID{}, false
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err == nil && id.String() == text
}

// Who goes from tags of a cell back to people, in the order of tags. Linked
// identifiers are one person. A tag that nobody has, because the person or the
// cell was forgotten, or because it never was one, gives the zero PersonID.
//
// The first call reads every row; after a change of keys only those that it altered
// are read again. For a cell it makes the tags that people would
// have in it, type of identifier by type, those of fewest people first, until
// all that it was asked about are found: who acted is found among a few
// employees, and only a tag that is nobody's costs a tag for everybody. What was
// made is kept in memory, within Options.ReverseBudget, and follows what the
// vault records. Recording goes on meanwhile. The error is one of reading the
// index, or wraps [ErrLimit] for what is no cell.
func (v *Vault) Who(id CellID, tags []Tag) ([]PersonID, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	for {
		people, err := v.reversed().who(id, tags)
		if errors.Is(err, errOutdated) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("going from tags to people: %w", err)
		}
		return people, nil
	}
}

func (v *Vault) reversed() *reverse {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reverse
}

// errOutdated says that keys were changed meanwhile: begin again.
var errOutdated = errors.New("vault: keys were changed meanwhile")

// A reverse goes from tags to people. Tags are one-way, so it holds what every
// person's tag begins with. A change of keys replaces it by another, to which all
// but the rows and cells that it altered is carried over: what was forgotten is
// not to be found in it.
type reverse struct {
	secret
	v      *Vault
	budget int
	notes  notes // guarded by the vault's lock

	// making is held by whoever makes many tags: all CPUs work for one.
	making sync.Mutex

	mu     sync.Mutex // guards all below; held while rows are read, which everybody needs
	filled bool
	rows   directory
	least  map[rid]rid // the least rid of a row's person, where that is not its own
	cells  map[CellID]*tagged
	order  []*tagged // of cells, the one asked for longest ago first
	size   int       // of cells
}

func newReverse(v *Vault, budget int) *reverse {
	if budget == 0 {
		budget = reverseBudget
	}
	return &reverse{v: v, budget: budget, least: map[rid]rid{}, cells: map[CellID]*tagged{}}
}

func (r *reverse) who(id CellID, tags []Tag) ([]PersonID, error) {
	rows, t, err := r.ready(id)
	if err != nil {
		return nil, err
	}
	c, err := r.cell(id)
	if err != nil {
		return nil, err
	}
	s := search{tags: tags, found: make([]rid, len(tags))}
	s.odd(t.oddOnes(c, rows.odd))
	for _, n := range rows.ascending() {
		if c == nil || len(s.left) == 0 {
			break
		}
		f, made := t.of(r, c, n, rows.types[n])
		s.among(f)
		r.took(t, made)
	}
	return r.peopleOf(s.found), nil
}

// peopleOf goes from rows to people, as links are now.
func (r *reverse) peopleOf(rows []rid) []PersonID {
	people := make([]PersonID, len(rows))
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, of := range rows {
		if first, linked := r.least[of]; linked {
			of = first
		}
		people[i] = PersonID(of)
	}
	return people
}

// ready brings the rows and links up to date, and returns the rows as they are
// and where the tags of a cell are kept.
func (r *reverse) ready(id CellID) (directory, *tagged, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.follow(); err != nil {
		return directory{}, nil, err
	}
	t := r.cells[id]
	if t == nil {
		t = &tagged{id: id}
		r.cells[id] = t
	} else {
		i := slices.Index(r.order, t)
		r.order = slices.Delete(r.order, i, i+1)
	}
	r.order = append(r.order, t)
	return r.rows.snapshot(), t, nil
}

// took notes that memory went to a cell, and lets go of others if it was too much.
func (r *reverse) took(t *tagged, size int) {
	if size == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cells[t.id] != t {
		return // let go of meanwhile
	}
	t.size += size
	r.size += size
	for len(r.order) > 1 && r.size+r.rows.size()+len(r.least)*linkSizeInMemory > r.budget {
		oldest := r.order[0]
		r.size -= oldest.size
		delete(r.cells, oldest.id)
		r.order = r.order[1:]
	}
}

// cell returns the keys of a cell, nil if it has none (any more).
func (r *reverse) cell(id CellID) (*cell, error) {
	v := r.v
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.reverse != r {
		return nil, errOutdated
	}
	return v.cells[id], nil
}
