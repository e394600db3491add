package vault

import (
	"errors"
	"slices"
	"sync"
	"testing"
)

// asking runs every question beside do, over and over, each at least once before
// and once after it.
func asking(t *testing.T, do func(), questions ...func()) {
	t.Helper()
	done := make(chan struct{})
	var began, workers sync.WaitGroup
	for _, ask := range questions {
		began.Add(1)
		workers.Go(func() {
			ask()
			began.Done()
			for {
				ask()
				select {
				case <-done:
					ask()
					return
				default:
				}
			}
		})
	}
	began.Wait()
	do()
	close(done)
	workers.Wait()
}

// Who asks during an erasure is told all that was, or all that is, about the
// person, and all of everybody else.
func TestAskingDuringErasure(t *testing.T) {
	s := newScene(t, bench{unsynced: true})
	person := []Identifier{"candidate:1", "candidate:2", "candidate:3"}
	first, err := s.RowOf("candidate:1")
	must(t, err)
	whole, err := s.TagsOf("candidate:2", Subject)
	must(t, err)
	others, err := s.TagsOf("candidate:7", Subject)
	must(t, err)
	march1 := s.said[:3+1] // candidate:0 to 3 in March
	all := func(what string, n, of int, err error) {
		if err != nil || n != 0 && n != of {
			t.Errorf("%s: %d of %d, %v", what, n, of, err)
		}
	}
	e := s.rows("candidate:2", nil)
	asking(t, func() {
		_, err := s.Erase(t.Context(), e)
		must(t, err)
	}, func() {
		tags, err := s.TagsOf("candidate:2", Subject)
		all("tags of the person", len(tags), len(whole), err)
	}, func() {
		tags, err := s.TagsOf("candidate:7", Subject)
		if err != nil || !slices.Equal(tags, others) {
			t.Errorf("tags of somebody else: %d, %v", len(tags), err)
		}
	}, func() {
		who, err := s.Who(march, []Tag{march1[0].tags[0], march1[1].tags[0], march1[2].tags[0], march1[3].tags[0]})
		if err != nil || who[0].IsZero() || who[1] != who[2] || who[1] != who[3] {
			t.Errorf("who: %v, %v", who, err)
		}
	}, func() {
		_, ids, err := s.People("candidate:3")
		all("identifiers", len(ids), len(person), err)
		ids, err = s.Linked("candidate:1")
		all("linked", len(ids), len(person), err)
		rows, ids, err := s.RowsOf("candidate:1")
		all("rows", len(rows)+len(ids), 2*len(person), err)
	}, func() {
		if _, err := s.IdentifierOf(first); err != nil && !errors.Is(err, ErrGone) {
			t.Errorf("identifier of a row: %v", err)
		}
		if _, err := s.Candidates("2"); err != nil {
			t.Errorf("candidates: %v", err)
		}
		if _, err := s.Open(march, march1[2].salt, person, march1[2].sealed); err != nil && !errors.Is(err, ErrGone) {
			t.Errorf("opening: %v", err)
		}
		if plain, err := s.Open(march, march1[0].salt, []Identifier{"candidate:0"}, march1[0].sealed); err != nil || string(plain) != secretText {
			t.Errorf("opening somebody else's: %v", err)
		}
	}, func() {
		if r, err := s.Check(t.Context()); err != nil || len(r.Faults) > 0 {
			t.Errorf("check: %v, %v", r.Faults, err)
		}
	})
	equal(t, "what is told in the end", s.stranger("candidate:1"), s.stranger("candidate:77"))
}

// Who is held has every tag throughout, though its cells go.
func TestAskingDuringForgetting(t *testing.T) {
	s := newScene(t, bench{unsynced: true})
	row, err := s.RowOf("candidate:5")
	must(t, err)
	held, err := s.TagsOf("candidate:5", Subject)
	must(t, err)
	f := Forgetting{Class: march.Class, Before: april.Month, Held: []PersonID{row}}
	month := func(tags []Tagged, err error) (n int) {
		if err != nil {
			t.Error(err)
		}
		for _, tag := range tags {
			if tag.Cell == march {
				n++
			}
		}
		return n
	}
	own, of7 := s.said[5], s.said[7]
	asking(t, func() {
		_, _, err := s.Forget(t.Context(), f)
		must(t, err)
	}, func() {
		tags, err := s.TagsOf("candidate:5", Subject)
		if err != nil || !slices.Equal(tags, held) {
			t.Errorf("tags of who is held: %d of %d, %v", len(tags), len(held), err)
		}
	}, func() {
		if n := month(s.TagsOf("candidate:7", Subject)); n > 1 {
			t.Errorf("%d tags", n)
		}
	}, func() {
		who, err := s.Who(march, []Tag{own.tags[0], of7.tags[0]})
		if err != nil || who[0] != row {
			t.Errorf("who is held is %v, %v", who[0], err)
		}
	}, func() {
		plain, err := s.Open(march, own.salt, own.ids, own.sealed)
		if err != nil || string(plain) != secretText {
			t.Errorf("opening what is held: %v", err)
		}
	})
}

// A check beside changes of keys finds nothing wrong.
func TestCheckDuringChanges(t *testing.T) {
	s := newScene(t, bench{unsynced: true})
	asking(t, func() {
		for i := range 40 {
			must(t, s.Rekey(t.Context(), []uint8{uint8(i)}))
		}
	}, func() {
		if r, err := s.Check(t.Context()); err != nil || len(r.Faults) > 0 {
			t.Errorf("check: %v, %v", r.Faults, err)
		}
	})
}
