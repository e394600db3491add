package postings

import (
	"bytes"

	"github.com/imalink/custody/projections/rows"
)

// A run goes through the entries of one segment in order. An entry is a key and those of its positions that are in one
// block; a key with more of them has more entries, one after another.
type run struct {
	cursor *rows.Cursor
	size   int
	age    int // of two entries with the same key, that of the older segment comes first

	name   []byte // of the block
	block  block
	i      int    // of the entry in the block
	lists  []byte // of the entries from i on
	key    []byte // nil at the end
	list   []byte
	onNext func(name []byte) // told the name of each block that is behind
}

// openRun begins with the first entry whose key is at or after from.
func openRun(blocks *rows.Cursor, size, age int, from []byte) (*run, error) {
	r := &run{cursor: blocks, size: size, age: age, key: make([]byte, 0, size)}
	if err := r.load(r.cursor.Seek(from)); err != nil {
		return nil, err
	}
	for r.key != nil && bytes.Compare(r.key, from) < 0 {
		if err := r.next(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// load begins a block, or ends the run.
func (r *run) load(name, value []byte, err error) error {
	if r.name = name; name == nil || err != nil {
		r.key = nil
		return err
	}
	if r.block, err = decodeBlock(value, r.size); err != nil {
		return err
	}
	r.i, r.lists = 0, r.block.lists
	return r.entry()
}

func (r *run) entry() (err error) {
	r.list, _, err = cutList(r.lists)
	r.key = append(append(r.key[:0], r.block.common...), r.block.rest(r.i)...)
	return err
}

// next goes to the next entry.
func (r *run) next() error {
	if r.i++; r.i < r.block.n {
		r.lists = r.lists[len(r.list)+1:]
		return r.entry()
	}
	if r.onNext != nil {
		r.onNext(r.name)
	}
	return r.load(r.cursor.Next())
}

// before reports whether r's entry comes before other's.
func (r *run) before(other *run) bool {
	c := bytes.Compare(r.key, other.key)
	return c < 0 || c == 0 && r.age < other.age
}

// runs are those that are not at their end, in order of their entries.
type runs []*run

func (rs *runs) add(r *run) {
	if r.key == nil {
		return
	}
	*rs = append(*rs, r)
	for i := len(*rs) - 1; i > 0 && r.before((*rs)[i-1]); i-- {
		(*rs)[i-1], (*rs)[i] = r, (*rs)[i-1]
	}
}

// next moves the first run to its next entry and to where it then belongs.
func (rs *runs) next() error {
	all := *rs
	r := all[0]
	if err := r.next(); err != nil {
		return err
	}
	if r.key == nil {
		*rs = all[1:]
		return nil
	}
	for i := 1; i < len(all) && all[i].before(r); i++ {
		all[i-1], all[i] = all[i], r
	}
	return nil
}
