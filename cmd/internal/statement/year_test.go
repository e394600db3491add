package statement

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// TestYear holds statements over the shared year against the answers of another
// program: each quarter lists exactly the events of T2 to T5 and U.
func TestYear(t *testing.T) {
	t.Parallel()
	all, want := record(t, year(t)...), answered(t)
	late := map[string]bool{"Q1": true, "Q2": true} // a party that was registered in July received before
	for name, days := range map[string][2]string{
		"Q1": {"2025-01-01", "2025-03-31"}, "Q2": {"2025-04-01", "2025-06-30"},
		"Q3": {"2025-07-01", "2025-09-30"}, "Q4": {"2025-10-01", "2025-12-31"},
	} {
		t.Run(name, func(t *testing.T) {
			s := made(t, all, days[0], days[1])
			counts := map[string]uint64{}
			for _, c := range s.Classes {
				if c.Shown == Proven && c.Events > 0 {
					counts[c.Class] = c.Events
				}
			}
			if !maps.Equal(counts, want.Quarters[name]) {
				t.Errorf("counts %v, want %v", counts, want.Quarters[name])
			}
			outside := []string{"T2", "T3", "T4", "T5", "U"}
			sameEvents(t, all, s.Transfers, want.Class, days, outside)
			sameEvents(t, all, s.Working, want.Class, days, []string{"T1", "T1f"})
			if s.Result.Grade != "F" || s.Result.Law != Broken || s.Result.Policy != Broken || s.Range.Closed != (name != "Q4") {
				t.Errorf("%+v", s.Result)
			}
			for _, p := range s.Unknowns.Producers {
				if n := len(want.Gaps["/"+p.Producer]); p.Missing+p.Elsewhere != uint64(n) {
					t.Errorf("%s misses %d and %d numbers, want %d", p.Producer, p.Missing, p.Elsewhere, n)
				}
			}
			if (len(s.Again.Differences) > 0) != late[name] {
				t.Errorf("%+v", s.Again)
			}
			nobody(t, all, s)
		})
	}
}

// sameEvents compares a list with the events of some classes in the answers.
func sameEvents(t *testing.T, all []events.Record, items []Item, classes map[string]string, days [2]string, want []string) {
	t.Helper()
	next := 0
	for _, rec := range all {
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			t.Fatal(err)
		}
		class, at := classes[st.Event.ID], st.Event.At.Format(time.DateOnly)
		if at < days[0] || at > days[1] || !slices.Contains(want, class) {
			continue
		}
		if next >= len(items) || items[next].Position != rec.Position || items[next].Class != class || string(items[next].Day) != at {
			t.Fatalf("%s at position %d is not item %d", class, rec.Position, next)
		}
		next++
	}
	if next != len(items) {
		t.Errorf("%d events, want %d", len(items), next)
	}
}

// nobody holds that neither form has a tag of anybody.
func nobody(t *testing.T, all []events.Record, s *Statement) {
	t.Helper()
	var b bytes.Buffer
	if err := s.Encode(&b); err != nil {
		t.Fatal(err)
	}
	if err := s.Page(&b, English); err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for _, word := range bytes.FieldsFunc(b.Bytes(), func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') }) {
		texts[string(word)] = true
	}
	for _, rec := range all {
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			t.Fatal(err)
		}
		tags := []string{st.Event.Data.Get("actor").Object().Get("id").Text(), st.Event.Data.Get("reference").Text()}
		for _, v := range st.Event.Data.Get("subjects").List() {
			tags = append(tags, v.Object().Get("id").Text())
		}
		for _, tag := range tags {
			if tag != "" && texts[tag] {
				t.Fatalf("a tag of position %d", rec.Position)
			}
		}
	}
}
