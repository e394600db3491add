package events

import (
	"maps"
	"slices"
	"time"
)

// Refusals is what the ledger refused from one producer in one period. It holds nothing of what was
// refused but how often each type of error occurred.
type Refusals struct {
	Producer string
	From, To time.Time        // the first and the last refusal
	Types    map[string]int64 // how many of each type of error, at most 64 types
}

// Event makes the ledger's own event of kind ledger.refused.
func (r Refusals) Event(id, source string, at time.Time) *Event {
	data := catalogue.row(LedgerRefused).data
	i, _ := data.find([]byte("types"), 0)
	var total int64
	var types []Value
	for _, word := range slices.Sorted(maps.Keys(r.Types)) {
		total += r.Types[word]
		types = append(types, newObject(data.fields[i].spec.items.shape,
			member{"type", TextOf(word)}, member{"count", IntOf(r.Types[word])}).value())
	}
	return &Event{
		Kind: LedgerRefused, ID: id, Source: source, Time: timeText(at), At: at.UTC(),
		Data: newObject(data,
			member{"producer", TextOf(r.Producer)},
			member{"from", TextOf(timeText(r.From))},
			member{"to", TextOf(timeText(r.To))},
			member{"count", IntOf(total)},
			member{"types", ListOf(types...)}),
	}
}

type member struct {
	name  string
	value Value
}

// newObject makes an object of members that its shape has.
func newObject(s *shape, members ...member) Object {
	o := Object{shape: s}
	for _, m := range members {
		o, _ = o.With(m.name, m.value)
	}
	return o
}

// timeText writes an instant in UTC with milliseconds.
func timeText(t time.Time) string { return t.UTC().Format(recordedLayout) }
