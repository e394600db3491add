package events

// processing is the data of an event about processing: who, whose, where, what, why, then the
// kind's own fields. An event that names a registered activity may leave out what the registration
// says.
func processing(own ...field) *shape {
	return onBehalf(processingFields(own)).
		eitherOf([]string{"activity"}, []string{"system", "dataset", "categories", "purpose"})
}

func processingFields(own []field) []field {
	return append(append(aboutSubjects(),
		opt("dataset", code),
		opt("environment", enum("prod", "test")),
		opt("operation", operation),
		opt("categories", codes),
		opt("special", codes).sealed("/data/special"),
		opt("a9", a9).sealed("/data/a9"),
		opt("art10", boolean),
		opt("purpose", code),
		opt("basis", basis),
		opt("basis_ref", reference).joinable("/data/basis_ref"),
		opt("statute", code),
		opt("exception", enum("consent", "claims", "protection", "public_interest", "rights_handling")),
		opt("activity", code),
		opt("volume", objectOf(opt("records", count))),
		opt("location", location),
	), own...)
}

// Family data. What was looked at or used is kept as Access; what left for somebody else as
// Disclosure; where data came from and what became of them as LegalState, because the controller
// must be able to show it (Art. 5(2) GDPR) as long as the data, or claims about them, live.
var dataKinds = []row{
	{kind: DataCollected, name: "data.collected", retention: LegalState, data: processing(
		req("origin", enum("web_form", "advert_response", "cv_match", "referral", "corporate_website", "business_card",
			"own_initiative", "in_course_of_service", "client", "third_party", "public_register", "purchased", "other")),
		opt("origin_party", code),
		opt("context", code),
		opt("notice_ref", reference),
		opt("retention", code),
	)},
	{kind: DataAccessed, name: "data.accessed", retention: Access, data: processing(
		req("mode", enum("view", "search", "list", "print", "download", "api")),
		opt("result_count", count),
		opt("break_glass", boolean),
	)},
	{kind: DataUsed, name: "data.used", retention: Access, data: processing(
		opt("automation", enum("none", "partial", "full")),
		opt("effect", enum("none", "significant")),
		opt("human_review_ref", reference),
		opt("profiling", boolean),
	)},
	{kind: DataAltered, name: "data.altered", retention: LegalState, data: processing(
		opt("trigger", enum("request", "self_service", "correction", "import")),
		opt("request", reference),
	)},
	{kind: DataDerived, name: "data.derived", retention: LegalState, data: processing(
		req("artefact", objectOf(req("id", reference), req("type", code), opt("template", code))),
		opt("from", some(reference)),
	)},
	{kind: DataShared, name: "data.shared", retention: Disclosure, data: processing(
		req("recipient", recipient),
		opt("artefact", objectOf(opt("id", reference), req("type", code), opt("template", code))),
		opt("agreement", reference),
		opt("instrument", reference),
		opt("transfer", transfer),
	)},
	{kind: DataTransferred, name: "data.transferred", retention: Disclosure, data: processing(
		req("recipient", recipient),
		opt("transfer", transfer),
		opt("agreement", reference),
	)},
	{kind: DataHosted, name: "data.hosted", retention: Disclosure, data: processing(
		req("recipient", recipient),
		opt("transfer", transfer),
		opt("from", instant),
		opt("to", instant),
	)},
	{kind: DataRestricted, name: "data.restricted", retention: LegalState, data: onBehalf(processingFields([]field{
		req("ground", enum("A18-1-a", "A18-1-b", "A18-1-c", "A18-1-d")),
		opt("request", reference),
	}))},
	{kind: DataUnrestricted, name: "data.unrestricted", retention: LegalState, data: onBehalf(processingFields([]field{
		opt("request", reference),
		opt("informed_at", instant),
	}))},
	{kind: DataDeleted, name: "data.deleted", retention: LegalState, data: processing(
		req("deletion", reference),
		req("method", enum("erase", "destruct", "delete", "crypto-shred")),
		req("trigger", enum("retention", "request", "consent_withdrawn", "unlawful", "contract_end")),
		opt("legs", list(objectOf(
			req("kind", enum("live", "replica", "index", "cache", "export", "backup", "processor")),
			req("state", enum("done", "due")),
			opt("party", code),
			opt("due", date),
			opt("confirmed_at", instant),
			opt("attest_ref", reference),
		), 1, 32)),
		opt("request", reference),
	)},
	{kind: DataAnonymised, name: "data.anonymised", retention: LegalState, data: processing(
		req("technique", code),
		opt("test_ref", reference),
	)},
	{kind: DataExported, name: "data.exported", retention: Disclosure, data: processing(
		req("delivered_to", enum("subject", "controller", "file", "other")),
		opt("format", code),
		opt("request", reference),
	)},
	{kind: DataContacted, name: "data.contacted", retention: LegalState, data: processing(
		req("channel", medium),
		opt("content", enum("services", "project", "event", "other")),
		opt("campaign", code),
		opt("promotional", boolean),
		opt("optout_present", boolean),
		opt("suppression_version", count),
		req("class", enum("marketing", "service")),
	)},
}
