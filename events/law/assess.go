package law

import "slices"

// An assessment gathers what is known of the places of one importer on one day.
type assessment struct {
	day     Day
	seen    []string
	outside []string // known outside places, in order of appearance
	unknown bool     // some code is not a place
	access  bool     // some place of access is known
	why     []Step
}

// assess looks at the places of a party and of the event together: an event cannot narrow what is registered.
func (f *Facts) assess(p *Party) assessment {
	a := assessment{day: f.Day, access: len(p.Access)+len(f.Access) > 0, why: make([]Step, 0, 8)}
	a.look([]string{p.Country}, p.Storage, f.Storage, p.Access, f.Access)
	return a
}

// look adds each place once.
func (a *assessment) look(lists ...[]string) {
	for _, list := range lists {
		for _, code := range list {
			a.place(Canonical(code))
		}
	}
}

func (a *assessment) place(code string) {
	if slices.Contains(a.seen, code) {
		return
	}
	a.seen = append(a.seen, code)
	row := PlaceOn(code, a.day)
	a.why = append(a.why, Step{code, row.Status.String(), row.Source, row.Verified})
	switch {
	case row.Status == Unknown:
		a.unknown = true
	case !row.Status.Inside():
		a.outside = append(a.outside, code)
	}
}

// working classes people who work for or with us without being an importer: abroad if any place is outside.
func (a *assessment) working(abroad Class) Verdict {
	switch {
	case len(a.outside) > 0:
		return a.verdict(abroad, Step{"access", "works from outside: processing, not a transfer", "EDPB Guidelines 05/2021 v2.0", true})
	case a.unknown || len(a.seen) == 0:
		return a.verdict(U, Step{Fact: "access", Finding: "no place of access known"})
	}
	return a.verdict(T0)
}

// transfer classes an importer whose places of storage are known.
func (a *assessment) transfer(p *Party, own Tool) Verdict {
	if !a.access {
		return a.verdict(U, Step{Fact: "access", Finding: "no place of access known"})
	}
	if p.InternationalOrganisation {
		a.why = append(a.why, Step{"party", "an international organisation: outside wherever it sits", "GDPR Art. 4(26), 44", false})
		return a.tool(p, own)
	}
	if !a.adequate(p, own) {
		return a.tool(p, own)
	}
	switch {
	case a.unknown:
		return a.verdict(U, Step{Fact: "place", Finding: "a code that is not a place decides nothing"})
	case len(a.outside) > 0:
		return a.verdict(T2)
	}
	return a.verdict(T0)
}

// adequate reports whether every outside place is covered by a decision whose condition is shown.
func (a *assessment) adequate(p *Party, own Tool) bool {
	all := true
	for _, code := range a.outside {
		covered := false
		for _, d := range decisions {
			if d.Code != code || !d.Holds(a.day) {
				continue
			}
			shown := a.shown(d.Condition, p, own)
			finding := "adequate, condition shown"
			if !shown {
				finding = "a decision is in force, but nothing shows: " + d.Condition.String()
			}
			a.why = append(a.why, Step{code, finding, d.Source, d.Verified})
			covered = covered || shown
		}
		if !covered {
			all = false
			a.why = append(a.why, Step{code, "no adequacy decision covers it", "GDPR Art. 45", false})
		}
	}
	return all
}

// shown reports whether a decision's condition is shown for the importer.
func (a *assessment) shown(c Condition, p *Party, own Tool) bool {
	switch c {
	case Unconditional:
		return true
	case ListedDPF:
		return p.DPF.Holds(a.day)
	case UnderPIPEDA:
		return p.PIPEDA
	case NamesShield:
		return a.names("privacy-shield", p, own)
	case NamesHarbour:
		return a.names("safe-harbour", p, own)
	}
	return false
}

// names reports whether the tool that applies is code, with a reference.
func (a *assessment) names(code string, p *Party, own Tool) bool {
	if own.Code != "" {
		return own.Code == code && own.Reference != ""
	}
	return slices.ContainsFunc(p.Tools, func(t RegisteredTool) bool {
		return t.Code == code && t.Reference != "" && t.Holds(a.day)
	})
}

// tool classes a transfer that no adequacy decision covers: by the event's own tool, else by the best of
// those registered and in force.
func (a *assessment) tool(p *Party, own Tool) Verdict {
	if own.Code != "" {
		class, step := ground(RegisteredTool{Tool: own, Interval: Always()}, a.day)
		return a.verdict(class, step)
	}
	best := T5
	for _, t := range p.Tools {
		class, step := ground(t, a.day)
		a.why = append(a.why, step)
		best = min(best, class)
	}
	if best == T5 {
		return a.verdict(T5, Step{"transfer", "no tool grounds it", "GDPR Art. 44", false})
	}
	return a.verdict(best)
}

// Grounds returns the class that a registered tool gives a transfer on a day: [T3], [T4], or [T5] for no ground.
func Grounds(t RegisteredTool, d Day) Class {
	class, _ := ground(t, d)
	return class
}

// ground returns the class that a tool gives on day d, and why.
func ground(t RegisteredTool, d Day) (Class, Step) {
	rule := toolRule(t.Code)
	step := Step{Fact: t.Code, Source: rule.Source, Verified: rule.Verified}
	class := T5
	switch {
	case !rule.Holds(d) && rule.Ground != NoGround:
		step.Finding = "no tool on the day"
	case !t.Holds(d):
		step.Finding = "registered, but not in force on the day"
	case rule.Ground == DerogationGround:
		class, step.Finding = T4, "a derogation"
	case rule.Ground != SafeguardGround:
		step.Finding = "neither safeguards nor a derogation"
	case t.Reference == "":
		step.Finding = "safeguards named without a reference"
	default:
		class, step.Finding = T3, "appropriate safeguards"
		if row, named := instrument(t); named && !row.grounds(t, d) {
			class, step = T5, Step{t.Instrument, "standard clauses not valid for this contract on the day", row.Source, row.Verified}
		}
	}
	return class, step
}

// instrument returns the row of the standard clauses that t names, if it names any.
func instrument(t RegisteredTool) (Instrument, bool) {
	i := slices.IndexFunc(instruments, func(row Instrument) bool { return row.Code == t.Instrument })
	if i < 0 || t.Code != "A46-2-c" {
		return Instrument{}, false
	}
	return instruments[i], true
}

// grounds reports whether a contract made on these clauses when t began gives safeguards on day d.
func (i Instrument) grounds(t RegisteredTool, d Day) bool {
	return i.Signable.Holds(t.From) && i.Holds(d)
}

// verdict closes the assessment.
func (a *assessment) verdict(c Class, last ...Step) Verdict {
	return Verdict{Class: c, Region: region(a.outside, c == U || a.unknown), Outside: a.outside, Why: append(a.why, last...)}
}
