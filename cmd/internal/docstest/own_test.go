package docstest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// TestOwnFields holds what is said of the ledger's own kinds, which have no schema, against events of
// them that have every field.
func TestOwnFields(t *testing.T) {
	p := readPages(t)
	for _, e := range ownEvents(t) {
		said, there := p.fieldsOf(t, p.titled(t, e.Kind.Name()), false), map[string]bool{}
		var data []string
		for name := range e.Data.All() {
			data = append(data, name)
		}
		for name, kept := range marksIn(t, e) {
			field, inner, _ := strings.Cut(name, ".")
			if !slices.Contains(data, field) || field == "bulk" && inner != "" {
				continue // of the envelope; of an object with a table of its own
			}
			there[name] = true
			f, ok := said[name]
			if !ok {
				t.Errorf("%s: the page does not have the field %s", e.Kind, name)
			}
			if f.kept != kept && !(f.kept == "" && (field == "bulk" || hasFields(said, name))) {
				t.Errorf("%s: %s is said to be kept %q, is %q", e.Kind, name, f.kept, kept)
			}
		}
		for name := range said {
			if !there[name] {
				t.Errorf("%s: the page has a field %s, the event does not", e.Kind, name)
			}
		}
	}
}

// hasFields says whether the page has fields of the object called name.
func hasFields[F any](said map[string]F, name string) bool {
	for other := range said {
		if strings.HasPrefix(other, name+".") {
			return true
		}
	}
	return false
}

// ownEvents are one of each kind, with every field.
func ownEvents(t *testing.T) []*events.Event {
	t.Helper()
	at := time.Date(2026, 3, 5, 9, 12, 44, 0, time.UTC)
	people, staff := []string{"candidate:10412"}, []string{"employee:r01"}
	queried, err := events.Query{Role: "dpo", Token: "desk", Case: "a", Query: "person.accesses", Filters: []string{"system"},
		From: at, To: at, AsOf: 1, Persons: 1, Subjects: people, Actors: staff}.Event("q-1", "/custody", at)
	if err != nil {
		t.Fatal(err)
	}
	revealed, err := events.Reveal{Role: "dpo", Token: "desk", Case: "a", Approved: "b", ReasonCode: "c", Reason: "asked to", Subjects: people, Actors: staff,
		Bulk: "a", Part: 1, Parts: 1}.Event("r-1", "/custody", at)
	if err != nil {
		t.Fatal(err)
	}
	refused := events.Refusals{Producer: "ats", From: at, To: at, Types: map[string]int64{"not-json": 1}}.Event("f-1", "/custody", at)
	who := events.Who{Role: "dpo", Token: "desk", Approved: "b"}
	all := []*events.Event{refused, queried, revealed}
	for _, make := range []func(id, source string, at time.Time) (*events.Event, error){
		events.Opening{Who: who, Reason: "request", Request: "r", Due: at, Actor: true, Ground: "c",
			Keep: []events.Keeping{{Class: events.Disclosure, Ground: "A17-3-e"}}, Subjects: people}.Event,
		events.Cancelling{Who: who, Erasure: 1, Reason: "c"}.Event,
		events.Shredding{Who: who, Erasure: 1, Class: events.Access, Before: "2025-07", Former: 1, Root: 2}.Event,
		events.Gap{Cause: "restore", From: 1, To: 2}.Event,
	} {
		e, err := make("o-1", "/custody", at)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}
