package vault

import (
	"fmt"
	"sync"
	"testing"
)

// What is asked while people come, are linked and keys are changed is answered
// as of some moment of the asking, and recording goes on.
func TestWhoMeanwhile(t *testing.T) {
	b, tags := peopled(t)
	b.every = 50
	done := make(chan struct{})
	var asking sync.WaitGroup
	for w := range 4 {
		asking.Go(func() {
			for i := w; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				id := Identifier(fmt.Sprint("candidate:", i%600))
				got, err := b.Who(march, []Tag{tags[id]})
				if err != nil {
					t.Error(err)
					return
				}
				if got[0].IsZero() {
					t.Errorf("%q is nobody", id.Reveal())
				}
				if _, err := b.Candidates("7"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 30 {
		id := Identifier(fmt.Sprint("employee:", i))
		tag := b.tag(march, id)
		got, err := b.Who(march, []Tag{tag})
		must(t, err)
		self, _, err := b.People(id)
		must(t, err)
		equal(t, "somebody new", got[0], self)
		must(t, b.Link([]Identifier{id, Identifier(fmt.Sprint("candidate:", 2*i))}))
		got, err = b.Who(march, []Tag{tag, tags[Identifier(fmt.Sprint("candidate:", 2*i))]})
		must(t, err)
		equal(t, "linked", got[0], got[1])
		if i%10 == 0 {
			must(t, b.Rekey(t.Context(), []uint8{uint8(i), uint8(i + 1)}))
		}
	}
	close(done)
	asking.Wait()
}

// The whole tag counts, not only what it is filed under.
func TestWhoWholeTag(t *testing.T) {
	b, tags := peopled(t)
	tag := tags["candidate:5"]
	for i := range tag {
		near := tag
		near[i] ^= 1
		got, err := b.Who(march, []Tag{near, tag})
		must(t, err)
		if !got[0].IsZero() || got[1].IsZero() {
			t.Errorf("byte %d: %v and %v", i, got[0], got[1])
		}
	}
}

// A budget is kept, and what was let go of is made again.
func TestWhoBudget(t *testing.T) {
	b, _ := peopled(t)
	people := 600
	b.Vault.reverse.budget = people*(rowSizeInMemory+3*runSizeInMemory) + linkSizeInMemory
	for i := range 20 {
		cell := CellID{1, Subject, Month(600 + i%7)}
		tag := b.tag(cell, "candidate:3")
		got, err := b.Who(cell, []Tag{tag})
		must(t, err)
		equal(t, "found", got[0].IsZero(), false)
		r := b.Vault.reverse
		if n := len(r.cells); n > 3 || n != len(r.order) || r.size != n*people*runSizeInMemory {
			t.Fatalf("%d cells are kept, in an order of %d, of %d bytes", n, len(r.order), r.size)
		}
	}
	b.tag(march, "candidate:new")
	if _, err := b.Who(march, []Tag{fakeTag()}); err != nil || b.Vault.reverse.size > 3*(people+1)*runSizeInMemory {
		t.Errorf("%d bytes with somebody more, %v", b.Vault.reverse.size, err)
	}
}

// Who acted is found without a tag for everybody else.
func TestWhoOfFew(t *testing.T) {
	b, tags := peopled(t)
	actor := b.tag(byActor, "employee:1")
	made := func(cell CellID) (n int) {
		for _, f := range b.Vault.reverse.cells[cell].types {
			n += len(f.rows.rids)
		}
		return n
	}
	for range 2 {
		got, err := b.Who(byActor, []Tag{actor})
		must(t, err)
		self, _, err := b.People("employee:1")
		must(t, err)
		equal(t, "who acted", got[0], self)
		equal(t, "tags made", made(byActor), 1)
		got, err = b.Who(march, []Tag{tags["candidate:9"]})
		must(t, err)
		equal(t, "found", got[0].IsZero(), false)
		equal(t, "tags made", made(march), 601)
		named, err := b.Candidates("candidate:9")
		must(t, err)
		equal(t, "candidates of what has a type", len(named), 1)
		got, err = b.Who(byActor, []Tag{fakeTag(), {}})
		must(t, err)
		equal(t, "nobody", got[0].IsZero() && got[1].IsZero(), true)
		equal(t, "tags made", made(byActor), 601)
		b.reopen()
	}
}

// There are so many types, and no more; the rest is found all the same.
func TestTypes(t *testing.T) {
	b := newBench(t)
	batch := b.Begin()
	c, err := batch.Cell(march)
	must(t, err)
	tags := map[Identifier]Tag{}
	for i := range maxTypes + 20 {
		for _, id := range []Identifier{Identifier(fmt.Sprintf("type%d:7", i)), Identifier(fmt.Sprintf("%032d:%d", 0, i)), Identifier(fmt.Sprintf(":%d", i))} {
			tags[id], _, err = batch.Tag(c, id)
			must(t, err)
		}
	}
	must(t, batch.Flush(t.Context(), 0))
	batch.Commit()
	for range 2 {
		for id, tag := range tags {
			got, err := b.Who(march, []Tag{tag})
			must(t, err)
			row, err := b.RowOf(id)
			must(t, err)
			equal(t, "who", got[0], row)
		}
		if n := len(b.Vault.reverse.rows.types); n < maxTypes || n > maxTypes+1 {
			t.Errorf("%d types", n)
		}
		found, err := b.Candidates("7")
		must(t, err)
		if len(found) < maxTypes-3 || len(found) > maxTypes+1 {
			t.Errorf("%d candidates", len(found))
		}
		b.reopen()
	}
	for id, want := range map[Identifier]Identifier{"": "", "a": "", "a:": "a:", "a:b:c": "a:", ":b": ":", "0123456789012345678901234567890:x": "0123456789012345678901234567890:", "01234567890123456789012345678901:x": ""} {
		equal(t, "type of "+id.Reveal(), typeOf(id).Reveal(), want.Reveal())
	}
}

func TestPersonIDText(t *testing.T) {
	id := PersonID{1, 2, 254}
	if got, ok := ParsePersonID(id.String()); !ok || got != id {
		t.Errorf("%v, %t", got, ok)
	}
	for _, text := range []string{"", "01", id.String() + "0", id.String()[1:] + "G", "0102FE00000000000000000000000000"} {
		if _, ok := ParsePersonID(text); ok {
			t.Errorf("%q is one", text)
		}
	}
}

// What was kept of somebody, when all else was forgotten, still leads there.
func TestWhoWasKept(t *testing.T) {
	b, tags := peopled(t)
	id := Identifier("candidate:3")
	others := b.tag(april, id)
	row, err := b.RowOf(id)
	must(t, err)
	_, cells, err := b.Forget(t.Context(), Forgetting{Class: march.Class, Before: april.Month, Held: []PersonID{row}})
	must(t, err)
	equal(t, "cells that went", cells, 1)
	for range 2 {
		got, err := b.Who(march, []Tag{tags[id], tags["candidate:4"]})
		must(t, err)
		equal(t, "who was kept", got[0], row)
		equal(t, "who was not, nobody", got[1].IsZero(), true)
		got, err = b.Who(april, []Tag{others})
		must(t, err)
		equal(t, "the month after", got[0], row)
		page, err := b.TagsOf(id, Subject)
		must(t, err)
		if len(page) != 2 || page[0] != (Tagged{march, tags[id]}) || page[1] != (Tagged{april, others}) {
			t.Errorf("%d tags", len(page))
		}
		b.reopen()
	}
}
