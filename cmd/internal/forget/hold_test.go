package forget

import (
	"errors"
	"slices"
	"testing"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/vault"
)

// keepDisclosures is an erasure at once that keeps disclosures on a hold's ground.
func keepDisclosures(id string) Request {
	q := asked(id)
	q.Now, q.Keep = true, []events.Keeping{{Class: events.Disclosure, Ground: "A17-3-e"}}
	return q
}

// holding says that what a hold needs is there, and bound by it: it cannot be
// erased, and retention leaves it.
func (r *rig) holding(id string, at, people uint64) {
	r.t.Helper()
	q := asked(id)
	q.Now = true
	_, err := r.Erase(r.t.Context(), dpo(), q)
	held, is := errors.AsType[*Held](err)
	if !is || len(held.Holds) != 1 || held.Holds[0].Position != at || held.Holds[0].By != "person" {
		r.t.Errorf("erased under a hold: %v", err)
	}
	c := r.unnamed(r.Retain(r.t.Context(), dpo(), Period{events.Disclosure, mustMonth(r.t, "2025-03")}, "", ""))
	if c.Retention.Held != people {
		r.t.Errorf("%d people are held", c.Retention.Held)
	}
	if n := r.disclosures(id); n != 1 {
		r.t.Errorf("%d disclosures are known", n)
	}
}

// disclosures is how many of a person's are found.
func (r *rig) disclosures(id string) int {
	r.t.Helper()
	found, err := r.Desk.Lookup(r.t.Context(), dpo(), ask.Person, id, "disclosures", ask.Question{Name: "person.disclosures"})
	r.must(err)
	return len(found.Items)
}

// TestHoldStays: what is kept of a person under a hold stays bound by it, until the
// hold is released; then all of it can go.
func TestHoldStays(t *testing.T) {
	r := small(t)
	at := r.hold("claim:20", listing(zulu))
	c := r.erase(keepDisclosures(zulu))
	want := []report.Kept{{What: report.KeptClass, Class: "disclosure", Ground: "A17-3-e", Rows: 1, Events: 1}, {What: report.KeptClass, Class: "governance", Ground: "A17-3-e", Rows: 2, Events: 1}}
	if !slices.Equal(c.Kept, want) {
		t.Errorf("kept %+v", c.Kept)
	}
	r.holding(zulu, at, 1)
	again := r.unnamed(r.Certificate(t.Context(), dpo(), c.Erasure.Position, ""))
	if len(again.Kept) != 2 || again.Kept[1].Class != "governance" {
		t.Errorf("the certificate says later that %+v is kept", again.Kept)
	}
	r.erase(keepDisclosures(zulu)) // as often as somebody likes
	r.release("claim:20")
	q := asked(zulu)
	q.Now = true
	if c := r.erase(q); len(c.Kept) != 0 {
		t.Errorf("kept %+v", c.Kept)
	}
	r.known(zulu, false)
}

// TestHoldStaysLinked: a hold on one identifier binds what is kept under another,
// though nothing else is kept of what links them.
func TestHoldStaysLinked(t *testing.T) {
	r := small(t)
	middle, end := "crm:zulu73", "crm:zulu74"
	r.linked(alias, middle)
	r.linked(middle, end)
	r.shared(february, end, "tango-bank")
	at := r.hold("claim:20", listing(alias))
	q := keepDisclosures(zulu)
	q.Keep[0].Class = events.Breach // of which there is nothing
	r.erase(q)
	r.shared(february, end, "tango-bank")
	q.Identifier = end
	q.Now, q.Keep = true, nil
	_, err := r.Erase(t.Context(), dpo(), q)
	held, is := errors.AsType[*Held](err)
	if !is || len(held.Holds) != 1 || held.Holds[0].Position != at {
		t.Errorf("erased under a hold: %v", err)
	}
}

// TestHoldSince: an erasure that was opened before a hold on the person is not
// carried out without what binds the person to it.
func TestHoldSince(t *testing.T) {
	r := small(t)
	q := keepDisclosures(zulu)
	q.Now = false
	opened := r.erase(q).Erasure.Position
	r.hold("claim:20", listing(zulu))
	r.fails(failure(r.Shred(t.Context(), dpo(), opened, "")), ErrHeld)
	_, err := r.Cancel(t.Context(), dpo(), opened, "held", "")
	r.must(err)
	opened = r.erase(q).Erasure.Position
	if c := r.unnamed(r.Shred(t.Context(), dpo(), opened, "")); len(c.Kept) != 2 {
		t.Errorf("kept %+v", c.Kept)
	}
	r.known(zulu, true)
}

// TestHoldUnclear: a hold one of whose people can no longer be known, as after an
// erasure in part that did not keep its class, is in the way of everything, until
// it is placed anew.
func TestHoldUnclear(t *testing.T) {
	r := small(t)
	at := r.hold("claim:20", listing(zulu, yankee))
	row, err := r.Ledger.Vault().RowOf(zulu)
	r.must(err)
	other, err := r.Ledger.Vault().RowOf(alias)
	r.must(err)
	kept := []vault.Chain{{Class: uint8(events.Disclosure), Role: vault.Subject}}
	_, err = r.Ledger.Erase(t.Context(), ledger.Erasing{Who: clerk(), Opening: 1, AsOf: r.Ledger.Head().Position,
		Rows: map[vault.PersonID][]vault.Chain{row: kept, other: kept}})
	r.must(err)
	for id, by := range map[string]string{zulu: "unclear", "candidate:yankee82": "unclear", yankee: "person"} {
		r.looked(january, whiskey, id)
		q := asked(id)
		q.Now = true
		_, err := r.Erase(t.Context(), dpo(), q)
		held, is := errors.AsType[*Held](err)
		if !is || len(held.Holds) != 1 || held.Holds[0].Position != at || held.Holds[0].By != by {
			t.Errorf("erased under a hold that is %s: %v", by, err)
		}
	}
	p := Period{events.Disclosure, mustMonth(t, "2025-03")}
	_, err = r.Retain(t.Context(), dpo(), p, "", "")
	b, is := errors.AsType[*Blocked](err)
	if !is || len(b.By) != 1 || b.By[0] != (ask.Blocking{Position: at, Why: "hold-unclear"}) {
		t.Errorf("%v", err)
	}
	at = r.hold("claim:20-anew", listing(zulu, yankee))
	r.release("claim:20")
	r.holding(zulu, at, 2)
	q := asked("candidate:yankee82")
	q.Now = true
	r.erase(q)
	r.known("candidate:yankee82", false)
}
