package forget

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/projections"
)

// TestAtTheSameTime: of many who ask for the erasure of one person at once, in any
// way, one is first: it is opened once and carried out once, while views are being
// rebuilt.
func TestAtTheSameTime(t *testing.T) {
	r := small(t)
	var work sync.WaitGroup
	for _, name := range []string{"search", "person", "access", "governance"} {
		work.Go(func() {
			if err := r.set.Rebuild(name); !errors.Is(err, projections.ErrRebuilding) { // one is being filled already
				r.must(err)
			}
		})
	}
	outcomes := make([]error, 6)
	var asking sync.WaitGroup
	for i := range outcomes {
		q := asked([]string{zulu, alias}[i%2])
		q.Now = i%3 > 0
		asking.Go(func() { outcomes[i] = failure(r.Erase(context.Background(), dpo(), q)) })
	}
	var answered atomic.Bool
	work.Go(func() { asking.Wait(); answered.Store(true) })
	work.Go(func() {
		for last := false; !last; {
			last = answered.Load() // it may have been carried out before it was seen open
			open, err := r.Desk.OpenErasures(context.Background())
			if err == nil && len(open) > 0 {
				err = failure(r.Shred(context.Background(), deputy(), open[0].Position, ""))
			}
			if err != nil && !errors.Is(err, ErrEnded) {
				t.Errorf("shredding: %v", err)
			}
			if len(open) > 0 {
				return
			}
		}
	})
	work.Wait()
	won := 0
	for _, err := range outcomes {
		switch {
		case err == nil:
			won++
		case errors.Is(err, ErrOpen):
		case !isNotKnown(err):
			t.Errorf("%v", err)
		}
	}
	if opened, shredded := r.count(events.LedgerErasureOpened), r.count(events.LedgerKeyShredded); opened != 1 || shredded != 1 || won < 1 || won > 2 {
		t.Errorf("%d opened, %d shredded, %d succeeded", opened, shredded, won)
	}
	r.known(zulu, false)
	r.known(yankee, true)
}

// TestMetAgain: events about the person go on coming while it is erased. Each is of
// the person who is gone, or of somebody new who has the identifier; from one
// position on, all are of the latter.
func TestMetAgain(t *testing.T) {
	r := small(t)
	var met []uint64
	first := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		for i := range 40 {
			met = append(met, r.looked(today(), whiskey, zulu))
			if i == 5 {
				close(first)
			}
		}
	})
	<-first
	q := asked(zulu)
	q.Now = true
	c := r.erase(q)
	work.Wait()
	met = append(met, r.looked(today(), whiskey, zulu))
	found, err := r.Desk.Lookup(t.Context(), dpo(), ask.Person, zulu, "accesses", ask.Question{Name: "person.accesses"})
	r.must(err)
	var again []uint64
	for _, item := range found.Items {
		again = append(again, item.Position)
	}
	if n := len(again); n == 0 || n > 36 || !slices.Equal(again, met[len(met)-n:]) || found.Identifiers != 1 {
		t.Errorf("met at %v, found at %v, %d identifiers", met, again, found.Identifiers)
	}
	if d := r.state(c.Erasure.Position); d.State != "shredded" {
		t.Errorf("it is %s", d.State)
	}
	r.known(alias, false)
}

// TestDestroyedAll: what fails once keys are destroyed says that they are.
func TestDestroyedAll(t *testing.T) {
	r := small(t)
	q := asked(zulu)
	q.Now = true
	c := r.erase(q)
	err := r.shredded(t.Context(), c, ledger.Shredded{Position: 1 << 40}, nil)
	r.fails(err, ErrDestroyed)
}
