// Package coverage is the view "coverage": what reached the ledger, and what shows that something did not. It
// answers what is missing from the numbered events of every producer, who fell silent, what was refused, and
// which parties were given data without being registered.
//
// Every answer is exact as known at any position. What happened to one producer's instance, or to one
// unregistered party, is a track: its events in order of position, each in a few bytes, in blocks. The tally of a
// track (how many, up to which number, which numbers are missing) is computed from the events alone, by the same
// code at whatever position it is asked for; tallies written now and then keep that from growing with the ledger.
package coverage
