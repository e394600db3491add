package vault

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Limits of what counts as a type of identifier.
const (
	maxTypes = 256
	maxType  = 32 // bytes, the colon included
)

// Memory of one row, and of one that is linked, about.
const (
	rowSizeInMemory  = len(rid{}) + len(key{})
	linkSizeInMemory = 4 * len(rid{})
)

// typeOf is what an identifier begins with, up to its first colon; "" if it has
// none.
func typeOf(id Identifier) Identifier {
	i := strings.IndexByte(string(id), ':') + 1
	if i > maxType {
		return ""
	}
	return id[:i]
}

// A directory is every row of the vault. What it holds is never modified, only
// added to.
type directory struct {
	secret
	types  []ofType
	number map[Identifier]int // of a type; not in a snapshot
	odd    []*person          // rows whose tags do not come from a key of their own alone
}

// An ofType is the rows of one type of identifier, or of all that have no type.
type ofType struct {
	secret
	name Identifier
	rids []rid
	keys []extracted
}

func (d *directory) add(w *row) {
	t := &d.types[d.of(typeOf(w.id))]
	if len(w.kept) > 0 {
		odd := *w
		odd.links = nil
		d.odd = append(d.odd, &person{row: odd})
		return
	}
	t.rids, t.keys = append(t.rids, w.rid), append(t.keys, w.key.extract())
}

// of is the number of a type, which it adds if there is room for one more.
func (d *directory) of(name Identifier) int {
	if n, ok := d.number[name]; ok {
		return n
	}
	if len(d.types) >= maxTypes && name != "" {
		return d.of("")
	}
	if d.number == nil {
		d.number = map[Identifier]int{}
	}
	name = Identifier(strings.Clone(string(name)))
	d.number[name] = len(d.types)
	d.types = append(d.types, ofType{name: name})
	return len(d.types) - 1
}

func (d *directory) addAll(more *directory) {
	for i := range more.types {
		from := &more.types[i]
		to := &d.types[d.of(from.name)]
		to.rids, to.keys = append(to.rids, from.rids...), append(to.keys, from.keys...)
	}
	d.odd = append(d.odd, more.odd...)
}

// grow makes room for what parts have.
func (d *directory) grow(parts []part) {
	sizes := map[Identifier]int{}
	for i := range parts {
		for _, t := range parts[i].types {
			sizes[t.name] += len(t.rids)
		}
	}
	for name, n := range sizes {
		t := &d.types[d.of(name)]
		t.rids, t.keys = slices.Grow(t.rids, n), slices.Grow(t.keys, n)
	}
}

func (d *directory) snapshot() directory { return directory{types: slices.Clone(d.types), odd: d.odd} }

func (d *directory) size() (n int) {
	for i := range d.types {
		n += len(d.types[i].rids) * rowSizeInMemory
	}
	return n
}

// ascending returns the numbers of types, those of fewest rows first.
func (d *directory) ascending() []int {
	numbers := make([]int, len(d.types))
	for i := range numbers {
		numbers[i] = i
	}
	slices.SortFunc(numbers, func(a, b int) int { return cmp.Compare(len(d.types[a].rids), len(d.types[b].rids)) })
	return numbers
}

// notes are what the vault has recorded since a reverse last looked. The vault's
// lock guards them.
type notes struct {
	watching bool // from before the rows are read
	born     directory
	relinked map[rid]bool // rows of which a link was stated

	former  *reverse     // not carried over yet; nil if there is none, or it is
	altered map[rid]bool // rows that are not as former has them
}

// noteBorn says that a new person's row is durable.
func (n *notes) noteBorn(p *person) {
	if n.watching {
		n.born.add(&p.row)
	}
}

// noteLinks says that a batch has committed what it said of a row's links.
func (n *notes) noteLinks(p *person) {
	if n.watching {
		n.relinked[p.rid] = true
	}
}

// follow takes over what the vault has noted; the first time it reads every row,
// unless they can be carried over. After an error, calling it again goes on.
func (r *reverse) follow() error {
	if !r.filled {
		if err := r.carry(); err != nil {
			return err
		}
	}
	if !r.filled {
		if err := r.fill(); err != nil {
			return err
		}
		r.filled = true
	}
	v := r.v
	v.mu.Lock()
	outdated, born, relinked := v.reverse != r, r.notes.born, r.notes.relinked
	r.notes.born, r.notes.relinked = directory{}, map[rid]bool{}
	v.mu.Unlock()
	if outdated {
		return errOutdated
	}
	r.rows.addAll(&born)
	if err := r.relink(relinked); err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		maps.Copy(r.notes.relinked, relinked)
		return err
	}
	return nil
}

// fill reads every row. Rows that the index may not have as they are come from
// the vault's memory; those that come to be meanwhile are noted, and may then be
// there twice, which does no harm. After an error it is as if not called.
func (r *reverse) fill() error {
	rows, fresh, err := r.watch()
	if err != nil {
		return err
	}
	parts, err := r.readShards(fresh)
	if err != nil {
		return err
	}
	rows.grow(parts)
	linked := map[rid]bool{}
	for i := range parts {
		rows.addAll(&parts[i].directory)
		for _, of := range parts[i].linked {
			linked[of] = true
		}
		parts[i] = part{}
	}
	r.rows = rows
	return r.relink(linked)
}

// watch has the vault note what changes from now on, and returns the rows that
// the index may not have as they are, whose links are noted as changed.
func (r *reverse) watch() (rows directory, fresh map[rid]bool, err error) {
	v := r.v
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.reverse != r {
		return directory{}, nil, errOutdated
	}
	r.notes = notes{watching: true, relinked: map[rid]bool{}}
	fresh = make(map[rid]bool, len(v.recent.byRID))
	for _, p := range v.recent.byRID {
		if p.born != nil {
			continue // noted once it is durable
		}
		fresh[p.rid] = true
		rows.add(&p.row)
		r.notes.noteLinks(p)
	}
	return rows, fresh, nil
}

// A part is what one shard has.
type part struct {
	directory
	linked []rid
	err    error
}

// readShards reads the rows of every shard but those to skip, on all CPUs.
func (r *reverse) readShards(skip map[rid]bool) ([]part, error) {
	parts := make([]part, shards)
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for n := range numbers {
				parts[n].err = r.readShard(uint8(n), skip, &parts[n])
			}
		})
	}
	for n := range parts {
		numbers <- n
	}
	close(numbers)
	workers.Wait()
	for i := range parts {
		if parts[i].err != nil {
			return nil, parts[i].err
		}
	}
	return parts, nil
}

// readShard reads one in a transaction of its own and under the keys' read lock,
// so that a change of keys, and whoever waits behind it, waits for one shard.
func (r *reverse) readShard(number uint8, skip map[rid]bool, to *part) error {
	v := r.v
	v.epoch.RLock()
	defer v.epoch.RUnlock()
	if v.reversed() != r {
		return errOutdated
	}
	records, err := v.index.shard(number)
	if err != nil {
		return err
	}
	for _, rec := range records {
		if skip[rec.rid] {
			continue
		}
		p, err := v.load(rec)
		if err != nil {
			return err
		}
		to.add(&p.row)
		if len(p.links) > 0 {
			to.linked = append(to.linked, p.rid)
		}
	}
	return nil
}

// relink finds out anew to whom rows belong.
func (r *reverse) relink(rows map[rid]bool) error {
	done := make(map[rid]bool, len(rows))
	for of := range rows {
		if done[of] {
			continue
		}
		person, err := r.personOf(of)
		if err != nil {
			return err
		}
		if len(person) == 0 {
			continue // it never came to be
		}
		least := slices.MinFunc(person, compareRIDs)
		for _, one := range person {
			done[one] = true
			if one == least {
				delete(r.least, one)
			} else {
				r.least[one] = least
			}
		}
	}
	return nil
}

// personOf returns the rows that links connect with one, that one included; none
// if there is no such row.
func (r *reverse) personOf(of rid) ([]rid, error) {
	v := r.v
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.reverse != r {
		return nil, errOutdated
	}
	p, err := v.rowIfAny(of)
	if err != nil || p == nil {
		return nil, err
	}
	people, err := v.component(p, false)
	if err != nil {
		return nil, err
	}
	rids := make([]rid, len(people))
	for i, q := range people {
		rids[i] = q.rid
	}
	return rids, nil
}

// seenTypes returns the types of identifiers that rows have.
func (r *reverse) seenTypes() ([]Identifier, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.follow(); err != nil {
		return nil, err
	}
	types := make([]Identifier, 0, len(r.rows.types))
	for i := range r.rows.types {
		types = append(types, r.rows.types[i].name)
	}
	return types, nil
}
