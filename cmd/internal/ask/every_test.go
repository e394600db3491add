package ask

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/imalink/custody/events"
)

// Identifiers and values that nobody else has.
const (
	zulu, yankee, alias = "candidate:zulu71", "candidate:yankee72", "crm:xray73"
	whiskey, session    = "employee:whiskey74", "sess-victor75"
)

// small is a rig with a person, an alias, and events in three months.
func small(t *testing.T) *rig {
	r := newRig(t)
	r.send(
		registered("jan-1", january, "uniform-saas", "DE"),
		looked("jan-2", january, whiskey, session, zulu),
		gave("jan-3", january, whiskey, session, zulu, "uniform-saas"),
		linked("jan-4", zulu, alias),
		looked("feb-1", february, whiskey, session, alias),
		gave("feb-2", february, whiskey, session, zulu, "tango-bank"),
		looked("feb-3", february, "employee:sierra76", "sess-romeo77", yankee),
		looked("mar-1", march, whiskey, session, zulu),
		gave("mar-2", march, whiskey, session, zulu, "quebec-lab"),
		registered("mar-3", march, "uniform-saas", "IN"),
	)
	return r
}

// A method is one way to ask a desk. The question is about zulu, whiskey and the
// session where it is about somebody.
type method struct {
	name  string
	ask   func(ctx context.Context, d *Desk, a Asker, q Question) (any, error)
	event bool // of one event, of february, without a scope but the case
	times bool // takes a window of event time, and at
	own   bool // a subject may, with the handle me
}

func ofPerson(show string) func(context.Context, *Desk, Asker, Question) (any, error) {
	return func(ctx context.Context, d *Desk, a Asker, q Question) (any, error) {
		return d.Person(ctx, a, d.named(a, Person, zulu), show, q)
	}
}

func lookup(w What, name, show string) func(context.Context, *Desk, Asker, Question) (any, error) {
	return func(ctx context.Context, d *Desk, a Asker, q Question) (any, error) {
		return d.Lookup(ctx, a, w, name, show, q)
	}
}

func searching(show string) func(context.Context, *Desk, Asker, Question) (any, error) {
	return func(ctx context.Context, d *Desk, a Asker, q Question) (any, error) {
		q.About = Identified(zulu, whiskey, session)
		return d.Search(ctx, a, show, q, Counting{})
	}
}

// named is a handle, as a look-up gives it.
func (d *Desk) named(a Asker, w What, id string) string {
	if a.Person != "" {
		return Me
	}
	handle, err := d.handle(a, w, opaque(id).id)
	if err != nil {
		return err.Error()
	}
	return handle
}

// methods are all there are.
func methods() []method {
	const position = 6 // of feb-2
	type ctx = context.Context
	return []method{
		{name: "lookup-person", ask: lookup(Person, zulu, ""), times: true},
		{name: "lookup-accesses", ask: lookup(Person, zulu, "accesses"), times: true},
		{name: "lookup-disclosures", ask: lookup(Person, zulu, "disclosures"), times: true},
		{name: "lookup-timeline", ask: lookup(Person, zulu, "timeline"), times: true},
		{name: "lookup-reads", ask: lookup(Person, zulu, "reads"), times: true},
		{name: "lookup-recipients", ask: lookup(Person, zulu, "recipients"), times: true},
		{name: "lookup-actor", ask: lookup(Acting, whiskey, ""), times: true},
		{name: "lookup-actor-timeline", ask: lookup(Acting, whiskey, "timeline"), times: true},
		{name: "lookup-session", ask: lookup(Session, session, ""), times: true},
		{name: "lookup-session-events", ask: lookup(Session, session, "events"), times: true},
		{name: "lookup-session-summary", ask: lookup(Session, session, "summary"), times: true},
		{name: "accesses", ask: ofPerson("accesses"), times: true, own: true},
		{name: "disclosures", ask: ofPerson("disclosures"), times: true, own: true},
		{name: "timeline", ask: ofPerson("timeline"), times: true, own: true},
		{name: "reads", times: true, own: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) {
			return d.Reads(c, a, d.named(a, Person, zulu), q)
		}},
		{name: "recipients", times: true, own: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) {
			return d.Recipients(c, a, d.named(a, Person, zulu), q)
		}},
		{name: "state", times: true, own: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) {
			return d.State(c, a, d.named(a, Person, zulu), q)
		}},
		{name: "actor", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) {
			return d.Actor(c, a, d.named(a, Acting, whiskey), "timeline", q)
		}},
		{name: "session", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) {
			return d.Session(c, a, d.named(a, Session, session), q)
		}},
		{name: "session-summary", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) {
			return d.SessionSummary(c, a, d.named(a, Session, session), q)
		}},
		{name: "events", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Events(c, a, q) }},
		{name: "events-about", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) {
			q.About = []About{{What: Person, Handle: d.named(a, Person, zulu)}}
			return d.Events(c, a, q)
		}},
		{name: "facets", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Facets(c, a, q, Counting{}) }},
		{name: "histogram", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Histogram(c, a, q, Counting{}) }},
		{name: "search", ask: searching("events"), times: true},
		{name: "search-summary", ask: searching("summary"), times: true},
		{name: "search-facets", ask: searching("facets"), times: true},
		{name: "search-histogram", ask: searching("histogram"), times: true},
		{name: "parties", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Parties(c, a, q) }},
		{name: "party", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Party(c, a, "uniform-saas", q) }},
		{name: "transfers", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Transfers(c, a, q) }},
		{name: "transfer-counts", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.TransferCounts(c, a, q) }},
		{name: "transfer-map", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.TransferMap(c, a, q) }},
		{name: "register", ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Register(c, a, "", q) }},
		{name: "coverage", ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Coverage(c, a, q) }},
		{name: "erasures", times: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Erasures(c, a, q) }},
		{name: "event", event: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Event(c, a, position, q.Case) }},
		{name: "explain", event: true, ask: func(c ctx, d *Desk, a Asker, q Question) (any, error) { return d.Explain(c, a, position, q.Case) }},
	}
}

// TestMethods holds that none is forgotten here. Those that are not recorded, or
// not as a question, or are about what there is none of in every ledger, have
// tests of their own.
func TestMethods(t *testing.T) {
	elsewhere := []string{"Find", "ErasurePlan", "Erasure", "OpenErasures", "Pursue", "Reveal", "Retention", "RetentionDue", "ErasureMeasure"}
	if asked := reflect.TypeFor[*Desk]().NumMethod() - len(elsewhere); asked != 22 {
		t.Errorf("a desk has %d methods beside %v, these tests know of 22", asked, elsewhere)
	}
}

// TestRecorded holds, for every method, that asking leaves one ledger.queried,
// which names the question's role, token, case and filters, before there is an
// answer; that without it there is none; and that asking again is safe.
func TestRecorded(t *testing.T) {
	r := small(t)
	for _, m := range methods() {
		t.Run(m.name, func(t *testing.T) {
			q := Question{Name: "what." + m.name, Case: "case-papa78"}
			name := q.Name
			if m.event {
				name = map[string]string{"event": "event", "explain": "explain"}[m.name]
			}
			for _, recorded := range []bool{false, true} { // an error says nothing of whether it was
				r.refuse = func(query events.Query) (uint64, error) {
					if recorded {
						if _, err := r.ledger.RecordQuery(t.Context(), query); err != nil {
							t.Error(err)
						}
					}
					return 0, errors.New("the disk is gone")
				}
				answer, err := m.ask(t.Context(), r.Desk, dpo(), q)
				if !errors.Is(err, ErrNotRecorded) || !reflect.ValueOf(answer).IsZero() {
					t.Errorf("not recorded, and yet answered: %v", err)
				}
			}
			r.refuse = nil
			before, head := r.questions(), r.ledger.Head().Position
			answer, err := m.ask(t.Context(), r.Desk, dpo(), q)
			if err != nil || reflect.ValueOf(answer).IsZero() {
				t.Fatalf("asked again: %v", err)
			}
			got := r.last()
			if r.questions() != before+1 || r.ledger.Head().Position != head+1 {
				t.Errorf("%d questions and %d events were recorded", r.questions()-before, r.ledger.Head().Position-head)
			}
			if got.Role != "dpo" || got.Token != "dpo-1" || got.Case != q.Case || got.AsOf != head || got.Persons < 0 {
				t.Errorf("recorded as %s of %s for %s as of %d", got.Role, got.Token, got.Case, got.AsOf)
			}
			if len(m.name) < 6 || m.name[:6] != "lookup" && m.name[:6] != "search" {
				if got.Query != name {
					t.Errorf("recorded as %s", got.Query)
				}
			}
		})
	}
}
