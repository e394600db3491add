// Package forget carries out what a controller has decided to forget: a person
// (GDPR Art. 17), and what is older than it is kept (Art. 5(1)(e)).
//
// What is always true:
//
//  1. An erasure is opened by an event of the ledger's own, from which on the
//     person is restricted, and ends with another: its keys destroyed, or it was
//     cancelled. Its number is the position of the first. Nothing else is kept of
//     it: whoever carries it out finds in the ledger what is open.
//  2. Keys are destroyed as it was decided, or not at all: if somebody was
//     linked, held or acted meanwhile, it is decided again.
//  3. A legal hold stops it (Art. 17(3)), unless what the hold needs is kept; then
//     what was kept stays held.
//  4. Where two people must agree, the second has another token, and knows in codes
//     and counts what is done. Who they are is recorded with the act.
//  5. A certificate names identifiers only in the copy handed to whoever asked
//     for the erasure, as it happens. It is never written to a file here.
package forget
