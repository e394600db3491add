package person_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/person"
	"github.com/imalink/custody/projections/year"
)

const root = "../.."

// fold folds events with flushes of any size, and opens the model anew between some of them.
func fold(tb testing.TB, all []*projections.Event, seed uint64) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(filepath.Join(tb.TempDir(), "view.db"), 0o600, &bolt.Options{PageSize: 4096, NoSync: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	r := rand.New(rand.NewPCG(seed, 1))
	var m projections.Model
	for batch := 0; len(all) > 0; all = all[batch:] {
		if m == nil || r.IntN(3) == 0 {
			if err := db.View(func(tx *bolt.Tx) (err error) {
				m, err = person.View().Open(tx)
				return err
			}); err != nil {
				tb.Fatal(err)
			}
		}
		batch = min(len(all), 1+r.IntN(5000))
		for _, e := range all[:batch] {
			m.Fold(e)
		}
		if err := db.Update(m.Flush); err != nil {
			tb.Fatal(err)
		}
	}
	return db
}

// TestYear compares every subject's positions, as of the end and of the middle, with those that a look at each event gives.
func TestYear(t *testing.T) {
	all := year.Load(t, root)
	for _, until := range []uint64{uint64(len(all)), uint64(len(all) / 2), 1} {
		want := map[string][]uint64{}
		for _, e := range all[:until] {
			for _, tag := range e.People.Subjects {
				key := string(person.Key(e.People.SubjectCell, tag))
				if p := want[key]; len(p) == 0 || p[len(p)-1] != e.Position {
					want[key] = append(p, e.Position)
				}
			}
		}
		if err := fold(t, all, until).View(func(tx *bolt.Tx) error {
			r, err := person.Read(tx, until)
			if err != nil {
				return err
			}
			got := map[string][]uint64{}
			for p, err := range r.Prefix(nil, nil) {
				if err != nil {
					return err
				}
				got[string(p.Key)] = append(got[string(p.Key)], p.Positions...)
			}
			if !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("until %d: %d subjects, want %d, or other positions", until, len(got), len(want))
			}
			for key := range want {
				if got, err := r.Positions(nil, []byte(key)); err != nil || !slices.Equal(got, want[key]) {
					return fmt.Errorf("until %d: key %x: %d positions, want %d, %w", until, key, len(got), len(want[key]), err)
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}

// TestPages turns the pages of people who have a tag in each cell, both ways, and finds each event once.
func TestPages(t *testing.T) {
	all := year.Load(t, root)
	people := map[string]map[string]bool{} // identifier -> keys
	events := map[string][]uint64{}
	for _, e := range all {
		for _, s := range e.Stored.Event.Data.Get("subjects").List() {
			id := s.Object().Get("id").Text()
			if people[id] == nil {
				people[id] = map[string]bool{}
			}
			people[id][string(person.Key(e.People.SubjectCell, year.Tag(e.People.SubjectCell, id)))] = true
			if p := events[id]; len(p) == 0 || p[len(p)-1] != e.Position {
				events[id] = append(p, e.Position)
			}
		}
	}
	names, db := slices.Sorted(maps.Keys(people)), fold(t, all, 1)
	rapid.Check(t, func(rt *rapid.T) {
		id := rapid.SampledFrom(names).Draw(rt, "person")
		limit, newest := rapid.IntRange(1, 20).Draw(rt, "limit"), rapid.Bool().Draw(rt, "newest")
		var keys [][]byte
		for key := range people[id] {
			keys = append(keys, []byte(key))
		}
		want := slices.Clone(events[id])
		from := uint64(0)
		if newest {
			slices.Reverse(want)
			from = uint64(len(all))
		}
		for len(want) > 0 {
			page := turn(rt, db, keys, from, limit, newest, uint64(len(all)))
			if n := min(limit, len(want)); !slices.Equal(page, want[:n]) {
				rt.Fatalf("page from %d: %v, want %v", from, page, want[:n])
			}
			want = want[len(page):]
			if from = page[len(page)-1] + 1; newest {
				from -= 2
			}
		}
		if page := turn(rt, db, keys, from, limit, newest, uint64(len(all))); len(page) > 0 {
			rt.Fatalf("after the last: %v", page)
		}
	})
}

// turn reads one page in a transaction of its own.
func turn(rt *rapid.T, db *bolt.DB, keys [][]byte, from uint64, limit int, newest bool, until uint64) (page []uint64) {
	if err := db.View(func(tx *bolt.Tx) error {
		r, err := person.Read(tx, until)
		if err != nil {
			return err
		}
		for p, err := range r.Union(keys, newest).From(from) {
			if err != nil {
				return err
			}
			if page = append(page, p); len(page) == limit {
				return nil
			}
		}
		return nil
	}); err != nil {
		rt.Fatal(err)
	}
	return page
}

// BenchmarkFold folds the year again and again, as if it went on, with as many events a flush as there are at most.
func BenchmarkFold(b *testing.B) {
	all := year.Load(b, root)
	db := fold(b, nil, 1)
	var m projections.Model
	if err := db.View(func(tx *bolt.Tx) (err error) {
		m, err = person.View().Open(tx)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		e := *all[n%len(all)]
		n++
		e.Position = uint64(n)
		if m.Fold(&e); n%projections.FlushEvents == 0 {
			if err := db.Update(m.Flush); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
