package statement

import (
	"slices"

	"github.com/imalink/custody/events/law"
)

// controls answers the controls that need the register: the party register, and
// what was attested of those that the ledger cannot answer. The first two follow
// from the rest of the statement, see [Statement.derive].
func (b *book) controls(s span, st *Statement, months int) (all []Control) {
	for i, code := range controls() {
		c := Control{Control: uint64(i + 1), Code: code}
		switch {
		case i == 2:
			c.Findings = b.processors(s, st, months)
		case i > 2:
			c.Attested = attestedIn(b.checks[code], s)
		}
		all = append(all, c)
	}
	return all
}

// processors counts, of the processors and sub-processors registered by the last
// day, those without places and those not confirmed in time. Whoever else decided
// the class of an event is asked for its confirmation too.
func (b *book) processors(s span, st *Statement, months int) []Finding {
	var count, lacking uint64
	old := map[string]bool{}
	for code := range b.parties {
		p, ok := b.partyOn(code, s.to)
		if !ok || !slices.Contains(p.roles, "processor") && !slices.Contains(p.roles, "subprocessor") {
			continue
		}
		count++
		if len(p.storage) == 0 || len(p.access) == 0 {
			lacking++
		}
		if stale(p.confirmed, s.to, months) {
			old[code] = true
		}
	}
	for _, l := range st.Locations {
		if l.Stale {
			old[l.Party] = true
		}
	}
	return []Finding{{"processors", count}, {WhyPlaces, lacking}, {WhyStale, uint64(len(old))}}
}

// attestedIn are the attestations that have to do with a span, by position.
func attestedIn(all []Attestation, s span) (found []Attestation) {
	for _, a := range all {
		from, to := a.days()
		if from <= s.to && to >= s.from {
			found = append(found, a)
		}
	}
	return found
}

// days are the days that somebody looked at; an attestation that does not say is
// about all of them, or none: see [reconciled].
func (a *Attestation) days() (from, to law.Day) {
	from, err := law.ParseDay(string(a.From))
	if err != nil {
		from = law.Past
	}
	if to, err = law.ParseDay(string(a.To)); err != nil {
		to = law.Forever
	}
	return from, to
}

// reconciled reports whether attestations cover every day of a range, each with a
// good outcome and nothing unmapped. Those of one system do not speak for others.
func reconciled(all []Attestation, s span) bool {
	next := s.from
	for _, a := range slices.SortedFunc(slices.Values(all), func(a, b Attestation) int { return compareTexts(string(a.From), string(b.From)) }) {
		if !slices.Contains(good(), a.Outcome) || a.Unmapped == nil || *a.Unmapped > 0 {
			return false
		}
		if from, to := a.days(); a.System == "" && a.From != "" && a.To != "" && from <= next {
			next = max(next, to+1)
		}
	}
	return next > s.to
}
