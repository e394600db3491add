package search

// A Facet is a property of events by which they are searched, counted and grouped. An event may have several values of
// one. Its number is stored; a change of the numbers needs another version of the view.
type Facet uint8

// The facets. A code is what the catalogue of events calls one.
const (
	Kind          Facet = 1 + iota // name of the kind: data.shared
	Family                         // of kinds: data, subject, governance, breach, ledger
	Retention                      // class of keys: access, disclosure, legal-state, governance, breach, operation
	Producer                       // name of the source, without its slash
	Relay                          // code of who sent for the source
	System                         // code
	Dataset                        // code
	Environment                    // prod, test
	Category                       // code of each category of data
	Purpose                        // code of each purpose
	Basis                          // A6-1-a to A6-1-f
	Activity                       // code
	Origin                         // of collected data: web_form, referral, ...
	Recipient                      // code of the party that received; none when that is the data subject
	RecipientRole                  // client, processor, ..., subject
	Party                          // code of each party the event names: recipient, actor's, registered, origin, ...
	ActorParty                     // code of the actor's party
	ActorKind                      // human, contractor, service, processor, subject, authority
	ActorRole                      // code
	ActorUnit                      // code of the actor's unit
	Country                        // each place: of the location, of the importer as registered then, of what is registered
	Region                         // the outside country if there is exactly one, ZZ if several or unknown
	Class                          // of transfer: T0 T1 T1f T2 T3 T4 T5 U
	Agreement                      // the event's, or the one in force with the importer then
	Tool                           // transfer tool: the event's, or the importer's then
	Mode                           // of access: view, search, list, print, download, api
	SubjectRole                    // candidate, employee, ...
	Special                        // "true": special categories (Art. 9(1) GDPR)
	Art10                          // "true": criminal convictions (Art. 10 GDPR)
	BreakGlass                     // "true"
	Forgotten                      // "true": its keys' period was forgotten before it came
	Secrecy                        // inquiry, privilege
	OurRole                        // controller, joint_controller, processor, subprocessor
	Assertion                      // observed, declared, inferred, reconciled
	Artefact                       // code of the type of what was made or shared
	Channel                        // code
	Right                          // of a request: A15, A16, ..., complaint
	Outcome                        // code
	facetsEnd
)

// names has the facets' names, in the order of their numbers.
var names = [facetsEnd]string{
	Kind: "kind", Family: "family", Retention: "retention", Producer: "producer", Relay: "relay", System: "system",
	Dataset: "dataset", Environment: "environment", Category: "category", Purpose: "purpose", Basis: "basis",
	Activity: "activity", Origin: "origin", Recipient: "recipient", RecipientRole: "recipient_role", Party: "party",
	ActorParty: "actor_party", ActorKind: "actor_kind", ActorRole: "actor_role", ActorUnit: "unit", Country: "country",
	Region: "region", Class: "class", Agreement: "agreement", Tool: "tool", Mode: "mode", SubjectRole: "subject_role",
	Special: "special", Art10: "art10", BreakGlass: "break_glass", Forgotten: "forgotten", Secrecy: "secrecy",
	OurRole: "our_role", Assertion: "assertion", Artefact: "artefact", Channel: "channel", Right: "right", Outcome: "outcome",
}

// String is the facet's name, as parameters and answers have it; "" for no facet.
func (f Facet) String() string {
	if f >= facetsEnd {
		return ""
	}
	return names[f]
}

// Facets lists all facets, in the order of their numbers.
func Facets() []Facet {
	all := make([]Facet, 0, facetsEnd-1)
	for f := Kind; f < facetsEnd; f++ {
		all = append(all, f)
	}
	return all
}

// ParseFacet finds a facet by its name.
func ParseFacet(name string) (Facet, bool) {
	for f := Kind; f < facetsEnd; f++ {
		if names[f] == name {
			return f, true
		}
	}
	return 0, false
}
