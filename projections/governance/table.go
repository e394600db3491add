package governance

import (
	"slices"

	"github.com/imalink/custody/events"
)

// What is a sort of thing in the register.
type What string

// The things of the register. The key of each is in the table below.
const (
	WhatParty               What = "party"
	WhatAgreement           What = "agreement"
	WhatProcessorAssessment What = "processor-assessment" // assessments of one processor (Art. 28(1) GDPR)
	WhatSubprocessor        What = "subprocessor"
	WhatTransferTool        What = "transfer-tool"
	WhatRetention           What = "retention"
	WhatRetentionReview     What = "retention-review"
	WhatHold                What = "hold"
	WhatPolicy              What = "policy"
	WhatAuthorisation       What = "authorisation"
	WhatConfidentiality     What = "confidentiality"
	WhatActivity            What = "activity"
	WhatSystem              What = "system"
	WhatAssessment          What = "assessment" // lia, dpia, tia, compatibility, reidentification
	WhatControl             What = "control"
	WhatCookie              What = "cookie"
	WhatAuthorityRequest    What = "authority-request"
	WhatReview              What = "review"
)

// row says what the events of one kind are versions of.
type row struct {
	kind    events.Kind
	what    What
	key     fields // together they name the thing; one that an event leaves out is "" in its key
	parties fields // those that name parties: how a party finds its things
}

// fields are names in an event's data. A dot leads into an object; "employee" is the person's tag.
type fields []string

// table has every kind of the family governance once.
var table = [...]row{
	{events.GovernancePartyRegistered, WhatParty, fields{"party"}, fields{"party", "subprocessor_of"}},
	{events.GovernanceAgreementSigned, WhatAgreement, fields{"party", "agreement"}, fields{"party"}},
	{events.GovernanceAgreementEnded, WhatAgreement, fields{"party", "agreement"}, fields{"party"}},
	{events.GovernanceProcessorAssessed, WhatProcessorAssessment, fields{"party"}, fields{"party"}},
	{events.GovernanceSubprocessorChanged, WhatSubprocessor, fields{"party", "subprocessor"}, fields{"party", "subprocessor"}},
	{events.GovernanceTransferTool, WhatTransferTool, fields{"party", "tool", "tool_ref"}, fields{"party"}},
	{events.GovernanceRetentionSet, WhatRetention, fields{"retention", "dataset", "category", "role"}, nil},
	{events.GovernanceRetentionReviewed, WhatRetentionReview, fields{"dataset"}, nil},
	{events.GovernanceHoldPlaced, WhatHold, fields{"hold"}, nil},
	{events.GovernanceHoldReleased, WhatHold, fields{"hold"}, nil},
	{events.GovernancePolicyPublished, WhatPolicy, fields{"policy"}, nil},
	{events.GovernanceAuthorisationGranted, WhatAuthorisation, fields{"system", "role", "employee"}, nil},
	{events.GovernanceAuthorisationRevoked, WhatAuthorisation, fields{"system", "role", "employee"}, nil},
	{events.GovernanceConfidentialityBound, WhatConfidentiality, fields{"employee"}, nil},
	{events.GovernanceActivityRegistered, WhatActivity, fields{"activity"}, fields{"recipients", "on_behalf_of"}},
	{events.GovernanceSystemRegistered, WhatSystem, fields{"system"}, fields{"hosted_by"}},
	{events.GovernanceAssessmentRecorded, WhatAssessment, fields{"kind", "assessment"}, fields{"party"}},
	{events.GovernanceControlAttested, WhatControl, fields{"control", "system"}, nil},
	{events.GovernanceCookieRecorded, WhatCookie, fields{"site", "cookie"}, fields{"party"}},
	{events.GovernanceAuthorityRequested, WhatAuthorityRequest, fields{"party", "instrument"}, fields{"party"}},
	{events.GovernanceReviewRecorded, WhatReview, fields{"of.source", "of.id", "kind"}, nil},
}

// rowOf finds the row of a kind.
func rowOf(k events.Kind) (row, bool) {
	if k < table[0].kind || k > table[len(table)-1].kind {
		return row{}, false // most events are no governance
	}
	i := slices.IndexFunc(table[:], func(r row) bool { return r.kind == k })
	if i < 0 {
		return row{}, false
	}
	return table[i], true
}

// Whats lists every sort of thing, in the order of the table.
func Whats() []What {
	var list []What
	for _, r := range table {
		if !slices.Contains(list, r.what) {
			list = append(list, r.what)
		}
	}
	return list
}

// ParseWhat finds a sort of thing by its name.
func ParseWhat(name string) (What, bool) {
	return What(name), slices.Contains(Whats(), What(name))
}

// Fields names the parts of a thing's key, in their order; nil for a sort that does not exist.
func (w What) Fields() []string {
	for _, r := range table {
		if r.what == w {
			return slices.Clone(r.key)
		}
	}
	return nil
}
