package statement

import (
	"slices"
	"strings"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger"
)

// again gathers events by all that their class depends on, so that those alike are
// decided again once.
type again struct{ groups map[likeness]*alike }

// A likeness is what the class of an event depends on, but for the register and the
// tables, and the class that it has.
type likeness struct {
	day             law.Day
	was             law.Class
	data            bool
	role, to        string
	kind, by        string
	tool, ref       string
	storage, access string
}

// alike are events that have the same class under any tables and register.
type alike struct {
	st        *events.Stored // one of them
	positions []uint64
}

func newAgain() *again { return &again{map[likeness]*alike{}} }

// add takes in an event of the range, if there are tables and a register under
// which it has a class.
func (a *again) add(e *entry) {
	l := likenessOf(e)
	others := l.data && (l.kind == "processor" || l.kind == "contractor")
	abroad := l.data && l.kind == "human" && l.access != ""
	if l.was == law.None && (l.role == "" || l.role == "subject") && !others && !abroad {
		return
	}
	group := a.groups[l]
	if group == nil {
		group = &alike{st: e.st}
		a.groups[l] = group
	}
	group.positions = append(group.positions, e.position)
}

func likenessOf(e *entry) likeness {
	d := e.st.Event.Data
	recipient, actor, location, own := d.Get("recipient").Object(), d.Get("actor").Object(), d.Get("location").Object(), d.Get("transfer").Object()
	return likeness{
		day: e.day, was: e.class, data: e.st.Event.Kind.Family() == "data",
		role: recipient.Get("role").Text(), to: recipient.Get("party").Text(), kind: actor.Get("kind").Text(), by: actor.Get("party").Text(),
		tool: own.Get("tool").Text(), ref: own.Get("tool_ref").Text(),
		storage: strings.Join(location.Get("storage").Texts(), " "), access: strings.Join(location.Get("access").Texts(), " "),
	}
}

// decide classes every event again, under the tables of this program and all that
// is in the register.
func (a *again) decide(b *book) Again {
	type change struct{ was, now law.Class }
	out, changed := Again{Tables: law.Version()}, map[change][]uint64{}
	for l, group := range a.groups {
		now := ledger.Explain(group.st, b.rulings(group.st.Event)).Class
		n := uint64(len(group.positions))
		switch key := (change{l.was, now}); {
		case now == law.None && l.was == law.None:
			continue
		case now == l.was:
			out.Same += n
		default:
			changed[key] = append(changed[key], group.positions...)
		}
		out.Events += n
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
