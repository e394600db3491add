package ask

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// standing is what stands in the way of erasing a person, and who else must act,
// when it was opened at a position.
func (l *lives) standing(ids []string, opened uint64) Standing {
	var listed []lived
	for _, e := range l.all {
		if e.lists(ids) {
			listed = append(listed, e)
		}
	}
	return Standing{Holds: l.holds(ids, listed), Recipients: owedBy(listed, opened), Legs: legsOf(listed), Restrictions: restrictionsOf(listed)}
}

func (l *lives) holds(ids []string, listed []lived) []Hold {
	placed := map[string][]lived{}
	for _, e := range l.all {
		switch e.kind {
		case "governance.hold-placed":
			placed[e.text("hold")] = append(placed[e.text("hold")], e)
		case "governance.hold-released":
			placed[e.text("hold")] = nil
		}
	}
	holds := []Hold{}
	for _, ref := range slices.Sorted(maps.Keys(placed)) {
		for _, e := range placed[ref] {
			by, dataset := "", e.text("dataset")
			switch {
			case e.lists(ids):
				by = "person"
			case len(e.subjects) > 0:
			case dataset == "":
				by = "everything"
			case slices.ContainsFunc(listed, func(e lived) bool { return e.text("dataset") == dataset }):
				by = "dataset"
			}
			if by != "" {
				holds = append(holds, Hold{ref, e.position, Instant{e.at}, e.text("ground"), dataset, e.text("review_due"), by})
			}
		}
	}
	return holds
}

func owedBy(listed []lived, opened uint64) []Owed {
	given := map[string][]lived{}
	for _, e := range listed {
		if role := e.text("recipient", "role"); (e.kind == "data.shared" || e.kind == "data.transferred") && role != "subject" && role != "authority" {
			given[e.text("recipient", "party")] = append(given[e.text("recipient", "party")], e)
		}
	}
	owed := []Owed{}
	for _, party := range slices.Sorted(maps.Keys(given)) {
		all := given[party]
		first, last := ends(all)
		share := Share{Party: party, Events: uint64(len(all)), First: first, Last: last, Categories: []string{"contact"}, Purposes: []string{"service_provision"},
			Agreements: []string{}, Roles: []string{}, Classes: map[string]uint64{}}
		for _, e := range all {
			share.Roles = append(share.Roles, e.text("recipient", "role"))
			if e.class != "" {
				share.Classes[e.class]++
			}
		}
		slices.Sort(share.Roles)
		share.Roles = slices.Compact(share.Roles)
		owed = append(owed, Owed{share, toldOf(listed, party, opened, last.Time)})
	}
	return owed
}

// toldOf is how a party was told after it last received something.
func toldOf(listed []lived, party string, opened uint64, last time.Time) (told *Told) {
	for _, e := range listed {
		if e.kind == "subject.recipient-notified" && e.position > opened && e.text("about") == "erasure" && e.text("recipient", "party") == party &&
			!e.at.Before(last) && (told == nil || e.at.After(told.Time.Time)) {
			told = &Told{e.position, Instant{e.at}, e.text("outcome")}
		}
	}
	return told
}

func legsOf(listed []lived) []Leg {
	legs := []Leg{}
	for _, e := range inOrder(listed, "data.deleted") {
		list, _ := e.data["legs"].([]any)
		for _, item := range list {
			leg := lived{data: item.(map[string]any)}
			next := Leg{e.text("deletion"), leg.text("kind"), leg.text("party"), leg.text("state"), leg.text("due"), leg.text("confirmed_at"), e.position, Instant{e.at}}
			legs = slices.DeleteFunc(legs, func(l Leg) bool {
				return l.Deletion == next.Deletion && l.Kind == next.Kind && l.Party == next.Party
			})
			legs = append(legs, next)
		}
	}
	slices.SortFunc(legs, func(a, b Leg) int {
		return cmp.Or(cmp.Compare(a.Deletion, b.Deletion), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Party, b.Party))
	})
	return legs
}

// inOrder are the events of some kinds in order of event time.
func inOrder(all []lived, kinds ...string) (some []lived) {
	for _, e := range all {
		if slices.Contains(kinds, e.kind) {
			some = append(some, e)
		}
	}
	slices.SortStableFunc(some, func(a, b lived) int { return a.at.Compare(b.at) })
	return some
}

func restrictionsOf(listed []lived) []Restriction {
	all := []Restriction{}
	for _, e := range inOrder(listed, "data.restricted", "data.unrestricted") {
		system, dataset := e.text("system"), e.text("dataset")
		if e.kind == "data.restricted" {
			all = append(all, Restriction{e.position, Instant{e.at}, e.kind, system, dataset})
			continue
		}
		all = slices.DeleteFunc(all, func(r Restriction) bool {
			return (system == "" || system == r.System) && (dataset == "" || dataset == r.Dataset)
		})
	}
	return all
}
