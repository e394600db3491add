package vault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestForget(t *testing.T) {
	s := newScene(t, bench{})
	s.record(CellID{march.Class, Actor, march.Month - 5}, "candidate:4")
	held, err := s.RowOf("candidate:5")
	must(t, err)
	root, cells, err := s.Forget(t.Context(), Forgetting{Class: march.Class, Before: april.Month, Held: []PersonID{held}, Pending: []byte("forgotten")})
	must(t, err)
	equal(t, "root version", root, 2)
	equal(t, "cells, of both roles", cells, 3)
	for range 2 {
		equal(t, "cells", fmt.Sprint(s.Cells()), fmt.Sprint([]CellID{april, legal}))
		equal(t, "pending", string(s.Pending()), "forgotten")
		for i := range s.said {
			e := &s.said[i]
			text := s.about(e)
			live := e.cell == april || e.cell == legal
			for _, of := range strings.Split(text[:len(text)-1], ";") {
				stays := live || strings.Contains(of, "candidate:5 ")
				want := "sealed"
				if stays && (live || len(e.ids) <= MaxWraps) && e.cell.Role == Subject {
					want = "open"
				}
				if strings.Contains(of, "nobody") == stays || !strings.HasSuffix(of, want) {
					t.Errorf("event %d of %v: %s, want %s", i, e.cell, of, want)
				}
			}
		}
		batch := s.Begin()
		for _, role := range []Role{Subject, Actor} {
			for _, month := range []Month{0, march.Month} {
				c, err := batch.Cell(CellID{march.Class, role, month})
				must(t, err)
				equal(t, "gone", c.Gone(), true)
			}
		}
		batch.Abort()
		s.reopen()
	}
	// Once more there is nothing to do; further back is refused.
	last := s.log.Last()
	root, cells, err = s.Forget(t.Context(), Forgetting{Class: march.Class, Before: april.Month, Held: []PersonID{held}, Pending: []byte("x")})
	must(t, err)
	equal(t, "root version and cells of nothing", root+uint64(cells), 0)
	_, _, err = s.Forget(t.Context(), Forgetting{Class: march.Class, Before: march.Month})
	wantErr(t, err, ErrOrder)
	equal(t, "last message", s.log.Last(), last)
	equal(t, "pending", string(s.Pending()), "forgotten")
}

// Who is held keeps what was kept, as often as more is forgotten; with the hold it
// goes, at the next forgetting, and cannot be had from what is left.
func TestForgetHeldNoMore(t *testing.T) {
	s := newScene(t, bench{})
	rows := make([]PersonID, 3)
	for i := range rows {
		var err error
		rows[i], err = s.RowOf(s.ids[4+i])
		must(t, err)
	}
	resolved := func(cell CellID) (n int) {
		t.Helper()
		for i := range s.said {
			if e := &s.said[i]; e.cell == cell && len(e.ids) == 1 {
				who, err := s.Who(cell, e.tags)
				must(t, err)
				if !who[0].IsZero() {
					n++
					plain, err := s.Open(cell, e.salt, e.ids, e.sealed)
					must(t, err)
					equal(t, "opened", string(plain), secretText)
				}
			}
		}
		return n
	}
	for n, held := range [][]PersonID{rows, rows, rows[1:], append(rows[1:], rows[1]), nil, rows} {
		_, _, err := s.Forget(t.Context(), Forgetting{Class: march.Class, Before: april.Month + Month(n), Held: held})
		must(t, err)
		_, _, err = s.Forget(t.Context(), Forgetting{Class: legal.Class, Before: legal.Month + Month(n), Held: rows[:1]})
		must(t, err)
		for range 2 {
			want := []int{3, 3, 2, 2, 0, 0}[n]
			equal(t, "held in March", resolved(march), want)
			if n > 0 {
				equal(t, "held in April", resolved(april), want)
				equal(t, "held of another class", resolved(legal), 1)
			}
			s.reopen()
		}
	}
}

// What is held of one row does not open as another's, nor under another class.
func TestHoldingsAreBound(t *testing.T) {
	k, err := newHold(newKey())
	must(t, err)
	keys := &keyring{holds: map[uint8]hold{1: k, 2: k}}
	r := row{rid: rid{1}, kept: []kept{{cell: march, tag: Tag{1}, key: key{1}}}}
	stored := keys.put(r)
	again := stored
	must(t, keys.take(&again))
	if len(again.kept) != 1 || again.kept[0].cell != march || again.kept[0].tag != r.kept[0].tag || again.kept[0].key != r.kept[0].key {
		t.Error("what is held does not come back")
	}
	other := stored
	other.rid = rid{2}
	wantErr(t, keys.take(&other), ErrDamaged)
	other = stored
	other.held = slices.Clone(stored.held)
	other.held[0].class = 2
	wantErr(t, keys.take(&other), ErrDamaged)
	for name, plain := range map[string][]byte{"cut": make([]byte, heldSize-1), "of no role": make([]byte, heldSize)} {
		other.held = []holding{k.holding(1, stored.rid, newNonce(), plain)}
		other.rid = stored.rid
		if err := keys.take(&other); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestForgetRefuses(t *testing.T) {
	s := newScene(t, bench{})
	before, last := s.answers(), s.log.Last()
	for name, tc := range map[string]struct {
		f    Forgetting
		want error
	}{
		"no class":         {Forgetting{Before: 5}, ErrLimit},
		"long pending":     {Forgetting{Class: 1, Before: 5, Pending: make([]byte, MaxPending+1)}, ErrLimit},
		"held row is gone": {Forgetting{Class: 1, Before: 5, Held: []PersonID{{1}}}, ErrGone},
	} {
		if _, _, err := s.Forget(t.Context(), tc.f); err == nil {
			t.Errorf("%s is not refused", name)
		} else {
			wantErr(t, err, tc.want)
		}
	}
	same(t, "the vault", s.answers(), before)
	equal(t, "last message", s.log.Last(), last)
	for range 2 { // a class that never had an event is forgotten all the same
		batch := s.Begin()
		c, err := batch.Cell(CellID{8, Subject, 600})
		must(t, err)
		gone := c.Gone()
		batch.Abort()
		if gone {
			return
		}
		_, cells, err := s.Forget(t.Context(), Forgetting{Class: 8, Before: 601})
		must(t, err)
		equal(t, "cells", cells, 0)
	}
	t.Error("a class that never had an event is not forgotten")
}

// No row can keep more keys than its limit.
func TestForgetKeepsTooMuch(t *testing.T) {
	b := newBench(t)
	b.tag(march, "candidate:1")
	row, err := b.RowOf("candidate:1")
	must(t, err)
	batch := b.Begin()
	for i := range MaxKept {
		_, err := batch.Cell(CellID{2, Subject, Month(i)})
		must(t, err)
	}
	must(t, batch.Flush(t.Context(), 0))
	batch.Commit()
	for _, one := range []Role{Actor, Subject} {
		b.tag(CellID{3, one, 5}, "candidate:1")
	}
	_, cells, err := b.Forget(t.Context(), Forgetting{Class: 2, Before: MaxKept, Held: []PersonID{row}})
	must(t, err)
	equal(t, "cells", cells, MaxKept)
	_, _, err = b.Forget(t.Context(), Forgetting{Class: 3, Before: 6, Held: []PersonID{row}})
	wantErr(t, err, ErrLimit)
	b.reopen()
	tags, err := b.TagsOf("candidate:1", Subject)
	must(t, err)
	equal(t, "tags", len(tags), MaxKept+2)
}

// Cost does not depend on people, but for those held.
func TestForgetCost(t *testing.T) {
	sizes := map[int]int{}
	for _, people := range []int{1, 600} {
		b := newBench(t)
		batch := b.Begin()
		c, err := batch.Cell(march)
		must(t, err)
		for i := range people {
			_, _, err := batch.Tag(c, Identifier(fmt.Sprint("candidate:", i)))
			must(t, err)
		}
		must(t, batch.Flush(t.Context(), 0))
		batch.Commit()
		n := len(b.log.messages)
		_, _, err = b.Forget(t.Context(), Forgetting{Class: march.Class, Before: march.Month + 1})
		must(t, err)
		for _, m := range b.log.messages[n:] {
			sizes[people] += len(m.Data)
		}
	}
	equal(t, "bytes written for 600 people, as for one", sizes[600], sizes[1])
}
