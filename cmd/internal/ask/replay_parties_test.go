package ask

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections/search"
	"github.com/imalink/custody/projections/transfers"
)

// person asks for what is shown of one person, or of somebody who acted.
func (c *checked) person() {
	about := rapid.SampledFrom(slices.Concat(people, staff)).Draw(c.T, "of whom")
	what := rapid.SampledFrom([]What{Person, Acting}).Draw(c.T, "as")
	show := rapid.SampledFrom([]string{"accesses", "disclosures", "timeline", "reads", "recipients"}[:map[What]int{Person: 5, Acting: 3}[what]]).Draw(c.T, "show")
	q := c.q
	q.About = nil
	found, err := c.Lookup(c.Context(), dpo(), what, about, show, q)
	q.About = []About{{What: what, ID: opaque(about)}}
	kinds := map[string][]events.Kind{"accesses": accesses(), "disclosures": disclosures(), "timeline": ofProducers(), "reads": readings()}[show]
	if kinds != nil {
		asked := q.Any[search.Kind]
		q.Any = maps.Clone(q.Any)
		q.Any[search.Kind] = nil
		for _, k := range kinds {
			if len(asked) == 0 || slices.Contains(asked, k.Name()) {
				q.Any[search.Kind] = append(q.Any[search.Kind], k.Name())
			}
		}
		if q.Any[search.Kind] == nil {
			if !errors.Is(err, ErrQuestion) {
				c.Fatalf("kinds that are none of %s: %v", show, err)
			}
			return
		}
	}
	if err != nil {
		c.Fatalf("%s: %v", show, err)
	}
	c.o.read(c.rig.t)
	switch show {
	case "reads":
		rows := c.o.match(q, found.Reads.AsOf.Position)
		if q.Newest {
			slices.Reverse(rows)
		}
		for i, read := range found.Reads.Items {
			if w := c.asked[read.Position]; rows[i].position != read.Position || read.Query != w.Query || read.Persons != w.Persons || read.Case != w.Case || read.AsOf != w.AsOf {
				c.Fatalf("read %+v, want %d", read, rows[i].position)
			}
		}
		if n := len(found.Reads.Items); found.Reads.Total != uint64(len(rows)) || n != min(len(rows), q.Limit) || (found.Reads.Next != "") != (len(rows) > n) {
			c.Fatalf("%d reads of %d, want %d: %+v", n, found.Reads.Total, len(rows), q)
		}
	case "recipients":
		c.recipients(found.Shares, c.o.match(q, found.Shares.AsOf.Position))
	default:
		rows := c.o.match(q, found.Page.AsOf.Position)
		if q.Newest {
			slices.Reverse(rows)
		}
		if n := len(found.Page.Items); found.Page.Total != uint64(len(rows)) || n != min(len(rows), q.Limit) || (found.Page.Next != "") != (len(rows) > n) {
			c.Fatalf("%d of %d, want %d: %+v", n, found.Page.Total, len(rows), q)
		}
		for i, item := range found.Page.Items {
			if item.Position != rows[i].position {
				c.Fatalf("%s: %d, want %d", show, item.Position, rows[i].position)
			}
		}
	}
}

func (c *checked) recipients(got *Shares, rows []row) {
	want := map[string][]row{}
	for _, e := range rows {
		for _, party := range e.facets[search.Recipient] {
			want[party] = append(want[party], e)
		}
	}
	if len(got.Items) != len(want) {
		c.Fatalf("%d recipients, want %d", len(got.Items), len(want))
	}
	for _, share := range got.Items {
		rows := want[share.Party]
		first, last := span(rows)
		if share.Events != uint64(len(rows)) || len(rows) == 0 || !share.First.Equal(first) || !share.Last.Equal(last) ||
			!same(share.Roles, counts(rows, search.RecipientRole)) || !same(share.Categories, counts(rows, search.Category)) ||
			!same(share.Purposes, counts(rows, search.Purpose)) || !same(share.Agreements, counts(rows, search.Agreement)) ||
			!maps.Equal(share.Classes, counts(rows, search.Class)) {
			c.Fatalf("%+v, want %d events", share, len(rows))
		}
	}
}

func (c *checked) parties() {
	got, err := c.Parties(c.Context(), dpo(), c.q)
	c.got(got.AsOf, err)
	want := map[string][]row{}
	for _, e := range c.rows {
		for _, party := range e.facets[search.Recipient] {
			want[party] = append(want[party], e)
		}
	}
	at := c.q.At
	if at.IsZero() {
		at = time.Now()
	}
	at = at.Truncate(time.Millisecond)
	if len(got.Items) != len(want) {
		c.Fatalf("%d parties, want %d: %+v", len(got.Items), len(want), c.q)
	}
	for i, p := range got.Items {
		rows, country := want[p.Party], c.o.registration(p.Party, at, c.as.Position)
		c.sum(p.Party, rows, p.Events, *p.Persons, *p.Unresolved, p.First, p.Last)
		if p.Country != country || p.Registered != (country != "") || !maps.Equal(p.Classes, counts(rows, search.Class)) ||
			!same(p.Roles, counts(rows, search.RecipientRole)) || !same(p.Categories, counts(rows, search.Category)) {
			c.Fatalf("%+v, want country %q: %+v", p, country, c.q)
		}
		if i > 0 && got.Items[i-1].Party >= p.Party {
			c.Fatal("parties out of order")
		}
		one, err := c.Party(c.Context(), dpo(), p.Party, c.q)
		if err != nil || one.Party.Events != p.Events || *one.Party.Persons != *p.Persons || one.Party.Country != country {
			c.Fatalf("alone %+v, among all %+v: %v", one.Party, p, err)
		}
	}
}

func (c *checked) transfers() {
	got, err := c.TransferCounts(c.Context(), dpo(), c.q)
	c.got(got.AsOf, err)
	if !maps.Equal(got.Counts, counts(c.rows, search.Class)) {
		c.Fatalf("%v, want %v: %+v", got.Counts, counts(c.rows, search.Class), c.q)
	}
	q := c.q
	q.Any = maps.Clone(q.Any)
	for facet := range q.Any {
		if _, drawn := drawn(&transfers.Row{})[facet]; !drawn {
			if _, err := c.TransferMap(c.Context(), dpo(), q); !errors.Is(err, ErrQuestion) {
				c.Fatalf("a map by %s: %v", facet, err)
			}
			delete(q.Any, facet)
		}
	}
	rows, err := c.TransferMap(c.Context(), dpo(), q)
	if err != nil {
		c.Fatal(err)
	}
	want := c.o.transferMap(q, c.as.Position)
	drawn := map[string]int{}
	for _, w := range rows.Items {
		drawn[fmt.Sprint(w.Class, w.Category, w.Party, w.Region, w.Purpose, w.Tool, w.Events, w.First, w.Last)]++
	}
	if !maps.Equal(drawn, want) {
		c.Fatalf("drawn %v, want %v: %+v", drawn, want, q)
	}
}

// transferMap counts what went where, row by row.
func (o *oracle) transferMap(q Question, until uint64) map[string]int {
	asked := q.Any
	q.Any = nil
	went := map[[6]string][]row{}
	for _, e := range o.match(q, until) {
		one := func(f search.Facet) string { return strings.Join(e.facets[f], "") }
		for _, category := range e.facets[search.Category] {
			way := [6]string{one(search.Class), category, o.importer(e), one(search.Region), one(search.Purpose), one(search.Tool)}
			is := func(f search.Facet, i int) bool { return asked[f] == nil || slices.Contains(asked[f], way[i]) }
			if way[0] != "" && is(search.Class, 0) && is(search.Category, 1) && is(search.Party, 2) && is(search.Region, 3) && is(search.Purpose, 4) && is(search.Tool, 5) {
				went[way] = append(went[way], e)
			}
		}
	}
	drawn := map[string]int{}
	for way, rows := range went {
		first, last := span(rows)
		drawn[fmt.Sprint(way[0], way[1], way[2], way[3], way[4], way[5], len(rows), first, last)]++
	}
	return drawn
}

// importer is who received what an event transferred.
func (o *oracle) importer(e row) string {
	if e.ledger["class"] == "T1" {
		return ""
	}
	if p, ok := e.ledger["party"].(map[string]any); ok {
		return p["code"].(string)
	}
	recipient, actor := strings.Join(e.facets[search.Recipient], ""), strings.Join(e.facets[search.ActorParty], "")
	if recipient == "" || actor != "" && o.registration(recipient, time.Now(), e.position) != "" {
		return actor
	}
	return recipient
}
