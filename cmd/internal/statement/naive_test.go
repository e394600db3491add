package statement

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
)

// A naive statement is what reading all events, one question at a time, gives.
type naive struct {
	events []*events.Stored
}

func read(t testing.TB, all []events.Record) (n naive) {
	t.Helper()
	for _, rec := range all {
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			t.Fatal(err)
		}
		n.events = append(n.events, st)
	}
	return n
}

func dayText(st *events.Stored) string { return st.Event.At.UTC().Format(time.DateOnly) }

func inRange(st *events.Stored) bool { return dayText(st) >= fromDrawn && dayText(st) <= toDrawn }

// positions are those of the events of the range with one of some classes.
func (n naive) positions(classes ...string) (list []uint64) {
	for i, st := range n.events {
		if inRange(st) && slices.Contains(classes, st.Facts.Class) {
			list = append(list, uint64(i)+1)
		}
	}
	return list
}

func positions(items []Item) (list []uint64) {
	for _, it := range items {
		list = append(list, it.Position)
	}
	return list
}

// TestNaive: over any ledger, the statement says what reading all of it says; both
// forms read back, and come out the same again.
func TestNaive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		all := draw(t, rt)
		src := sources(t, all, fromDrawn, toDrawn)
		s, err := Make(context.Background(), src)
		if err != nil {
			rt.Fatal(err)
		}
		n := read(t, all)
		n.lists(rt, s)
		n.systems(rt, s)
		n.sequences(rt, s)
		n.again(rt, s)
		n.forms(rt, s, src)
	})
}

func (n naive) lists(t *rapid.T, s *Statement) {
	if got, want := positions(s.Transfers), n.positions("T2", "T3", "T4", "T5", "U"); !slices.Equal(got, want) {
		t.Fatalf("transfers %v, want %v", got, want)
	}
	if got, want := positions(s.Working), n.positions("T1", "T1f"); !slices.Equal(got, want) {
		t.Fatalf("working %v, want %v", got, want)
	}
	for _, c := range s.Classes {
		if c.Shown != Proven {
			continue
		}
		var persons, late uint64
		for _, p := range n.positions(c.Class) {
			st := n.events[p-1]
			persons += uint64(len(st.Event.Data.Get("subjects").List()))
			if st.Recorded.Sub(st.Event.At) > 24*time.Hour {
				late++
			}
		}
		if c.Events != uint64(len(n.positions(c.Class))) || c.Persons != persons || c.Late != late {
			t.Fatalf("%+v, want %d persons and %d late", c, persons, late)
		}
	}
	var parents []uint64
	for _, p := range s.Parents {
		parents = append(parents, p.Positions...)
	}
	slices.Sort(parents)
	var exposed []uint64
	for _, p := range n.positions("T0") {
		st := n.events[p-1]
		if f := st.Facts.Party; f != nil && slices.Contains([]string{"US", "CH", "IN", "NC"}, f.ParentCountry) && n.importer(st) != "" {
			exposed = append(exposed, p)
		}
	}
	if !slices.Equal(parents, exposed) {
		t.Fatalf("T7 %v, want %v", parents, exposed)
	}
}

// importer is the party of an event, in the ledgers that are drawn: they have a
// recipient or an actor of others, never both.
func (n naive) importer(st *events.Stored) string {
	to := st.Event.Data.Get("recipient").Object()
	if to.Get("role").Text() == "subject" {
		return ""
	}
	if actor := st.Event.Data.Get("actor").Object(); actor.Get("kind").Text() != "human" {
		return actor.Get("party").Text()
	}
	return to.Get("party").Text()
}

func (n naive) systems(t *rapid.T, s *Statement) {
	want := map[string]uint64{}
	beats := map[string]uint64{}
	for _, st := range n.events {
		if !inRange(st) {
			continue
		}
		if st.Event.Kind == events.LedgerHeartbeat {
			beats[st.Event.Source+dayText(st)]++
		}
		if st.Facts.Class != "" {
			want[st.Event.Data.Get("system").Text()+dayText(st)]++
		}
	}
	got := map[string]uint64{}
	for _, row := range s.Systems {
		for _, d := range row.Days {
			if d.Examined > 0 {
				got[row.System+string(d.Day)] = d.Examined
			}
		}
		if row.Registered == 0 {
			continue
		}
		expected, without := n.silent(row.System, beats)
		if row.Expected != expected || !slices.Equal(flat(row.Without), without) {
			t.Fatalf("%+v, want %d days expected, %v without", row, expected, without)
		}
	}
	if !maps.Equal(got, want) {
		t.Fatalf("examined %v, want %v", got, want)
	}
}

// silent are the days on which a system was to send a heartbeat, and those on which
// it did not.
func (n naive) silent(name string, beats map[string]uint64) (expected uint64, without []string) {
	for d := day0(fromDrawn); d.Format(time.DateOnly) <= toDrawn; d = d.AddDate(0, 0, 1) {
		at := d.Format(time.DateOnly)
		personal, producer := false, ""
		for _, st := range n.events {
			if data := st.Event.Data; st.Event.Kind == events.GovernanceSystemRegistered && data.Get("system").Text() == name && dayText(st) <= at {
				personal, producer = data.Get("personal_data").Bool(), data.Get("producer").Text()
			}
		}
		if !personal {
			continue
		}
		if expected++; producer == "" || beats["/"+producer+at] == 0 {
			without = append(without, at)
		}
	}
	return expected, without
}

func day0(text string) time.Time {
	d, _ := time.Parse(time.DateOnly, text)
	return d
}

func flat(all []Days) (days []string) {
	for _, x := range all {
		for d := day0(string(x.From)); d.Format(time.DateOnly) <= string(x.To); d = d.AddDate(0, 0, 1) {
			days = append(days, d.Format(time.DateOnly))
		}
	}
	return days
}

func (n naive) sequences(t *rapid.T, s *Statement) {
	came := map[track]map[uint64]string{}
	counts := map[track]Producer{}
	for _, st := range n.events {
		if st.Event.Source == ownSource {
			continue
		}
		k := track{st.Event.Source, st.Event.Instance}
		if came[k] == nil {
			came[k] = map[uint64]string{}
		}
		p, inside := counts[k], uint64(0)
		if inRange(st) {
			inside = 1
		}
		p.Events += inside
		if _, twice := came[k][st.Event.Seq]; st.Event.Seq == 0 {
			p.Unnumbered += inside
		} else if twice {
			p.Repeated += inside
		} else {
			came[k][st.Event.Seq] = dayText(st)
		}
		counts[k] = p
	}
	var gaps []string
	for k, numbers := range came {
		p := counts[k]
		for m := uint64(1); len(numbers) > 0 && m < slices.Max(slices.Collect(maps.Keys(numbers))); m++ {
			if _, ok := numbers[m]; ok {
				continue
			}
			after, before := "", ""
			for below := m; below > 0 && after == ""; below-- {
				after = numbers[below]
			}
			for above := m; before == ""; above++ {
				before = numbers[above]
			}
			if (before < fromDrawn && after < fromDrawn) || (before > toDrawn && after > toDrawn) {
				p.Elsewhere++
				continue
			}
			p.Missing++
			gaps = append(gaps, fmt.Sprint(k, m, after, before))
		}
		counts[k] = p
	}
	var got []string
	for _, g := range s.Unknowns.Gaps {
		for m := g.From; m <= g.To; m++ {
			got = append(got, fmt.Sprint(track{"/" + g.Producer, g.Instance}, m, g.After, g.Before))
		}
	}
	slices.Sort(got)
	slices.Sort(gaps)
	if !slices.Equal(got, gaps) {
		t.Fatalf("gaps %q, want %q", got, gaps)
	}
	for _, p := range s.Unknowns.Producers {
		want := counts[track{"/" + p.Producer, p.Instance}]
		want.Producer, want.Instance, want.Last, want.Silent = p.Producer, p.Instance, p.Last, p.Silent
		if p != want {
			t.Fatalf("%+v, want %+v", p, want)
		}
	}
}

// again: what differs is exactly what differs when each event is decided alone.
func (n naive) again(t *rapid.T, s *Statement) {
	differ, events := map[uint64]string{}, uint64(0)
	for i, st := range n.events {
		if !inRange(st) {
			continue
		}
		now := named(ledger.Explain(st, n.all).Class)
		was := cmp.Or(st.Facts.Class, none)
		if was != now {
			differ[uint64(i)+1] = was + " " + now
		}
		if was != none || now != none {
			events++
		}
	}
	for _, d := range s.Again.Differences {
		for _, p := range d.Positions {
			if differ[p] != d.Was+" "+d.Now {
				t.Fatalf("%+v: position %d, want %s", d, p, differ[p])
			}
			delete(differ, p)
		}
	}
	if len(differ) > 0 || s.Again.Events != events {
		t.Fatalf("%+v, want %v of %d", s.Again, differ, events)
	}
}

// all yields every event.
func (n naive) all(yield func(uint64, *events.Stored) bool) {
	for i, st := range n.events {
		if !yield(uint64(i)+1, st) {
			return
		}
	}
}

func (n naive) forms(t *rapid.T, s *Statement, src Sources) {
	var raw, page, again bytes.Buffer
	if err := s.Encode(&raw); err != nil {
		t.Fatal(err)
	}
	read, err := Decode(bytes.NewReader(raw.Bytes()))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw.Bytes())
	}
	if err := read.Encode(&again); err != nil || !bytes.Equal(raw.Bytes(), again.Bytes()) {
		t.Fatal("another statement was read back", err)
	}
	if err := read.Agrees(src.Figures); err != nil {
		t.Fatal(err)
	}
	if err := s.Page(&page, Dutch); err != nil || strings.Contains(page.String(), "%!") {
		t.Fatal("the page", err)
	}
	twice, err := Make(context.Background(), src)
	if err != nil || !reflect.DeepEqual(twice, s) {
		t.Fatal("made twice, there are two", err)
	}
}
