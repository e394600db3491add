package statement

import (
	"slices"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// losses notes what the ledger itself says that it does not hold: events that it
// refused, and positions that a restored copy of it lost.
type losses struct {
	span
	refusals map[[2]string]*Refused // by producer and type
	lost     []Lost
	before   law.Day // when the event before was recorded
	last     uint64  // its position
}

func newLosses(s span) *losses { return &losses{span: s, refusals: map[[2]string]*Refused{}} }

func (l *losses) add(e *entry) {
	recorded := law.DayOf(e.st.Recorded)
	switch e.st.Event.Kind {
	case events.LedgerRefused:
		l.refuse(e)
	case events.LedgerGapFound:
		d := e.st.Event.Data
		if l.touches(l.before, recorded) {
			l.lost = append(l.lost, Lost{e.position, uint64(d.Get("from").Int()), uint64(d.Get("to").Int())})
		}
	}
	l.before, l.last = recorded, e.position
}

// refuse adds what was refused on days of the range.
func (l *losses) refuse(e *entry) {
	d := e.st.Event.Data
	day := func(name string) law.Day {
		t, err := time.Parse(time.RFC3339, d.Get(name).Text())
		if err != nil {
			t = e.st.Event.At // a leap second, which the ledger does not write
		}
		return law.DayOf(t)
	}
	first, last := day("from"), day("to")
	if !l.touches(first, last) {
		return
	}
	producer := d.Get("producer").Text()
	for _, v := range d.Get("types").List() {
		o := v.Object()
		key := [2]string{producer, o.Get("type").Text()}
		r := l.refusals[key]
		if r == nil {
			r = &Refused{Producer: producer, Type: key[1], First: dayOf(first), Last: dayOf(last)}
			l.refusals[key] = r
		}
		r.Events += uint64(o.Get("count").Int())
		r.First, r.Last = min(r.First, dayOf(first)), max(r.Last, dayOf(last))
	}
}

func (l *losses) refused() (all []Refused) {
	for _, r := range l.refusals {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b Refused) int { return compareTexts(a.Producer, b.Producer, a.Type, b.Type) })
	return all
}
