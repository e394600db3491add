// Package notary keeps the evidence of a ledger: it turns what is recorded into the record log and the annotated
// tree, commits to both, signs checkpoints, gathers cosignatures, and makes proofs.
//
// What is always true of it:
//
//  1. It trails durability: a leaf is appended, committed to, or signed only once its event is durable.
//  2. It is a function of the stream, but for what it signed: everything in its folder may be deleted while the
//     ledger is closed, and comes back the same.
//  3. It never signs two roots for one size, nor a smaller size after a greater: what it signed last lies beside
//     its keys, outside the data and their backups, durable before anybody sees it. A ledger that is behind that,
//     or has another history, goes on recording and does not sign.
//  4. Recording never waits for it.
package notary
