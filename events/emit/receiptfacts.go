package emit

import (
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// withoutDefaults is the stored event without what the ledger says that it filled in from the registered activity: of
// what was sent, that is missing then. Which fields it may be is in the catalogue, so no stored event names another.
func (d *differences) withoutDefaults(got *events.Stored) *events.Event {
	e := *got.Event
	if len(got.Facts.Defaulted) > 0 && e.Data.Get("activity").IsZero() {
		d.add("/data/ledger/defaulted")
		return &e
	}
	for _, name := range got.Facts.Defaulted {
		e.Data, _ = e.Data.With(name, events.Value{})
	}
	return &e
}

// facts compares what the ledger added with what it had to, as far as that is known without its register.
func (d *differences) facts(want, got *events.Stored, position uint64) {
	w, g, data := &want.Facts, &got.Facts, want.Event.Data
	refers := func(field string, to uint64) bool { return to == 0 || to < position && !data.Get(field).IsZero() }
	for _, f := range [...]struct {
		name string
		same bool
	}{
		{"special", w.Special == g.Special}, {"a9", w.A9 == g.A9}, {"art10", w.Art10 == g.Art10},
		{"party", g.Party == nil || g.Party.Code == partyOf(data, "recipient") || g.Party.Code == partyOf(data, "actor")},
		{"class", classed(want.Event, g)},
		{"basis_ref", refers("basis_ref", g.BasisRef)},
		{"reference", refers("reference", g.Reference)},
	} {
		if !f.same {
			d.add("/data/ledger/" + f.name)
		}
	}
}

func partyOf(data events.Object, of string) string { return data.Get(of).Object().Get("party").Text() }

// classed reports whether the class, the region and the countries outside follow from the event and from the party
// that the receipt names, as the package law of this program decides. It is true where that is not known: under
// other tables, and where two organisations receive data, of which a receipt shows one.
func classed(e *events.Event, f *events.Facts) bool {
	if f.Tables != "" && f.Tables != law.Version() {
		return true
	}
	q, one := classQuestion(e, f.Party)
	if !one {
		return true
	}
	// Of the registered tools a receipt shows the best one in force, and not the clauses it was signed under. What
	// the others could change is whether a former adequacy decision applied.
	tools := [][]law.RegisteredTool{nil}
	if f.Party != nil && f.Party.Tool != "" {
		best := law.RegisteredTool{Tool: law.Tool{Code: f.Party.Tool, Reference: f.Party.ToolRef}, Interval: law.Always()}
		tools = [][]law.RegisteredTool{{best}}
		for _, code := range [...]string{"privacy-shield", "safe-harbour"} {
			former := law.RegisteredTool{Tool: law.Tool{Code: code, Reference: "any"}, Interval: law.Always()}
			tools = append(tools, []law.RegisteredTool{best, former})
		}
		if f.Party.Tool == "A46-2-c" {
			tools = append(tools, nil)
		}
	}
	return slices.ContainsFunc(tools, func(list []law.RegisteredTool) bool {
		for _, p := range [...]*law.Party{q.RecipientParty, q.ActorParty} {
			if p != nil {
				p.Tools = list
			}
		}
		v := law.Classify(q)
		return v.Class.String() == f.Class && v.Region == f.Region && slices.Equal(slices.Sorted(slices.Values(v.Outside)), f.Outside)
	})
}

// classQuestion is what the class of an event depends on, but for registered tools. one is false if two
// organisations receive data.
func classQuestion(e *events.Event, registered *events.Party) (q law.Facts, one bool) {
	d := e.Data
	actor, recipient := d.Get("actor").Object(), d.Get("recipient").Object()
	location, own := d.Get("location").Object(), d.Get("transfer").Object()
	q = law.Facts{
		Day: law.DayOf(e.At), Data: e.Kind.Family() == "data",
		ActorKind: actor.Get("kind").Text(), RecipientRole: recipient.Get("role").Text(),
		Storage: location.Get("storage").Texts(), Access: location.Get("access").Texts(),
		Tool: law.Tool{Code: own.Get("tool").Text(), Reference: own.Get("tool_ref").Text()},
	}
	receives := q.RecipientRole != "" && q.RecipientRole != "subject"
	acts := q.Data && (q.ActorKind == "processor" || q.ActorKind == "contractor")
	party := lawParty(registered)
	switch {
	case receives && acts:
		return q, false
	case receives && registered != nil && registered.Code == recipient.Get("party").Text():
		q.RecipientParty = party
	case acts && registered != nil && registered.Code == actor.Get("party").Text():
		q.ActorParty = party
	}
	return q, true
}

// lawParty is a party as a receipt shows it, but for its tools.
func lawParty(p *events.Party) *law.Party {
	if p == nil {
		return nil
	}
	q := &law.Party{Country: p.Country, Storage: p.Storage, Access: p.Access, InternationalOrganisation: p.InternationalOrganisation, PIPEDA: p.PIPEDA}
	if p.DPF != nil && p.DPF.Listed {
		until, err := law.ParseDay(p.DPF.Until)
		if err != nil {
			until = law.Forever
		}
		q.DPF = law.Through(law.Past, until)
	}
	return q
}
