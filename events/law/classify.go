package law

import "slices"

// Facts is everything the class of one event depends on: what the event says, and what the register said
// of its parties when it was recorded. Words are those of the event schema; places are ISO 3166-1 codes.
type Facts struct {
	Day  Day  // the UTC day of the event's time
	Data bool // the event is of the data family

	ActorKind  string // "human" is own staff; "" is none
	ActorParty *Party // of a processor or contractor; nil if not registered

	RecipientRole  string // "" if the event has no recipient
	RecipientParty *Party // nil if not registered

	Storage, Access []string // the event's own location
	Tool            Tool     // the event's own transfer tool
}

// A Party is what the register holds of an organisation.
type Party struct {
	Country                   string
	Storage, Access           []string
	InternationalOrganisation bool // GDPR Art. 4(26): a transfer even where it sits inside
	DPF                       Interval
	PIPEDA                    bool
	// Tools are the registered tools, one for each (code, reference): a later registration replaces.
	Tools []RegisteredTool
}

// A Tool is a transfer tool as an event names it. Its zero value is none.
type Tool struct{ Code, Reference string }

// A RegisteredTool is one that holds for a party during some days.
type RegisteredTool struct {
	Tool
	Instrument string // of an A46-2-c tool, see [Instruments]; "" if not said
	Interval
}

// A Verdict is the class of an event and what it rests on.
type Verdict struct {
	Class   Class
	Region  string   // the outside country if exactly one, "ZZ" if several or unknown, "" if none
	Outside []string // the outside countries, canonical, in order of appearance
	Why     []Step
}

// A Step is one fact a verdict rests on, with the source that gives it weight. Its texts are constants
// and codes: they hold nothing of a person.
type Step struct {
	Fact     string // what was looked at, such as "IN" or "A46-2-c"
	Finding  string
	Source   string // "" where the register or the event itself is the source
	Verified bool   // somebody checked the row against its source
}

// Classify decides the class of an event.
//
// An event with a recipient other than the data subject makes data available to that recipient; a data event
// by staff of a processor or contractor makes it available to them (EDPB Guidelines 05/2021, section 2.2). An
// event that does both has the graver of the two classes. A data event by own staff from outside the EEA is
// no transfer. Other events have no class.
//
// A code that is not a place is no evidence of being inside or adequate, so it gives U unless a known outside
// place decides.
func Classify(f Facts) Verdict {
	var v Verdict
	if f.RecipientRole != "" && f.RecipientRole != "subject" {
		v = f.importer(f.RecipientParty, f.Tool)
	}
	if !f.Data {
		return v
	}
	switch f.ActorKind {
	case "processor":
		return graver(v, f.atOurSystems(f.ActorParty, false, v.Class == None))
	case "contractor":
		return graver(v, f.atOurSystems(f.ActorParty, true, v.Class == None))
	case "human":
		if v.Class == None {
			return f.ownStaff()
		}
	}
	return v
}

// importer classes making data available to a recipient.
func (f *Facts) importer(p *Party, own Tool) Verdict {
	if p == nil {
		return unregistered()
	}
	a := f.assess(p)
	if len(p.Storage)+len(f.Storage) == 0 {
		return a.verdict(U, Step{Fact: "storage", Finding: "no storage place known"})
	}
	return a.transfer(p, own)
}

// atOurSystems classes showing data to staff of others: they store where they are established. The event's own
// tool is for its only importer.
func (f *Facts) atOurSystems(p *Party, contractor, only bool) Verdict {
	if p == nil {
		return unregistered()
	}
	if contractor && PlaceOn(p.Country, f.Day).Status.Inside() && !p.InternationalOrganisation {
		a := assessment{day: f.Day}
		a.look(p.Access, f.Access)
		return a.working(T1f)
	}
	a, own := f.assess(p), Tool{}
	if only {
		own = f.Tool
	}
	return a.transfer(p, own)
}

// ownStaff classes work of own staff: it has a class only where it is, or may be, done from outside.
func (f *Facts) ownStaff() Verdict {
	a := assessment{day: f.Day}
	a.look(f.Access)
	if len(a.outside) == 0 && !a.unknown {
		return Verdict{}
	}
	return a.working(T1)
}

func unregistered() Verdict {
	a := assessment{}
	return a.verdict(U, Step{Fact: "party", Finding: "not registered when the event was recorded"})
}

// graver joins the verdicts over the two importers of one event.
func graver(v, w Verdict) Verdict {
	switch {
	case v.Class == None:
		return w
	case w.Class.gravity() > v.Class.gravity():
		v.Class = w.Class
	}
	for _, code := range w.Outside {
		if !slices.Contains(v.Outside, code) {
			v.Outside = append(v.Outside, code)
		}
	}
	v.Region = region(v.Outside, v.Region == unknownRegion || w.Region == unknownRegion)
	v.Why = append(v.Why, w.Why...)
	return v
}

// unknownRegion is the ISO 3166-1 user-assigned code for "several or unknown".
const unknownRegion = "ZZ"

func region(outside []string, unknown bool) string {
	switch {
	case unknown || len(outside) > 1:
		return unknownRegion
	case len(outside) == 1:
		return outside[0]
	}
	return ""
}
