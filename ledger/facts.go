package ledger

import (
	"slices"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// fill gives e what its registered activity says and it leaves out: system,
// dataset, categories, purpose where the activity has one, basis where the
// purpose has one. It returns the names of what it filled in. An activity that
// is not registered fills in nothing and is warned of.
func (r *register) fill(e *events.Event) (*events.Event, []string) {
	name := e.Data.Get("activity").Text()
	if name == "" || e.Kind.Family() != "data" {
		return e, nil
	}
	a, ok := r.Activities[name]
	if !ok {
		e.Warnings = append(e.Warnings, "/data/activity")
		return e, nil
	}
	filled := *e
	var names []string
	put := func(name string, v events.Value) {
		if !filled.Data.Get(name).IsZero() {
			return
		}
		if data, ok := filled.Data.With(name, v); ok {
			filled.Data = data
			names = append(names, name)
		}
	}
	if a.System != "" {
		put("system", events.TextOf(a.System))
	}
	if a.Dataset != "" {
		put("dataset", events.TextOf(a.Dataset))
	}
	put("categories", events.TextsOf(a.Categories...))
	if len(a.Purposes) == 1 {
		put("purpose", events.TextOf(a.Purposes[0]))
	}
	if basis := a.Basis[filled.Data.Get("purpose").Text()]; basis != "" {
		put("basis", events.TextOf(basis))
	}
	return &filled, names
}

// facts is what the register knows about e as it stands: the importer's facts
// and the transfer class (events/law, GDPR Chapter V), and what later rules
// must see without opening a seal.
func (r *register) facts(e *events.Event) events.Facts {
	d := e.Data
	f := events.Facts{
		Special: len(d.Get("special").List()) > 0,
		A9:      !d.Get("a9").IsZero(),
		Art10:   d.Get("art10").Bool(),
	}
	q := r.question(e)
	verdict := law.Classify(q)
	if verdict.Class != law.None {
		f.Class, f.Tables = verdict.Class.String(), law.Version()
		f.Region, f.Outside = verdict.Region, slices.Sorted(slices.Values(verdict.Outside))
	}
	code := d.Get("recipient").Object().Get("party").Text()
	if code == "" || decidedByActor(q, verdict.Class) {
		code = d.Get("actor").Object().Get("party").Text()
	}
	f.Party = r.partyFacts(code, q.Day, d.Get("agreement").Text())
	return f
}

// question is what the class of e depends on, as the register stands.
func (r *register) question(e *events.Event) law.Facts {
	d := e.Data
	actor, recipient := d.Get("actor").Object(), d.Get("recipient").Object()
	location, own := d.Get("location").Object(), d.Get("transfer").Object()
	return law.Facts{
		Day: law.DayOf(e.At), Data: e.Kind.Family() == "data",
		ActorKind:     actor.Get("kind").Text(),
		ActorParty:    r.lawParty(actor.Get("party").Text()),
		RecipientRole: recipient.Get("role").Text(), RecipientParty: r.lawParty(recipient.Get("party").Text()),
		Storage: location.Get("storage").Texts(), Access: location.Get("access").Texts(),
		Tool: law.Tool{Code: own.Get("tool").Text(), Reference: own.Get("tool_ref").Text()},
	}
}

// partyAsStored is the party's facts of an event that other legal tables decided: which of its two importers was the
// graver, and which tool gave the best ground, is taken as stored. All else follows from the register.
func (r *register) partyAsStored(e *events.Event, stored *events.Party) *events.Party {
	var f *events.Party
	for _, importer := range []string{"recipient", "actor"} {
		code := e.Data.Get(importer).Object().Get("party").Text()
		if code == "" {
			continue
		}
		f = r.partyFacts(code, law.DayOf(e.At), e.Data.Get("agreement").Text())
		if f == nil && stored == nil {
			return nil
		}
		if f != nil && stored != nil && f.Code == stored.Code {
			f.Tool, f.ToolRef = stored.Tool, stored.ToolRef
			return f
		}
	}
	return f
}

// decidedByActor reports whether the class of an event with two importers, its
// recipient and its actor's party, is that of the actor's: the graver of the two
// counts, and that one's facts are stored.
func decidedByActor(q law.Facts, class law.Class) bool {
	if q.ActorKind != "processor" && q.ActorKind != "contractor" {
		return false
	}
	q.ActorKind = ""
	return law.Classify(q).Class != class
}

// lawParty is a registered party as the law package reads it, or nil.
func (r *register) lawParty(code string) *law.Party {
	p, ok := r.Parties[code]
	if !ok {
		return nil
	}
	q := &law.Party{
		Country: p.Country, Storage: p.Storage, Access: p.Access,
		InternationalOrganisation: p.International, PIPEDA: p.PIPEDA,
	}
	if p.DPF != nil && p.DPF.Listed {
		q.DPF = span("", p.DPF.Until)
	}
	for _, t := range r.Tools[code] {
		q.Tools = append(q.Tools, t.law())
	}
	return q
}

// law is the tool as the law package reads it.
func (t tool) law() law.RegisteredTool {
	return law.RegisteredTool{
		Tool: law.Tool{Code: t.Tool, Reference: t.Ref}, Instrument: t.Instrument, Interval: span(t.From, t.To),
	}
}

// span is the days from first to last, both included; "" leaves an end open.
func span(first, last string) law.Interval {
	from, until := law.Past, law.Forever
	if d, err := law.ParseDay(first); err == nil {
		from = d
	}
	if d, err := law.ParseDay(last); err == nil {
		until = d
	}
	return law.Through(from, until)
}

// partyFacts is what is stored of a party with an event: its registration, the
// agreement in force on the event's day, and of the transfer tools in force the
// one that gives the best ground, the latest if several do.
func (r *register) partyFacts(code string, day law.Day, agreement string) *events.Party {
	p, ok := r.Parties[code]
	if !ok {
		return nil
	}
	f := &events.Party{
		Code: code, Position: p.Position, Country: p.Country, Storage: p.Storage, Access: p.Access,
		InternationalOrganisation: p.International, PIPEDA: p.PIPEDA, ParentCountry: p.Parent,
	}
	if p.DPF != nil {
		f.DPF = &events.DPF{Listed: p.DPF.Listed, HR: p.DPF.HR, Until: p.DPF.Until}
	}
	for _, a := range r.Agreements[code] {
		if span(a.From, a.To).Holds(day) && (agreement == "" || a.Ref == agreement) {
			f.Agreement = a.Ref
		}
	}
	best := law.None
	for _, t := range r.Tools[code] {
		if class := law.Grounds(t.law(), day); span(t.From, t.To).Holds(day) && (best == law.None || class <= best) {
			best, f.Tool, f.ToolRef = class, t.Tool, t.Ref
		}
	}
	return f
}
