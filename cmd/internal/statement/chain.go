package statement

import (
	"cmp"
	"slices"

	"github.com/imalink/custody/events/law"
)

// A chain finds what lies behind the party that received: a parent outside the EEA
// (T7), and sub-processors outside it (T9). No proof holds either: they are read
// from stored events and the register.
type chain struct {
	register *book
	homes    map[home]*received   // events of T0 to parties with a parent outside
	all      map[string]*received // events that have an importer, by its code
	named    map[string]*received // of those, T2 to T5 and U that name a sub-processor
	via      map[string]string    // through whom those went, if they say
}

// A home is a registration of a party with a parent outside.
type home struct {
	party, country, parent string
	position               uint64
}

// received is events by which somebody received data.
type received struct {
	first, last law.Day
	persons     uint64
	outside     []string
	positions   []uint64
}

func newChain(b *book) *chain {
	return &chain{register: b, homes: map[home]*received{}, all: map[string]*received{}, named: map[string]*received{}, via: map[string]string{}}
}

// add takes in an event of the range that has a class.
func (c *chain) add(e *entry) {
	m := c.register.importer(e.st)
	if m.party == "" || e.class == law.T1 || e.class == law.T1f {
		return
	}
	note(c.all, m.party, e)
	if e.class == law.T0 {
		if p := e.st.Facts.Party; p != nil && len(outsideOn(e.day, []string{p.ParentCountry})) > 0 {
			note(c.homes, home{p.Code, p.Country, p.ParentCountry, p.Position}, e)
		}
		return
	}
	if registered, ok := c.register.partyOn(m.party, e.day); m.role == "subprocessor" || ok && len(registered.of) > 0 {
		note(c.named, m.party, e)
		if m.via != "" {
			c.via[m.party] = m.via
		}
	}
}

// note adds an event to those of a key.
func note[K comparable](m map[K]*received, key K, e *entry) {
	r := m[key]
	if r == nil {
		r = &received{first: e.day, last: e.day}
		m[key] = r
	}
	r.first, r.last = min(r.first, e.day), max(r.last, e.day)
	r.persons += e.persons()
	r.outside = append(r.outside, e.st.Facts.Outside...)
	slices.Sort(r.outside)
	r.outside = slices.Compact(r.outside)
	r.positions = append(r.positions, e.position)
}

// parents are the rows of T7, by party and registration.
func (c *chain) parents() (rows []Parent) {
	for h, r := range c.homes {
		rows = append(rows, Parent{
			Party: h.party, Position: h.position, Country: h.country, Parent: h.parent, Events: uint64(len(r.positions)),
			Persons: r.persons, First: dayOf(r.first), Last: dayOf(r.last), Positions: r.positions,
		})
	}
	slices.SortFunc(rows, func(a, b Parent) int {
		return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.Position, b.Position))
	})
	return rows
}

// onward are the rows of T9: those that events name, then those that the register
// knows behind a party that received.
func (c *chain) onward() (rows []Onward) {
	for _, code := range sortedKeys(c.named) {
		r := c.named[code]
		links, p := []string{code}, party{}
		if known, ok := c.register.partyOn(code, r.last); ok {
			p = known
		}
		switch {
		case c.via[code] != "":
			links = []string{c.via[code], code}
		case len(p.of) > 0:
			links = []string{p.of[0], code}
		}
		rows = append(rows, r.onward(Recorded, links, p.position, r.outside))
	}
	for _, code := range sortedKeys(c.all) {
		r := c.all[code]
		for _, l := range c.register.behind([]string{code}, r.first, r.last) {
			rows = append(rows, r.onward(Registered, l.chain, l.position, l.outside))
		}
	}
	return rows
}

func (r *received) onward(how string, chain []string, position uint64, outside []string) Onward {
	return Onward{
		How: how, Chain: chain, Position: position, Outside: outside, Events: uint64(len(r.positions)), Persons: r.persons,
		First: dayOf(r.first), Last: dayOf(r.last), Positions: r.positions,
	}
}

// A link is a sub-processor outside, or of whom no place is known.
type link struct {
	chain    []string
	position uint64
	outside  []string
}

// behind follows a chain to the sub-processors engaged on one of some days, in
// order of their codes, and gives those that are outside or unknown.
func (b *book) behind(chain []string, first, last law.Day) (found []link) {
	next := map[string]uint64{}
	from := chain[len(chain)-1]
	for key, states := range b.engaged {
		if position, ok := engagedOn(states, first, last); ok && key[0] == from {
			next[key[1]] = position
		}
	}
	for code := range b.parties {
		if p, ok := b.partyOn(code, last); ok && slices.Contains(p.of, from) && next[code] == 0 {
			next[code] = p.position
		}
	}
	for _, code := range sortedKeys(next) {
		if slices.Contains(chain, code) {
			continue
		}
		longer := append(slices.Clone(chain), code)
		p, known := b.partyOn(code, last)
		outside := outsideOn(last, []string{p.country}, p.storage, p.access)
		if !known || p.io || len(outside) > 0 {
			found = append(found, link{longer, next[code], outside})
		}
		found = append(found, b.behind(longer, first, last)...)
	}
	return found
}

// engagedOn reports whether one party engaged another on one of some days, and the
// position of the event that says so.
func engagedOn(states []state, first, last law.Day) (position uint64, ok bool) {
	on := func(d law.Day) (s state, ok bool) {
		for _, v := range states {
			if v.from <= d {
				s, ok = v, true
			}
		}
		return s, ok && !s.ended
	}
	days := []law.Day{first}
	for _, v := range states {
		if first < v.from && v.from <= last {
			days = append(days, v.from)
		}
	}
	for _, d := range days {
		if s, ok := on(d); ok {
			return s.position, true
		}
	}
	return 0, false
}
