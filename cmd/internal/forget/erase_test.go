package forget

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
)

// TestTwoSteps: an erasure is opened, which restricts and destroys nothing, and is
// carried out later; the certificates say so.
func TestTwoSteps(t *testing.T) {
	r := small(t)
	head := r.Ledger.Head().Position
	dry := r.paper(r.Plan(t.Context(), dpo(), asked(alias)))
	if dry.Kind != report.DryRun || dry.Identifiers.Count != 2 || len(dry.Identifiers.List[0].Links) != 1 || dry.Identifiers.List[0].Links[0].Position != 2 ||
		dry.Remains.Shared != 1 || len(dry.Recipients) != 1 || len(dry.Cells) == 0 || dry.Shredding != nil {
		t.Errorf("%+v", dry)
	}
	r.known(alias, true)
	if n := r.count(events.LedgerErasureOpened); n != 0 || r.Ledger.Head().Position != head+2 { // shown, and looked up
		t.Errorf("a dry run opened %d", n)
	}
	c := r.erase(asked(zulu))
	e := c.Erasure
	if c.Kind != report.Restricted || e.Position == 0 || e.Opened.IsZero() || e.Request != "dsar:2026/33" || e.By != (report.Who{Role: "dpo", Token: "dpo-1"}) ||
		e.Due.Before(time.Now().AddDate(0, 0, 27)) || !c.Identifiers.Shown || c.Shredding != nil {
		t.Errorf("%+v", e)
	}
	r.known(zulu, true)
	_, err := r.Erase(t.Context(), dpo(), asked(alias)) // linked: the same person
	open, is := errors.AsType[*AlreadyOpen](err)
	if !is || open.Position != e.Position {
		t.Errorf("opened again: %v", err)
	}
	r.fails(err, ErrOpen)
	before := r.unnamed(r.Certificate(t.Context(), dpo(), e.Position, ""))
	if before.Kind != report.Restricted || before.Remains.Shared != 1 || len(before.Cells) < len(c.Cells) || before.Identifiers.Count != 2 {
		t.Errorf("%+v", before)
	}
	done := r.unnamed(r.Shred(t.Context(), deputy(), e.Position, ""))
	s := done.Shredding
	if done.Kind != report.Erased || s.RootBefore != 1 || s.RootAfter != 2 || s.Rows != 2 || s.Shards == 0 || s.By.Token != "dpo-2" || done.Erasure.By.Token != "dpo-1" ||
		len(done.Cells) < len(c.Cells) || len(done.Remains.Events) == 0 {
		t.Errorf("%+v, %+v", done, s)
	}
	r.known(zulu, false)
	r.known(alias, false)
	r.known(yankee, true)
	again := r.unnamed(r.Certificate(t.Context(), dpo(), e.Position, ""))
	if again.Kind != report.Erased || again.Shredding.Position != s.Position || again.Shredding.Digest != s.Digest {
		t.Errorf("%+v", again)
	}
	r.fails(failure(r.Shred(t.Context(), dpo(), e.Position, "")), ErrEnded)
	r.fails(failure(r.Cancel(t.Context(), dpo(), e.Position, "withdrawn", "")), ErrEnded)
	r.fails(failure(r.Shred(t.Context(), dpo(), 1, "")), ledger.ErrNoEvent)
	if !strings.Contains(r.log.String(), "keys of a person were destroyed") {
		t.Errorf("log: %s", r.log.String())
	}
}

func failure[T any](_ T, err error) error { return err }

// TestAtOnce opens and carries out in one, twice, as after an answer that was lost.
func TestAtOnce(t *testing.T) {
	r := small(t)
	q := asked(zulu)
	q.Now = true
	c := r.erase(q)
	if c.Kind != report.Erased || c.Erasure.Position == 0 || c.Shredding == nil || !c.Identifiers.Shown || len(c.Identifiers.List) != 2 || c.Shredding.Rows != 2 {
		t.Errorf("%+v", c)
	}
	if n := len(c.Cells); c.Cells[n-1].Class != "legal-state" || c.Cells[n-1].To != report.Month(today()[:7]) {
		t.Errorf("the cell of the opening is not among %+v", c.Cells)
	}
	r.known(alias, false)
	_, never := r.Erase(t.Context(), dpo(), asked("candidate:nobody1"))
	_, gone := r.Erase(t.Context(), dpo(), q)
	if gone == nil || never == nil || gone.Error() != never.Error() {
		t.Errorf("somebody erased: %v; somebody who never was: %v", gone, never)
	}
	if opened, shredded := r.count(events.LedgerErasureOpened), r.count(events.LedgerKeyShredded); opened != 1 || shredded != 1 {
		t.Errorf("%d opened, %d shredded", opened, shredded)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", q, q, q, &q); strings.Contains(text, "zulu") {
		t.Errorf("a request prints itself: %s", text)
	}
}

// TestNowOnOpen: asking for it at once carries out the erasure that is open, with
// what was decided when it was opened, and never with anything else.
func TestNowOnOpen(t *testing.T) {
	r := small(t)
	q := asked(zulu)
	q.Keep = []events.Keeping{{Class: events.Disclosure, Ground: "A17-3-e"}, {Class: events.Access, Ground: "A17-3-b"}}
	opened := r.erase(q).Erasure.Position
	other := asked(zulu)
	other.Now = true
	r.fails(failure(r.Erase(t.Context(), dpo(), other)), ErrOpen)
	other.Keep = []events.Keeping{{Class: events.Disclosure, Ground: "A17-3-c"}, q.Keep[1]}
	r.fails(failure(r.Erase(t.Context(), dpo(), other)), ErrOpen)
	other.Keep = q.Keep[:1]
	r.fails(failure(r.Erase(t.Context(), dpo(), other)), ErrOpen)
	r.known(zulu, true)
	slices.Reverse(q.Keep) // the order says nothing
	q.Now, q.Request, q.Reason = true, "dsar:other", "objection"
	c := r.erase(q)
	if c.Erasure.Position != opened || c.Erasure.Request != "dsar:2026/33" || c.Erasure.Reason != "request" || c.Kind != report.Erased || c.Shredding.Rows != 0 {
		t.Errorf("%+v", c.Erasure)
	}
	if len(c.Kept) != 2 || c.Kept[0].Class != "access" || c.Kept[0].Rows != 2 || c.Kept[0].Events < 2 || c.Kept[1].Rows != 1 || c.Kept[1].Events != 1 {
		t.Errorf("kept %+v", c.Kept)
	}
	if n := r.count(events.LedgerErasureOpened); n != 1 {
		t.Errorf("%d were opened", n)
	}
	if d := r.state(opened); d.State != "shredded" {
		t.Errorf("it is %s", d.State)
	}
}

// TestHeld: a hold is in the way, unless what it needs is kept; of an erasure that
// is open, too.
func TestHeld(t *testing.T) {
	for name, about := range map[string]string{"of the person": listing(alias), "of a dataset": `"dataset":"career_cv"`, "of everything": ""} {
		t.Run(name, func(t *testing.T) {
			r := small(t)
			at := r.hold("claim:7", about)
			q := asked(zulu)
			q.Now = true
			_, err := r.Erase(t.Context(), dpo(), q)
			held, is := errors.AsType[*Held](err)
			if !is || len(held.Holds) != 1 || held.Holds[0].Position != at || held.Holds[0].Ground != "A17-3-e" {
				t.Fatalf("%v", err)
			}
			r.fails(err, ErrHeld)
			if n := r.count(events.LedgerErasureOpened); n != 0 {
				t.Errorf("%d were opened", n)
			}
			if c := r.paper(r.Plan(t.Context(), dpo(), q)); len(c.Holds) != 1 {
				t.Errorf("the dry run has %d holds", len(c.Holds))
			}
			q.Keep = []events.Keeping{{Class: events.Disclosure, Ground: "A17-3-d"}}
			r.fails(failure(r.Erase(t.Context(), dpo(), q)), ErrHeld)
			q.Keep[0].Ground = "A17-3-e"
			kept := 1
			if name == "of the person" {
				kept = 2 // the hold itself, too
			}
			if c := r.erase(q); c.Kind != report.Erased || len(c.Holds) != 1 || len(c.Kept) != kept {
				t.Errorf("%+v", c)
			}
		})
	}
	r := small(t)
	opened := r.erase(asked(zulu)).Erasure.Position
	r.hold("claim:7", "")
	r.fails(failure(r.Shred(t.Context(), dpo(), opened, "")), ErrHeld)
	r.release("claim:7")
	r.unnamed(r.Shred(t.Context(), dpo(), opened, ""))
}

// TestCancel: whoever is no longer to be erased can be, later, by another erasure.
func TestCancel(t *testing.T) {
	r := small(t)
	opened := r.erase(asked(zulu)).Erasure.Position
	at, err := r.Cancel(t.Context(), dpo(), opened, "withdrawn", "")
	if d := r.state(opened); err != nil || d.State != "cancelled" || d.Ended.Position != at {
		t.Errorf("%+v, %v", d, err)
	}
	r.unnamed(r.Certificate(t.Context(), dpo(), opened, ""))
	r.fails(failure(r.Shred(t.Context(), dpo(), opened, "")), ErrEnded)
	r.fails(failure(r.Cancel(t.Context(), dpo(), opened, "withdrawn", "")), ErrEnded)
	if c := r.erase(asked(alias)); c.Erasure.Position <= at {
		t.Errorf("%+v", c.Erasure)
	}
}

// TestDecidedAgain: what is recorded between deciding and carrying out is taken
// into account, and the certificate says what happened, not what was planned.
func TestDecidedAgain(t *testing.T) {
	r := small(t)
	q := asked(zulu)
	who := decider(dpo())
	p, err := r.plan(t.Context(), dpo(), &q)
	r.must(err)
	opened := r.erase(q).Erasure.Position
	c := r.planned(report.Restricted, &p, &q, who)
	r.looked(today(), alias, yankee) // who acts meanwhile
	stale := decision{c, p.Rows, p.AsOf.Position}
	d := r.state(opened)
	late, err := r.joined(who, &q, &p, &d)
	r.must(err)
	late.asOf = p.AsOf.Position
	done := r.paper(r.shred(t.Context(), who, opened, stale, func() (decision, error) { return r.decideAgain(t.Context(), dpo(), who, &q, opened) }))
	if done.Shredding.Rows != 1 || len(done.Kept) != 1 || done.Kept[0].What != report.KeptActor || done.Kept[0].Events != 1 || done.Erasure.Position != opened {
		t.Errorf("%+v, kept %+v", done.Shredding, done.Kept)
	}
	staying := 0
	for _, id := range done.Identifiers.List {
		if id.Stays {
			staying++
		}
	}
	if staying != 1 {
		t.Errorf("%d identifiers stay", staying)
	}
}

// TestDecidedInVain: an erasure that is not as it was decided any more is not
// carried out, however it is asked for, and nothing is destroyed.
func TestDecidedInVain(t *testing.T) {
	r := small(t)
	q := asked(zulu)
	opened := r.erase(q).Erasure.Position
	d := r.state(opened)
	stale, err := r.Office.unnamed(&d)
	r.must(err)
	again := func() (decision, error) {
		d := r.state(opened)
		return r.Office.unnamed(&d)
	}
	r.hold("claim:7", "")
	r.fails(failure(r.shred(t.Context(), decider(dpo()), opened, stale, again)), ErrHeld)
	r.release("claim:7")
	r.linked(zulu, yankee)
	r.fails(failure(r.shred(t.Context(), decider(dpo()), opened, stale, again)), ErrDecideAgain)
	r.fails(failure(r.Shred(t.Context(), dpo(), opened, "")), ErrDecideAgain)
	q.Now = true
	r.fails(failure(r.Erase(t.Context(), dpo(), q)), ErrDecideAgain)
	r.unnamed(r.Certificate(t.Context(), dpo(), opened, ""))
	never := 0
	stale.asOf = 0 // always behind
	r.fails(failure(r.shred(t.Context(), decider(dpo()), opened, stale, func() (decision, error) { never++; return stale, nil })), ledger.ErrChanged)
	if never != attempts {
		t.Errorf("decided %d times", never)
	}
	if n := r.count(events.LedgerKeyShredded); n != 0 {
		t.Errorf("keys were destroyed %d times", n)
	}
	r.known(zulu, true)
	if _, err := r.Cancel(t.Context(), dpo(), opened, "relinked", ""); err != nil {
		t.Fatal(err)
	}
	if c := r.erase(q); c.Identifiers.Count != 3 || c.Kind != report.Erased {
		t.Errorf("%+v", c)
	}
}

// TestRefused: what could not be recorded is refused before anybody is looked up.
func TestRefused(t *testing.T) {
	r := small(t)
	head := r.Ledger.Head()
	for name, change := range map[string]func(*Request){
		"a ground for nothing":   func(q *Request) { q.Ground = "left" },
		"as an actor, no ground": func(q *Request) { q.AsActor = true },
		"a reason of no article": func(q *Request) { q.Reason = "because" },
		"a request that is none": func(q *Request) { q.Request = "see my mail of Monday!" },
		"a request with an address": func(q *Request) {
			q.Request = "zulu71@example.org"
		},
		"due in the past": func(q *Request) { q.Due = time.Now().Add(-time.Minute) },
		"due when nobody cares": func(q *Request) {
			q.Due = time.Date(9999, 1, 2, 0, 0, 0, 0, time.UTC)
		},
		"due after three months": func(q *Request) { q.Due = time.Now().AddDate(0, 3, 1).Add(time.Minute) },
		"the person as a code":   func(q *Request) { q.Request = zulu },
	} {
		q := asked(zulu)
		change(&q)
		_, plan := r.Plan(t.Context(), dpo(), q)
		_, erase := r.Erase(t.Context(), dpo(), q)
		for _, err := range []error{plan, erase} {
			_, pointed := errors.AsType[*events.Error](err)
			if !pointed && !errors.Is(err, ErrGround) && !errors.Is(err, ErrDue) || strings.Contains(fmt.Sprint(err), "zulu") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if r.Ledger.Head() != head {
		t.Error("something was recorded")
	}
}

// TestAsActor: what an employee did goes only on a ground, with a second person
// who agrees to exactly that.
func TestAsActor(t *testing.T) {
	r := small(t)
	q := asked(whiskey)
	if c := r.paper(r.Plan(t.Context(), dpo(), q)); len(c.Kept) != 1 || c.Kept[0].Events != 3 || !c.Identifiers.List[0].Stays {
		t.Errorf("%+v", c.Kept)
	}
	q.AsActor, q.Ground, q.Now = true, "court-order", true
	_, err := r.Erase(t.Context(), dpo(), q)
	w, is := errors.AsType[*Waiting](err)
	if !is {
		t.Fatal(err)
	}
	r.fails(err, ErrWaiting)
	if want := (Terms{Reason: "request", Ground: "court-order", Request: "dsar:2026/33", Now: true, Identifiers: 1, Acts: 3}); !reflect.DeepEqual(w.Terms, want) {
		t.Errorf("the second person is told %+v", w.Terms)
	}
	if text, _ := json.Marshal(r.Approvals.List()); strings.Contains(string(text), "whiskey") {
		t.Errorf("what waits names somebody: %s", text)
	}
	q.Approval = w.ID
	r.fails(failure(r.Erase(t.Context(), dpo(), q)), ErrWaiting)
	r.must(failure(r.Approvals.Approve(Token{deputy().Token, deputy().Name}, w.ID)))
	other := q
	other.Identifier = zulu
	r.fails(failure(r.Erase(t.Context(), dpo(), other)), ErrOtherAct)
	other = q
	other.Ground = "left"
	r.fails(failure(r.Erase(t.Context(), dpo(), other)), ErrOtherAct)
	r.fails(failure(r.Erase(t.Context(), deputy(), q)), ErrOtherAct)
	for _, change := range []func(*Request){func(q *Request) { q.Now = false }, func(q *Request) { q.Request = "dsar:other" }, func(q *Request) { q.Reason = "objection" },
		func(q *Request) { q.Case = "c-2" }, func(q *Request) { q.Due = time.Now().Add(time.Hour) }, func(q *Request) { q.Keep = []events.Keeping{{Class: events.Access, Ground: "A17-3-e"}} }} {
		other = q
		change(&other)
		r.fails(failure(r.Erase(t.Context(), dpo(), other)), ErrOtherAct)
	}
	r.known(whiskey, true)
	r.hold("claim:7", "")
	r.fails(failure(r.Erase(t.Context(), dpo(), q)), ErrHeld) // and the approval is still good
	r.release("claim:7")
	c := r.erase(q)
	if c.Kind != report.Erased || c.Erasure.By.Approved != "dpo-2" || c.Shredding.By.Approved != "dpo-2" || len(c.Kept) != 0 || c.Shredding.Rows != 1 || !c.Erasure.AsActor {
		t.Errorf("%+v, kept %+v", c.Erasure, c.Kept)
	}
	r.fails(failure(r.Erase(t.Context(), dpo(), q)), ErrNoApproval)
	r.unnamed(r.Certificate(t.Context(), dpo(), c.Erasure.Position, ""))
}

// TestAgreedToLess: whoever approved is told how much it is about, and it is not
// carried out if it is about more since.
func TestAgreedToLess(t *testing.T) {
	r := small(t)
	q := asked(whiskey)
	q.AsActor, q.Ground = true, "court-order"
	agree := func() Terms {
		q.Approval = ""
		w, is := errors.AsType[*Waiting](failure(r.Erase(t.Context(), dpo(), q)))
		if !is {
			t.Fatal("nobody is asked")
		}
		r.must(failure(r.Approvals.Approve(Token{deputy().Token, deputy().Name}, w.ID)))
		q.Approval = w.ID
		return w.Terms
	}
	before := agree()
	r.looked(today(), whiskey, yankee)
	r.fails(failure(r.Erase(t.Context(), dpo(), q)), ErrOtherTerms)
	if n := r.count(events.LedgerErasureOpened); n != 0 {
		t.Errorf("%d were opened", n)
	}
	if after := agree(); after.Acts != before.Acts+1 {
		t.Errorf("%+v, then %+v", before, after)
	}
	if c := r.erase(q); c.Erasure.By.Approved != "dpo-2" {
		t.Errorf("%+v", c.Erasure)
	}
	head := r.Ledger.Head().Position
	q = asked("candidate:nobody1")
	q.AsActor, q.Ground = true, "court-order"
	if err := failure(r.Erase(t.Context(), dpo(), q)); !isNotKnown(err) || r.Ledger.Head().Position != head+1 {
		t.Errorf("nobody: %v", err)
	}
}
