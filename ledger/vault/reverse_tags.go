package vault

import (
	"encoding/binary"
	"runtime"
	"slices"
	"sync"
)

// tagged is what was made of one cell.
type tagged struct {
	id   CellID
	size int // memory that it takes, about; guarded by the reverse's lock

	mu    sync.Mutex // guards all below; held while tags are made
	cell  *cell      // whose keys they were made with; nil if it is gone
	types []finder   // by number of type
	odd   map[Tag]rid
}

// under lets go of what was made with other keys than those of c. The caller
// holds the lock.
func (t *tagged) under(c *cell) {
	if t.cell != c {
		t.cell, t.types, t.odd = c, nil, nil
	}
}

// oddOnes returns the tags of odd rows. A change of keys makes them, so none
// comes later.
func (t *tagged) oddOnes(c *cell, rows []*person) map[Tag]rid {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.under(c)
	if t.odd == nil {
		t.odd = make(map[Tag]rid)
		for _, p := range rows {
			q := person{row: p.row} // which a derived key may be added to
			if tag, _, ok := q.in(t.id, c); ok {
				t.odd[tag] = p.rid
			}
		}
	}
	return t.odd
}

// of returns how to find the rows of a type, and how much memory it took to make
// the tags that were not there yet.
func (t *tagged) of(r *reverse, c *cell, number int, rows ofType) (f finder, size int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.under(c)
	for len(t.types) <= number {
		t.types = append(t.types, finder{id: t.id, cell: c})
	}
	to := &t.types[number]
	from := len(to.rows.rids)
	if from >= len(rows.rids) {
		return *to, 0
	}
	if len(rows.rids)-from > atOnce {
		r.making.Lock()
		defer r.making.Unlock()
	}
	to.rows = rows
	to.add(sortRun(to.prefixes(from), from))
	return *to, (len(rows.rids) - from) * runSizeInMemory
}

// A finder finds the rows of one type by their tags in one cell.
type finder struct {
	secret
	id   CellID
	cell *cell
	rows ofType
	runs []run // each at least twice as long as the next
}

// add adds a run and joins runs of about the same length, so that there are few
// and a tag is moved a few times at most. Who has the runs before keeps them.
func (f *finder) add(next run) {
	n := len(f.runs)
	for n > 0 && len(f.runs[n-1].prefixes) < 2*len(next.prefixes) {
		n--
		next = mergeRuns(f.runs[n], next)
	}
	f.runs = append(f.runs[:n:n], next)
}

// tag is the tag of the row with a number.
func (f *finder) tag(n int) Tag {
	kc := f.rows.keys[n].expand(labelPerson, f.id.Class, byte(f.id.Role))
	return f.cell.tagOf(&kc)
}

// tagOf is the tag of the person with the derived key kc.
func (c *cell) tagOf(kc *key) Tag {
	sum := mac(&c.tag, kc[:])
	return Tag(sum[:16])
}

func prefixOf(tag Tag) uint64 { return binary.BigEndian.Uint64(tag[:]) }

// prefixes makes the tags of the rows from one on.
func (f *finder) prefixes(from int) []uint64 {
	made := make([]uint64, len(f.rows.rids)-from)
	inParallel(len(made), func(i int) { made[i] = prefixOf(f.tag(from + i)) })
	return made
}

// find returns whose tag it is, the zero rid if it is nobody's of this type. The
// whole tag counts.
func (f *finder) find(tag Tag) rid {
	prefix := prefixOf(tag)
	for _, run := range f.runs {
		for i := run.search(prefix); i < len(run.prefixes) && run.prefixes[i] == prefix; i++ {
			if n := int(run.rows[i]); f.tag(n) == tag {
				return f.rows.rids[n]
			}
		}
	}
	return rid{}
}

// A search is for the rows that have some tags.
type search struct {
	tags  []Tag
	found []rid // zero if not yet
	left  []int // of tags, those not found yet
}

// odd looks among the odd rows, which comes first.
func (s *search) odd(rows map[Tag]rid) {
	for i, tag := range s.tags {
		if tag == (Tag{}) {
			continue
		}
		if s.found[i] = rows[tag]; s.found[i] == (rid{}) {
			s.left = append(s.left, i)
		}
	}
}

// among looks among the rows of one type.
func (s *search) among(f finder) {
	inParallel(len(s.left), func(i int) { s.found[s.left[i]] = f.find(s.tags[s.left[i]]) })
	s.left = slices.DeleteFunc(s.left, func(i int) bool { return s.found[i] != rid{} })
}

// atOnce is how much is done at once on one CPU, and beside others.
const atOnce = 1 << 12

// inParallel calls do with 0 to n-1, on all CPUs if there is enough to do.
func inParallel(n int, do func(i int)) {
	var workers sync.WaitGroup
	cpus := min(runtime.GOMAXPROCS(0), n/atOnce+1)
	for w := range cpus {
		part := func() {
			for i := w * n / cpus; i < (w+1)*n/cpus; i++ {
				do(i)
			}
		}
		if w == cpus-1 {
			part()
		} else {
			workers.Go(part)
		}
	}
	workers.Wait()
}
