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
//     replay key: it vouched for a history that it does not know any more. A copy of the folder is a second auditor with
//     the same keys, and finds that out only if the ledger shows it what the other cosigned.
//  3. Whatever the log signed that the auditor knows of is one history: what it cosigned before, what its witness did, what
//     others were shown, what the ledger shows now.
//  4. In a round that finds a fault nothing is cosigned; nor in any after it while the proof of a fault lies in the folder.
//     A proof is one that custody verify confirms for whoever has the key of the log. That the log showed less than it
//     signed for is proven to whoever trusts the folder's witness too, and keeps nothing from being cosigned once it shows
//     all again. False numbers of producers, and answers that nobody signed, have no proof (docs/THREATS.md, "Found, and
//     not proven").
//  5. What is not a fault of the log, such as numbers of producers that have not come, is a finding and keeps nothing from
//     being cosigned.
//  6. Memory does not grow with the log, but for the proof of a false commit or of false facts: that has all records before
//     it. It grows with producers, and of an event auditor with the register. A round reads what is new, and all records
//     once more if a commit reaches back behind where the last round ended.
package audit
