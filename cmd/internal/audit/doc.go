// Package audit is the independent auditor: it recomputes the evidence of a ledger from the first record on, holds what
// the ledger signed against it, and cosigns that, or proves a fault.
//
// A record auditor has the 54-byte records and the commits. An event auditor has the stored events: it makes the records
// itself, and decides facts and transfer classes again. Neither has a key that opens anything about a person.
//
// What is always true:
//
//  1. The replay key cosigns a checkpoint only if this auditor, or the one whose state it went on from, recomputed its root
//     from leaf 0, found every commit below it true, and found the tiles of hashes to be those of the records.
//  2. What an auditor knows is durable before a cosignature leaves. One that has lost it refuses to go on with the same
//     replay key: it vouched for a history that it does not know any more.
//  3. After a fault nothing is cosigned. Where a proof is possible it is one that custody verify confirms for whoever has
//     the key of the log; where none is, the finding says so.
//  4. What is not a fault of the log, such as numbers of producers that have not come, is a finding and keeps nothing from
//     being cosigned.
package audit
