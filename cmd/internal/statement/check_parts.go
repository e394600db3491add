package statement

import (
	"cmp"
	"slices"
)

func (k *checker) chains(s *Statement) {
	for i := range s.Parents {
		p := &s.Parents[i]
		k.text("parents", p.Party, p.Country, p.Parent)
		k.position(p.Position, "parents.position")
		k.number("parents", p.Persons)
		k.days(p.First, p.Last, "parents.first")
		k.ascending(p.Positions, p.Events, "parents.positions")
	}
	for i := range s.Onward {
		o := &s.Onward[i]
		k.one([]string{Recorded, Registered}, o.How, "onward.how")
		k.need(len(o.Chain) >= 1 && (len(o.Chain) >= 2 || o.How == Recorded), "onward.chain")
		k.text("onward.chain", o.Chain...)
		k.text("onward.outside", o.Outside...)
		k.positionOrNone(o.Position, "onward.position")
		k.number("onward", o.Persons)
		k.days(o.First, o.Last, "onward.first")
		k.ascending(o.Positions, o.Events, "onward.positions")
	}
}

func (k *checker) locations(s *Statement) {
	for i := range s.Locations {
		l := &s.Locations[i]
		k.one([]string{Register, Own, OfSystem}, l.Source, "locations.source")
		k.need((l.Source == Own) == (l.Position == 0), "locations.position")
		k.positionOrNone(l.Position, "locations.position")
		k.need((l.Source == OfSystem) == (l.System != "") && (l.Source != Register || l.Party != ""), "locations.party")
		k.textOrNone("locations", l.Party, l.System, l.Country)
		for _, list := range [][]string{l.Storage, l.Access, l.Outside} {
			k.text("locations", list...)
		}
		if l.Assertion != "" {
			k.one(assertions(), l.Assertion, "locations.assertion")
		}
		k.dayOrNone(l.Confirmed, "locations.confirmed")
		k.need(l.Source == Register || l.Confirmed == "" && !l.Stale, "locations.confirmed")
		if l.Source == Register {
			k.need(l.Stale == stale(l.Confirmed, k.day(l.Last, "locations.last"), int(s.Covers.Months)), "locations.stale")
		}
		k.need((l.Source == OfSystem) == (l.Events == 0), "locations.events")
		k.number("locations.events", l.Events)
		k.days(l.First, l.Last, "locations.first")
	}
}

func (k *checker) systems(s *Statement) {
	inOrder(k, s.Systems, "systems", func(a, b System) int { return compareTexts(a.System, b.System) })
	for i := range s.Systems {
		row := &s.Systems[i]
		k.textOrNone("systems.system", row.System)
		k.positionOrNone(row.Registered, "systems.registered")
		k.need(row.Registered != 0 || !row.Personal && row.Expected == 0, "systems.registered")
		k.text("systems.producers", row.Producers...)
		inOrder(k, row.Days, "systems.days", func(a, b SystemDay) int { return compareTexts(string(a.Day), string(b.Day)) })
		for _, d := range row.Days {
			k.days(d.Day, d.Day, "systems.days")
			k.need(d.Examined <= d.Events && d.Events+d.Heartbeats > 0, "systems.days")
			k.number("systems.days", d.Events, d.Heartbeats)
		}
		k.without(row)
	}
}

// without checks the days without a heartbeat: no more than were expected, and none
// on which one came.
func (k *checker) without(row *System) {
	k.apart(row.Without, "systems.without_heartbeat")
	for _, d := range row.Without {
		k.need(!slices.ContainsFunc(row.Days, func(x SystemDay) bool { return d.From <= x.Day && x.Day <= d.To && x.Heartbeats > 0 }), "systems.without_heartbeat")
	}
	k.need(count(row.Without) <= row.Expected && row.Expected <= uint64(k.span.to-k.span.from)+1, "systems.expected")
}

// apart wants days of the range in order, with others between them.
func (k *checker) apart(all []Days, field string) {
	next := k.span.from
	for i, d := range all {
		from, to := k.day(d.From, field), k.day(d.To, field)
		k.days(d.From, d.To, field)
		k.need(from > next || i == 0 && from == next, field)
		next = to + 1
	}
}

func (k *checker) unknowns(s *Statement) {
	u := &s.Unknowns
	for _, l := range u.Parties {
		k.textOrNone("unknowns.parties.party", l.Party)
		k.one(Missings(), l.Missing, "unknowns.parties.missing")
		k.positionOrNone(l.Registered, "unknowns.parties.registered")
		k.days(l.First, l.Last, "unknowns.parties.first")
	}
	unknown := lacking(s.Transfers, newBook())
	k.need(slices.EqualFunc(unknown, u.Parties, func(a, b Lacking) bool { a.Registered = b.Registered; return a == b }), "unknowns.parties")
	for _, g := range u.Gaps {
		k.text("unknowns.gaps.producer", g.Producer)
		k.textOrNone("unknowns.gaps.instance", g.Instance)
		k.need(g.From >= 1 && g.From <= g.To && g.To <= maxNumber, "unknowns.gaps.from")
		k.dayOrNone(g.After, "unknowns.gaps.after")
		k.day(g.Before, "unknowns.gaps.before")
	}
	k.producers(u)
	for _, r := range u.Refused {
		k.text("unknowns.refused", r.Producer, r.Type)
		k.number("unknowns.refused.events", r.Events)
		k.day(r.First, "unknowns.refused.first")
		k.day(r.Last, "unknowns.refused.last")
	}
	for _, l := range u.Lost {
		k.position(l.Position, "unknowns.lost.position")
		k.need(l.From >= 1 && l.From <= l.To && l.To <= maxNumber, "unknowns.lost.from")
	}
	k.apart(u.Bare, "unknowns.bare")
}

// producers checks the rows of producers, and their sums against the gaps.
func (k *checker) producers(u *Unknowns) {
	inOrder(k, u.Producers, "unknowns.producers", func(a, b Producer) int { return compareTexts(a.Producer, b.Producer, a.Instance, b.Instance) })
	missing := map[[2]string]uint64{}
	for _, g := range u.Gaps {
		missing[[2]string{g.Producer, g.Instance}] += g.To - g.From + 1
	}
	for _, p := range u.Producers {
		k.text("unknowns.producers.producer", p.Producer)
		k.textOrNone("unknowns.producers.instance", p.Instance)
		k.number("unknowns.producers", p.Events, p.Missing, p.Elsewhere)
		k.need(p.Unnumbered+p.Repeated <= p.Events, "unknowns.producers.events")
		k.day(p.Last, "unknowns.producers.last")
		key := [2]string{p.Producer, p.Instance}
		k.need(missing[key] == p.Missing, "unknowns.producers.missing")
		delete(missing, key)
	}
	k.need(len(missing) == 0, "unknowns.gaps.producer")
}

func (k *checker) controls(s *Statement) {
	codes := controls()
	if k.need(len(s.Controls) == len(codes), "controls"); len(s.Controls) != len(codes) {
		return
	}
	for i := range s.Controls {
		c := &s.Controls[i]
		k.need(c.Control == uint64(i+1) && c.Code == codes[i], "controls.code")
		k.need(i < 3 || len(c.Findings) == 0, "controls.findings")
		k.need(i >= 3 || len(c.Attested) == 0, "controls.attested")
		for _, f := range c.Findings {
			k.number("controls.findings", f.Count)
		}
		for _, a := range c.Attested {
			k.position(a.Position, "controls.attested.position")
			k.text("controls.attested.outcome", a.Outcome)
			k.textOrNone("controls.attested", a.System)
			if a.Assertion != "" {
				k.one(assertions(), a.Assertion, "controls.attested.assertion")
			}
			if a.Unmapped != nil {
				k.number("controls.attested.unmapped", *a.Unmapped)
			}
			k.dayOrNone(a.From, "controls.attested.from")
			k.dayOrNone(a.To, "controls.attested.to")
		}
	}
	var whats []string
	for _, f := range s.Controls[2].Findings {
		whats = append(whats, f.What)
	}
	k.need(slices.Equal(whats, []string{"processors", WhyPlaces, WhyStale}), "controls.findings")
}

// assertions are the levels of knowing that an event can claim.
func assertions() []string { return []string{"observed", "declared", "inferred", "reconciled"} }

func (k *checker) rest(s *Statement) {
	k.text("again.tables", s.Again.Tables)
	k.number("again", s.Again.Events, s.Again.Same)
	differ := uint64(0)
	words := append([]string{none}, classes()[:8]...)
	for _, d := range s.Again.Differences {
		k.one(words, d.Was, "again.differences.was")
		k.one(words, d.Now, "again.differences.now")
		k.need(d.Was != d.Now, "again.differences.now")
		k.ascending(d.Positions, d.Events, "again.differences.positions")
		differ += d.Events
	}
	k.need(s.Again.Same+differ == s.Again.Events, "again.events")
	inOrder(k, s.Corrections, "corrections", func(a, b Correction) int { return cmp.Compare(a.Position, b.Position) })
	for _, c := range s.Corrections {
		k.position(c.Position, "corrections.position")
		k.day(c.Day, "corrections.day")
		k.text("corrections", c.Effect, c.Reason)
		k.positionOrNone(c.Corrects, "corrections.corrects")
	}
	for _, p := range s.Policies {
		k.position(p.Position, "policies.position")
		k.text("policies", p.Policy, p.Version)
		k.hex(p.SHA256, 64, "policies.sha256")
		k.instant(p.From, "policies.from")
	}
	for _, c := range s.Cosigners {
		k.text("cosigners.key", c.Key)
		k.one([]string{Witness, Replay}, c.Role, "cosigners.role")
		k.instant(c.At, "cosigners.at")
		k.positionOrNone(c.Announced, "cosigners.announced")
		k.textOrNone("cosigners.operator", c.Operator)
		k.need(c.Announced != 0 || c.Operator == "", "cosigners.operator")
	}
	k.need(slices.Equal(s.Limits, Limits()), "limits")
}
