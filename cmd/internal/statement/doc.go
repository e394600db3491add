// Package statement makes the statement of recorded non-transfer: what a ledger
// recorded, over some UTC days of event time, of personal data that left the
// European Economic Area, how complete that evidence is, and what it cannot show
// (GDPR Chapter V; EDPB Guidelines 05/2021).
//
// A [Statement] holds the facts. Two forms are made of it: JSON, which [Decode]
// reads back (docs/FORMAT.md, "Statement"), and a page to read, which needs
// nothing but itself. What is always true:
//
//  1. It says what was recorded, as of a position, never what happened. A grade
//     and what it cannot show ([Limits]) stand on every one.
//  2. Its counts and lists of transfers are those that the proofs beside it give
//     ([Figures]): where its own walk over the stored events finds others, there
//     is no statement. What no proof holds is marked as asserted.
//  3. The grade follows from the rest: [Decode] refuses a better or a worse one.
//  4. The same sources give the same bytes, in either form. Nothing is read from a
//     clock, a file or the environment.
//  5. It names organisations and systems by code, and nobody: of people there are
//     counts. Errors name a field, never a value.
package statement
