package search

import (
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

const yes = "true"

// facets gives put each value of each facet of an event, some of them more than once.
func facets(e *projections.Event, put func(Facet, string)) {
	st := e.Stored
	kind := st.Event.Kind
	put(Kind, kind.Name())
	put(Family, kind.Family())
	put(Retention, kind.Retention().String())
	put(Producer, producer(st.Event.Source))
	put(Relay, st.Relay)
	x := extraction{put: put}
	for name, v := range st.Event.Data.All() {
		x.field(name, v)
	}
	x.facts(&st.Facts)
}

func producer(source string) string {
	if len(source) > 0 && source[0] == '/' {
		return source[1:]
	}
	return source
}

// An extraction goes through the clear fields of one event's data.
type extraction struct {
	put             func(Facet, string)
	agreement, tool bool // the event has its own
}

// field takes what one field of the data says. Fields that it does not know say nothing that is a facet.
func (x *extraction) field(name string, v events.Value) {
	switch name {
	case "actor":
		x.actor(v.Object())
	case "recipient":
		x.recipient(v.Object())
	case "subjects":
		x.subjects(v)
	case "location":
		x.texts(Country, v.Object().Get("storage"))
		x.texts(Country, v.Object().Get("access"))
	case "country":
		x.put(Country, v.Text())
	case "storage", "access", "countries":
		x.texts(Country, v)
	case "party", "origin_party", "on_behalf_of", "subprocessor":
		x.put(Party, v.Text())
	case "subprocessor_of", "hosted_by", "recipients":
		x.texts(Party, v)
	case "legs":
		for _, leg := range v.List() {
			x.put(Party, leg.Object().Get("party").Text())
		}
	case "categories":
		x.texts(Category, v)
	case "purposes":
		x.texts(Purpose, v)
	case "agreement":
		x.agreement = true
		x.put(Agreement, v.Text())
	case "transfer":
		x.tool = true
		x.put(Tool, v.Object().Get("tool").Text())
	case "tool":
		x.tool = true
		x.put(Tool, v.Text())
	case "break_glass":
		x.flag(BreakGlass, v.Bool())
	case "artefact":
		x.put(Artefact, v.Object().Get("type").Text())
	default:
		x.put(textFacet(name), v.Text())
	}
}

// textFacet is the facet of a field that holds one text; none for any other.
func textFacet(name string) Facet {
	switch name {
	case "system":
		return System
	case "dataset":
		return Dataset
	case "environment":
		return Environment
	case "category":
		return Category
	case "purpose":
		return Purpose
	case "basis":
		return Basis
	case "activity":
		return Activity
	case "origin":
		return Origin
	case "mode":
		return Mode
	case "secrecy":
		return Secrecy
	case "our_role":
		return OurRole
	case "assertion":
		return Assertion
	case "channel":
		return Channel
	case "right":
		return Right
	case "outcome":
		return Outcome
	}
	return 0
}

func (x *extraction) actor(actor events.Object) {
	x.put(ActorKind, actor.Get("kind").Text())
	x.put(ActorRole, actor.Get("role").Text())
	x.put(ActorUnit, actor.Get("unit").Text())
	party := actor.Get("party").Text()
	x.put(ActorParty, party)
	x.put(Party, party)
}

// recipient leaves out the party when the recipient is the data subject.
func (x *extraction) recipient(recipient events.Object) {
	role, party := recipient.Get("role").Text(), recipient.Get("party").Text()
	x.put(RecipientRole, role)
	if role != "subject" {
		x.put(Recipient, party)
		x.put(Party, party)
	}
	x.put(Party, recipient.Get("via").Text())
}

// subjects gives each role; runs of one, which are the rule, once.
func (x *extraction) subjects(subjects events.Value) {
	before := ""
	for _, s := range subjects.List() {
		if role := s.Object().Get("role").Text(); role != before {
			x.put(SubjectRole, role)
			before = role
		}
	}
}

func (x *extraction) facts(f *events.Facts) {
	x.put(Class, f.Class)
	x.put(Region, f.Region)
	x.flag(Special, f.Special)
	x.flag(Art10, f.Art10)
	x.flag(Forgotten, f.Forgotten)
	p := f.Party
	if p == nil {
		return
	}
	x.put(Country, p.Country)
	for _, country := range p.Storage {
		x.put(Country, country)
	}
	for _, country := range p.Access {
		x.put(Country, country)
	}
	if !x.agreement {
		x.put(Agreement, p.Agreement)
	}
	if !x.tool {
		x.put(Tool, p.Tool)
	}
}

func (x *extraction) texts(f Facet, list events.Value) {
	for _, v := range list.List() {
		x.put(f, v.Text())
	}
}

func (x *extraction) flag(f Facet, set bool) {
	if set {
		x.put(f, yes)
	}
}
