// Package erased holds no code: its tests ask whether what was erased is gone.
//
// They play somebody who holds everything that exists: every byte of every file
// under the data and the key directory, of the log, of the backup, and what the
// escrow holds. This adversary is a second implementation of the vault, written
// from docs/FORMAT.md with nothing but the standard library, which shares no code
// with the first. It finds messages, tables, rows, root keys and events wherever
// they stand, in free pages and torn places too; tries every 32 bytes of the
// files, and of whatever it has opened, as a key of every kind; and reports whom
// it learnt of, in which events, and what it opened.
//
// TestErased has one ledger live through it, served with views, log, backup and
// escrow, and asks in turn:
//
//   - before: it learns everybody and opens everything, so it is good at it.
//   - running, stopped: after erasures and a retention it learns nothing of those
//     who went, and of all others exactly what it learnt before; and none of the
//     keys that it had is in any file, in any spelling.
//   - left out: it learns again as soon as one thing is left behind.
//   - learnable: what can still be learnt is what certificates say.
package erased
