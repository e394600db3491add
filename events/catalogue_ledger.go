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
		opt("approved_by", code),
		req("reason_code", code),
		opt("bulk", bulk),
		opt("reason", freeText(0, 200)).sealed("/data/reason"),
		opt("subjects", asked),
		opt("handlers", list(identifier, 1, MaxSubjects)).actor(),
	)...)},
	{kind: LedgerErasureOpened, name: "ledger.erasure-opened", retention: LegalState, byLedger: true, data: object(append(behind(),
		req("reason_code", erasureReason),
		opt("request", reference),
		req("due", instant),
		opt("actor_too", boolean),
		opt("ground", code),
		opt("keep", some(keeping)),
		req("subjects", asked),
	)...)},
	{kind: LedgerErasureCancelled, name: "ledger.erasure-cancelled", retention: Operation, byLedger: true, data: object(append(behind(),
		req("erasure", position),
		req("reason_code", code),
	)...)},
	{kind: LedgerKeyShredded, name: "ledger.key-shredded", retention: Operation, byLedger: true, data: object(append(behind(),
		req("what", enum("person", "cells", "root")),
		opt("erasure", position),
		opt("class", retentionClass),
		opt("before", month),
		req("former", position),
		req("root", position),
	)...)},
	{kind: LedgerGapFound, name: "ledger.gap-found", retention: Operation, byLedger: true, data: object(
		req("cause", code),
		req("from", position),
		req("to", position),
	)},
	{kind: LedgerCommitted, name: "ledger.committed", retention: Operation, byLedger: true, data: object(
		req("size", position),
		req("root", digest),
		req("annotated", digest),
		req("totals", totals),
		req("rules", digest),
	)},
	{kind: LedgerKeyAnnounced, name: "ledger.key-announced", retention: Operation, byLedger: true, data: object(append(behind(),
		req("what", enum("log", "bundle", "witness", "replay")),
		req("state", enum("added", "retired")),
		req("key", verifierKey),
		opt("operator", code),
		opt("upto", position),
		opt("ancestor", origin),
	)...)},
}

// What evidence says: the tallies of 16 flags, a verifier key and an origin as C2SP's signed-note and
// tlog-checkpoint write them.
var (
	origin = (&spec{form: patternForm, match: isOrigin, pattern: `^[!-*,-~]{1,80}$`,
		expected: "an origin: 1 to 80 visible ASCII characters, none of them +"}).random()
	totals      = word("288 lower-case hex digits", `^[0-9a-f]{288}$`, "", hex, hex, 288, 288).random()
	verifierKey = (&spec{form: patternForm, match: isVerifierKey, pattern: `^[!-*,-~]{1,80}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$`,
		expected: "a verifier key: name, key id and public key, joined by +"}).random()
)

// behind begins the data of what the ledger did because a token asked: which, and the name of the second
// one where two people must agree.
func behind() []field {
	return []field{req("role", code), req("token", code), opt("approved_by", code)}
}

// Vocabularies of erasure: Art. 17(1)(a) to (f) GDPR, and a request that names no ground; Art. 17(3).
var (
	erasureReason = enum("retention", "consent_withdrawn", "objection", "unlawful", "legal_obligation", "child", "request")
	keepGround    = enum("A17-3-a", "A17-3-b", "A17-3-c", "A17-3-d", "A17-3-e")
	keeping       = objectOf(req("class", retentionClass), req("ground", keepGround))

	retentionClass = enum("access", "disclosure", "legal-state", "governance", "breach", "operation")
	month          = (&spec{form: patternForm, match: isMonth, pattern: `^[0-9]{4}-(0[1-9]|1[0-2])$`, expected: "a month, as YYYY-MM"}).fixed()
)

// asking begins the data of what the ledger writes about its own readers: what the token that asked may
// do, what it is called, and the case it asked for. Reading is an access like any other: the tags of
// whoever was asked about are kept exactly as long as those of the accesses that the answer showed.
func asking() []field {
	return []field{req("role", code), req("token", code), opt("case", code)}
}

// asked are the people a question was about, or whose identifiers were shown.
var asked = list(objectOf(req("id", identifier).subject()), 1, MaxSubjects)
