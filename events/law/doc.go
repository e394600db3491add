// Package law holds dated legal facts about places and transfers, and pure functions on them.
//
// The facts are tables: where the law of the EEA applies ([Places]), which third countries are
// adequate and on what condition ([Decisions]), and which tools may ground a transfer ([Tools],
// [Instruments]). Every row names its source and says whether somebody checked it against that source.
// [Version] names the tables by date and content, so that a stored answer can be held against the
// tables that gave it.
//
// Intervals are half-open and in UTC days. Nothing here reads a clock, a file or the network, and the
// same facts give the same answer for ever under the same tables. Everything is safe for concurrent use.
//
// It is a reading of the law by programmers. A data protection officer or lawyer signs off the tables
// before anyone relies on them.
package law
