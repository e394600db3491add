// Package governance is the view "governance": the register over time. Every governance event is a version of a
// thing (a party, an agreement, a system), and a version is never overwritten: the register can be read as it was
// known at any position, and as it was in force at any moment.
//
// Two clocks decide what is read. What was known is a position: no version beyond it is looked at. What was in
// force is an event time, or, for a thing that states its days, a day:
//
//   - of the versions known, the one of the highest position whose event time is not later than asked is in force.
//     Where two say different things about the same moment, the one that arrived later counts, as it does for the
//     facts that the ledger stores with an event;
//   - agreements, transfer tools and subprocessors state from and until which day they hold, both included. These
//     days decide, and not the time of the event that says so, which may be recorded long after the signature;
//   - an assessment of a processor is an act, not a state: the one that happened last counts.
//
// Nobody is in the register in clear. Versions hold the clear part of their event's data; a natural person's name
// and contact are sealed in the stream and are not here.
package governance
