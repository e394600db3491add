package api

import (
	"time"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/projections/search"
)

// Scope is what every question can be bounded by. In a query it is parameters,
// in a body fields.
type Scope struct {
	From time.Time `query:"from" json:"from,omitempty" required:"false" doc:"event time: at this instant or later"`
	To   time.Time `query:"to" json:"to,omitempty" required:"false" doc:"event time: before this instant"`
	At   time.Time `query:"at" json:"at,omitempty" required:"false" doc:"as of this event time: nothing later, registers as they were in force"`
	Known
}

// Known is what even questions without a time of events can be bounded by.
type Known struct {
	KnownAt string `query:"known_at" json:"known_at,omitempty" required:"false" maxLength:"40" doc:"as known at this position, or at this recorded time (RFC 3339)"`
	Case    string `query:"case" json:"case,omitempty" required:"false" pattern:"^[a-z0-9][a-z0-9_.-]{0,63}$" patternDescription:"1 to 64 of a-z, 0-9, _, . and -" doc:"the case it is asked for; it is recorded with the question"`
}

// Facets are the filters of events: any of the values of a facet, and all
// facets named.
type Facets struct {
	Kind          []string `query:"kind" json:"kind,omitempty" required:"false" maxItems:"100" doc:"such as data.shared"`
	Family        []string `query:"family" json:"family,omitempty" required:"false" maxItems:"100"`
	Producer      []string `query:"producer" json:"producer,omitempty" required:"false" maxItems:"100"`
	Relay         []string `query:"relay" json:"relay,omitempty" required:"false" maxItems:"100"`
	System        []string `query:"system" json:"system,omitempty" required:"false" maxItems:"100"`
	Dataset       []string `query:"dataset" json:"dataset,omitempty" required:"false" maxItems:"100"`
	Environment   []string `query:"environment" json:"environment,omitempty" required:"false" maxItems:"100"`
	Category      []string `query:"category" json:"category,omitempty" required:"false" maxItems:"100"`
	Purpose       []string `query:"purpose" json:"purpose,omitempty" required:"false" maxItems:"100"`
	Basis         []string `query:"basis" json:"basis,omitempty" required:"false" maxItems:"100"`
	Activity      []string `query:"activity" json:"activity,omitempty" required:"false" maxItems:"100"`
	Origin        []string `query:"origin" json:"origin,omitempty" required:"false" maxItems:"100"`
	Recipient     []string `query:"recipient" json:"recipient,omitempty" required:"false" maxItems:"100" doc:"party that received; not the person"`
	RecipientRole []string `query:"recipient_role" json:"recipient_role,omitempty" required:"false" maxItems:"100"`
	ActorParty    []string `query:"actor_party" json:"actor_party,omitempty" required:"false" maxItems:"100" doc:"party whose staff acted"`
	ActorKind     []string `query:"actor_kind" json:"actor_kind,omitempty" required:"false" maxItems:"100"`
	ActorRole     []string `query:"actor_role" json:"actor_role,omitempty" required:"false" maxItems:"100"`
	Unit          []string `query:"unit" json:"unit,omitempty" required:"false" maxItems:"100"`
	Party         []string `query:"party" json:"party,omitempty" required:"false" maxItems:"100" doc:"any party that the event names"`
	Class         []string `query:"class" json:"class,omitempty" required:"false" maxItems:"100" doc:"transfer class: T0 T1 T1f T2 T3 T4 T5 U"`
	Region        []string `query:"region" json:"region,omitempty" required:"false" maxItems:"100"`
	Country       []string `query:"country" json:"country,omitempty" required:"false" maxItems:"100" doc:"any place of the party or the event"`
	Agreement     []string `query:"agreement" json:"agreement,omitempty" required:"false" maxItems:"100"`
	Tool          []string `query:"tool" json:"tool,omitempty" required:"false" maxItems:"100" doc:"transfer tool"`
	Mode          []string `query:"mode" json:"mode,omitempty" required:"false" maxItems:"100"`
	Special       []string `query:"special" json:"special,omitempty" required:"false" maxItems:"2" doc:"true: it says special categories"`
	SubjectRole   []string `query:"subject_role" json:"subject_role,omitempty" required:"false" maxItems:"100"`
	Retention     []string `query:"retention" json:"retention,omitempty" required:"false" maxItems:"100"`
	Art10         []string `query:"art10" json:"art10,omitempty" required:"false" maxItems:"2" doc:"true: criminal convictions"`
	BreakGlass    []string `query:"break_glass" json:"break_glass,omitempty" required:"false" maxItems:"2"`
	Secrecy       []string `query:"secrecy" json:"secrecy,omitempty" required:"false" maxItems:"100"`
	OurRole       []string `query:"our_role" json:"our_role,omitempty" required:"false" maxItems:"100"`
	Assertion     []string `query:"assertion" json:"assertion,omitempty" required:"false" maxItems:"100"`
	Artefact      []string `query:"artefact" json:"artefact,omitempty" required:"false" maxItems:"100"`
	Channel       []string `query:"channel" json:"channel,omitempty" required:"false" maxItems:"100"`
	Right         []string `query:"right" json:"right,omitempty" required:"false" maxItems:"100"`
	Outcome       []string `query:"outcome" json:"outcome,omitempty" required:"false" maxItems:"100"`
	Forgotten     []string `query:"forgotten" json:"forgotten,omitempty" required:"false" maxItems:"2"`
}

// Paging is how a list is cut.
type Paging struct {
	Limit  int    `query:"limit" json:"limit,omitempty" required:"false" minimum:"1" maximum:"1000" default:"100"`
	Order  string `query:"order" json:"order,omitempty" required:"false" enum:"oldest,newest" default:"oldest" doc:"by order of recording"`
	Cursor string `query:"cursor" json:"cursor,omitempty" required:"false" maxLength:"4096" doc:"next of the page before, with all else as it was"`
}

// any gives the facets that were filtered by.
func (f *Facets) any() map[search.Facet][]string {
	all := map[search.Facet][]string{
		search.Kind: f.Kind, search.Family: f.Family, search.Producer: f.Producer, search.Relay: f.Relay, search.System: f.System,
		search.Dataset: f.Dataset, search.Environment: f.Environment, search.Category: f.Category, search.Purpose: f.Purpose,
		search.Basis: f.Basis, search.Activity: f.Activity, search.Origin: f.Origin, search.Recipient: f.Recipient,
		search.RecipientRole: f.RecipientRole, search.ActorParty: f.ActorParty, search.ActorKind: f.ActorKind, search.ActorRole: f.ActorRole,
		search.ActorUnit: f.Unit, search.Party: f.Party, search.Class: f.Class, search.Region: f.Region, search.Country: f.Country,
		search.Agreement: f.Agreement, search.Tool: f.Tool, search.Mode: f.Mode, search.Special: f.Special,
		search.SubjectRole: f.SubjectRole, search.Retention: f.Retention, search.Forgotten: f.Forgotten,
		search.Art10: f.Art10, search.BreakGlass: f.BreakGlass, search.Secrecy: f.Secrecy, search.OurRole: f.OurRole,
		search.Assertion: f.Assertion, search.Artefact: f.Artefact, search.Channel: f.Channel, search.Right: f.Right, search.Outcome: f.Outcome,
	}
	for facet, values := range all {
		if len(values) == 0 {
			delete(all, facet)
		}
	}
	return all
}

// asked begins a question of a name.
func asked(name string, s Scope, f Facets, p Paging) ask.Question {
	return ask.Question{Name: name, Case: s.Case, From: s.From, To: s.To, At: s.At, KnownAt: s.KnownAt,
		Any: f.any(), Newest: p.Order == "newest", Limit: p.Limit, Cursor: p.Cursor}
}
