package statement

import (
	"github.com/imalink/custody/events/law"
)

// derive fills in all that follows from the rest: the first two controls, the
// results of all, the verdicts, and the result. [Decode] asks that it says the
// same again.
func (s *Statement) derive() {
	s.Controls[0].Findings = s.sequences()
	s.Controls[1].Findings = s.reporting()
	for i := range s.Controls {
		s.Controls[i].Result = s.Controls[i].result(s.span())
	}
	for i := range s.Classes {
		s.Classes[i].Law, s.Classes[i].Policy = s.verdicts(&s.Classes[i])
	}
	s.Result = s.result()
}

// span are the days of the range; of one that is no range, none.
func (s *Statement) span() span {
	from, err := law.ParseDay(string(s.Range.From))
	to, wrong := law.ParseDay(string(s.Range.To))
	if err != nil || wrong != nil {
		return span{0, -1}
	}
	return span{from, to}
}

// sequences is what the first control found.
func (s *Statement) sequences() []Finding {
	var missing, unnumbered, repeated, beats, expected uint64
	for _, p := range s.Unknowns.Producers {
		missing, unnumbered, repeated = missing+p.Missing, unnumbered+p.Unnumbered, repeated+p.Repeated
	}
	var without uint64
	for _, row := range s.Systems {
		expected += row.Expected
		without += count(row.Without)
	}
	beats = expected - without
	return []Finding{
		{"producers", uint64(len(s.Unknowns.Producers))}, {WhyGap, missing}, {WhyUnnumbered, unnumbered}, {WhyRepeated, repeated},
		{WhyLost, uint64(len(s.Unknowns.Lost))}, {"expected", expected}, {"heartbeats", beats}, {WhyHeartbeat, without},
	}
}

// reporting is what the second control found.
func (s *Statement) reporting() []Finding {
	var systems, without, unregistered, mute uint64
	for _, row := range s.Systems {
		switch {
		case row.Registered == 0:
			unregistered++
		case !row.Personal:
			without++
		default:
			systems++
			if len(row.Producers) == 0 {
				mute++
			}
		}
	}
	return []Finding{{"systems", systems}, {"without-data", without}, {WhyUnregistered, unregistered}, {WhyMute, mute}, {WhyBare, count(s.Unknowns.Bare)}}
}

// count is how many days there are.
func count(all []Days) (n uint64) {
	for _, d := range all {
		s := (&Statement{Range: Range{From: d.From, To: d.To}}).span()
		n += uint64(s.to-s.from) + 1
	}
	return n
}

// result is what came of a control: of those that the ledger answers, whether a
// finding keeps the grade down.
func (c *Control) result(s span) string {
	switch {
	case c.Control > 3 && len(c.Attested) == 0:
		return Unanswered
	case c.Control > 3 && reconciled(c.Attested, s):
		return Reconciled
	case c.Control > 3:
		return Attested
	}
	for _, f := range c.Findings {
		if f.Count > 0 && allows(f.What) != "" || f.Count == 0 && f.What == "expected" {
			return Failed // where no heartbeat is expected, none shows anything
		}
	}
	return Met
}

// allows is the best grade that a reason allows; "" of what is none.
func allows(why string) string {
	for _, r := range whys() {
		if r.Why == why {
			return r.Grade
		}
	}
	return ""
}

// verdicts are those of one row of the table: the law's, and the policy's that no
// data are transferred outside the EEA. They are never merged.
func (s *Statement) verdicts(c *Class) (law, policy string) {
	if c.Events == 0 {
		return NA, NA
	}
	switch c.Class {
	case "T0", "T7": // of T7: inside, but exposed; no transfer by itself
		return Kept, Kept
	case "T2":
		return Kept, Broken
	case "T3":
		if s.assessed() {
			return Kept, Broken
		}
		return Unproven, Broken
	case "T4": // whether a derogation applies is decided case by case
		return Unproven, Broken
	case "T5":
		return Broken, Broken
	case "U":
		return Unproven, Unproven
	case "T9":
		return s.onwards()
	}
	return NA, NA // T1, T1f: no transfer; reported apart
}

// assessed reports whether every event of T3 names an assessment of the transfer.
func (s *Statement) assessed() bool {
	for _, it := range s.Transfers {
		if it.Class == "T3" && it.Assessment == "" {
			return false
		}
	}
	return true
}

// onwards are the verdicts of T9: of events that name a sub-processor, those of
// their classes; of a sub-processor that is only registered, nothing is known.
func (s *Statement) onwards() (law, policy string) {
	law, policy = Unproven, Unproven
	named := map[uint64]bool{}
	for _, o := range s.Onward {
		for _, p := range o.Positions {
			named[p] = named[p] || o.How == Recorded
		}
	}
	for _, it := range s.Transfers {
		if named[it.Position] && it.Class != "U" {
			policy = Broken
			if it.Class == "T5" {
				law = Broken
			}
		}
	}
	return law, policy
}
