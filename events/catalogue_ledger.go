package events

// Family ledger: about the recording itself. A producer may send the first two.
var ledgerKinds = []row{
	{kind: LedgerHeartbeat, name: "ledger.heartbeat", retention: Operation, data: object(append(common(opt("actor", actor)),
		req("state", enum("started", "running", "stopped")),
		opt("last", count),
	)...)},
	{kind: LedgerCorrected, name: "ledger.corrected", retention: Operation, data: fact(
		req("corrects", eventName),
		req("effect", enum("retract", "replace")),
		opt("replacement", eventName),
		req("reason_code", code),
	)},
	{kind: LedgerRefused, name: "ledger.refused", retention: Operation, byLedger: true, data: object(append(common(opt("actor", actor)),
		req("producer", code),
		req("from", instant),
		req("to", instant),
		req("count", count),
		req("types", some(objectOf(req("type", code), req("count", count)))),
	)...)},
	{kind: LedgerQueried, name: "ledger.queried", retention: Access, byLedger: true, data: object(append(asking(),
		req("query", code),
		opt("filter", codes),
		opt("from", instant),
		opt("to", instant),
		req("as_of", count),
		req("persons", count),
		opt("subjects", asked),
		opt("handlers", list(identifier, 1, MaxSubjects)).actor(),
	)...)},
	{kind: LedgerIdentityRevealed, name: "ledger.identity-revealed", retention: Access, byLedger: true, data: object(append(asking(),
		opt("bulk", bulk),
		opt("reason", freeText(0, 200)).sealed("/data/reason"),
		opt("subjects", asked),
		opt("handlers", list(identifier, 1, MaxSubjects)).actor(),
	)...)},
}

// asking begins the data of what the ledger writes about its own readers: what the token that asked may
// do, what it is called, and the case it asked for. Reading is an access like any other: the tags of
// whoever was asked about are kept exactly as long as those of the accesses that the answer showed.
func asking() []field {
	return []field{req("role", code), req("token", code), opt("case", code)}
}

// asked are the people a question was about, or whose identifiers were shown.
var asked = list(objectOf(req("id", identifier).subject()), 1, MaxSubjects)
