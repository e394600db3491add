package statement

import (
	"cmp"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// lateAfter is how long after its time an event may be recorded and not be late:
// the flag "late" of a record.
const lateAfter = 24 * time.Hour

func (e *entry) late() bool { return e.st.Recorded.Sub(e.st.Event.At) > lateAfter }

func (e *entry) persons() uint64 { return uint64(len(e.st.Event.Data.Get("subjects").List())) }

// A list has the events that are listed, and counts those that have a class.
type list struct {
	register   *book
	transfers  []Item
	working    []Item
	counts     map[law.Class]*Class
	corrected  []correction
	identities map[[2]string]uint64 // of listed events: position by source and id
}

// A correction is one whose event may be listed later.
type correction struct {
	Correction
	inside bool
	of     [2]string
}

func newList(b *book) *list {
	l := &list{register: b, counts: map[law.Class]*Class{}, identities: map[[2]string]uint64{}}
	for _, c := range law.Classes() {
		l.counts[c] = &Class{Class: c.String(), Shown: shown(c.String())}
	}
	return l
}

// add takes in an event of the range that has a class.
func (l *list) add(e *entry) {
	row := l.counts[e.class]
	row.Events++
	row.Persons += e.persons()
	if e.late() {
		row.Late++
	}
	if e.class == law.T0 {
		return
	}
	l.identities[[2]string{e.st.Event.Source, e.st.Event.ID}] = e.position
	item := l.item(e)
	if e.class == law.T1 || e.class == law.T1f {
		l.working = append(l.working, item)
		return
	}
	l.transfers = append(l.transfers, item)
}

// item is an event as it is listed.
func (l *list) item(e *entry) Item {
	st, d := e.st, e.st.Event.Data
	m := l.register.importer(st)
	it := Item{
		Position: e.position, Digest: hex.EncodeToString(e.digest[:]), Day: dayOf(e.day), Class: st.Facts.Class, Kind: st.Event.Kind.Name(),
		Party: m.party, Role: m.role, Via: m.via, Region: st.Facts.Region, Outside: slices.Clone(st.Facts.Outside),
		System: d.Get("system").Text(), Purpose: d.Get("purpose").Text(), Categories: d.Get("categories").Texts(),
		Persons: e.persons(), Late: e.late(), Secrecy: d.Get("secrecy").Text(),
	}
	it.IO = st.Facts.Party != nil && st.Facts.Party.InternationalOrganisation && e.class != law.T1
	own := d.Get("transfer").Object()
	it.Tool, it.ToolRef, it.Assessment = own.Get("tool").Text(), own.Get("tool_ref").Text(), own.Get("tia_ref").Text()
	if p := st.Facts.Party; it.Tool == "" && p != nil && e.class >= law.T2 && e.class <= law.T4 {
		it.Tool, it.ToolRef = p.Tool, p.ToolRef
		it.Assessment = l.register.tools[[3]string{p.Code, p.Tool, p.ToolRef}]
	}
	if e.class == law.U {
		it.Missing = missing(st, m)
	}
	return it
}

// An importer is to whom an event makes data available.
type importer struct {
	party, role, via string
	staff            bool // it acted itself, at our systems: it stores where it is established
}

// importer gives the party that decided an event's class: its recipient, or the
// organisation whose staff acted. Own staff are no party.
func (b *book) importer(st *events.Stored) importer {
	d := st.Event.Data
	recipient, actor := d.Get("recipient").Object(), d.Get("actor").Object()
	to, by := recipient.Get("party").Text(), actor.Get("party").Text()
	kind := actor.Get("kind").Text()
	acted := importer{party: by, role: kind, staff: true}
	if kind != "processor" && kind != "contractor" {
		acted.party = ""
	}
	if to == "" || recipient.Get("role").Text() == "subject" {
		return acted
	}
	known := st.Facts.Party
	if acted.party != "" && acted.party != to && (known != nil && known.Code == by || known == nil && b.registered(to)) {
		return acted
	}
	return importer{party: to, role: recipient.Get("role").Text(), via: recipient.Get("via").Text()}
}

// missing says which fact an event of U lacks, as law.Classify decides.
func missing(st *events.Stored, m importer) string {
	location, p := st.Event.Data.Get("location").Object(), st.Facts.Party
	switch {
	case m.party == "": // own staff
		return NoPlace
	case p == nil:
		return NoParty
	case !m.staff && len(p.Storage)+len(location.Get("storage").Texts()) == 0:
		return NoStorage
	case len(p.Access)+len(location.Get("access").Texts()) == 0:
		return NoAccess
	}
	return NoPlace
}

// correct notes a correction.
func (l *list) correct(e *entry) {
	if e.st.Event.Kind != events.LedgerCorrected {
		return
	}
	d := e.st.Event.Data
	of := d.Get("corrects").Object()
	l.corrected = append(l.corrected, correction{
		Correction: Correction{Position: e.position, Day: dayOf(e.day), Effect: d.Get("effect").Text(), Reason: d.Get("reason_code").Text()},
		inside:     e.inside, of: [2]string{of.Get("source").Text(), of.Get("id").Text()},
	})
}

// corrections are those of the range, and those of listed events.
func (l *list) corrections() (all []Correction) {
	for _, c := range l.corrected {
		c.Corrects = l.identities[c.of]
		if c.inside || c.Corrects != 0 {
			all = append(all, c.Correction)
		}
	}
	return all
}

// table is the table of classes without its verdicts.
func (l *list) table(s *Statement) (rows []Class) {
	for _, name := range classes() {
		if c, ok := law.ParseClass(name); ok {
			rows = append(rows, *l.counts[c])
			continue
		}
		rows = append(rows, Class{Class: name, Shown: shown(name), Events: uint64(len(s.behind(name)))})
	}
	return rows
}

// behind are the events of the rows of T7 or T9, each once; none of another class.
func (s *Statement) behind(class string) map[uint64]bool {
	all := map[uint64]bool{}
	switch class {
	case "T7":
		for _, p := range s.Parents {
			add(all, p.Positions)
		}
	case "T9":
		for _, o := range s.Onward {
			add(all, o.Positions)
		}
	}
	return all
}

func add(all map[uint64]bool, positions []uint64) {
	for _, p := range positions {
		all[p] = true
	}
}

// lacking sums up the events of U by party and what is missing.
func lacking(items []Item, b *book) (all []Lacking) {
	type key struct{ party, missing string }
	sums := map[key]*Lacking{}
	for _, it := range items {
		if it.Class != "U" {
			continue
		}
		k := key{it.Party, it.Missing}
		sum := sums[k]
		if sum == nil {
			sum = &Lacking{Party: it.Party, Missing: it.Missing, First: it.Day, Last: it.Day}
			if versions := b.parties[it.Party]; len(versions) > 0 {
				sum.Registered = versions[0].position
			}
			sums[k] = sum
		}
		sum.Events++
		sum.First, sum.Last = min(sum.First, it.Day), max(sum.Last, it.Day)
	}
	for _, sum := range sums {
		all = append(all, *sum)
	}
	slices.SortFunc(all, func(a, b Lacking) int { return compareTexts(a.Party, b.Party, a.Missing, b.Missing) })
	return all
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// compareTexts compares texts two by two: the first pair that differs decides.
func compareTexts(pairs ...string) int {
	for i := 0; i+1 < len(pairs); i += 2 {
		if c := strings.Compare(pairs[i], pairs[i+1]); c != 0 {
			return c
		}
	}
	return 0
}
