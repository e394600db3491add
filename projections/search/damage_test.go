package search

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/spoil"
)

// contents gives all of a file's values, by bucket and key.
func contents(tb testing.TB, db *bolt.DB) map[string]string {
	tb.Helper()
	all := map[string]string{}
	if err := db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			return b.ForEach(func(key, value []byte) error {
				all[string(name)+"/"+string(key)] = string(value)
				return nil
			})
		})
	}); err != nil {
		tb.Fatal(err)
	}
	return all
}

// TestSame: the file does not depend on how the events were cut into flushes, nor on how often a model was opened.
func TestSame(t *testing.T) {
	all := stream(base(t), 2500, 3)
	for size, n := range map[int]int{1: 150, 7: 700, 64: 2500, 1000: 2500} {
		once, often := newFile(t), newFile(t)
		fold(t, once, all[:n], n, 1)
		fold(t, often, all[:n], size, 3)
		want, got := contents(t, once), contents(t, often)
		for key, value := range want {
			if got[key] != value {
				t.Fatalf("flushes of %d: another value of %q", size, key)
			}
		}
		if len(got) != len(want) {
			t.Errorf("flushes of %d: %d values, want %d", size, len(got), len(want))
		}
	}
}

// TestGap: an event out of order is never written.
func TestGap(t *testing.T) {
	all := stream(base(t), 10, 4)
	for name, events := range map[string][]*projections.Event{
		"missing": {all[0], all[2]}, "again": {all[0], all[0]}, "not the first": {all[1]},
	} {
		db := newFile(t)
		err := db.Update(func(tx *bolt.Tx) error {
			m, err := View().Open(tx)
			if err != nil {
				return err
			}
			for _, e := range events {
				m.Fold(e)
			}
			return m.Flush(tx)
		})
		if err == nil {
			t.Errorf("%s: folded", name)
		}
		if r := snapshot(t, db); r.Position() != 0 {
			t.Errorf("%s: position %d", name, r.Position())
		}
	}
}

// TestDamage spoils a file in every way: whoever needs what was spoilt says so, and no answer is another.
func TestDamage(t *testing.T) {
	all := stream(base(t), 300, 5)
	db := newFile(t)
	fold(t, db, all, 100, 1)
	spoil.File(t, db, uint64(len(all)), func(tx *bolt.Tx) (string, error) {
		r, err := Read(tx)
		if err != nil {
			return "", err
		}
		answers, err := everything(r)
		return string(answers), err
	})
}

// everything asks for all that can be asked without a filter, and for each value of one facet.
func everything(r *Reader) (answers []byte, err error) {
	f := Filter{Until: r.Position()}
	values, err := r.Values(f, Facets()...)
	if err != nil {
		return nil, err
	}
	for _, facet := range Facets() {
		for _, v := range values[facet] {
			n, err := r.Count(Filter{Until: f.Until, Any: map[Facet][]string{facet: {v.Text}}})
			if err != nil {
				return nil, err
			}
			answers = append(append(answers, v.Text...), byte(n), byte(v.Count))
		}
	}
	for position, err := range r.Walk(f) {
		if err != nil {
			return nil, err
		}
		c, err := r.Card(position)
		if err != nil {
			return nil, err
		}
		p, err := r.People(position)
		if err != nil {
			return nil, err
		}
		answers = appendTags(append(answers, c.ID...), p.Subjects)
	}
	buckets, err := r.Histogram(f, time.UTC, Hour)
	for _, b := range buckets {
		answers = append(answers, b.Start.String()...)
	}
	return answers, err
}

// FuzzCard: bytes that pass as a card are the card that is written from what they say.
func FuzzCard(f *testing.F) {
	for _, e := range stream(base(f), 40, 6) {
		f.Add(appendCard(nil, e, 5, []uint32{0, 1, 2, 3, 200, 70_000}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCard(b, 0)
		if err != nil {
			if !errors.Is(err, projections.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if c.time < -1<<50 || c.time > 1<<50 || c.recorded < -1<<50 || c.recorded > 1<<50 || c.subjects > inlineTags {
			return // no event has such times; more people are elsewhere
		}
		e := &projections.Event{Position: 1, People: c.people(c.inline), Stored: &events.Stored{
			Event: &events.Event{Kind: c.kind, ID: c.id, At: time.UnixMilli(c.time)}, Recorded: time.UnixMilli(c.recorded)}}
		again, err := parseCard(appendCard(nil, e, c.recorded, append([]uint32{0, 1, 2}, c.values...)), 0)
		if err != nil || again.kind != c.kind || again.id != c.id || again.time != c.time || again.recorded != c.recorded ||
			!slices.Equal(again.values, c.values) || again.actor != c.actor || again.session != c.session ||
			!bytes.Equal(again.named, c.named) || !bytes.Equal(again.inline, c.inline) {
			t.Fatalf("another card: %v", err)
		}
	})
}

// FuzzCardAt: no block makes finding a card go wrong.
func FuzzCardAt(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 9, 2, 1, 1, 0, 3, 1, 2, 3}, uint8(2))
	f.Add(bytes.Repeat([]byte{0xff}, 40), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, index uint8) {
		card, _, err := cardAt(b, int(index))
		if err == nil && len(card) > len(b) || err != nil && !errors.Is(err, projections.ErrDamaged) {
			t.Fatal(len(card), err)
		}
	})
}

// TestTimes: instants far from ours are kept, rounded down to the millisecond.
func TestTimes(t *testing.T) {
	from := base(t)[0]
	var all []*projections.Event
	for _, text := range []string{"0001-01-01T00:00:00.0009Z", "1969-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999999999Z", "2025-01-01T00:00:00Z"} {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		st, event := *from.Stored, *from.Stored.Event
		event.At, st.Event = at, &event
		all = append(all, &projections.Event{Position: uint64(len(all)) + 1, Stored: &st})
	}
	db := newFile(t)
	fold(t, db, all, 2, 1)
	r := snapshot(t, db)
	for _, e := range newOracle(all) {
		if c, err := r.Card(e.Position); err != nil || !c.Time.Equal(e.at) {
			t.Errorf("%v, want %v: %v", c.Time, e.at, err)
		}
		n, err := r.Count(Filter{Until: uint64(len(all)), From: e.at, To: e.at.Add(time.Millisecond)})
		if err != nil || n != 1 {
			t.Errorf("%v: %d events, %v", e.at, n, err)
		}
	}
}

// TestBounds asks for times about the first and the last of a block, where nothing else tells them apart.
func TestBounds(t *testing.T) {
	all := stream(base(t), 500, 8)
	db := newFile(t)
	fold(t, db, all, 500, 1)
	r, o := snapshot(t, db), newOracle(all)
	first, last := o.span()
	var bounds []time.Time
	for _, at := range []time.Time{first, last, o[250].at} {
		bounds = append(bounds, at.Add(-time.Millisecond), at, at.Add(time.Millisecond))
	}
	for _, from := range bounds {
		for _, to := range bounds {
			f := Filter{Until: 500, From: from, To: to}
			if n, err := r.Count(f); err != nil || n != uint64(len(o.match(f))) {
				t.Errorf("%v to %v: %d, want %d: %v", from, to, n, len(o.match(f)), err)
			}
		}
	}
}
