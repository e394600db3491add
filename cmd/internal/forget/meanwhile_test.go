package forget

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// shown is what the desk says of somebody, without what every question changes.
func (r *rig) shown(id string) ask.Found {
	r.t.Helper()
	q := ask.Question{Name: "person.timeline", KnownAt: "5"} // what small recorded
	found, err := r.Desk.Lookup(r.t.Context(), dpo(), ask.Person, id, "timeline", q)
	r.must(err)
	found.Handle, found.AsOf = "", ask.AsOf{}
	for i := range found.Items {
		if found.Items[i].Actor != nil {
			found.Items[i].Actor.Mask = ""
		}
	}
	return found
}

// TestTogether: erasures of different people and the end of a retention, asked for
// at once, each happen once, each under a root of its own.
func TestTogether(t *testing.T) {
	r := small(t)
	month, err := ParseMonth("2025-02")
	r.must(err)
	certificates := make([]*report.Certificate, 3)
	var work sync.WaitGroup
	for i, id := range []string{alias, yankee} {
		work.Go(func() {
			q := asked(id)
			q.Now = true
			certificates[i] = r.erase(q)
		})
	}
	work.Go(func() {
		c, err := r.Retain(t.Context(), deputy(), Period{Class: events.Access, Before: month}, "", "")
		certificates[2] = r.unnamed(c, err)
	})
	work.Wait()
	roots := map[uint64]bool{}
	for _, c := range certificates {
		if s := c.Shredding; s == nil || s.RootBefore+1 != s.RootAfter || roots[s.RootAfter] || s.Position == 0 {
			t.Errorf("%+v", s)
		} else {
			roots[s.RootAfter] = true
		}
	}
	if n := r.count(events.LedgerKeyShredded); n != 3 || !roots[4] {
		t.Errorf("%d events say that keys were destroyed, roots %v", n, roots)
	}
	r.known(zulu, false)
	r.known(yankee, false)
}

// TestErasedDuringRebuild: a view is the same whether it was filled before an
// erasure, while it went on, or after it.
func TestErasedDuringRebuild(t *testing.T) {
	r := small(t)
	before := r.shown(yankee)
	var work sync.WaitGroup
	views := r.set.Status()
	for _, view := range views {
		work.Go(func() {
			for range 3 {
				if err := r.set.Rebuild(view.Name); !errors.Is(err, projections.ErrRebuilding) {
					r.must(err)
				}
			}
		})
	}
	q := asked(zulu)
	q.Now = true
	r.erase(q)
	work.Wait()
	r.must(r.set.Wait(t.Context(), r.Ledger.Head().Position))
	for _, filled := range []string{"meanwhile", "after it"} {
		if now := r.shown(yankee); !reflect.DeepEqual(now, before) {
			t.Errorf("filled %s: %+v, want %+v", filled, now, before)
		}
		r.known(alias, false)
		r.close()
		files, err := filepath.Glob(filepath.Join(r.folder, "*.db"))
		if err != nil || len(files) != len(views) {
			t.Fatalf("%d views, %v", len(files), err)
		}
		for _, file := range files {
			r.must(os.Remove(file))
		}
		r.open()
		r.must(r.set.Wait(t.Context(), r.Ledger.Head().Position))
	}
}

// TestLinkedMeanwhile: the person is linked with somebody else while keys are about
// to be destroyed. If that came first, nothing is carried out that was not decided;
// else it links somebody new, and the other stays.
func TestLinkedMeanwhile(t *testing.T) {
	r := small(t)
	var others []string
	for i := range 10 {
		others = append(others, fmt.Sprintf("candidate:xray%d", i))
		r.looked(january, whiskey, others[i])
	}
	linked := 0
	var linking sync.WaitGroup
	r.Before = func(context.Context) error {
		switch linked++; {
		case linked == 1:
			r.linked(zulu, others[0])
		case linked <= len(others):
			linking.Go(func() { r.linked(zulu, others[linked-1]) })
		}
		return nil
	}
	q := asked(alias)
	q.Now = true
	c, err := r.Erase(t.Context(), dpo(), q)
	for linking.Wait(); errors.Is(err, ErrDecideAgain); linking.Wait() {
		open, failed := r.Desk.OpenErasures(t.Context())
		r.must(failed)
		if len(open) != 1 || r.count(events.LedgerKeyShredded) != 0 {
			t.Fatalf("%d erasures are open", len(open))
		}
		r.known(alias, true)
		r.must(failure(r.Cancel(t.Context(), dpo(), open[0].Position, "relinked", "")))
		c, err = r.Erase(t.Context(), dpo(), q)
	}
	r.must(err)
	linked = min(linked, len(others))
	gone := int(c.Identifiers.Count) - 2 // of the others, who were linked first
	t.Logf("of %d others %d were linked first", linked, gone)
	if gone != linked && gone != linked-1 {
		t.Errorf("%d identifiers were erased, after %d links", c.Identifiers.Count, linked)
	}
	for i, other := range others {
		r.known(other, i >= gone)
	}
	r.known(alias, false)
	r.known(zulu, gone < linked)
}

// TestErasedWithoutViews: an erasure is not opened while the views that it is decided
// from cannot be asked; asked again, it is.
func TestErasedWithoutViews(t *testing.T) {
	r := small(t)
	q := asked(zulu)
	q.Now = true
	r.must(r.set.Close())
	r.fails(failure(r.Erase(context.Background(), dpo(), q)), projections.ErrViewsClosed)
	if n := r.count(events.LedgerErasureOpened) + r.count(events.LedgerKeyShredded); n != 0 {
		t.Errorf("%d events say that something was done", n)
	}
	r.must(r.Ledger.Close(context.Background()))
	r.open()
	r.erase(q)
	r.known(zulu, false)
}
