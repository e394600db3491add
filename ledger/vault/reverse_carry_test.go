package vault

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
)

// settled waits until the reverse in force has carried over what there was.
func (b *bench) settled() *reverse {
	b.t.Helper()
	r := b.Vault.reversed()
	r.mu.Lock()
	defer r.mu.Unlock()
	must(b.t, r.carry())
	return r
}

// memory is all that a reverse holds of people: row ids, keys, and what tags begin
// with.
type memory struct {
	rids     map[rid]int
	keys     map[extracted]int
	prefixes map[uint64]int
}

func (r *reverse) memory() memory {
	m := memory{map[rid]int{}, map[extracted]int{}, map[uint64]int{}}
	rows := func(t *ofType) {
		for i := range t.rids {
			m.rids[t.rids[i]]++
			m.keys[t.keys[i]]++
		}
	}
	for _, d := range []*directory{&r.rows, &r.notes.born} {
		for i := range d.types {
			rows(&d.types[i])
		}
		for _, p := range d.odd {
			m.rids[p.rid]++
			m.keys[p.key.extract()]++
		}
	}
	for of, least := range r.least {
		m.rids[of]++
		m.rids[least]++
	}
	for _, t := range r.cells {
		for tag, of := range t.odd {
			m.rids[of]++
			m.prefixes[prefixOf(tag)]++
		}
		for i := range t.types {
			rows(&t.types[i].rows)
			for _, run := range t.types[i].runs {
				for _, p := range run.prefixes {
					m.prefixes[p]++
				}
			}
		}
	}
	return m
}

// After an erasure everybody else is found by what was made before, and nothing of
// whoever was erased is left in it.
func TestWhoCarriesOver(t *testing.T) {
	for _, stays := range [][]Chain{nil, {{march.Class, Actor}}} {
		b, tags := peopled(t)
		tags["x7:2"] = b.tag(march, "x7:2") // the only one of its type
		must(t, b.Link([]Identifier{"candidate:2", "x7:2"}))
		acted := b.tag(byActor, "candidate:1")
		elsewhere := b.tag(april, "candidate:30")
		for cell, tag := range map[CellID]Tag{march: fakeTag(), april: fakeTag(), byActor: acted} {
			_, err := b.Who(cell, []Tag{tag})
			must(t, err)
		}
		tags["candidate:later"] = b.tag(march, "candidate:later")
		_, err := b.Who(april, []Tag{fakeTag()}) // all rows are looked at, without tags in march
		must(t, err)
		tags["crm:late"], tags["crm:last"] = b.tag(march, "crm:late"), b.tag(march, "crm:last") // noted, and not yet looked at
		must(t, b.Link([]Identifier{"candidate:2", "candidate:later", "crm:last"}))
		before := b.settled().memory()
		rows, ids, err := b.RowsOf("candidate:1")
		must(t, err)
		equal(t, "identifiers of one person", len(ids), 5)
		type was struct {
			rid
			extracted
		}
		gone := map[Identifier]was{}
		e := Erasing{Rows: map[PersonID][]Chain{}}
		for i, row := range rows {
			e.Rows[row] = nil
			if ids[i] == "candidate:1" {
				e.Rows[row] = stays
			}
			p, err := b.byRID(rid(row))
			must(t, err)
			gone[ids[i]] = was{p.rid, p.key.extract()}
		}
		_, err = b.Erase(t.Context(), e)
		must(t, err)
		r := b.settled()
		equal(t, "it has every row", r.filled, true)
		if r.notes.former != nil || r.notes.altered != nil {
			t.Error("what was before is still held")
		}
		if n := len(r.cells[march].types[0].runs); n == 0 || len(r.cells) != 3 || r.size != made(t, r)*runSizeInMemory {
			t.Errorf("%d runs of %d cells, %d bytes", n, len(r.cells), r.size)
		}
		after := r.memory()
		if stays == nil && slices.ContainsFunc(r.rows.types, func(t ofType) bool { return t.name == "x7:" }) {
			t.Error("a type of which nobody is left is still named")
		}
		for id, p := range gone {
			if _, known := before.keys[p.extracted]; !known {
				t.Fatalf("nothing of %q was there", id.Reveal())
			}
			if after.keys[p.extracted] != 0 || after.prefixes[prefixOf(tags[id])] != 0 {
				t.Errorf("something of %q is left", id.Reveal())
			}
			if partly := id == "candidate:1" && stays != nil; (after.rids[p.rid] != 0) != partly {
				t.Errorf("the row of %q is there %d times", id.Reveal(), after.rids[p.rid])
			}
			delete(tags, id)
		}
		for round := range 2 { // carried over, then read anew
			for id, tag := range tags {
				row, err := b.RowOf(id)
				must(t, err)
				got, err := b.Who(march, []Tag{tag})
				must(t, err)
				equal(t, fmt.Sprint(round, " who has the tag of ", id.Reveal()), got[0], row)
			}
			got, err := b.Who(byActor, []Tag{acted})
			must(t, err)
			equal(t, "who acted", got[0], map[bool]PersonID{false: PersonID(gone["candidate:1"].rid)}[stays == nil])
			got, err = b.Who(april, []Tag{elsewhere})
			must(t, err)
			equal(t, "in another cell", got[0].IsZero(), false)
			b.reopen()
		}
	}
}

// made is how many tags a reverse holds: one of each row that it was asked about.
func made(t *testing.T, r *reverse) (n int) {
	t.Helper()
	for id, c := range r.cells {
		for i := range c.types {
			tags := 0
			for _, run := range c.types[i].runs {
				tags += len(run.prefixes)
			}
			equal(t, fmt.Sprint("tags made in ", id), tags, len(c.types[i].rows.rids))
			n += tags
		}
	}
	return n
}

// What was not carried over when keys were changed again is all the same.
func TestCarryIsOvertaken(t *testing.T) {
	b, tags := peopled(t)
	_, err := b.Who(march, []Tag{fakeTag()})
	must(t, err)
	v := b.Vault
	of := func(id Identifier) map[rid]bool {
		row, err := b.RowOf(id)
		must(t, err)
		return map[rid]bool{rid(row): true}
	}
	first := v.reverse
	first.mu.Lock() // nothing is carried over as long as somebody looks
	before := maps.Clone(first.least)
	must(t, b.Link([]Identifier{"candidate:20", "candidate:21"}))
	v.mu.Lock()
	linked := first.notes.relinked
	first.notes.relinked = map[rid]bool{}
	v.reverse = first.after(nil)
	second := v.reverse
	first.notes.relinked = linked // as somebody who asks puts back what they can find out no more
	v.mu.Unlock()
	for _, id := range []Identifier{"candidate:1", "candidate:9"} {
		altered := of(id)
		v.mu.Lock()
		v.reverse = v.reverse.after(altered)
		v.mu.Unlock()
	}
	if n := v.reverse.notes; n.former != first || len(n.altered) != 2 || second.notes.former != nil {
		t.Errorf("%d rows altered", len(n.altered))
	}
	first.mu.Unlock()
	second.mu.Lock()
	wantErr(t, second.follow(), errOutdated)
	equal(t, "filled", second.filled, false)
	second.mu.Unlock()
	r := b.settled()
	equal(t, "links", len(r.least), len(before)+1)
	for id, tag := range tags { // of a row that was only said to be altered, all is as it was
		b.byTag(march, id)
		got, err := b.Who(march, []Tag{tag})
		must(t, err)
		equal(t, "found "+id.Reveal(), got[0].IsZero(), false)
	}
	equal(t, "rows", len(r.rows.types[0].rids), 600)
}

// Who is asked about while others are erased is found all the time, and whoever was
// erased is nobody from then on.
func TestWhoWhileErased(t *testing.T) {
	b, tags := peopled(t)
	b.every = 50
	const erased = 40
	done := make(chan struct{})
	var asking sync.WaitGroup
	for w := range 3 {
		asking.Go(func() {
			for i := w; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				id := Identifier(fmt.Sprint("candidate:", erased+10+i%500))
				got, err := b.Who(march, []Tag{tags[id]})
				if err != nil || got[0].IsZero() {
					t.Errorf("%q is nobody: %v", id.Reveal(), err)
					return
				}
			}
		})
	}
	for i := 3; i < erased; i++ {
		id := Identifier(fmt.Sprint("candidate:", i))
		row, err := b.RowOf(id)
		must(t, err)
		e := Erasing{Rows: map[PersonID][]Chain{row: nil}}
		if i%3 == 0 {
			e.Rows[row] = []Chain{{legal.Class, Subject}}
		}
		_, err = b.Erase(t.Context(), e)
		must(t, err)
		met := Identifier(fmt.Sprint("employee:", i))
		tag := b.tag(march, met)
		got, err := b.Who(march, []Tag{tags[id], tag})
		must(t, err)
		if !got[0].IsZero() || got[1].IsZero() {
			t.Errorf("%q is %v, who was met since %v", id.Reveal(), got[0], got[1])
		}
	}
	close(done)
	asking.Wait()
}
