package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/vault"
)

// opened opens the erasure of a plan, which is due in a month.
func (r *rig) opened(p Plan, o PlanOptions) uint64 {
	r.t.Helper()
	opening := events.Opening{Who: byDPO(), Reason: "objection", Request: "R-7", Due: time.Now().AddDate(0, 1, 0), Keep: o.Keep, Subjects: p.Subjects()}
	if o.AsActor {
		opening.Actor, opening.Ground, opening.Approved = true, "left", "dpo-2"
	}
	position, err := r.ledger.RecordOpening(r.t.Context(), opening)
	if err != nil {
		r.t.Fatal(err)
	}
	return position
}

func byDPO() events.Who { return events.Who{Role: "dpo", Token: "dpo-1"} }

// plan plans to erase somebody.
func (r *rig) plan(id string, o PlanOptions) Plan {
	r.t.Helper()
	o.Reason = "objection"
	p, err := r.ErasurePlan(r.t.Context(), dpo(), id, o)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// erase erases a person for real.
func (r *rig) erase(id string, o PlanOptions) Plan {
	r.t.Helper()
	p := r.plan(id, o)
	r.shred(r.opened(p, o), p.Rows, p.AsOf.Position)
	return p
}

func (r *rig) shred(opening uint64, rows map[vault.PersonID][]vault.Chain, asOf uint64) ledger.Shredded {
	r.t.Helper()
	done, err := r.ledger.Erase(r.t.Context(), ledger.Erasing{Who: byDPO(), Opening: opening, Rows: rows, AsOf: asOf})
	if err != nil {
		r.t.Fatal(err)
	}
	return done
}

// ids are those of the events of a page, in order.
func ids(page *Page) (list []string) {
	if page != nil {
		for _, item := range page.Items {
			list = append(list, item.ID)
		}
	}
	return list
}

// TestErased: whoever was erased is not known, by any way to ask; others answer as
// before; and people are counted as known and unresolved.
func TestErased(t *testing.T) {
	r := small(t)
	r.send(looked("mar-6", march, whiskey, session, yankee))
	handle := r.named(dpo(), Person, zulu)
	row, err := r.ledger.RowOf(alias)
	if err != nil {
		t.Fatal(err)
	}
	me := Asker{Token: "aaaaaaaaaaaaaaaa", Name: "me-1", Role: access.RoleSubject, Box: access.Box{Person: row}}
	timeline := Question{Name: "person.timeline"}
	if p := r.erase(zulu, PlanOptions{}); !p.Identifiers[0].Goes || !p.Identifiers[1].Goes {
		t.Fatal("something stays")
	}
	for _, id := range []string{zulu, alias, "zulu71"} {
		for _, show := range []string{"", "accesses", "recipients"} {
			head := r.ledger.Head().Position
			if _, err := r.Lookup(t.Context(), dpo(), Person, id, show, timeline); !errors.Is(err, ErrNotKnown) {
				t.Errorf("looked up: %v", err)
			}
			if last := r.last(); last.Subjects != nil || last.Persons != 0 || r.ledger.Head().Position != head+1 {
				t.Error("recorded otherwise than for somebody who never was")
			}
		}
		if _, err := r.Search(t.Context(), dpo(), "events", Question{Name: "events", About: Identified(id, "", "")}, Counting{}); !errors.Is(err, ErrNotKnown) {
			t.Errorf("searched: %v", err)
		}
		if _, err := r.ErasurePlan(t.Context(), dpo(), id, PlanOptions{Reason: "objection"}); !errors.Is(err, ErrNotKnown) {
			t.Errorf("planned again: %v", err)
		}
	}
	for what, err := range map[string]error{
		"timeline":  second(r.Person(t.Context(), dpo(), handle, "timeline", timeline)),
		"reads":     second(r.Reads(t.Context(), dpo(), handle, timeline)),
		"state":     second(r.State(t.Context(), dpo(), handle, timeline)),
		"shares":    second(r.Recipients(t.Context(), dpo(), handle, timeline)),
		"events":    second(r.Events(t.Context(), dpo(), Question{Name: "events", About: []About{{What: Person, Handle: handle}}})),
		"identity":  second(r.Reveal(t.Context(), dpo(), RevealRequest{Handle: handle, ReasonCode: "dsar"})),
		"the owner": second(r.Person(t.Context(), me, Me, "timeline", timeline)),
	} {
		if last := r.last(); !errors.Is(err, ErrNotKnown) || last.Subjects != nil || last.Persons != 0 {
			t.Errorf("by a handle from before, %s: %v", what, err)
		}
	}
	found, err := r.Lookup(t.Context(), dpo(), Session, session, "summary", Question{Name: "session.summary"})
	// Zulu in January and March as access and disclosure, in February as disclosure; the alias in February.
	if s := found.Summary; err != nil || s.Persons != 1 || s.Unresolved != 6 || s.Events != 7 {
		t.Errorf("%+v, %v", found.Summary, err)
	}
	page, err := r.Lookup(t.Context(), dpo(), Person, yankee, "timeline", timeline)
	if got := ids(page.Page); err != nil || !slices.Equal(got, []string{"feb-3", "mar-6"}) {
		t.Errorf("yankee's: %v, %v", got, err)
	}
	acted, err := r.Lookup(t.Context(), dpo(), Acting, whiskey, "accesses", Question{Name: "actor.accesses"})
	if got := ids(acted.Page); err != nil || !slices.Equal(got, []string{"jan-2", "feb-1", "mar-1", "mar-6"}) || r.last().Persons != 1 {
		t.Errorf("whiskey's: %v, %v", got, err)
	}
	full, err := r.Event(t.Context(), dpo(), 2, "")
	if err != nil || len(full.Persons) != 1 || full.Persons[0].Mask != unresolved {
		t.Errorf("%v, %v", full.Persons, err)
	}
	met := looked("mar-7", march, whiskey, session, zulu)
	r.send(met)
	again, err := r.Lookup(t.Context(), dpo(), Person, zulu, "timeline", timeline)
	if got := ids(again.Page); err != nil || again.Identifiers != 1 || !slices.Equal(got, []string{"mar-7"}) {
		t.Errorf("met again: %v, %v", got, err)
	}
}

// TestErasedMeanwhile: somebody who is erased while an answer about them is made is
// not known, and nothing of them is recorded.
func TestErasedMeanwhile(t *testing.T) {
	r := small(t)
	gone := func() (uint64, error) { return 0, fmt.Errorf("recording: %w", ledger.ErrNobody) }
	r.refuse = func(q events.Query) (uint64, error) {
		if len(q.Subjects)+len(q.Actors) > 0 {
			return gone()
		}
		return r.ledger.RecordQuery(t.Context(), q)
	}
	r.conceal = func(events.Reveal) (uint64, error) { return gone() }
	head := r.ledger.Head().Position
	for what, err := range map[string]error{
		"list":   second(r.Lookup(t.Context(), dpo(), Person, zulu, "timeline", Question{Name: "person.timeline"})),
		"plan":   second(r.ErasurePlan(t.Context(), dpo(), zulu, PlanOptions{Reason: "objection"})),
		"reveal": second(r.Reveal(t.Context(), dpo(), RevealRequest{Position: 2, Who: "all", ReasonCode: "breach"})),
	} {
		if !errors.Is(err, ErrNotKnown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := r.ledger.Head().Position - head; n != 3 {
		t.Errorf("%d events were recorded", n)
	}
}

// TestErasedInPart: what is kept on a ground stays known, and only that; who acted
// stays known as such, until that goes as well.
func TestErasedInPart(t *testing.T) {
	r := small(t)
	r.send(event("own-1", "subject.consent-given", february, fmt.Sprintf(`"actor":{"id":%q,"role":"self","kind":"subject"},"subjects":[{"id":%q,"role":"employee"}],"purposes":["pu1"],"method":"electronic"`, whiskey, whiskey)),
		looked("own-2", february, "employee:sierra76", "sess-romeo77", whiskey))
	p := r.erase(zulu, PlanOptions{Keep: []events.Keeping{{Class: events.Disclosure, Ground: "A17-3-e"}}})
	if p.Identifiers[0].Goes || !p.Identifiers[1].Goes { // the alias was never disclosed
		t.Errorf("%v", p.Identifiers[1].Stays)
	}
	for show, want := range map[string][]string{"timeline": {"jan-3", "feb-2", "mar-2"}, "accesses": nil} {
		found, err := r.Lookup(t.Context(), dpo(), Person, zulu, show, Question{Name: "x"})
		if got := ids(found.Page); err != nil || found.Identifiers != 1 || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", show, got, err)
		}
	}
	if _, err := r.Lookup(t.Context(), dpo(), Person, alias, "", Question{Name: "x"}); !errors.Is(err, ErrNotKnown) {
		t.Errorf("the alias: %v", err)
	}

	before, err := r.Lookup(t.Context(), dpo(), Acting, whiskey, "accesses", Question{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if p := r.erase(whiskey, PlanOptions{}); p.Identifiers[0].Goes || p.Identifiers[0].Acts != 6 {
		t.Errorf("%d acts: the own consent is none", p.Identifiers[0].Acts)
	}
	after, err := r.Lookup(t.Context(), dpo(), Acting, whiskey, "accesses", Question{Name: "x"})
	if err != nil || !slices.Equal(ids(after.Page), ids(before.Page)) || len(ids(after.Page)) == 0 {
		t.Errorf("as an actor: %v, %v", ids(after.Page), err)
	}
	found, err := r.Lookup(t.Context(), dpo(), Person, whiskey, "timeline", Question{Name: "x"})
	if err != nil || found.Total != 0 {
		t.Errorf("as a person: %d, %v", found.Total, err)
	}
	item, err := r.Event(t.Context(), dpo(), 11, "")
	if err != nil || item.Item.Actor.Mask != unresolved {
		t.Errorf("the own act: %v, %v", item.Item.Actor, err)
	}
	r.erase(whiskey, PlanOptions{AsActor: true})
	if _, err := r.Lookup(t.Context(), dpo(), Acting, whiskey, "accesses", Question{Name: "x"}); !errors.Is(err, ErrNotKnown) {
		t.Errorf("erased as an actor: %v", err)
	}
}

// TestForgotten: after a class of months is forgotten its people are counted as
// unresolved, and all else is as it was.
func TestForgotten(t *testing.T) {
	r := small(t)
	done, err := r.ledger.Forget(t.Context(), ledger.Forgetting{Who: byDPO(), Class: events.Access, Before: vault.MonthOf(time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)), AsOf: r.ledger.Head().Position})
	if err != nil || done.Cells == 0 {
		t.Fatal(done.Cells, err)
	}
	for show, want := range map[string][]string{"accesses": {"mar-1"}, "disclosures": {"jan-3", "feb-2", "mar-2"}} {
		found, err := r.Lookup(t.Context(), dpo(), Person, zulu, show, Question{Name: "x"})
		if got := ids(found.Page); err != nil || !slices.Equal(got, want) || found.Identifiers != 2 {
			t.Errorf("%s: %v, %v", show, got, err)
		}
	}
	sum, err := r.Search(t.Context(), dpo(), "summary", Question{Name: "events", KnownAt: "10"}, Counting{})
	// Zulu's access in January and the alias's and yankee's in February are nobody's.
	if err != nil || sum.Summary.Persons != 1 || sum.Summary.Unresolved != 3 || sum.Summary.Events != 10 {
		t.Errorf("%+v, %v", sum.Summary, err)
	}
}

// TestPlanSound: a plan that cannot be recorded is none; one that makes no sense
// says nothing of who is known; and no plan prints anybody.
func TestPlanSound(t *testing.T) {
	r := small(t)
	for _, recorded := range []bool{false, true} {
		r.conceal = func(shown events.Reveal) (uint64, error) {
			if recorded {
				if _, err := r.ledger.RecordReveal(t.Context(), shown); err != nil {
					t.Error(err)
				}
			}
			return 0, errors.New("the disk is gone")
		}
		if p, err := r.ErasurePlan(t.Context(), dpo(), zulu, PlanOptions{Reason: "objection"}); !errors.Is(err, ErrNotRecorded) || p.Identifiers != nil {
			t.Errorf("not recorded: %v", err)
		}
	}
	r.conceal = nil
	head := r.ledger.Head()
	boxed := dpo()
	boxed.Case = "case-9"
	for name, bad := range map[string]struct {
		a    Asker
		o    PlanOptions
		want error
	}{
		"no reason":    {dpo(), PlanOptions{}, ErrQuestion},
		"class":        {dpo(), PlanOptions{Reason: "objection", Keep: []events.Keeping{{Class: 7, Ground: "A17-3-b"}}}, ErrQuestion},
		"class twice":  {dpo(), PlanOptions{Reason: "objection", Keep: []events.Keeping{{Class: 1, Ground: "A17-3-b"}, {Class: 1, Ground: "A17-3-e"}}}, ErrQuestion},
		"ground":       {dpo(), PlanOptions{Reason: "objection", Keep: []events.Keeping{{Class: 1, Ground: "A17-1-b"}}}, ErrQuestion},
		"window":       {investigator(), PlanOptions{Reason: "objection"}, ErrBox},
		"another case": {boxed, PlanOptions{Reason: "objection", Case: "case-8"}, ErrBox},
		"subject":      {Asker{Role: access.RoleSubject}, PlanOptions{Reason: "objection"}, ErrBox},
	} {
		for _, id := range []string{zulu, "candidate:mike81"} {
			if _, err := r.ErasurePlan(t.Context(), bad.a, id, bad.o); !errors.Is(err, bad.want) || r.ledger.Head() != head {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	p, err := r.ErasurePlan(t.Context(), dpo(), "zulu71", PlanOptions{Reason: "objection"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil || !strings.Contains(string(text), zulu) || !strings.Contains(string(text), `"id":"service:match"`) {
		t.Errorf("as sent: %s, %v", text, err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if printed := fmt.Sprintf(verb, p); strings.Contains(printed, "zulu") || strings.Contains(printed, fmt.Sprintf("%x", "zulu")) || strings.Contains(printed, "match") {
			t.Errorf("%s prints somebody", verb)
		}
	}
}

// TestUnclearHold: a hold that came after its month was forgotten names nobody who
// can be known: it is in everybody's way. Who linked identifiers in such a month
// is not known either.
func TestUnclearHold(t *testing.T) {
	r := small(t)
	for _, class := range []events.Retention{events.Governance, events.LegalState} {
		_, err := r.ledger.Forget(t.Context(), ledger.Forgetting{Who: byDPO(), Class: class, Before: vault.MonthOf(time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)), AsOf: r.ledger.Head().Position})
		if err != nil {
			t.Fatal(err)
		}
	}
	hold := func(at string) string {
		return event("hold-"+at[5:7], "governance.hold-placed", at, fmt.Sprintf(`"actor":{"id":"employee:d1","role":"dpo"},"hold":"H-%s","ground":"A17-3-e","subjects":[{"id":%q,"role":"candidate"}]`, at[5:7], yankee))
	}
	r.send(hold(january), hold(february))
	for id, want := range map[string]string{zulu: "[{H-01 unclear}]", yankee: "[{H-01 unclear} {H-02 person}]"} {
		p := r.plan(id, PlanOptions{})
		var got []struct{ Hold, By string }
		for _, h := range p.Holds {
			got = append(got, struct{ Hold, By string }{h.Hold, h.By})
		}
		if fmt.Sprint(got) != want || id == zulu && (len(p.Identifiers) != 2 || len(p.Identifiers[0].Links) != 0) {
			t.Errorf("%v, want %s", got, want)
		}
	}
}
