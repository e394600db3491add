package events

import "strings"

// Kind is what an event says happened. Its number is stored in public records: numbers are never
// reused or changed, only added. The zero Kind is none.
type Kind uint8

// The kinds a producer may send, numbered in the order of the published schema, then the ledger's own.
const (
	DataCollected                   Kind = 1
	DataAccessed                    Kind = 2
	DataUsed                        Kind = 3
	DataAltered                     Kind = 4
	DataDerived                     Kind = 5
	DataShared                      Kind = 6
	DataTransferred                 Kind = 7
	DataHosted                      Kind = 8
	DataRestricted                  Kind = 9
	DataUnrestricted                Kind = 10
	DataDeleted                     Kind = 11
	DataAnonymised                  Kind = 12
	DataExported                    Kind = 13
	DataContacted                   Kind = 14
	SubjectNoticeGiven              Kind = 15
	SubjectConsentGiven             Kind = 16
	SubjectConsentWithdrawn         Kind = 17
	SubjectObjectionRaised          Kind = 18
	SubjectObjectionDecided         Kind = 19
	SubjectSuppressionChanged       Kind = 20
	SubjectCaseChanged              Kind = 21
	SubjectIdentifiersLinked        Kind = 22
	SubjectIdentifiersUnlinked      Kind = 23
	SubjectRequestReceived          Kind = 24
	SubjectRequestAcknowledged      Kind = 25
	SubjectRequestIdentityRequested Kind = 26
	SubjectRequestIdentityConfirmed Kind = 27
	SubjectRequestExtended          Kind = 28
	SubjectRequestAnswered          Kind = 29
	SubjectRequestRefused           Kind = 30
	SubjectRequestWithdrawn         Kind = 31
	SubjectRecipientNotified        Kind = 32
	GovernancePartyRegistered       Kind = 33
	GovernanceAgreementSigned       Kind = 34
	GovernanceAgreementEnded        Kind = 35
	GovernanceProcessorAssessed     Kind = 36
	GovernanceSubprocessorChanged   Kind = 37
	GovernanceTransferTool          Kind = 38
	GovernanceRetentionSet          Kind = 39
	GovernanceRetentionReviewed     Kind = 40
	GovernanceHoldPlaced            Kind = 41
	GovernanceHoldReleased          Kind = 42
	GovernancePolicyPublished       Kind = 43
	GovernanceAuthorisationGranted  Kind = 44
	GovernanceAuthorisationRevoked  Kind = 45
	GovernanceConfidentialityBound  Kind = 46
	GovernanceActivityRegistered    Kind = 47
	GovernanceSystemRegistered      Kind = 48
	GovernanceAssessmentRecorded    Kind = 49
	GovernanceControlAttested       Kind = 50
	GovernanceCookieRecorded        Kind = 51
	GovernanceAuthorityRequested    Kind = 52
	GovernanceReviewRecorded        Kind = 53
	BreachSuspected                 Kind = 54
	BreachConfirmed                 Kind = 55
	BreachDismissed                 Kind = 56
	BreachRiskAssessed              Kind = 57
	BreachNotifiedAuthority         Kind = 58
	BreachNotifiedController        Kind = 59
	BreachNotifiedSubjects          Kind = 60
	BreachClosed                    Kind = 61
	LedgerHeartbeat                 Kind = 62
	LedgerCorrected                 Kind = 63
	LedgerRefused                   Kind = 64 // the ledger's own: what it refused, counted
	LedgerQueried                   Kind = 65 // the ledger's own: a question that is about to be answered
	LedgerIdentityRevealed          Kind = 66 // the ledger's own: identifiers that are about to be shown
	LedgerErasureOpened             Kind = 67 // the ledger's own: a person is restricted, and will be erased
	LedgerErasureCancelled          Kind = 68 // the ledger's own: and will not
	LedgerKeyShredded               Kind = 69 // the ledger's own: keys were destroyed
	LedgerGapFound                  Kind = 70 // the ledger's own: positions that were lost
	LedgerCommitted                 Kind = 71 // the ledger's own: the roots over what was recorded before
	LedgerKeyAnnounced              Kind = 72 // the ledger's own: a key that signs evidence is added or retired
)

// Type is the CloudEvents type, such as "eu.custody.data.shared.v1"; "" for no kind.
func (k Kind) Type() string { return catalogue.row(k).typ }

// Name is the type without prefix and version, such as "data.shared"; "" for no kind.
func (k Kind) Name() string { return catalogue.row(k).name }

// Family is the first part of the name: data, subject, governance, breach or ledger.
func (k Kind) Family() string {
	family, _, _ := strings.Cut(k.Name(), ".")
	return family
}

// Retention is the class that decides how long the keys of this kind's events are kept.
func (k Kind) Retention() Retention { return catalogue.row(k).retention }

// ByLedger tells the ledger's own kinds, which no producer may send.
func (k Kind) ByLedger() bool { return catalogue.row(k).byLedger }

// String is the name.
func (k Kind) String() string { return k.Name() }

// Kinds lists every kind in the order of their numbers, the ledger's own last.
func Kinds() []Kind { return catalogue.kinds() }

// ParseType finds the kind of a CloudEvents type, the ledger's own included.
func ParseType(t string) (Kind, bool) {
	k, ok := catalogue.byType[t]
	return k, ok
}

// Retention is a class of events whose keys are kept, and destroyed, together (docs/FORMAT.md, cells).
// The numbers are stored; they are never reused.
type Retention uint8

// Access: who looked at or used data, the ledger's own answers included. Disclosure: who received it. LegalState: what someone must be
// able to show about a person's data afterwards (origin, notice, consent, objection, request,
// restriction, erasure). Governance: the register. Breach: the documentation of Art. 33(5) GDPR.
// Operation: the ledger's own running.
const (
	Access     Retention = 1
	Disclosure Retention = 2
	LegalState Retention = 3
	Governance Retention = 4
	Breach     Retention = 5
	Operation  Retention = 6
)

// String is the word used in configuration and reports.
func (r Retention) String() string {
	switch r {
	case Access:
		return "access"
	case Disclosure:
		return "disclosure"
	case LegalState:
		return "legal-state"
	case Governance:
		return "governance"
	case Breach:
		return "breach"
	case Operation:
		return "operation"
	}
	return "none"
}

// Secrecy is what becomes of a value when its event is stored.
type Secrecy uint8

const (
	Clear    Secrecy = iota // stored as sent
	Subject                 // identifier of a data subject: replaced by a tag
	Actor                   // identifier of someone who acts: replaced by a tag
	Joinable                // reference that joins events: replaced by a keyed tag, sealed beside it
	Sealed                  // delicate: sealed, absent from what is stored in clear
)
