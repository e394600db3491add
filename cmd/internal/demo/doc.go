// Package demo makes up a year at a staffing company, records it into a ledger
// of its own, and says what there is to find in it.
//
// What is true:
//
//   - The year is a function of its [Spec] alone: the same lines, byte for byte,
//     on every machine. It never looks at a clock.
//   - Everybody and every party in it is made up.
//   - Every line is an event that a producer may send, and whatever its size the
//     ledger ends up with exactly Spec.Size of them.
//   - What the stories say is exact: chance decides nothing that they count.
//   - The year goes through [ledger.Ledger.Record], as any event does. Only the
//     clock is the story's, so that what happened in March was recorded in
//     March, and what came late came late.
//   - Recording it may be interrupted at any point, and begun again.
//
// Reading order: spec.go, calendar.go, lines.go, habits.go, register.go,
// story.go, then home.go and fill.go.
package demo
