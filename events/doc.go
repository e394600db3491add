// Package events is the vocabulary of Custody: what may be said about the processing of personal
// data, how it is written, and what is refused.
//
// An [Event] is a CloudEvents 1.0 event of one of a closed catalogue of kinds. [Decode] reads one and
// checks all of it: the JSON, the fields and vocabularies of its kind, and that nothing that stays in
// clear looks like personal data or holds one of its own identifiers. What passes is known down to
// the last field; what does not is refused with an [Error] that names the place and never the value.
//
// A [Stored] event is the same as the ledger keeps it: tags for people, nothing delicate in clear,
// and the [Facts] that were known when it was recorded. Equal values have equal bytes in both forms.
//
// Values of this package that hold identifiers never print them, in any verb, log or encoding but
// AppendJSON and Append. Everything here is a pure function of its arguments and safe for concurrent
// use; nothing is kept, logged or sent.
package events
