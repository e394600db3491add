package ask

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// lives is everything that was recorded, with people as they were sent, and says
// from that alone what an erasure does.
type lives struct {
	rig *rig
	all []lived
}

// A lived event is one as it was sent, or one of the ledger's own.
type lived struct {
	position uint64
	at       time.Time
	kind     string
	data     map[string]any
	class    string // of transfer
	subjects []string
}

func (e *lived) text(path ...string) string {
	o := e.data
	for _, name := range path[:len(path)-1] {
		o, _ = o[name].(map[string]any)
	}
	s, _ := o[path[len(path)-1]].(string)
	return s
}

func (e *lived) retention() string {
	k, _ := events.ParseType("eu.custody." + e.kind + ".v1")
	return k.Retention().String()
}

func (e *lived) lists(ids []string) bool {
	return slices.ContainsFunc(e.subjects, func(id string) bool { return slices.Contains(ids, id) })
}

// live records events, and keeps who is in them.
func (l *lives) live(all []object) {
	lines := make([]string, len(all))
	for i, e := range all {
		b, err := json.Marshal(e)
		if err != nil {
			l.rig.t.Fatal(err)
		}
		lines[i] = string(b)
	}
	for i, res := range l.rig.send(lines...) {
		l.read(res.Position, lines[i])
	}
}

func (l *lives) read(position uint64, line string) {
	var e struct {
		Type string
		Time time.Time
		Data map[string]any
	}
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		l.rig.t.Fatal(err)
	}
	one := lived{position: position, at: e.Time.UTC().Truncate(time.Millisecond), kind: strings.TrimSuffix(strings.TrimPrefix(e.Type, "eu.custody."), ".v1"), data: e.Data}
	list, _ := e.Data["subjects"].([]any)
	for _, s := range list {
		one.subjects = append(one.subjects, s.(map[string]any)["id"].(string))
	}
	stored, err := l.rig.stored(l.rig.t.Context(), position)
	if err != nil {
		l.rig.t.Fatal(err)
	}
	one.class = stored.Facts.Class
	l.all = append(l.all, one)
}

// own adds what the ledger recorded of those who asked.
func (l *lives) own() {
	add := func(position uint64, kind string, subjects []string) {
		stored, err := l.rig.stored(l.rig.t.Context(), position)
		if err != nil {
			l.rig.t.Fatal(err)
		}
		if !slices.ContainsFunc(l.all, func(e lived) bool { return e.position == position }) {
			l.all = append(l.all, lived{position: position, at: stored.Event.At, kind: kind, data: map[string]any{}, subjects: subjects})
		}
	}
	for position, q := range l.rig.asked {
		add(position, "ledger.queried", q.Subjects)
	}
	for position, r := range l.rig.shown {
		add(position, "ledger.identity-revealed", r.Subjects)
	}
	slices.SortFunc(l.all, func(a, b lived) int { return int(a.position) - int(b.position) })
}

// linked gives the pairs that are linked, each with the event that says so.
func (l *lives) linked() map[[2]string]*lived {
	by := map[[2]string]*lived{}
	for i := range l.all {
		e := &l.all[i]
		if e.kind != "subject.identifiers-linked" && e.kind != "subject.identifiers-unlinked" {
			continue
		}
		for _, a := range e.subjects {
			for _, b := range e.subjects {
				if a == b {
					continue
				}
				if e.kind == "subject.identifiers-unlinked" {
					delete(by, [2]string{a, b})
				} else if by[[2]string{a, b}] == nil {
					by[[2]string{a, b}] = e
				}
			}
		}
	}
	return by
}

func (l *lives) person(id string) []string {
	all := map[string]bool{id: true}
	for grown := true; grown; {
		grown = false
		for pair := range l.linked() {
			if all[pair[0]] && !all[pair[1]] {
				all[pair[1]], grown = true, true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// plan is what erasing somebody means, and who linked identifiers.
func (l *lives) plan(id string, o PlanOptions) (p Plan, linkers []string) {
	ids := l.person(id)
	p.Standing = l.standing(ids, 0)
	p.Events = l.extent(ids)
	p.Rows = map[vault.PersonID][]vault.Chain{}
	bound := slices.IndexFunc(p.Holds, func(h Hold) bool { return h.By == "person" })
	if bound >= 0 && len(o.Keep) > 0 && !slices.ContainsFunc(o.Keep, func(k events.Keeping) bool { return k.Class == events.Governance }) {
		o.Keep = append(slices.Clone(o.Keep), events.Keeping{Class: events.Governance, Ground: p.Holds[bound].Ground})
	}
	for _, id := range ids {
		one := Planned{ID: Disclosed(id), Links: []Tie{}, Stays: []Staying{}}
		var who []string
		one.Links, who = l.ties(id)
		linkers = append(linkers, who...)
		classes := map[string]bool{}
		for _, e := range l.all {
			if l.acts(&e, id, ids) {
				one.Acts++
				classes[e.retention()] = true
			}
		}
		for _, keep := range o.Keep {
			if bound >= 0 && keep.Class == events.Governance || slices.ContainsFunc(l.all, func(e lived) bool { return e.retention() == keep.Class.String() && slices.Contains(e.subjects, id) }) {
				one.Stays = append(one.Stays, Staying{"subject", keep.Class.String(), keep.Ground})
			}
		}
		for _, class := range []string{"access", "disclosure", "legal-state", "governance", "breach", "operation"} {
			if classes[class] && !o.AsActor {
				one.Stays = append(one.Stays, Staying{"actor", class, "acted"})
			}
		}
		one.Goes = len(one.Stays) == 0
		p.Identifiers = append(p.Identifiers, one)
	}
	slices.Sort(linkers)
	return p, slices.Compact(linkers)
}

// acts reports whether an event is an act of an identifier's, but for what a
// person did to the own data.
func (l *lives) acts(e *lived, id string, ids []string) bool {
	if strings.HasPrefix(e.kind, "ledger.") {
		return false
	}
	if e.text("actor", "id") == id && e.text("actor", "kind") == "subject" && e.lists(ids) {
		return false
	}
	handlers, _ := e.data["handlers"].([]any)
	return e.text("actor", "id") == id || e.text("actor", "for") == id || e.text("employee") == id || slices.Contains(handlers, any(id))
}

func (l *lives) ties(id string) (ties []Tie, linkers []string) {
	ties = []Tie{}
	with := map[*lived][]string{}
	for pair, e := range l.linked() {
		if pair[0] == id {
			with[e] = append(with[e], pair[1])
		}
	}
	for e, others := range with {
		t := Tie{Position: e.position, Time: Instant{e.at}, Source: "/ats", By: Linker{Disclosed(e.text("actor", "id")), e.text("actor", "role"), e.text("actor", "kind")}}
		for _, other := range slices.Sorted(slices.Values(others)) {
			t.With = append(t.With, Disclosed(other))
		}
		ties = append(ties, t)
		linkers = append(linkers, e.text("actor", "id"))
	}
	slices.SortFunc(ties, func(a, b Tie) int { return int(a.Position) - int(b.Position) })
	return ties, linkers
}

func (l *lives) extent(ids []string) Extent {
	out := Extent{Classes: []ClassExtent{}, Groups: []GroupExtent{}, Families: map[string]uint64{}, Kinds: map[string]uint64{}}
	classes := map[string][]lived{}
	var all []lived
	for _, e := range l.all {
		if !e.lists(ids) {
			continue
		}
		all = append(all, e)
		classes[e.retention()] = append(classes[e.retention()], e)
		family, _, _ := strings.Cut(e.kind, ".")
		out.Families[family]++
		out.Kinds[e.kind]++
		if slices.ContainsFunc(e.subjects, func(id string) bool { return !slices.Contains(ids, id) }) {
			out.Shared++
		}
		if len(e.subjects) > 16 {
			out.Many++
		}
	}
	out.Events = uint64(len(all))
	out.First, out.Last = ends(all)
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		first, last := ends(classes[class])
		out.Classes = append(out.Classes, ClassExtent{class, uint64(len(classes[class])), first, last})
		families := map[string][]lived{}
		for _, e := range classes[class] {
			family, _, _ := strings.Cut(e.kind, ".")
			families[family] = append(families[family], e)
		}
		for _, family := range slices.Sorted(maps.Keys(families)) {
			first, last := ends(families[family])
			out.Groups = append(out.Groups, GroupExtent{class, family, uint64(len(families[family])), first, last})
		}
	}
	return out
}

// ends are the first and the last event time, nil if there are no events.
func ends(all []lived) (first, last *Instant) {
	for _, e := range all {
		if first == nil || e.at.Before(first.Time) {
			first = &Instant{e.at}
		}
		if last == nil || e.at.After(last.Time) {
			last = &Instant{e.at}
		}
	}
	return first, last
}

// samePlan compares plans as they are sent, and the chains that stay.
func samePlan(t testing.TB, got, want Plan) {
	t.Helper()
	got.AsOf, got.Recorded = want.AsOf, want.Recorded
	a, err := json.MarshalIndent(got, "", " ")
	b, err2 := json.MarshalIndent(want, "", " ")
	if err != nil || err2 != nil || string(a) != string(b) {
		t.Fatalf("%s\nwant\n%s: %v, %v", a, b, err, err2)
	}
}
