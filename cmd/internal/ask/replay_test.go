package ask

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imalink/custody/projections/search"
)

// TestReplay holds every answer against reading everything again, for random
// events and random questions, while more events come.
func TestReplay(t *testing.T) {
	for seed := range 3 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			lines := rapid.Custom(drawEvents).Example(seed)
			everybody := make([]string, 0, len(people))
			for i, person := range slices.Concat(people, staff) { // nobody who is asked about is unknown
				everybody = append(everybody, looked(fmt.Sprintf("p-%d", i), january, person, "sess-0", person))
			}
			lines = append(everybody, lines...)
			o := newOracle(r)
			for batch := range slices.Chunk(lines, 17) {
				o.sends(batch...)
			}
			rapid.Check(t, func(t *rapid.T) {
				o.read(r.t)
				c := &checked{T: t, rig: r, o: o, q: drawQuestion(t, o)}
				c.check()
			})
		})
	}
}

// checked is one question, and what reading everything says to it.
type checked struct {
	*rapid.T
	*rig
	o    *oracle
	q    Question
	rows []row
	as   AsOf
}

// got takes over as of when an answer is.
func (c *checked) got(as AsOf, err error) {
	c.T.Helper()
	if err != nil {
		c.T.Fatalf("%v: %+v", err, c.q)
	}
	if c.o.read(c.rig.t); as.Position > uint64(len(c.o.rows)) {
		c.T.Fatalf("as of %d, of %d", as.Position, len(c.o.rows))
	}
	c.as = as
	c.rows = c.o.match(c.q, as.Position)
}

func (c *checked) check() {
	if !c.q.sound() {
		if _, err := c.Search(c.Context(), dpo(), "events", c.q, Counting{}); !errors.Is(err, ErrQuestion) {
			c.Fatalf("from behind to: %v", err)
		}
		return
	}
	c.list()
	c.summary()
	c.facets()
	c.histogram()
	c.person()
	if len(c.q.About) == 0 {
		c.parties()
		c.transfers()
	}
}

// sound reports whether the question's times leave anything.
func (q Question) sound() bool {
	s := sitting{q: q}
	return s.box() == nil && s.q.settle() == nil
}

// list asks for all pages, of different lengths, by handles or identifiers, while
// events come.
func (c *checked) list() {
	q := c.q
	ask := func(q Question) (Page, error) {
		got, err := c.Search(c.Context(), dpo(), "events", q, Counting{})
		if err != nil {
			return Page{}, err
		}
		return *got.Page, nil
	}
	if rapid.Bool().Draw(c.T, "by handle") {
		ask = func(q Question) (Page, error) {
			q.About = nil
			for _, about := range c.q.About {
				handle, err := c.handle(dpo(), about.What, about.ID.id)
				if err != nil {
					return Page{}, err
				}
				q.About = append(q.About, About{What: about.What, Handle: handle})
			}
			return c.Events(c.Context(), dpo(), q)
		}
	}
	many := len(c.o.match(q, uint64(len(c.o.rows))))
	page, err := c.all(q, func(q Question) (Page, error) {
		if rapid.Bool().Draw(c.T, "more comes") {
			c.o.sends(looked(fmt.Sprintf("late-%d", len(c.o.known)), march, pick(c.T, staff), pick(c.T, sessions), pick(c.T, people)))
		}
		q.Limit = max(rapid.IntRange(1, 60).Draw(c.T, "length"), many/6)
		return ask(q)
	})
	c.got(page.AsOf, err)
	if len(page.Items) != len(c.rows) {
		c.Fatalf("%d events, want %d: %+v", len(page.Items), len(c.rows), c.q)
	}
	masks := map[string]string{}
	for i, item := range page.Items {
		w := c.rows[i]
		if item.Position != w.position || item.ID != w.id || !item.Time.Equal(w.at) || item.Kind != w.kind || item.Persons != len(w.subjects) ||
			item.Class != strings.Join(w.facets[search.Class], "") {
			c.Fatalf("item %+v, want %d", item, w.position)
		}
		if w.actor == "" {
			continue
		}
		who := c.o.person(w.actor)
		if mask, ok := masks[who]; ok && mask != item.Actor.Mask || !strings.HasPrefix(item.Actor.Mask, "actor-") {
			c.Fatalf("%s and %s are one", mask, item.Actor.Mask)
		}
		masks[who] = item.Actor.Mask
	}
	if different := slices.Compact(slices.Sorted(maps.Values(masks))); len(different) != len(masks) {
		c.Fatalf("%d masks for %d", len(different), len(masks))
	}
	c.recordedAs("events", c.o.persons(c.rows))
}

// recordedAs holds the question that was recorded last.
func (c *checked) recordedAs(name string, persons int) {
	var about [2][]string
	for _, a := range c.q.About {
		switch a.What {
		case Person:
			about[0] = append(about[0], a.ID.id.Reveal())
			if persons = max(persons, 1); name == "events" { // a list names one person and counts no others
				persons = 1
			}
		case Acting:
			about[1] = append(about[1], a.ID.id.Reveal())
		}
	}
	got := c.last()
	if got.Query != name || got.Role != "dpo" || got.Token != "dpo-1" || got.Case != "c-1" || got.AsOf != c.as.Position || got.Persons != int64(persons) ||
		!slices.Equal(got.Subjects, about[0]) || !slices.Equal(got.Actors, about[1]) {
		c.Fatalf("recorded %s as of %d with %d persons, want %s as of %d with %d", got.Query, got.AsOf, got.Persons, name, c.as.Position, persons)
	}
}

func (c *checked) summary() {
	got, err := c.Search(c.Context(), dpo(), "summary", c.q, Counting{})
	if err != nil {
		c.Fatal(err)
	}
	s := got.Summary
	c.got(s.AsOf, err)
	c.sum("summary", c.rows, s.Events, s.Persons, s.Unresolved, s.First, s.Last)
	if !maps.Equal(s.Kinds, counts(c.rows, search.Kind)) || !same(s.Categories, counts(c.rows, search.Category)) || !same(s.Systems, counts(c.rows, search.System)) {
		c.Fatalf("%+v: %+v", s, c.q)
	}
	c.recordedAs("events.summary", c.o.persons(c.rows))
}

func (c *checked) sum(what string, rows []row, events uint64, persons, unresolved int, first, last *Instant) {
	c.T.Helper()
	from, to := span(rows)
	if events != uint64(len(rows)) || persons != c.o.persons(rows) || unresolved != 0 || (first == nil) != (len(rows) == 0) ||
		first != nil && (!first.Equal(from) || !last.Equal(to)) {
		c.Fatalf("%s: %d events of %d persons, %d unresolved, want %d of %d: %+v", what, events, persons, unresolved, len(rows), c.o.persons(rows), c.q)
	}
}

// same reports whether names are the keys, in order.
func same(names []string, keys map[string]uint64) bool {
	return slices.Equal(names, slices.Sorted(maps.Keys(keys)))
}

func (c *checked) facets() {
	var of []string
	if rapid.Bool().Draw(c.T, "some") {
		of = []string{rapid.SampledFrom(search.Facets()).Draw(c.T, "of").String()}
	}
	got, err := c.Search(c.Context(), dpo(), "facets", c.q, Counting{Of: of})
	if err != nil {
		c.Fatal(err)
	}
	c.got(got.Counts.AsOf, nil)
	for _, facet := range search.Facets() {
		want := counts(c.rows, facet)
		if of != nil && of[0] != facet.String() {
			want = map[string]uint64{}
		}
		counted := map[string]uint64{}
		for _, v := range got.Counts.Facets[facet.String()] {
			counted[v.Value] = v.Count
		}
		if !maps.Equal(counted, want) || got.Counts.Total != uint64(len(c.rows)) {
			c.Fatalf("%s: %v, want %v: %+v", facet, counted, want, c.q)
		}
	}
}

// histogram compares by what a calendar in the zone shows.
func (c *checked) histogram() {
	zone := rapid.SampledFrom([]string{"", "Europe/Brussels", "America/St_Johns", "Asia/Kathmandu"}).Draw(c.T, "zone")
	by := rapid.SampledFrom([]string{"hour", "day", "week", "month", "quarter", "year"}).Draw(c.T, "by")
	got, err := c.Search(c.Context(), dpo(), "histogram", c.q, Counting{By: by, Zone: zone})
	if err != nil {
		c.Fatal(err)
	}
	c.got(got.Histogram.AsOf, nil)
	in, err := time.LoadLocation(zone)
	if err != nil {
		c.Fatal(err)
	}
	want := map[string]uint64{}
	for _, e := range c.rows {
		want[stretch(e.at.In(in), by)]++
	}
	counted := map[string]uint64{}
	for _, bar := range got.Histogram.Items {
		key := stretch(bar.From.Time, by)
		counted[key] += bar.Count
		if stretch(bar.From.Add(-time.Millisecond), by) == key {
			c.Fatalf("%v is not the first instant of its %s", bar.From, by)
		}
	}
	if !maps.Equal(counted, want) || len(counted) != len(got.Histogram.Items) || got.Histogram.Total != uint64(len(c.rows)) {
		c.Fatalf("%s in %s: %v, want %v: %+v", by, zone, counted, want, c.q)
	}
}

// stretch names the hour, day, … that a clock and a calendar show.
func stretch(t time.Time, by string) string {
	switch by {
	case "hour":
		return t.Format("2006-01-02 15 -0700")
	case "day":
		return t.Format("2006-01-02")
	case "week":
		year, week := t.ISOWeek()
		return fmt.Sprint(year, week)
	case "month":
		return t.Format("2006-01")
	case "quarter":
		return fmt.Sprint(t.Year(), (t.Month()-1)/3)
	}
	return fmt.Sprint(t.Year())
}
