// Package report makes the documents that a data protection officer lays before
// a person, a court or an authority: what an erasure will do, that it began, that
// it was done, and that keys went at the end of a retention period.
//
// A [Certificate] holds the facts. Two forms are made of it: JSON, which
// [Decode] reads back, and a PDF. What is always true:
//
//  1. The same certificate gives the same bytes, in either form. Nothing is read
//     from a clock, a file or the environment.
//  2. It never says less than it must. What can still be learnt of a forgotten
//     person stands on it in full ([Learnable], [ClearFields]); an empty list is
//     printed as such. A certificate that lacks something is refused.
//  3. Identifiers come out by two ways only, [Certificate.Encode] and
//     [Certificate.PDF]; every call of them is a disclosure. Whatever else prints
//     a certificate (fmt, slog, encoding/json) gets "[redacted]" in their place.
//     Errors name a field, never a value.
//  4. The package writes to the writer it is given and keeps nothing. Whoever calls
//     it sees to it that no document is stored under the data directory.
package report
