package search

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/imalink/custody/projections"
)

// drawFilter draws a filter that is likely to match something of all.
func drawFilter(t *rapid.T, all oracle) Filter {
	f := Filter{Until: rapid.Uint64Range(0, uint64(len(all))).Draw(t, "until"), Any: map[Facet][]string{}}
	if rapid.Bool().Draw(t, "to the end") {
		f.Until = uint64(len(all))
	}
	event := func(label string) row { return all[rapid.IntRange(0, len(all)-1).Draw(t, label)] }
	for range rapid.IntRange(0, 3).Draw(t, "facets") {
		facet := rapid.SampledFrom(Facets()).Draw(t, "facet")
		texts := []string{}
		for range rapid.IntRange(0, 4).Draw(t, "values") {
			if has := event("with value").values[facet]; len(has) > 0 {
				texts = append(texts, rapid.SampledFrom(has).Draw(t, "value"))
			}
		}
		if len(texts) == 0 && rapid.IntRange(0, 3).Draw(t, "nothing") > 0 {
			continue
		}
		f.Any[facet] = texts
	}
	near := func(label string) time.Time {
		return event(label).at.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, label+" by")) * time.Millisecond)
	}
	if rapid.IntRange(0, 2).Draw(t, "has from") == 0 {
		f.From = near("from")
	}
	if rapid.IntRange(0, 2).Draw(t, "has to") == 0 {
		f.To = near("to")
	}
	if rapid.IntRange(0, 3).Draw(t, "among some") == 0 {
		positions := rapid.SliceOfN(rapid.Uint64Range(1, uint64(len(all))), 0, 200).Draw(t, "among")
		slices.Sort(positions)
		f.Among = slices.Compact(positions)
		if f.Among == nil {
			f.Among = []uint64{}
		}
	}
	return f
}

// TestAnswers compares every answer with that of reading all events, for the year and for streams longer than a chunk.
func TestAnswers(t *testing.T) {
	year := base(t)
	for name, all := range map[string][]*projections.Event{"year": year, "stream": stream(year, 70_000, 1)} {
		t.Run(name, func(t *testing.T) {
			db := newFile(t)
			fold(t, db, all, 4999, 3)
			r, o := snapshot(t, db), newOracle(all)
			rapid.Check(t, func(t *rapid.T) {
				f := drawFilter(t, o)
				want := o.match(f)
				checkPages(t, r, f, want)
				checkCounts(t, r, f, want)
				checkTimes(t, r, f, want)
			})
		})
	}
}

// checkPages reads all pages in both directions, and walks.
func checkPages(t *rapid.T, r *Reader, f Filter, want oracle) {
	positions := make([]uint64, len(want))
	for i, e := range want {
		positions[i] = e.Position
	}
	var walked []uint64
	for position, err := range r.Walk(f) {
		if err != nil {
			t.Fatal(err)
		}
		walked = append(walked, position)
	}
	if !slices.Equal(walked, positions) {
		t.Fatalf("walked %d positions, there are %d: %v", len(walked), len(positions), f)
	}
	limit := max(rapid.IntRange(1, 70).Draw(t, "limit"), len(want)/5)
	for _, newest := range []bool{false, true} {
		var paged []uint64
		for after, more := uint64(0), true; more; {
			page, rest, err := r.Page(f, after, limit, newest)
			if err != nil || rest && len(page) != limit {
				t.Fatalf("a page of %d, %v: %v", len(page), rest, err)
			}
			if more = rest; more {
				after = page[limit-1]
			}
			paged = append(paged, page...)
		}
		if newest {
			slices.Reverse(paged)
		}
		if !slices.Equal(paged, positions) {
			t.Fatalf("paged %d positions, there are %d, newest first: %v: %v", len(paged), len(positions), newest, f)
		}
	}
}

func checkCounts(t *rapid.T, r *Reader, f Filter, want oracle) {
	n, err := r.Count(f)
	if err != nil || n != uint64(len(want)) {
		t.Fatalf("counted %d of %d, %v: %v", n, len(want), err, f)
	}
	facets := rapid.SliceOfNDistinct(rapid.SampledFrom(Facets()), 1, 4, rapid.ID).Draw(t, "counted")
	counted, err := r.Values(f, facets...)
	if err != nil || len(counted) != len(facets) {
		t.Fatal(len(counted), err)
	}
	for _, facet := range facets {
		got := map[string]uint64{}
		for i, c := range counted[facet] {
			got[c.Text] = c.Count
			if i > 0 && c.Count > counted[facet][i-1].Count {
				t.Fatalf("%s: %d after %d", facet, c.Count, counted[facet][i-1].Count)
			}
		}
		if want := want.counts(facet); !maps.Equal(got, want) || len(got) != len(counted[facet]) {
			t.Fatalf("%s: %v, want %v: %v", facet, got, want, f)
		}
	}
}

func checkTimes(t *rapid.T, r *Reader, f Filter, want oracle) {
	first, last, ok, err := r.Span(f)
	if a, b := want.span(); err != nil || ok != (len(want) > 0) || !first.Equal(a) || !last.Equal(b) {
		t.Fatalf("%v to %v, want %v to %v, %v: %v", first, last, a, b, err, f)
	}
	zone, err := time.LoadLocation(rapid.SampledFrom([]string{"UTC", "Europe/Brussels", "Asia/Kathmandu", "America/St_Johns",
		"Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"}).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	unit := rapid.SampledFrom([]Unit{Hour, Day, Week, Month, Quarter, Year}).Draw(t, "unit")
	buckets, err := r.Histogram(f, zone, unit)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for i, b := range buckets {
		got[calendar(b.Start, unit)] += b.Count
		if i > 0 && !buckets[i-1].Start.Before(b.Start) {
			t.Fatalf("%v after %v", b.Start, buckets[i-1].Start)
		}
	}
	if want := want.histogram(zone, unit); !maps.Equal(got, want) || len(got) != len(buckets) {
		t.Fatalf("%s in %v: %v, want %v: %v", unit, zone, got, want, f)
	}
}

// TestCards compares every card and its people with the event.
func TestCards(t *testing.T) {
	all := stream(base(t), 3000, 2)
	o := newOracle(all)
	for _, size := range []int{1, 63, 64, 65, 3000} {
		db := newFile(t)
		fold(t, db, all[:size*min(40, 3000/size)], size, 2)
		r := snapshot(t, db)
		for position := uint64(1); position <= r.Position(); position++ {
			checkCard(t, r, o[position-1])
		}
		for _, position := range []uint64{0, r.Position() + 1} {
			if _, err := r.Card(position); !errors.Is(err, ErrNoEvent) {
				t.Errorf("card of position %d: %v", position, err)
			}
			if _, err := r.People(position); !errors.Is(err, ErrNoEvent) {
				t.Errorf("people of position %d: %v", position, err)
			}
		}
	}
}

func checkCard(t *testing.T, r *Reader, e row) {
	t.Helper()
	c, err := r.Card(e.Position)
	if err != nil {
		t.Fatal(err)
	}
	st := e.Stored
	if c.Position != e.Position || c.Kind != st.Event.Kind || c.ID != st.Event.ID || c.Source != st.Event.Source ||
		!c.Time.Equal(e.at) || !c.Recorded.Equal(st.Recorded) || c.Subjects != len(e.People.Subjects) {
		t.Fatalf("card %+v of position %d", c, e.Position)
	}
	for _, facet := range Facets() {
		if got, want := c.All(facet), e.values[facet]; !slices.Equal(got, want) {
			t.Fatalf("card %d, %s: %v, want %v", e.Position, facet, got, want)
		}
	}
	p, err := r.People(e.Position)
	if err != nil {
		t.Fatal(err)
	}
	if w := e.People; !slices.Equal(p.Subjects, w.Subjects) || !slices.Equal(p.Named, w.Named) || p.Actor != w.Actor ||
		p.Session != w.Session || p.SubjectCell != w.SubjectCell || p.ActorCell != w.ActorCell {
		t.Fatalf("people of position %d", e.Position)
	}
}
