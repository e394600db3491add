package statement

import "slices"

// result grades the statement: F a transfer recorded; C something unknown; B clean,
// but controls not reconciled or locations only declared; else A.
func (s *Statement) result() Result {
	r := Result{Grade: "A", Law: Kept, Policy: Kept, Unknown: s.class("U").Events}
	for _, name := range []string{"T2", "T3", "T4", "T5"} {
		r.Transfers += s.class(name).Events
	}
	counts := s.reasons(&r)
	for _, why := range whys() {
		if why.Count = counts[why.Why]; why.Count > 0 {
			r.Reasons = append(r.Reasons, why)
		}
	}
	if len(r.Reasons) > 0 {
		r.Grade = r.Reasons[0].Grade
	}
	if slices.ContainsFunc(r.Reasons, func(x Reason) bool { return x.Grade == "C" }) {
		r.Law, r.Policy = Unproven, Unproven
	}
	for _, c := range s.Classes {
		r.Law, r.Policy = worse(r.Law, c.Law), worse(r.Policy, c.Policy)
	}
	return r
}

// worse is the graver of two verdicts.
func worse(a, b string) string {
	for _, v := range []string{Broken, Unproven} {
		if a == v || b == v {
			return v
		}
	}
	return a
}

// reasons counts what keeps the grade down.
func (s *Statement) reasons(r *Result) map[string]uint64 {
	counts := map[string]uint64{WhyTransfer: r.Transfers, WhyUnknown: r.Unknown}
	for _, c := range s.Controls {
		for _, f := range c.Findings {
			if allows(f.What) != "" {
				counts[f.What] = f.Count
			}
		}
		for _, a := range c.Attested {
			if a.Unmapped != nil {
				r.Unmapped += *a.Unmapped
			}
		}
		if c.Control > 3 && c.Result != Reconciled {
			counts[WhyControl]++
		}
	}
	counts[WhyUnmapped] = r.Unmapped
	for _, o := range s.Onward {
		if o.How == Registered {
			counts[WhyOnward]++
		}
	}
	for _, l := range s.Locations {
		if l.Source == OfSystem && len(l.Outside) > 0 {
			counts[WhySystem]++
		}
		if l.Assertion != "observed" && l.Assertion != "reconciled" {
			counts[WhyDeclared]++
		}
	}
	for _, d := range s.Again.Differences {
		if slices.Contains([]string{"T2", "T3", "T4", "T5", "U"}, d.Now) && !slices.Contains([]string{"T2", "T3", "T4", "T5", "U"}, d.Was) {
			counts[WhyAgain] += d.Events
		}
	}
	return counts
}
