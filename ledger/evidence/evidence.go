// Package evidence has the records, trees, and proofs by which somebody can check a ledger's answers without
// trusting whoever runs it. It is pure: it reads no file and no clock, and asks nobody.
//
// What is true of it:
//
//  1. A verifier derives the shape of every tree from sizes, never from a proof; takes no number that it can
//     compute; and refuses whatever is not consumed to the last byte.
//  2. A meaning has one encoding: a proof with any bit changed, cut short or made longer is another proof or none.
//  3. Trust never comes with a proof: keys and quorum come from whoever verifies.
//  4. Formats are those of docs/FORMAT.md, "Evidence", to the byte.
package evidence

import "errors"

var (
	// ErrFormat is returned for bytes that are not of the format at all.
	ErrFormat = errors.New("evidence: not of this format")
	// ErrRecord is returned for a record that is none or contradicts itself.
	ErrRecord = errors.New("evidence: impossible record")
	// ErrFalse is returned for a proof that does not hold together.
	ErrFalse = errors.New("evidence: false")
	// ErrQuestion is returned for a question that cannot be asked.
	ErrQuestion = errors.New("evidence: no such question")
	// ErrPresent is returned for an absence of records that are there.
	ErrPresent = errors.New("evidence: there are such records")
	// ErrUnjudged is returned for a proof that holds together, of a fault that nobody here can decide upon.
	ErrUnjudged = errors.New("evidence: not to be judged here")
)
