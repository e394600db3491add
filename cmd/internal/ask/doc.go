// Package ask answers questions about what was recorded: it resolves people
// through the vault, asks the views, and puts their answers together.
//
// What is always true:
//
//  1. An answer is complete as of a stated position: it holds every event up to
//     it that was asked for, and none beyond. Who is linked with whom is as it is
//     when asked. If a view cannot come so far in time there is no answer.
//  2. Asking is itself recorded, as one ledger.queried, before the answer is
//     given; the pages of one answer continue it. If that cannot be recorded
//     there is no answer (GDPR Art. 5(2)).
//  3. Identifiers come in and do not go out: people are counted by resolving their
//     tags, employees are masked, the same way throughout one answer and another
//     in the next. What no longer resolves is counted apart. The exceptions are the
//     candidates for an identifier that came without its type, and what is asked
//     for as such: a reveal, and the plan of an erasure. These are recorded as
//     ledger.identity-revealed, first. A person's own record names no employee.
//  4. Somebody unknown leaves no trace: not in the ledger, a log, or an error. That
//     a question found nobody is recorded. Whoever was erased is unknown, by the
//     same way through this code as who never was.
//  5. What a token may see is cut here, for every question alike: a subject's own
//     record; an investigator's case, and every event by the window. What was
//     registered, which names nobody, is as it was when the window ended; what
//     arrived (coverage) is not an event and is not cut.
package ask
