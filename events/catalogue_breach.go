package events

// aboutBreach is the data of an event about one personal data breach, then the kind's own fields.
func aboutBreach(own ...field) *shape {
	return fact(append([]field{req("breach", reference)}, own...)...)
}

// Family breach: the documentation that Art. 33(5) GDPR asks for.
var breachKinds = []row{
	{kind: BreachSuspected, name: "breach.suspected", retention: Breach, data: aboutBreach(
		req("detected_at", instant),
		opt("reported_by", code),
		opt("party", code),
		opt("subjects", subjects),
		opt("bulk", bulk),
		opt("subjects_unknown", subjectsUnknown),
	)},
	{kind: BreachConfirmed, name: "breach.confirmed", retention: Breach, data: aboutBreach(
		req("aware_at", instant),
		opt("kinds", some(enum("confidentiality", "integrity", "availability"))),
		opt("categories", codes),
		opt("records", count),
		opt("consequences", codes),
		opt("subjects", subjects),
		opt("bulk", bulk),
		opt("subjects_unknown", subjectsUnknown),
	)},
	{kind: BreachDismissed, name: "breach.dismissed", retention: Breach, data: aboutBreach(
		req("reason_code", code),
	)},
	{kind: BreachRiskAssessed, name: "breach.risk-assessed", retention: Breach, data: aboutBreach(
		req("risk", enum("unlikely", "risk", "high")),
		opt("exception", enum("A34-3-a", "A34-3-b", "A34-3-c")),
	)},
	{kind: BreachNotifiedAuthority, name: "breach.notified-authority", retention: Breach, data: aboutBreach(
		req("sent_at", instant),
		req("phase", enum("initial", "phased", "bundled")),
		opt("delay_reason", code),
		opt("acknowledgement", reference),
	)},
	{kind: BreachNotifiedController, name: "breach.notified-controller", retention: Breach, data: aboutBreach(
		req("sent_at", instant),
		req("party", code),
	)},
	{kind: BreachNotifiedSubjects, name: "breach.notified-subjects", retention: Breach, data: aboutBreach(
		req("sent_at", instant),
		opt("subjects", subjects),
		opt("bulk", bulk),
		opt("channel", code),
	)},
	{kind: BreachClosed, name: "breach.closed", retention: Breach, data: aboutBreach(
		opt("effects", code),
		opt("measures", code),
	)},
}
