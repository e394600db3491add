package search

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/year"
)

const root = "../.."

// newFile makes an empty file of a view.
func newFile(tb testing.TB) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(filepath.Join(tb.TempDir(), "view.db"), 0o600, &bolt.Options{NoSync: true, NoGrowSync: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// fold folds events into a file, with flushes of a size and a new model after every so many of them.
func fold(tb testing.TB, db *bolt.DB, all []*projections.Event, size, reopen int) {
	tb.Helper()
	var m projections.Model
	flushes := 0
	for batch := range slices.Chunk(all, size) {
		if err := db.Update(func(tx *bolt.Tx) error {
			if m == nil || flushes%reopen == 0 {
				var err error
				if m, err = View().Open(tx); err != nil {
					return err
				}
			}
			for _, e := range batch {
				m.Fold(e)
			}
			return m.Flush(tx)
		}); err != nil {
			tb.Fatal(err)
		}
		flushes++
	}
}

// snapshot gives a reader for the rest of the test.
func snapshot(tb testing.TB, db *bolt.DB) *Reader {
	tb.Helper()
	tx, err := db.Begin(false)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = tx.Rollback() })
	r, err := Read(tx)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// stream gives n events made of those of the year, from position 1, with other ids and times: mostly in order, some late,
// some in their milliseconds' fractions, a few of another age.
func stream(base []*projections.Event, n int, seed uint64) []*projections.Event {
	r := rand.New(rand.NewPCG(seed, 7))
	all := make([]*projections.Event, n)
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range all {
		now = now.Add(time.Duration(r.IntN(4000)) * time.Millisecond)
		st := *base[r.IntN(len(base))].Stored
		event := *st.Event
		switch at := now; r.IntN(20) {
		case 0:
			event.At = at.Add(-time.Duration(r.IntN(90*24)) * time.Hour)
		case 1:
			event.At = at.Add(time.Duration(r.IntN(1000)) * time.Microsecond)
		case 2:
			event.At = time.Date(r.IntN(120)+1930, 3, 30, r.IntN(5), r.IntN(60), 0, 0, time.UTC)
		default:
			event.At = at
		}
		event.ID = fmt.Sprintf("%08x-0000-4000-8000-%012x", r.Uint32(), i)
		switch r.IntN(20) {
		case 0:
			event.ID = fmt.Sprintf("Event-%d", i)
		case 1:
			event.ID = fmt.Sprintf("ABCDEF01-0000-4000-8000-%012x", i)
		}
		st.Event, st.Recorded = &event, now.Truncate(time.Millisecond)
		if r.IntN(50) == 0 {
			st.Relay = "relay"
		}
		st.Facts.Special, st.Facts.Forgotten = r.IntN(9) == 0, r.IntN(30) == 0
		all[i] = &projections.Event{Position: uint64(i) + 1, Stored: &st, People: people(&event, r)}
	}
	return all
}

func people(e *events.Event, r *rand.Rand) projections.People {
	tag := func() (t projections.Tag) {
		t[0], t[15] = byte(1+r.IntN(255)), byte(r.IntN(256))
		return t
	}
	p := projections.People{
		SubjectCell: projections.CellOf(e.Kind, e.At, projections.Subject),
		ActorCell:   projections.CellOf(e.Kind, e.At, projections.Actor),
	}
	n := r.IntN(4)
	if r.IntN(100) == 0 {
		n = inlineTags + r.IntN(40)
	}
	for range n {
		p.Subjects = append(p.Subjects, tag())
	}
	for range r.IntN(3) {
		p.Named = append(p.Named, tag())
	}
	if r.IntN(2) == 0 {
		p.Actor = tag()
	}
	if r.IntN(2) == 0 {
		p.Session = tag()
	}
	return p
}

// An oracle answers by reading every event.
type oracle []row

// A row is one event, with what it is asked by.
type row struct {
	*projections.Event
	at     time.Time // in whole milliseconds
	values [facetsEnd][]string
}

func newOracle(all []*projections.Event) oracle {
	o := make(oracle, len(all))
	for i, e := range all {
		o[i] = row{Event: e, at: e.Stored.Event.At.Truncate(time.Millisecond)}
		facets(e, func(f Facet, text string) {
			if f != 0 && text != "" && !slices.Contains(o[i].values[f], text) {
				o[i].values[f] = append(o[i].values[f], text)
			}
		})
	}
	return o
}

// match gives the events that a filter lets through.
func (o oracle) match(f Filter) (matching oracle) {
	for _, e := range o {
		if e.Position > f.Until || f.Among != nil && !slices.Contains(f.Among, e.Position) ||
			!f.From.IsZero() && e.at.Before(f.From) || !f.To.IsZero() && !e.at.Before(f.To) {
			continue
		}
		fits := true
		for facet, texts := range f.Any {
			fits = fits && slices.ContainsFunc(texts, func(text string) bool { return slices.Contains(e.values[facet], text) })
		}
		if fits {
			matching = append(matching, e)
		}
	}
	return matching
}

func (o oracle) span() (first, last time.Time) {
	for i, e := range o {
		if i == 0 || e.at.Before(first) {
			first = e.at
		}
		if i == 0 || e.at.After(last) {
			last = e.at
		}
	}
	return first, last
}

// counts gives how many of the events have each value of a facet.
func (o oracle) counts(facet Facet) map[string]uint64 {
	counts := map[string]uint64{}
	for _, e := range o {
		for _, text := range e.values[facet] {
			counts[text]++
		}
	}
	return counts
}

// calendar gives what the histogram of a unit tells apart, in words.
func calendar(at time.Time, unit Unit) string {
	switch unit {
	case Hour:
		return at.Format("2006-01-02T15 -0700")
	case Day:
		return at.Format("2006-01-02")
	case Week:
		y, w := at.ISOWeek()
		return fmt.Sprintf("%d week %d", y, w)
	case Month:
		return at.Format("2006-01")
	case Quarter:
		return fmt.Sprintf("%d quarter %d", at.Year(), (at.Month()-1)/3)
	}
	return at.Format("2006")
}

func (o oracle) histogram(zone *time.Location, unit Unit) map[string]uint64 {
	counts := map[string]uint64{}
	for _, e := range o {
		counts[calendar(e.at.In(zone), unit)]++
	}
	return counts
}

// base is the year of input.
func base(tb testing.TB) []*projections.Event { return year.Load(tb, root) }
