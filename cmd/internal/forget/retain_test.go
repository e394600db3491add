package forget

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/vault"
)

func mustMonth(t *testing.T, text string) vault.Month {
	t.Helper()
	m, err := ParseMonth(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// accesses is how many accesses to a person's data are found.
func (r *rig) accesses(id string) int {
	r.t.Helper()
	found, err := r.Desk.Lookup(r.t.Context(), dpo(), ask.Person, id, "accesses", ask.Question{Name: "person.accesses"})
	r.must(err)
	return len(found.Items)
}

// TestRetain: what is older is nobody's any more, what is newer or of another
// class is untouched, and doing it again finds nothing.
func TestRetain(t *testing.T) {
	r := small(t)
	p := Period{events.Access, mustMonth(t, "2025-02")}
	plan, err := r.PlanRetention(t.Context(), dpo(), p, "")
	if err != nil || plan.Events != 1 || len(plan.Months) != 1 || plan.Months[0].Cells != 2 || len(plan.Blocking) != 0 {
		t.Errorf("%+v, %v", plan, err)
	}
	if n := r.accesses(zulu); n != 2 {
		t.Errorf("%d accesses before", n)
	}
	c := r.unnamed(r.Retain(t.Context(), dpo(), p, "c-1", ""))
	if c.Kind != report.Retained || c.Retention.Cells != 2 || c.Retention.Schedule != "" || len(c.Cells) != 1 || c.Cells[0].To != "2025-01" || c.Shredding.RootAfter != 2 {
		t.Errorf("%+v, %+v", c.Retention, c.Shredding)
	}
	if n := r.accesses(zulu); n != 1 {
		t.Errorf("%d accesses after", n)
	}
	if found, err := r.Desk.Lookup(t.Context(), dpo(), ask.Person, zulu, "disclosures", ask.Question{Name: "person.disclosures"}); err != nil || len(found.Items) != 1 {
		t.Errorf("disclosures: %v", err)
	}
	head := r.Ledger.Head().Position
	r.fails(failure(r.Retain(t.Context(), dpo(), p, "", "")), ErrNothing)
	if n := r.count(events.LedgerKeyShredded); n != 1 || r.Ledger.Head().Position != head+1 { // the question
		t.Errorf("recorded %d times", n)
	}
	this := vault.MonthOf(time.Now())
	for _, before := range []vault.Month{this, this + 1, this + 100} {
		r.fails(failure(r.Retain(t.Context(), dpo(), Period{events.Access, before}, "", "")), ErrTooRecent)
		r.fails(failure(r.PlanRetention(t.Context(), dpo(), Period{events.Access, before}, "")), ErrTooRecent)
	}
}

// TestRetainTwoPersons: where two must agree nobody ends a retention alone, and what
// was agreed on is all that is done. The schedule asks nobody.
func TestRetainTwoPersons(t *testing.T) {
	r := small(t)
	r.TwoPersons = true
	p := Period{events.Access, mustMonth(t, "2025-02")}
	_, err := r.Retain(t.Context(), dpo(), p, "c-1", "")
	r.fails(err, ErrWaiting)
	w, is := errors.AsType[*Waiting](err)
	if want := (Terms{Class: "access", Before: "2025-02", Case: "c-1", Events: 1, Cells: 2}); !is || !reflect.DeepEqual(w.Terms, want) {
		t.Fatalf("the second person is told %+v", w)
	}
	r.fails(failure(r.Retain(t.Context(), dpo(), p, "c-1", w.ID)), ErrWaiting)
	r.must(failure(r.Approvals.Approve(Token{deputy().Token, deputy().Name}, w.ID)))
	r.fails(failure(r.Retain(t.Context(), dpo(), Period{events.Access, p.Before + 1}, "c-1", w.ID)), ErrOtherAct)
	r.fails(failure(r.Retain(t.Context(), dpo(), Period{events.Disclosure, p.Before}, "c-1", w.ID)), ErrOtherAct)
	r.fails(failure(r.Retain(t.Context(), dpo(), p, "c-2", w.ID)), ErrOtherAct)
	r.looked(january, whiskey, yankee)
	r.fails(failure(r.Retain(t.Context(), dpo(), p, "c-1", w.ID)), ErrOtherTerms)
	if n := r.count(events.LedgerKeyShredded); n != 0 || r.accesses(zulu) != 2 {
		t.Errorf("keys were destroyed %d times", n)
	}
	again, _ := errors.AsType[*Waiting](failure(r.Retain(t.Context(), dpo(), p, "c-1", "")))
	r.must(failure(r.Approvals.Approve(Token{deputy().Token, deputy().Name}, again.ID)))
	if c := r.unnamed(r.Retain(t.Context(), dpo(), p, "c-1", again.ID)); c.Shredding.By.Approved != "dpo-2" || again.Terms.Events != 2 {
		t.Errorf("%+v, %+v", c.Shredding.By, again.Terms)
	}
	r.fails(failure(r.Retain(t.Context(), dpo(), p, "c-1", again.ID)), ErrNoApproval)
	r.fails(failure(r.Retain(t.Context(), dpo(), p, "", "")), ErrNothing)
	r.must(r.Keep(t.Context(), Schedule{[]Rule{{events.Disclosure, 1}}}))
	if n := r.count(events.LedgerKeyShredded); n != 2 {
		t.Errorf("keys were destroyed %d times", n)
	}
}

// TestAnnounced: what a schedule is about to destroy, and which erasures are open,
// stands in the log; of nobody.
func TestAnnounced(t *testing.T) {
	r := small(t)
	r.must(r.Opened(t.Context()))
	r.must(r.Keep(t.Context(), Schedule{[]Rule{{events.Breach, 1}}}))
	if text := r.log.String(); text != "" {
		t.Errorf("nothing is open or old: %s", text)
	}
	first, other := r.erase(asked(zulu)).Erasure.Position, r.erase(asked(yankee)).Erasure.Position
	r.must(r.Opened(t.Context()))
	months := int(vault.MonthOf(time.Now()) - mustMonth(t, "2025-02"))
	r.must(r.Keep(t.Context(), Schedule{[]Rule{{events.Access, months}}}))
	for _, want := range []string{
		fmt.Sprintf(`level=WARN msg="erasures are open" count=2 erasures="[%d %d]"`, first, other),
		fmt.Sprintf(`level=WARN msg="the retention schedule is about to destroy keys" class=access months=%d from=2025-01 before=2025-02 cells=2 events=1 held=0`, months),
	} {
		if text := r.log.String(); !strings.Contains(text, want) || strings.Index(text, want) > strings.Index(text, "a retention period ended") {
			t.Errorf("%s: not in %s", want, text)
		}
	}
}

// TestRetainBlocked: what is in the way is named, and nothing happens.
func TestRetainBlocked(t *testing.T) {
	r := small(t)
	p := Period{events.Access, mustMonth(t, "2025-03")}
	at := r.hold("claim:7", "")
	_, err := r.Retain(t.Context(), dpo(), p, "", "")
	b, is := errors.AsType[*Blocked](err)
	if !is || len(b.By) != 1 || b.By[0].Position != at || b.By[0].Why != "hold-of-everybody" {
		t.Fatalf("%v", err)
	}
	r.fails(err, ErrBlocked)
	r.release("claim:7")
	r.hold("claim:8", listing(alias))
	c := r.unnamed(r.Retain(t.Context(), dpo(), p, "", ""))
	if c.Retention.Held != 1 || len(c.Holds) != 1 {
		t.Errorf("%+v", c.Retention)
	}
	if n, other := r.accesses(zulu), r.accesses(yankee); n != 2 || other != 0 {
		t.Errorf("%d accesses of whom the hold names, %d of the other", n, other)
	}
}

// TestRetainUnclear: a hold whose people cannot be known any more is in the way of
// everything.
func TestRetainUnclear(t *testing.T) {
	r := small(t)
	r.unnamed(r.retainedBefore(events.Governance, "2025-02"))
	old := r.send("governance.hold-placed", january, bySystem+`"hold":"claim:7","ground":"A17-3-e",`+listing(zulu))
	_, err := r.Retain(t.Context(), dpo(), Period{events.Access, mustMonth(t, "2025-02")}, "", "")
	b, is := errors.AsType[*Blocked](err)
	if !is || len(b.By) != 1 || b.By[0].Position != old || b.By[0].Why != "hold-unclear" {
		t.Errorf("%v", err)
	}
	q := asked(zulu)
	r.fails(failure(r.Erase(t.Context(), dpo(), q)), ErrHeld)
}

// retainedBefore forgets a class of which there is something.
func (r *rig) retainedBefore(class events.Retention, before string) (*report.Certificate, error) {
	r.t.Helper()
	r.send("governance.party-registered", january, bySystem+`"party":"tango-bank","name":"Some Firm","roles":["processor"],"country":"BE"`)
	return r.Retain(r.t.Context(), dpo(), Period{class, mustMonth(r.t, before)}, "", "")
}

// TestClerk: what is due is carried out, what is complete before its day, what
// cannot be is said and holds nobody up; nothing is carried out twice.
func TestClerk(t *testing.T) {
	r := small(t)
	r.looked(january, whiskey, "candidate:yankee82")
	q := asked(zulu)
	q.Keep = []events.Keeping{{Class: events.LegalState, Ground: "A17-3-b"}}
	complete := r.erase(q).Erasure.Position
	due, held := asked(yankee), asked("candidate:yankee82")
	due.Due, held.Due = time.Now().Add(48*time.Hour), time.Now().Add(48*time.Hour)
	stopped, inTime := r.erase(held).Erasure.Position, r.erase(due).Erasure.Position
	r.hold("claim:7", listing("candidate:yankee82"))
	r.must(r.Due(t.Context()))
	r.deleted(zulu, `{"kind":"live","state":"done"}`)
	r.must(r.Due(t.Context()))
	r.known(zulu, true) // a recipient is to be told
	r.told(zulu, "tango-bank")
	r.must(r.Due(t.Context()))
	if d := r.state(complete); d.State != "shredded" {
		t.Errorf("complete, and %s", d.State)
	}
	r.known(yankee, true)
	r.later(72 * time.Hour)
	err := r.Due(t.Context())
	if d := r.state(inTime); d.State != "shredded" {
		t.Errorf("due, and %s", d.State)
	}
	if want := fmt.Sprintf("erasure %d: ", stopped); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "erasure ") > 2 {
		t.Errorf("%v, want %s", err, want)
	}
	r.fails(err, ErrHeld)
	r.linked("candidate:yankee82", "crm:yankee83")
	r.release("claim:7")
	r.fails(r.Due(t.Context()), ErrDecideAgain)
	c := r.unnamed(r.Certificate(t.Context(), dpo(), complete, ""))
	if c.Shredding.By != (report.Who{Role: "operator", Token: "clerk"}) {
		t.Errorf("carried out by %+v", c.Shredding.By)
	}
	if n := r.count(events.LedgerKeyShredded); n != 2 {
		t.Errorf("keys were destroyed %d times", n)
	}
	r.fails(r.pursue(t.Context(), complete), ErrEnded)
}

// TestSchedule: the clerk forgets what is older, class by class, once; what is in
// the way of one does not hold up another.
func TestSchedule(t *testing.T) {
	r := small(t)
	months := int(vault.MonthOf(time.Now()) - mustMonth(t, "2025-02"))
	s := Schedule{[]Rule{{events.Access, months}, {events.Breach, 1}, {events.Disclosure, months - 1}}}
	r.must(r.Keep(t.Context(), s))
	r.must(r.Keep(t.Context(), s))
	if n := r.count(events.LedgerKeyShredded); n != 2 {
		t.Errorf("keys were destroyed %d times", n)
	}
	if n := r.accesses(zulu); n != 1 {
		t.Errorf("%d accesses", n)
	}
	at := r.hold("claim:7", "")
	s.Keep[0].Months--
	err := r.Keep(t.Context(), s)
	if want := "access before 2025-03: "; !errors.Is(err, ErrBlocked) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprint(at)) {
		t.Errorf("%v", err)
	}
	r.release("claim:7")
	r.later(31 * 24 * time.Hour) // a month later, one month more
	s.Keep[0].Months++
	r.must(r.Keep(t.Context(), s))
	if n := r.accesses(zulu); n != 0 {
		t.Errorf("%d accesses", n)
	}
}

// TestRetentionDecidedAgain: a hold that comes between deciding and carrying out
// is seen.
func TestRetentionDecidedAgain(t *testing.T) {
	r := small(t)
	p := Period{events.Access, mustMonth(t, "2025-02")}
	plan, err := r.Desk.RetentionDue(t.Context(), p.Class, p.Before)
	r.must(err)
	r.hold("claim:7", listing(zulu))
	c := r.unnamed(r.retain(t.Context(), clerk(), p, plan, "months-12"))
	if c.Retention.Held != 1 || c.Retention.Schedule != "months-12" || r.accesses(zulu) != 2 {
		t.Errorf("%+v", c.Retention)
	}
	plan.AsOf.Position = 0 // always behind
	plan.Months = []ask.MonthForgets{{Month: "2025-01", Cells: 1}}
	if _, err := r.Ledger.Forget(t.Context(), ledger.Forgetting{Who: clerk(), Class: events.Disclosure, Before: p.Before + 1}); !errors.Is(err, ledger.ErrChanged) {
		t.Errorf("decided before a hold: %v", err)
	}
}
