package ask

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections/search"
)

// An oracle answers by reading everything again, and knows people from what was
// sent, not from tags.
type oracle struct {
	rig   *rig
	known map[[2]string]sent // by source and id
	rows  []row
	links map[[2]string]bool // identifiers that were linked last, or unlinked
	who   map[string]string  // what person found, as long as links stay
}

// A row is one event as the ledger replays it, with the people that were sent.
type row struct {
	position       uint64
	id             string
	at             time.Time // whole milliseconds
	kind           string
	ledger         map[string]any // what the ledger knew
	data           map[string]any
	facets         map[search.Facet][]string
	subjects       []string
	actor, session string
}

// sent is one event as its producer made it.
type sent struct {
	Source, ID, Type string
	Data             struct {
		Subjects []struct{ ID string }
		Actor    struct{ ID, Session string }
	}
}

func newOracle(r *rig) *oracle {
	return &oracle{rig: r, known: map[[2]string]sent{}, links: map[[2]string]bool{}, who: map[string]string{}}
}

// sends sends events, and keeps who is in them.
func (o *oracle) sends(lines ...string) {
	for _, line := range lines {
		var s sent
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			o.rig.t.Fatal(err)
		}
		o.known[[2]string{s.Source, s.ID}] = s
	}
	o.rig.send(lines...)
}

// read reads what was recorded since it last did.
func (o *oracle) read(t testing.TB) {
	r := o.rig
	for rec, err := range r.ledger.Replay(context.Background(), uint64(len(o.rows))+1) {
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Source, ID, Type string
			Time             time.Time
			Relay            string
			Data             map[string]any
		}
		if err := json.Unmarshal(rec.Raw, &e); err != nil {
			t.Fatal(err)
		}
		one := row{position: rec.Position, id: e.ID, at: e.Time.UTC().Truncate(time.Millisecond), data: e.Data,
			kind: strings.TrimSuffix(strings.TrimPrefix(e.Type, "eu.custody."), ".v1")}
		one.ledger, _ = e.Data["ledger"].(map[string]any)
		one.facets = facetsOf(one.kind, strings.TrimPrefix(e.Source, "/"), e.Relay, e.Data, one.ledger)
		s := o.known[[2]string{e.Source, e.ID}]
		for _, subject := range s.Data.Subjects {
			one.subjects = append(one.subjects, subject.ID)
		}
		one.actor, one.session = s.Data.Actor.ID, s.Data.Actor.Session
		if q, ok := r.asked[rec.Position]; ok {
			one.subjects = q.Subjects
		}
		switch one.kind {
		case "subject.identifiers-linked", "subject.identifiers-unlinked":
			pair := slices.Sorted(slices.Values(one.subjects))
			o.links[[2]string{pair[0], pair[1]}] = one.kind == "subject.identifiers-linked"
			clear(o.who)
		}
		o.rows = append(o.rows, one)
	}
}

// person is the least identifier of all that are linked with one.
func (o *oracle) person(id string) string {
	if who, ok := o.who[id]; ok {
		return who
	}
	all := map[string]bool{id: true}
	for grown := true; grown; {
		grown = false
		for pair, on := range o.links {
			if on && all[pair[0]] != all[pair[1]] {
				all[pair[0]], all[pair[1]], grown = true, true, true
			}
		}
	}
	o.who[id] = slices.Min(slices.Collect(maps.Keys(all)))
	return o.who[id]
}

// facetsOf says what an event's facets are, by reading its stored form.
func facetsOf(kind, producer, relay string, d, l map[string]any) map[search.Facet][]string {
	all := map[search.Facet][]string{}
	put := func(f search.Facet, values ...any) {
		for _, v := range values {
			switch v := v.(type) {
			case string:
				if v != "" && !slices.Contains(all[f], v) {
					all[f] = append(all[f], v)
				}
			case bool:
				if v {
					all[f] = []string{"true"}
				}
			}
		}
	}
	in := func(o map[string]any, path ...string) any {
		for _, name := range path[:len(path)-1] {
			o, _ = o[name].(map[string]any)
		}
		return o[path[len(path)-1]]
	}
	list := func(v any) []any { items, _ := v.([]any); return items }
	family, _, _ := strings.Cut(kind, ".")
	k, _ := events.ParseType("eu.custody." + kind + ".v1")
	put(search.Kind, kind)
	put(search.Family, family)
	put(search.Retention, k.Retention().String())
	put(search.Producer, producer)
	put(search.Relay, relay)
	for f, name := range map[search.Facet]string{search.System: "system", search.Dataset: "dataset", search.Environment: "environment",
		search.Purpose: "purpose", search.Basis: "basis", search.Activity: "activity", search.Mode: "mode", search.Channel: "channel",
		search.Right: "right", search.BreakGlass: "break_glass", search.OurRole: "our_role", search.Assertion: "assertion"} {
		put(f, d[name])
	}
	put(search.Category, list(d["categories"])...)
	put(search.Purpose, list(d["purposes"])...)
	put(search.ActorKind, in(d, "actor", "kind"))
	put(search.ActorRole, in(d, "actor", "role"))
	put(search.ActorUnit, in(d, "actor", "unit"))
	put(search.ActorParty, in(d, "actor", "party"))
	put(search.Party, in(d, "actor", "party"), d["party"])
	put(search.RecipientRole, in(d, "recipient", "role"))
	if in(d, "recipient", "role") != "subject" {
		put(search.Recipient, in(d, "recipient", "party"))
		put(search.Party, in(d, "recipient", "party"))
	}
	put(search.Country, d["country"], in(l, "party", "country"))
	for _, places := range [][]any{list(d["storage"]), list(d["access"]), list(in(d, "location", "storage")), list(in(d, "location", "access")),
		list(in(l, "party", "storage")), list(in(l, "party", "access"))} {
		put(search.Country, places...)
	}
	for _, s := range list(d["subjects"]) {
		put(search.SubjectRole, s.(map[string]any)["role"])
	}
	put(search.Tool, d["tool"], in(d, "transfer", "tool"))
	if len(all[search.Tool]) == 0 {
		put(search.Tool, in(l, "party", "tool"))
	}
	if put(search.Agreement, d["agreement"]); len(all[search.Agreement]) == 0 {
		put(search.Agreement, in(l, "party", "agreement"))
	}
	put(search.Class, l["class"])
	put(search.Region, l["region"])
	put(search.Special, l["special"])
	return all
}

// match gives the rows that a question is about.
func (o *oracle) match(q Question, until uint64) (rows []row) {
	to, at := q.To.Truncate(time.Millisecond), q.At.Truncate(time.Millisecond) // the unit of all times
	if !at.IsZero() && (to.IsZero() || at.Before(to)) {
		to = at.Add(time.Millisecond)
	}
	reads := len(q.Any[search.Kind])+len(q.Any[search.Family]) > 0 || len(q.About) == 0
	for _, e := range o.rows {
		if e.position > until || e.at.Before(q.From.Truncate(time.Millisecond)) || !to.IsZero() && !e.at.Before(to.Truncate(time.Millisecond)) {
			continue
		}
		if e.kind == "ledger.queried" && !reads {
			continue
		}
		if o.has(e, q) {
			rows = append(rows, e)
		}
	}
	return rows
}

func (o *oracle) has(e row, q Question) bool {
	for facet, values := range q.Any {
		if !slices.ContainsFunc(e.facets[facet], func(v string) bool { return slices.Contains(values, v) }) {
			return false
		}
	}
	for _, about := range q.About {
		id := about.ID.id.Reveal()
		switch about.What {
		case Person:
			if !slices.ContainsFunc(e.subjects, func(s string) bool { return o.person(s) == o.person(id) }) {
				return false
			}
		case Acting:
			if e.actor == "" || o.person(e.actor) != o.person(id) {
				return false
			}
		case Session:
			if e.session != id {
				return false
			}
		}
	}
	return true
}

// persons counts whom rows are about.
func (o *oracle) persons(rows []row) int {
	all := map[string]bool{}
	for _, e := range rows {
		for _, s := range e.subjects {
			all[o.person(s)] = true
		}
	}
	return len(all)
}

func counts(rows []row, f search.Facet) map[string]uint64 {
	all := map[string]uint64{}
	for _, e := range rows {
		for _, v := range e.facets[f] {
			all[v]++
		}
	}
	return all
}

// span is the first and the last event time of rows.
func span(rows []row) (first, last time.Time) {
	for i, e := range rows {
		if i == 0 || e.at.Before(first) {
			first = e.at
		}
		if i == 0 || e.at.After(last) {
			last = e.at
		}
	}
	return first, last
}

// registration is the country of a party's registration in force, "" if none was.
func (o *oracle) registration(code string, at time.Time, until uint64) (country string) {
	for _, e := range o.rows {
		if e.position <= until && e.kind == "governance.party-registered" && e.data["party"] == code && !e.at.After(at) {
			country = e.data["country"].(string)
		}
	}
	return country
}
