// Package emit is how a Go service tells the ledger what it does with personal data.
//
//	ledger, err := emit.Open(emit.Config{Producer: "ats", Spool: "/var/lib/ats/custody",
//		To: &emit.HTTP{URL: "https://ledger.example:8420", TokenFile: "/run/secrets/custody"}})
//	defer ledger.Close()
//	_, err = ledger.Emit(ctx, emit.Accessed{Mode: emit.ModeView, Processing: emit.Processing{
//		Subjects: emit.Subjects(emit.RoleCandidate, "candidate:10412"), Actor: emit.Staff("employee:jdp", "recruiter"), Activity: "placement"}})
//
// # What is true
//
//   - What is wrong with an act is said at the call, as the ledger would say it: the [events.Error] names the
//     field and the limit, never the value.
//   - Without a spool, Emit returns nil once the ledger has the event durable. With one, once the event is
//     synced to the spool; from then on it arrives exactly once, in order, without holes, whatever is killed.
//   - An event's id, time, instance and number are chosen before it is first sent and are the same in every
//     attempt. The ledger knows a repeat by them.
//   - One batch is in flight at a time. Attempts follow each other with growing, random pauses, no sooner than
//     the ledger asked for.
//   - Nothing is dropped in silence. A full spool says [ErrSpoolFull]. What the ledger refuses for good is set
//     aside with the reason ([Emitter.Refused]), counted and reported, and holds up nothing.
//   - Only the ledger's own word refuses an event: what a proxy or a foreign server answers is tried again.
//   - With [Config.Receipts] the ledger's signed receipt of each recorded event is awaited, held against what was
//     sent, and kept: whoever runs the ledger cannot alter or drop the event any more without being found out.
//   - Nothing that holds an identifier prints itself, and no error or log line holds one. The spool's files do,
//     in clear: see [Config.Spool].
//
// Everything may be used by several goroutines at once unless it says otherwise.
package emit
