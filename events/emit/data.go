package emit

import "github.com/imalink/custody/events"

// Collected says that data were obtained, from the person or elsewhere (Art. 13 and 14 GDPR).
type Collected struct {
	Processing
	Origin      Origin
	OriginParty string // code of who gave them
	Context     string // a code
	NoticeRef   string // reference of the notice given
	Retention   string // code of the retention rule
}

// Accessed says that data were looked at, searched, listed, printed, downloaded or read by a program.
type Accessed struct {
	Processing
	Mode        Mode
	ResultCount Number
	BreakGlass  bool // an emergency access beyond the actor's rights
}

// Used says that data were used for something: matched, assessed, decided upon.
type Used struct {
	Processing
	Automation     Automation
	Significant    bool // legal or similarly significant effects (Art. 22 GDPR)
	HumanReviewRef string
	Profiling      bool
}

// Shared says that data were disclosed to somebody.
type Shared struct {
	Processing
	Recipient  Recipient
	Artefact   Artefact
	Agreement  string // reference of the agreement it rests on
	Instrument string // reference, such as an authority's order
	Transfer   Transfer
}

// Transferred says that data went, or became accessible, to a third country or an international organisation
// (Chapter V GDPR).
type Transferred struct {
	Processing
	Recipient Recipient
	Transfer  Transfer
	Agreement string
}

// Deleted says that data were deleted, from where, and where they still are.
type Deleted struct {
	Processing
	Deletion string // a reference of this deletion
	Method   Erasure
	Trigger  DeletionCause
	Legs     []Leg
	Request  string // reference of the person's request
}

// Contacted says that a person was written to or called.
type Contacted struct {
	Processing
	Channel            Medium
	Class              ContactClass
	Content            Content
	Campaign           string // a code
	Promotional        bool
	OptOutPresent      bool
	SuppressionVersion Number // of the suppression list that was consulted
}

// A Recipient is somebody who was given data (Art. 4(9) GDPR).
type Recipient struct {
	Party string // its code in the register
	Role  RecipientRole
	Via   string // code of the party that passed them on
}

// An Artefact is what was made of the data and given away, such as a CV in the house style.
type Artefact struct {
	ID       string // a reference
	Type     string // a code
	Template string // a code
}

// A Transfer is what allows data to leave the EEA.
type Transfer struct {
	Tool          TransferTool
	ToolRef       string // reference of the contract
	AssessmentRef string // reference of the transfer impact assessment
}

// A Leg is one place that a deletion must reach.
type Leg struct {
	Kind        LegKind
	State       LegState
	Party       string
	Due         string // a day, YYYY-MM-DD
	ConfirmedAt string // an instant, RFC 3339
	AttestRef   string // reference of the confirmation
}

// Kind is events.DataCollected.
func (Collected) Kind() events.Kind { return events.DataCollected }

// Kind is events.DataAccessed.
func (Accessed) Kind() events.Kind { return events.DataAccessed }

// Kind is events.DataUsed.
func (Used) Kind() events.Kind { return events.DataUsed }

// Kind is events.DataShared.
func (Shared) Kind() events.Kind { return events.DataShared }

// Kind is events.DataTransferred.
func (Transferred) Kind() events.Kind { return events.DataTransferred }

// Kind is events.DataDeleted.
func (Deleted) Kind() events.Kind { return events.DataDeleted }

// Kind is events.DataContacted.
func (Contacted) Kind() events.Kind { return events.DataContacted }

func (a Collected) data(w *writer) {
	a.write(w)
	text(w, "origin", a.Origin)
	text(w, "origin_party", a.OriginParty)
	text(w, "context", a.Context)
	text(w, "notice_ref", a.NoticeRef)
	text(w, "retention", a.Retention)
}

func (a Accessed) data(w *writer) {
	a.write(w)
	text(w, "mode", a.Mode)
	w.number("result_count", a.ResultCount)
	w.yes("break_glass", a.BreakGlass)
}

func (a Used) data(w *writer) {
	a.write(w)
	text(w, "automation", a.Automation)
	if a.Significant {
		text(w, "effect", "significant")
	}
	text(w, "human_review_ref", a.HumanReviewRef)
	w.yes("profiling", a.Profiling)
}

func (a Shared) data(w *writer) {
	a.write(w)
	a.Recipient.write(w)
	w.object("artefact", func(w *writer) {
		text(w, "id", a.Artefact.ID)
		text(w, "type", a.Artefact.Type)
		text(w, "template", a.Artefact.Template)
	})
	text(w, "agreement", a.Agreement)
	text(w, "instrument", a.Instrument)
	a.Transfer.write(w)
}

func (a Transferred) data(w *writer) {
	a.write(w)
	a.Recipient.write(w)
	a.Transfer.write(w)
	text(w, "agreement", a.Agreement)
}

func (a Deleted) data(w *writer) {
	a.write(w)
	text(w, "deletion", a.Deletion)
	text(w, "method", a.Method)
	text(w, "trigger", a.Trigger)
	writeLegs(w, a.Legs)
	text(w, "request", a.Request)
}

func (a Contacted) data(w *writer) {
	a.write(w)
	text(w, "channel", a.Channel)
	text(w, "content", a.Content)
	text(w, "campaign", a.Campaign)
	w.yes("promotional", a.Promotional)
	w.yes("optout_present", a.OptOutPresent)
	w.number("suppression_version", a.SuppressionVersion)
	text(w, "class", a.Class)
}

func (r Recipient) write(w *writer) {
	w.object("recipient", func(w *writer) {
		text(w, "party", r.Party)
		text(w, "role", r.Role)
		text(w, "via", r.Via)
	})
}

func (t Transfer) write(w *writer) {
	w.object("transfer", func(w *writer) {
		text(w, "tool", t.Tool)
		text(w, "tool_ref", t.ToolRef)
		text(w, "tia_ref", t.AssessmentRef)
	})
}

func writeLegs(w *writer, legs []Leg) {
	if len(legs) == 0 {
		return
	}
	w.key("legs")
	w.b = append(w.b, '[')
	for i, l := range legs {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '{')
		inner := writer{b: w.b}
		text(&inner, "kind", l.Kind)
		text(&inner, "state", l.State)
		text(&inner, "party", l.Party)
		text(&inner, "due", l.Due)
		text(&inner, "confirmed_at", l.ConfirmedAt)
		text(&inner, "attest_ref", l.AttestRef)
		w.b = append(inner.b, '}')
	}
	w.b = append(w.b, ']')
}
