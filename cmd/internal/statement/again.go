package statement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger"
)

// again gathers events by all that their class depends on, so that those alike are
// decided again once.
type again struct {
	alike map[string]*alike
}

// alike are events that have the same class under any tables and register.
type alike struct {
	st        *events.Stored // one of them
	was       law.Class
	positions []uint64
}

func newAgain() *again { return &again{map[string]*alike{}} }

// add takes in an event of the range, if there are tables and a register under
// which it has a class.
func (a *again) add(e *entry) {
	d := e.st.Event.Data
	recipient, actor, location, own := d.Get("recipient").Object(), d.Get("actor").Object(), d.Get("location").Object(), d.Get("transfer").Object()
	data, given := e.st.Event.Kind.Family() == "data", recipient.Get("role").Text()
	if e.class == law.None && (given == "" || given == "subject") && (!data || location.Get("access").IsZero()) {
		return
	}
	key := fmt.Sprint(e.day, e.class, data, given, recipient.Get("party").Text(), " ", actor.Get("kind").Text(), actor.Get("party").Text(), " ",
		own.Get("tool").Text(), own.Get("tool_ref").Text(), " ",
		strings.Join(location.Get("storage").Texts(), ","), " ", strings.Join(location.Get("access").Texts(), ","))
	group := a.alike[key]
	if group == nil {
		group = &alike{st: e.st, was: e.class}
		a.alike[key] = group
	}
	group.positions = append(group.positions, e.position)
}

// decide classes every event again, under the tables of this program and all that
// is in the register.
func (a *again) decide(b *book) Again {
	type change struct{ was, now law.Class }
	out, changed := Again{Tables: law.Version()}, map[change][]uint64{}
	for _, group := range a.alike {
		now := ledger.Explain(group.st, b.rulings(group.st.Event)).Class
		n := uint64(len(group.positions))
		switch {
		case now == group.was:
			out.Same += n
		default:
			key := change{group.was, now}
			changed[key] = append(changed[key], group.positions...)
		}
		if now != law.None || group.was != law.None {
			out.Events += n
		} else {
			out.Same -= n // it is none of those that have a class
		}
	}
	for key, positions := range changed {
		slices.Sort(positions)
		out.Differences = append(out.Differences, Difference{named(key.was), named(key.now), uint64(len(positions)), positions})
	}
	slices.SortFunc(out.Differences, func(a, b Difference) int { return compareTexts(a.Was, b.Was, a.Now, b.Now) })
	return out
}

// none is how a statement writes that an event has no class.
const none = "none"

func named(c law.Class) string {
	if c == law.None {
		return none
	}
	return c.String()
}

// rulings yields all that was registered about the parties of an event.
func (b *book) rulings(e *events.Event) func(func(uint64, *events.Stored) bool) {
	return func(yield func(uint64, *events.Stored) bool) {
		for _, code := range ledger.Parties(e) {
			for _, r := range b.rules[code] {
				if !yield(r.position, r.st) {
					return
				}
			}
		}
	}
}
