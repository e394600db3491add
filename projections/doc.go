// Package projections holds disposable views of the ledger: files that can be removed at any time and come
// out the same when filled again from the stream. A view is the only thing here that touches a disk, and a
// view that cannot be trusted is removed and begun anew, never repaired.
//
// [Set] keeps views that questions are answered from: each event is decoded once, each view folds it, and a file
// takes what was folded and the position together. [Index] finds the position of an event by the key of its identity,
// and is written by the ledger itself.
//
// The package imports events and bbolt. It never imports the ledger.
package projections
