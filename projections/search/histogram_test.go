package search

import (
	"errors"
	"testing"
	"time"

	"github.com/imalink/custody/projections"
)

// TestClocks counts one event a minute through days on which clocks change, or the time package has a seam.
func TestClocks(t *testing.T) {
	from := base(t)[0]
	for _, test := range []struct{ zone, day string }{
		{"Europe/Brussels", "2025-03-30"}, {"Europe/Brussels", "2025-10-26"}, {"Europe/Brussels", "2048-12-31"}, {"Europe/Brussels", "2049-01-01"},
		{"Australia/Lord_Howe", "2025-04-06"}, {"Australia/Lord_Howe", "2025-10-05"}, {"Asia/Kathmandu", "2025-12-31"}, {"Asia/Kathmandu", "1986-01-01"},
		{"America/St_Johns", "2000-10-29"}, {"America/St_Johns", "2000-04-02"}, {"America/St_Johns", "2044-12-31"}, {"Pacific/Apia", "2011-12-30"},
		{"America/Sao_Paulo", "2018-11-04"}, {"America/Sao_Paulo", "2018-02-18"}, {"Africa/Monrovia", "1972-01-07"}, {"UTC", "1969-12-31"},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse(time.DateOnly, test.day)
		if err != nil {
			t.Fatal(err)
		}
		var all []*projections.Event
		for at := day.Add(-30 * time.Hour); at.Before(day.Add(54 * time.Hour)); at = at.Add(time.Minute) {
			st, event := *from.Stored, *from.Stored.Event
			event.At, st.Event = at, &event
			all = append(all, &projections.Event{Position: uint64(len(all)) + 1, Stored: &st})
		}
		db := newFile(t)
		fold(t, db, all, len(all), 1)
		r, f := snapshot(t, db), Filter{Until: uint64(len(all))}
		for unit := Hour; unit <= Year; unit++ {
			buckets, err := r.Histogram(f, zone, unit)
			if err != nil {
				t.Fatal(err)
			}
			checkBuckets(t, buckets, newOracle(all), zone, unit)
		}
	}
}

// checkBuckets: each bucket begins in what the calendar calls it, and has all events that the calendar calls so.
func checkBuckets(t *testing.T, buckets []Bucket, o oracle, zone *time.Location, unit Unit) {
	t.Helper()
	want := o.histogram(zone, unit)
	for _, b := range buckets {
		name := calendar(b.Start, unit)
		if b.Count != want[name] {
			t.Errorf("%v, %s: %d events in %s, want %d", zone, unit, b.Count, name, want[name])
		}
		if before := calendar(b.Start.Add(-time.Millisecond), unit); before == name {
			t.Errorf("%v, %s: %s begins before %v", zone, unit, name, b.Start)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("%v, %s: missing %v", zone, unit, want)
	}
}

// TestNames: facets and units are found by the names they have.
func TestNames(t *testing.T) {
	for _, f := range Facets() {
		if parsed, ok := ParseFacet(f.String()); !ok || parsed != f || f.String() == "" {
			t.Errorf("facet %d %q is %d", f, f, parsed)
		}
	}
	for u := Hour; u <= Year; u++ {
		if parsed, ok := ParseUnit(u.String()); !ok || parsed != u {
			t.Errorf("unit %d %q is %d", u, u, parsed)
		}
	}
	for _, name := range []string{"", "person", "actor", "session", "Kind"} {
		if f, ok := ParseFacet(name); ok {
			t.Errorf("%q is facet %d", name, f)
		}
		if u, ok := ParseUnit(name); ok {
			t.Errorf("%q is unit %d", name, u)
		}
	}
}

// TestRefusals: a question that cannot be answered is refused.
func TestRefusals(t *testing.T) {
	all := base(t)[:100]
	db := newFile(t)
	fold(t, db, all, 100, 1)
	r := snapshot(t, db)
	if _, err := r.Count(Filter{Until: 101}); !errors.Is(err, projections.ErrBehind) {
		t.Errorf("a position the view has not reached: %v", err)
	}
	if _, err := r.Count(Filter{Until: 100, Any: map[Facet][]string{facetsEnd: {"x"}}}); !errors.Is(err, ErrFacet) {
		t.Errorf("a facet that there is not: %v", err)
	}
	if _, err := r.Values(Filter{Until: 100}, Facet(0)); !errors.Is(err, ErrFacet) {
		t.Errorf("counting a facet that there is not: %v", err)
	}
	if _, err := r.Histogram(Filter{Until: 100}, time.UTC, Year+1); !errors.Is(err, ErrUnit) {
		t.Errorf("a unit that there is not: %v", err)
	}
	if _, _, err := r.Page(Filter{Until: 100}, 0, 0, false); err == nil {
		t.Error("a page of none")
	}
	for _, err := range r.Walk(Filter{Until: 101}) {
		if !errors.Is(err, projections.ErrBehind) {
			t.Errorf("walking beyond: %v", err)
		}
	}
}
