package ask

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/vault"
)

// TestRetention: what ending a class's retention means, and what is in the way.
func TestRetention(t *testing.T) {
	r := small(t)
	before := vault.MonthOf(time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC))
	plan := func(class events.Retention) RetentionPlan {
		t.Helper()
		head := r.ledger.Head().Position
		p, err := r.Retention(t.Context(), dpo(), class, before, "c-1")
		if err != nil || r.last().Query != "retention.plan" || r.last().Case != "c-1" || r.ledger.Head().Position != head+1 {
			t.Fatal(err)
		}
		due, err := r.RetentionDue(t.Context(), class, before)
		if err != nil || r.ledger.Head().Position != head+1 || due.Events != p.Events || !slices.Equal(due.Blocking, p.Blocking) || len(due.Rows) != len(p.Rows) {
			t.Fatalf("for who carries it out: %+v, %v", due, err)
		}
		return p
	}
	p := plan(events.Access)
	if p.Events != 3 || p.Class != "access" || p.Before != "2025-03" || p.Held != 0 || len(p.Blocking) != 0 ||
		!slices.Equal(p.Months, []MonthForgets{{"2025-01", 2}, {"2025-02", 2}}) {
		t.Errorf("%+v", p)
	}
	hold := func(ref, more string) string {
		return event(ref, "governance.hold-placed", february, fmt.Sprintf(`"actor":{"id":"employee:d1","role":"dpo"},"hold":%q,"ground":"A17-3-e"%s`, ref, more))
	}
	r.send(hold("H-1", fmt.Sprintf(`,"subjects":[{"id":%q,"role":"candidate"}]`, alias)))
	if p := plan(events.Access); p.Held != 1 || len(p.Rows) != 2 || len(p.Holds) != 1 || len(p.Blocking) != 0 {
		t.Errorf("somebody is held: %+v", p)
	}
	if p := plan(events.Governance); len(p.Blocking) != 1 || p.Blocking[0].Why != holdForgotten {
		t.Errorf("the hold would be forgotten: %+v", p)
	}
	everybody := r.send(hold("H-2", ""))[0].Position
	if p := plan(events.Access); len(p.Blocking) != 1 || (p.Blocking[0] != Blocking{everybody, holdOfEverybody}) {
		t.Errorf("everybody is held: %+v", p)
	}
	r.send(event("free", "governance.hold-released", march, `"actor":{"id":"employee:d1","role":"dpo"},"hold":"H-2"`))
	n := r.opened(r.plan(yankee, PlanOptions{}), PlanOptions{})
	if p := plan(events.LegalState); len(p.Blocking) != 0 {
		t.Errorf("an erasure of this month: %+v", p)
	}
	before = vault.MonthOf(time.Now().AddDate(0, 2, 0))
	if p := plan(events.LegalState); len(p.Blocking) != 1 || (p.Blocking[0] != Blocking{n, erasureForgotten}) {
		t.Errorf("the erasure would be forgotten: %+v", p)
	}
	if _, err := r.Retention(t.Context(), dpo(), 7, before, ""); !errors.Is(err, ErrQuestion) {
		t.Errorf("a class that there is not: %v", err)
	}
	before = vault.MonthOf(time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC))
	p = plan(events.Access)
	done, err := r.ledger.Forget(t.Context(), ledger.Forgetting{Who: byDPO(), Class: events.Access, Before: before, Held: p.Rows, AsOf: p.AsOf.Position})
	if err != nil || done.Cells != 4 {
		t.Fatal(done, err)
	}
	if p := plan(events.Access); p.Events != 0 || len(p.Months) != 0 {
		t.Errorf("again: %+v", p)
	}
	found, err := r.Lookup(t.Context(), dpo(), Person, zulu, "accesses", Question{Name: "x"})
	if got := ids(found.Page); err != nil || !slices.Equal(got, []string{"jan-2", "feb-1", "mar-1"}) {
		t.Errorf("who is held: %v, %v", got, err)
	}
	sum, err := r.Search(t.Context(), dpo(), "summary", Question{Name: "events", KnownAt: "10"}, Counting{})
	if err != nil || sum.Summary.Persons != 1 || sum.Summary.Unresolved != 1 {
		t.Errorf("%+v, %v", sum.Summary, err)
	}
}

// TestPursue is [Desk.Erasure] unrecorded.
func TestPursue(t *testing.T) {
	r := small(t)
	n := r.opened(r.plan(zulu, PlanOptions{}), PlanOptions{})
	head := r.ledger.Head()
	d, err := r.Pursue(t.Context(), n)
	if err != nil || d.Pursuit == nil || len(d.Pursuit.Rows) != 2 || d.AsOf.Position != head.Position || r.ledger.Head() != head {
		t.Errorf("%+v, %v", d, err)
	}
	r.shred(n, d.Pursuit.Rows, d.AsOf.Position)
	if d, err := r.Pursue(t.Context(), n); err != nil || d.Pursuit != nil || d.State != erasureShredded {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := r.Pursue(t.Context(), 2); !errors.Is(err, ledger.ErrNoEvent) {
		t.Errorf("no erasure: %v", err)
	}
}
