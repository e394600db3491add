package ledger

import (
	"iter"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// Explain decides the class of a recorded event again, fact by fact, under the
// tables of this program: from what the register said when it was recorded. said
// yields, by position, every governance event recorded before it about the
// parties that the event names, in order; others do no harm.
//
// The class recorded with the event stands, whatever the answer: a difference
// means that the tables have changed since (Facts.Tables has their version).
func Explain(st *events.Stored, said iter.Seq2[uint64, *events.Stored]) law.Verdict {
	r := newRegister()
	for position, g := range said {
		r.apply(g.Event, position)
	}
	return law.Classify(r.question(st.Event))
}

// Parties are the codes of the parties whose registration decides the class of an
// event: its recipient, and the organisation whose staff acted.
func Parties(e *events.Event) (codes []string) {
	for _, name := range [...]string{"recipient", "actor"} {
		if code := e.Data.Get(name).Object().Get("party").Text(); code != "" {
			codes = append(codes, code)
		}
	}
	return codes
}
