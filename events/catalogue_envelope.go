package events

// envelope is a CloudEvents 1.0 event as a producer sends it.
var envelope = object(
	req("specversion", enum("1.0")),
	req("id", eventID),
	req("source", eventSource),
	req("type", &spec{form: kindForm, closed: true}),
	req("time", instant),
	opt("datacontenttype", enum("application/json")),
	opt("producerinstance", code),
	opt("producerseq", sequence),
	opt("correlationid", reference).joinable("/correlationid"),
	opt("causationid", reference).joinable("/causationid"),
	opt("traceparent", traceparent),
	req("data", &spec{form: dataForm}),
)

// storedEnvelope is the same event as the ledger keeps it.
var storedEnvelope = object(
	req("custodyformat", enum("1")),
	req("specversion", enum("1.0")),
	req("id", eventID),
	req("source", eventSource),
	req("type", &spec{form: kindForm, closed: true}),
	req("time", instant),
	req("datacontenttype", enum("application/json")),
	opt("producerinstance", code),
	opt("producerseq", sequence),
	opt("correlationid", reference).joinable("/correlationid"),
	opt("causationid", reference).joinable("/causationid"),
	opt("traceparent", traceparent),
	req("recordedtime", instant),
	opt("relay", code),
	req("salt", base64url),
	opt("sealed", base64url),
	req("data", &spec{form: dataForm}),
)

// factsShape is what the ledger adds to the data under "ledger".
var factsShape = object(
	opt("class", enum("T0", "T1", "T1f", "T2", "T3", "T4", "T5", "U")),
	opt("tables", code),
	opt("region", country),
	opt("outside", countries),
	opt("party", objectOf(
		req("code", code),
		req("position", position),
		req("country", country),
		opt("storage", countries),
		opt("access", countries),
		opt("international_organisation", boolean),
		opt("dpf", dpf),
		opt("pipeda", boolean),
		opt("parent_country", country),
		opt("agreement", reference),
		opt("tool", transferTool),
		opt("tool_ref", reference),
	)),
	opt("defaulted", some(enum("system", "dataset", "categories", "purpose", "basis"))),
	opt("special", boolean),
	opt("a9", boolean),
	opt("art10", boolean),
	opt("basis_ref", position),
	opt("reference", position),
	opt("forgotten", boolean),
)

var dpf = objectOf(req("listed", boolean), opt("hr", boolean), opt("until", date))
