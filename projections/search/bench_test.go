package search

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
)

// source gives synthetic events in order of position: the year's, each with its own time and id.
type source struct {
	base     []*projections.Event
	random   *rand.Rand
	position uint64
	now      time.Time
}

func newSource(tb testing.TB) *source {
	return &source{base: base(tb), random: rand.New(rand.NewPCG(1, 2)), now: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// next gives n events over three seconds each: a year for ten million. One in a hundred is late by up to a month.
func (s *source) next(n int) []*projections.Event {
	all := make([]*projections.Event, n)
	for i := range all {
		s.position++
		s.now = s.now.Add(time.Duration(s.random.IntN(6000)) * time.Millisecond)
		from := s.base[s.random.IntN(len(s.base))]
		st, event := *from.Stored, *from.Stored.Event
		event.At, st.Recorded, st.Event = s.now, s.now, &event
		if s.random.IntN(100) == 0 {
			event.At = event.At.Add(-time.Duration(s.random.IntN(30*24*60)) * time.Minute)
		}
		event.ID = fmt.Sprintf("%016x", s.random.Uint64())
		event.ID = "0198f3c2-7a11-7c3e-" + event.ID[:4] + "-" + event.ID[4:]
		all[i] = &projections.Event{Position: s.position, Stored: &st, People: from.People}
	}
	return all
}

// filled folds events into a file, 65,536 a flush, and reports what that took.
func filled(b *testing.B, s *source, n int) *bolt.DB {
	db := newFile(b)
	var m projections.Model
	if err := db.Update(func(tx *bolt.Tx) (err error) { m, err = View().Open(tx); return err }); err != nil {
		b.Fatal(err)
	}
	var took time.Duration
	var before, after runtime.MemStats
	var allocs uint64
	for left := n; left > 0; left -= projections.FlushEvents {
		batch := s.next(min(left, projections.FlushEvents))
		runtime.ReadMemStats(&before)
		began := time.Now()
		for _, e := range batch {
			m.Fold(e)
		}
		if err := db.Update(m.Flush); err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
		runtime.ReadMemStats(&after)
		allocs += after.Mallocs - before.Mallocs
	}
	report(b, db, n, took, allocs)
	return db
}

func report(b *testing.B, db *bolt.DB, n int, took time.Duration, allocs uint64) {
	sizes := ""
	var size int64
	if err := db.View(func(tx *bolt.Tx) error {
		size = tx.Size()
		return tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
			s := bucket.Stats()
			sizes += fmt.Sprintf(" %s %.1f", name, float64(s.BranchAlloc+s.LeafAlloc)/float64(n))
			return nil
		})
	}); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d events: %.0f events/s, %.1f allocs and %.1f B an event:%s",
		n, float64(n)/took.Seconds(), float64(allocs)/float64(n), float64(size)/float64(n), sizes)
}

// BenchmarkSearch fills a file and asks it. For ten million events: -bench 'BenchmarkSearch/10000000'.
func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newSource(b)
			db := filled(b, s, n)
			b.Run("live/500", func(b *testing.B) { live(b, db, s, 500) })
			b.Run("live/10", func(b *testing.B) { live(b, db, s, 10) })
			questions(b, db)
		})
	}
}

// live folds a few events and flushes, as happens when events come while somebody asks.
func live(b *testing.B, db *bolt.DB, s *source, n int) {
	var m projections.Model
	if err := db.Update(func(tx *bolt.Tx) (err error) { m, err = View().Open(tx); return err }); err != nil {
		b.Fatal(err)
	}
	all := s.next(n * 2000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if (i+1)*n > len(all) {
			all = append(all, s.next(n*2000)...)
		}
		for _, e := range all[i*n : (i+1)*n] {
			m.Fold(e)
		}
		if err := db.Update(m.Flush); err != nil {
			b.Fatal(err)
		}
	}
	s.position = 0 // what was not folded is lost: nobody may go on from here
	if err := db.View(func(tx *bolt.Tx) error {
		r, err := Read(tx)
		s.position = r.Position()
		return err
	}); err != nil {
		b.Fatal(err)
	}
}

func questions(b *testing.B, db *bolt.DB) {
	brussels, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		b.Fatal(err)
	}
	var position uint64
	from := time.Date(2025, 1, 20, 0, 0, 0, 0, brussels)
	ask := func(name string, question func(r *Reader, f Filter) error, change func(f *Filter)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := db.View(func(tx *bolt.Tx) error {
					r, err := Read(tx)
					if err != nil {
						return err
					}
					position = r.Position()
					f := Filter{Until: position}
					change(&f)
					return question(r, f)
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	all := func(*Filter) {}
	shared := func(f *Filter) { f.Any = map[Facet][]string{Kind: {"data.shared"}} }
	rare := func(f *Filter) { f.Any = map[Facet][]string{Kind: {"data.accessed", "data.used"}, Class: {"T4"}} }
	two := func(f *Filter) { f.Any = map[Facet][]string{Kind: {"data.accessed"}, System: {"ats"}} }
	day := func(f *Filter) { f.From, f.To = from, from.AddDate(0, 0, 1) }
	inside := func(f *Filter) { f.Until = position - 20_001 }
	values := func(r *Reader, f Filter) error { _, err := r.Values(f, Facets()...); return err }
	one := func(r *Reader, f Filter) error { _, err := r.Values(f, Purpose); return err }
	histogram := func(unit Unit) func(r *Reader, f Filter) error {
		return func(r *Reader, f Filter) error { _, err := r.Histogram(f, brussels, unit); return err }
	}
	page := func(r *Reader, f Filter) error {
		positions, _, err := r.Page(f, f.Until/2, 50, true)
		for _, position := range positions {
			if _, err := r.Card(position); err != nil {
				return err
			}
			if _, err := r.People(position); err != nil {
				return err
			}
		}
		return err
	}
	count := func(r *Reader, f Filter) error { _, err := r.Count(f); return err }
	ask("values/all", values, all)
	ask("values/until", values, inside)
	ask("values/shared", values, shared)
	ask("values/purpose/shared", one, shared)
	ask("histogram/day/all", histogram(Day), all)
	ask("histogram/hour/all", histogram(Hour), all)
	ask("histogram/month/all", histogram(Month), all)
	ask("histogram/day/shared", histogram(Day), shared)
	ask("count/two", count, two)
	ask("count/day", count, day)
	ask("page/all", page, all)
	ask("page/two", page, two)
	ask("page/nothing", page, rare)
	ask("page/day", page, day)
}
