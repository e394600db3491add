package events

// aboutPerson is the data of an event about a person's rights, then the kind's own fields.
func aboutPerson(own ...field) *shape { return onBehalf(append(aboutSubjects(), own...)) }

// aboutRequest is the same for one rights request.
func aboutRequest(own ...field) *shape {
	return aboutPerson(append([]field{req("request", reference)}, own...)...)
}

// Family subject: what a person was told, allowed, refused and asked. All of it is LegalState, but
// telling a recipient (Art. 19 GDPR), which is kept with the disclosure it follows.
var subjectKinds = []row{
	{kind: SubjectNoticeGiven, name: "subject.notice-given", retention: LegalState, data: aboutPerson(
		req("articles", some(enum("A13", "A14"))),
		req("policy_version", code),
		opt("channel", code),
		opt("purposes", codes),
		opt("covers", some(reference)),
	)},
	{kind: SubjectConsentGiven, name: "subject.consent-given", retention: LegalState, data: aboutPerson(
		req("purposes", codes),
		req("method", enum("written", "electronic", "oral", "assumed")),
		opt("explicit", boolean),
		opt("channel", code),
		opt("text_version", code),
		opt("text_sha256", digest),
		opt("evidence_ref", reference),
		opt("expires", date),
	)},
	{kind: SubjectConsentWithdrawn, name: "subject.consent-withdrawn", retention: LegalState, data: aboutPerson(
		req("purposes", codes),
		opt("channel", code),
		opt("request", reference),
	)},
	{kind: SubjectObjectionRaised, name: "subject.objection-raised", retention: LegalState, data: aboutPerson(
		req("scope", objectionScope),
		opt("purposes", codes),
		opt("channel", code),
		opt("request", reference),
	)},
	{kind: SubjectObjectionDecided, name: "subject.objection-decided", retention: LegalState, data: aboutPerson(
		req("scope", objectionScope),
		req("outcome", enum("upheld", "overridden")),
		opt("grounds_ref", reference),
	)},
	{kind: SubjectSuppressionChanged, name: "subject.suppression-changed", retention: LegalState, data: aboutPerson(
		req("channel", medium),
		req("version", count),
		req("state", enum("added", "removed")),
	)},
	{kind: SubjectCaseChanged, name: "subject.case-changed", retention: LegalState, data: aboutPerson(
		req("case", reference),
		req("kind", code),
		req("state", enum("joined", "withdrawn", "ended")),
		opt("party", code),
		opt("handlers", some(identifier)).actor(),
	)},
	{kind: SubjectIdentifiersLinked, name: "subject.identifiers-linked", retention: LegalState, data: aboutPerson()},
	{kind: SubjectIdentifiersUnlinked, name: "subject.identifiers-unlinked", retention: LegalState, data: aboutPerson()},
	{kind: SubjectRequestReceived, name: "subject.request-received", retention: LegalState, data: aboutRequest(
		req("right", enum("A15", "A16", "A17", "A18", "A20", "A21", "A22", "complaint")),
		opt("channel", code),
	)},
	{kind: SubjectRequestAcknowledged, name: "subject.request-acknowledged", retention: LegalState, data: aboutRequest()},
	{kind: SubjectRequestIdentityRequested, name: "subject.request-identity-requested", retention: LegalState, data: aboutRequest(
		req("doubt", enum("none", "channel", "mismatch")),
		opt("evidence", some(enum("login", "callback", "eid", "id_copy"))),
		opt("authenticated", boolean),
	)},
	{kind: SubjectRequestIdentityConfirmed, name: "subject.request-identity-confirmed", retention: LegalState, data: aboutRequest(
		opt("evidence_destroyed_at", instant),
	)},
	{kind: SubjectRequestExtended, name: "subject.request-extended", retention: LegalState, data: aboutRequest(
		req("reason_code", enum("complexity", "number")),
	)},
	{kind: SubjectRequestAnswered, name: "subject.request-answered", retention: LegalState, data: aboutRequest(
		req("outcome", enum("full", "partial", "no_data")),
		opt("fee", fee),
		opt("report_sha256", digest),
	)},
	{kind: SubjectRequestRefused, name: "subject.request-refused", retention: LegalState, data: aboutRequest(
		req("reason_code", enum("A12-2", "A12-5", "A15-4", "A17-3-a", "A17-3-b", "A17-3-c", "A17-3-d", "A17-3-e", "A23")),
		opt("remedies_named", boolean),
		opt("fee", fee),
	)},
	{kind: SubjectRequestWithdrawn, name: "subject.request-withdrawn", retention: LegalState, data: aboutRequest()},
	{kind: SubjectRecipientNotified, name: "subject.recipient-notified", retention: Disclosure, data: aboutPerson(
		req("recipient", recipient),
		req("about", enum("erasure", "rectification", "restriction", "consent_withdrawn")),
		req("outcome", enum("sent", "acknowledged", "impossible", "disproportionate")),
		opt("of", eventName),
	)},
}
