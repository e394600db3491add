package emit

import "github.com/imalink/custody/events"

// About is what every act of the family subject says: what a person was told, allowed, refused or asked.
type About struct {
	discreet
	Subjects []Subject
	Actor    Actor

	System     string
	OurRole    OurRole
	OnBehalfOf string // code of the controller, where OurRole is processor or subprocessor
	Reference  string
	Reason     string // at most 200 characters; sealed
	Assertion  Assertion
	Bulk       Bulk
}

func (a About) write(w *writer) {
	common(w, a.Actor, a.Assertion, a.Reference, a.Reason)
	writeSubjects(w, a.Subjects)
	text(w, "system", a.System)
	a.Bulk.write(w)
	text(w, "our_role", a.OurRole)
	text(w, "on_behalf_of", a.OnBehalfOf)
}

// ConsentGiven says that a person consented (Art. 7 GDPR).
type ConsentGiven struct {
	About
	Purposes    []string // codes
	Method      ConsentMethod
	Explicit    bool   // Art. 9(2)(a), 22(2)(c), 49(1)(a)
	Channel     string // a code
	TextVersion string // code of what the person was shown
	TextSHA256  string // 64 lower-case hex digits
	EvidenceRef string
	Expires     string // a day, YYYY-MM-DD
}

// ConsentWithdrawn says that a person withdrew consent (Art. 7(3) GDPR).
type ConsentWithdrawn struct {
	About
	Purposes []string
	Channel  string
	Request  string // reference of the person's request
}

// ObjectionRaised says that a person objected (Art. 21 GDPR).
type ObjectionRaised struct {
	About
	Scope    Scope
	Purposes []string
	Channel  string
	Request  string
}

// ObjectionDecided says what became of an objection.
type ObjectionDecided struct {
	About
	Scope      Scope
	Overridden bool   // compelling legitimate grounds (Art. 21(1)); otherwise it was upheld
	GroundsRef string // reference of the assessment
}

// Kind is events.SubjectConsentGiven.
func (ConsentGiven) Kind() events.Kind { return events.SubjectConsentGiven }

// Kind is events.SubjectConsentWithdrawn.
func (ConsentWithdrawn) Kind() events.Kind { return events.SubjectConsentWithdrawn }

// Kind is events.SubjectObjectionRaised.
func (ObjectionRaised) Kind() events.Kind { return events.SubjectObjectionRaised }

// Kind is events.SubjectObjectionDecided.
func (ObjectionDecided) Kind() events.Kind { return events.SubjectObjectionDecided }

func (a ConsentGiven) data(w *writer) {
	a.write(w)
	texts(w, "purposes", a.Purposes)
	text(w, "method", a.Method)
	w.yes("explicit", a.Explicit)
	text(w, "channel", a.Channel)
	text(w, "text_version", a.TextVersion)
	text(w, "text_sha256", a.TextSHA256)
	text(w, "evidence_ref", a.EvidenceRef)
	text(w, "expires", a.Expires)
}

func (a ConsentWithdrawn) data(w *writer) {
	a.write(w)
	texts(w, "purposes", a.Purposes)
	text(w, "channel", a.Channel)
	text(w, "request", a.Request)
}

func (a ObjectionRaised) data(w *writer) {
	a.write(w)
	text(w, "scope", a.Scope)
	texts(w, "purposes", a.Purposes)
	text(w, "channel", a.Channel)
	text(w, "request", a.Request)
}

func (a ObjectionDecided) data(w *writer) {
	a.write(w)
	text(w, "scope", a.Scope)
	outcome := "upheld"
	if a.Overridden {
		outcome = "overridden"
	}
	text(w, "outcome", outcome)
	text(w, "grounds_ref", a.GroundsRef)
}
