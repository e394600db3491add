// Package witness speaks c2sp.org/tlog-witness, both ways: a witness that others ask to cosign, and the side of a ledger
// that asks.
//
// What is always true:
//
//  1. A witness cosigns a checkpoint only if the log that it trusts signed it and it continues, by a proof, what the
//     witness cosigned before. What it cosigns is durable before anybody sees the signature, and nobody else who uses
//     the same folder comes in between.
//  2. A witness that has lost what it cosigned does not begin anew: its key has vouched for something that it no
//     longer knows.
//  3. Witnesses are asked each for itself: one that is slow or away holds up nobody.
package witness
