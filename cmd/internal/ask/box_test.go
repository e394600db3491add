package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// investigator may look at February 2025, for one case.
func investigator() Asker {
	return Asker{Token: "fedcba9876543210", Name: "inv-1", Role: access.RoleInvestigator, Box: access.Box{Case: "case-9",
		From: time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)}}
}

// TestBox holds every method to the case and the window of a token.
func TestBox(t *testing.T) {
	r := small(t)
	a := investigator()
	outside := map[string]Question{
		"case":         {Case: "case-8"},
		"from":         {From: a.From.Add(-time.Millisecond)},
		"from behind":  {From: a.To},
		"to":           {To: a.To.Add(time.Millisecond)},
		"to before":    {To: a.From},
		"around":       {From: a.From.AddDate(0, -1, 0), To: a.To.AddDate(0, 1, 0)},
		"at before":    {At: a.From.Add(-time.Millisecond)},
		"at behind":    {At: a.To},
		"at, narrowed": {From: a.From, To: a.To, At: a.To.AddDate(1, 0, 0)},
	}
	inside := map[string]Question{
		"open": {}, "case": {Case: "case-9"}, "exactly": {From: a.From, To: a.To}, "at": {At: a.To.Add(-time.Millisecond)},
	}
	ids := regexp.MustCompile(`(jan|mar)-\d|quebec-lab`) // of events outside the window, and of a party that is in them only
	for _, m := range methods() {
		for name, q := range outside {
			if q.Case == "" && !m.times {
				continue
			}
			q.Name = m.name
			if answer, err := m.ask(t.Context(), r.Desk, a, q); !errors.Is(err, ErrBox) {
				t.Errorf("%s, %s: %v, %+v", m.name, name, err, answer)
			}
		}
		if r.questions() != 0 {
			t.Fatalf("%s: recorded, and not answered", m.name)
		}
	}
	for _, m := range methods() {
		for name, q := range inside {
			if !m.times && !(q.From.IsZero() && q.At.IsZero()) {
				continue
			}
			q.Name, q.KnownAt = m.name, "10"
			answer, err := m.ask(t.Context(), r.Desk, a, q)
			if err != nil {
				t.Errorf("%s, %s: %v", m.name, name, err)
				continue
			}
			text, err := json.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			if m.name == "coverage" || m.name == "register" || m.name == "party" { // registrations are no events about people
				continue
			}
			if found := ids.FindAllString(string(text), -1); found != nil {
				t.Errorf("%s, %s: shows %v", m.name, name, found)
			}
			if got := r.last(); got.Case != "case-9" || m.times && (got.From.Before(a.From) || got.To.After(a.To)) {
				t.Errorf("%s, %s: recorded for case %q", m.name, name, got.Case)
			}
		}
	}
}

// TestBoxOfEvents holds one event, and finding it, to the window.
func TestBoxOfEvents(t *testing.T) {
	r := small(t)
	for position := uint64(1); position <= 10; position++ {
		rec, err := r.Event(t.Context(), dpo(), position, "")
		if err != nil {
			t.Fatal(err)
		}
		within := rec.Item.Time.Month() == time.February
		_, event := r.Event(t.Context(), investigator(), position, "")
		_, explain := r.Explain(t.Context(), investigator(), position, "")
		found, find := r.Find(t.Context(), investigator(), "/ats", rec.Item.ID)
		for what, err := range map[string]error{"event": event, "explain": explain, "find": find} {
			if within && err != nil || !within && !errors.Is(err, ErrBox) {
				t.Errorf("%s of %s: %v", what, rec.Item.ID, err)
			}
		}
		if within != (found == position) || !within && found != 0 {
			t.Errorf("%s is found at %d", rec.Item.ID, found)
		}
	}
	for _, position := range []uint64{0, 1 << 40, 1<<64 - 1} {
		if _, err := r.Event(t.Context(), dpo(), position, ""); !errors.Is(err, ledger.ErrNoEvent) {
			t.Errorf("position %d: %v", position, err)
		}
	}
	before := r.ledger.Head()
	if _, err := r.Find(t.Context(), dpo(), "/ats", "nov-1"); !errors.Is(err, ledger.ErrNoEvent) || r.ledger.Head() != before {
		t.Errorf("an event that there is not: %v", err)
	}
	if _, err := r.Find(t.Context(), dpo(), "", "feb-2"); !errors.Is(err, ledger.ErrNoEvent) {
		t.Errorf("of no producer that there is: %v", err)
	}
	if _, err := r.ledger.Access().PutProducer(t.Context(), "", access.Producer{Name: "ats", Families: []string{"data"}}); err != nil {
		t.Fatal(err)
	}
	if position, err := r.Find(t.Context(), dpo(), "", "feb-2"); err != nil || position != 6 {
		t.Errorf("of any producer: %d, %v", position, err)
	}
}

// TestBoxOfRegister: what was registered is as it was when the window ended.
func TestBoxOfRegister(t *testing.T) {
	r := small(t)
	for name, want := range map[string]string{"dpo-1": "IN", "inv-1": "DE"} {
		who := map[string]Asker{"dpo-1": dpo(), "inv-1": investigator()}[name]
		one, err := r.Party(t.Context(), who, "uniform-saas", Question{Name: "party"})
		if err != nil || one.Party.Country != want || one.Register.Registration.Country != want {
			t.Errorf("%s: the party is in %s: %v", who.Name, one.Party.Country, err)
		}
		all, err := r.Register(t.Context(), who, "party", Question{Name: "register"})
		if err != nil || len(all.Items) != 1 || (all.Items[0].Version.ID == "mar-3") != (want == "IN") {
			t.Errorf("%s: the register has %+v: %v", who.Name, all.Items, err)
		}
	}
	for name, err := range map[string]error{
		"register from": second(r.Register(t.Context(), dpo(), "", Question{Name: "register", From: time.Unix(1, 0)})),
		"register what": second(r.Register(t.Context(), dpo(), "colour", Question{Name: "register"})),
		"coverage to":   second(r.Coverage(t.Context(), dpo(), Question{Name: "coverage", To: time.Unix(1, 0)})),
		"coverage at":   second(r.Coverage(t.Context(), dpo(), Question{Name: "coverage", At: time.Unix(1, 0)})),
	} {
		if !errors.Is(err, ErrQuestion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestSubject: a subject sees the own record, under any of the own identifiers,
// and nothing else by any method.
func TestSubject(t *testing.T) {
	r := small(t)
	for _, id := range []string{zulu, alias} {
		row, err := r.ledger.RowOf(id)
		if err != nil {
			t.Fatal(err)
		}
		a := Asker{Token: "aaaaaaaaaaaaaaaa", Name: "me-1", Role: access.RoleSubject, Box: access.Box{Person: row}}
		for _, m := range methods() {
			answer, err := m.ask(t.Context(), r.Desk, a, Question{Name: m.name})
			refused := errors.Is(err, ErrBox) || errors.Is(err, ErrHandle) // me is no handle
			if m.own && err != nil || !m.own && !refused {
				t.Errorf("%s: %v", m.name, err)
			}
			if page, is := answer.(Page); is && m.own {
				var shown []string
				for _, item := range page.Items {
					shown = append(shown, item.ID)
				}
				want := map[string][]string{"accesses": {"jan-2", "feb-1", "mar-1"}, "disclosures": {"jan-3", "feb-2", "mar-2"},
					"timeline": {"jan-2", "jan-3", "jan-4", "feb-1", "feb-2", "mar-1", "mar-2"}}[m.name]
				if !slices.Equal(shown, want) {
					t.Errorf("%s: %v", m.name, shown)
				}
			}
		}
		for name, err := range map[string]error{
			"find":             second(r.Find(t.Context(), a, "/ats", "jan-2")),
			"somebody else":    second(r.Person(t.Context(), a, r.named(dpo(), Person, yankee), "timeline", Question{Name: "x"})),
			"with the own":     second(r.Person(t.Context(), a, r.named(Asker{Token: a.Token}, Person, zulu), "timeline", Question{Name: "x"})),
			"me as an actor":   second(r.Actor(t.Context(), a, Me, "timeline", Question{Name: "x"})),
			"me of nobody":     second(r.Person(t.Context(), dpo(), Me, "timeline", Question{Name: "x"})),
			"events about me":  second(r.Events(t.Context(), a, Question{Name: "x"})),
			"nothing to be me": second(r.Person(t.Context(), Asker{Role: access.RoleSubject}, Me, "timeline", Question{Name: "x"})),
		} {
			if !errors.Is(err, ErrBox) {
				t.Errorf("%s: %v", name, err)
			}
		}
		gone := a
		gone.Person = fmt.Sprintf("%032x", 7)
		if _, err := r.Person(t.Context(), gone, Me, "timeline", Question{Name: "x"}); !errors.Is(err, ErrNotKnown) {
			t.Errorf("who was erased: %v", err)
		}
	}
}

// TestAuditor: who may not ask about people is not told how many there are.
func TestAuditor(t *testing.T) {
	r := small(t)
	a := Asker{Token: "bbbbbbbbbbbbbbbb", Name: "audit-1", Role: access.RoleAuditor}
	all, err := r.Parties(t.Context(), a, Question{Name: "parties"})
	if err != nil || len(all.Items) != 3 {
		t.Fatalf("%d parties: %v", len(all.Items), err)
	}
	one, err := r.Party(t.Context(), a, "tango-bank", Question{Name: "party"})
	for _, p := range append(all.Items, one.Party) {
		if err != nil || p.Persons != nil || p.Unresolved != nil || p.Events != 1 {
			t.Errorf("%s: %+v, %v", p.Party, p, err)
		}
	}
	if r.last().Persons != 1 {
		t.Error("how many there were is recorded all the same")
	}
	if _, err := r.Party(t.Context(), a, "nowhere-ltd", Question{Name: "party"}); !errors.Is(err, ledger.ErrNoEvent) {
		t.Errorf("a party that nothing names: %v", err)
	}
}
