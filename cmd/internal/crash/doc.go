// Package crash holds no code: its tests try the custody program, as it is
// built, on everything that may happen to the machine below it.
//
//   - TestKill ends the server with SIGKILL under load, again and again.
//   - TestErasureKilled does so while people are erased and months forgotten,
//     beside events about them, views being filled and backups being made.
//   - TestPower records what a run does to its files, rebuilds them as a power
//     cut at any moment could leave them, and opens them.
//   - TestFailing makes writes, syncs and other calls fail, as a full or dying
//     disk does.
//   - TestTamper changes one thing in each class of file.
//
// After each of these the same is demanded: every event that was acknowledged
// is there, once, at its position, with the digest it had; an event that was
// not can be sent again and is recorded or a duplicate, and is safe from then
// on; `custody check` finds nothing. Damage done by hand must be named, and
// nothing healthy may go. Whoever was erased, and that was answered, is not known,
// nor in what is restored from a backup; what was not answered is done as a whole
// or not at all; everybody else is as before.
//
// The environment makes the tests longer (see the Makefile, target crash):
//
//	CUSTODY_CRASH_ROUNDS   kills
//	CUSTODY_CRASH_CUTS     power cuts
//	CUSTODY_CRASH_FAILS    failing calls
//	CUSTODY_CRASH_SEED     decides all that is random; 0 takes one and prints it
//
// strace 6 is needed, and Linux.
package crash
