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
}
