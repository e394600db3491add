package transfers

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/year"
)

// BenchmarkTransfers fills a file and asks for the map. For ten million events: -bench 'BenchmarkTransfers/10000000'.
func BenchmarkTransfers(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db := filled(b, n)
			for name, f := range map[string]Filter{
				"all":     {Until: uint64(n)},
				"quarter": {Until: uint64(n), From: time.Date(2025, 1, 10, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 1, 20, 0, 0, 0, 0, time.UTC)},
			} {
				b.Run("map/"+name, func(b *testing.B) { ask(b, db, func(r *Reader) error { _, err := r.Map(f); return err }) })
				b.Run("summary/"+name, func(b *testing.B) { ask(b, db, func(r *Reader) error { _, err := r.Summary(f); return err }) })
			}
		})
	}
}

func ask(b *testing.B, db *bolt.DB, question func(r *Reader) error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := db.View(func(tx *bolt.Tx) error {
			r, err := Read(tx)
			if err != nil {
				return err
			}
			return question(r)
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// filled folds n events of the year, over again with times of their own, and reports what that took.
func filled(b *testing.B, n int) *bolt.DB {
	base, r := year.Load(b, root), rand.New(rand.NewPCG(1, 2))
	db := newFile(b)
	var m projections.Model
	if err := db.Update(func(tx *bolt.Tx) (err error) { m, err = View().Open(tx); return err }); err != nil {
		b.Fatal(err)
	}
	var took time.Duration
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	batch := make([]*projections.Event, projections.FlushEvents)
	for position := uint64(0); position < uint64(n); {
		for i := range batch {
			position++
			now = now.Add(time.Duration(r.IntN(6000)) * time.Millisecond)
			st := *base[r.IntN(len(base))].Stored
			event := *st.Event
			event.At, st.Event = now, &event
			batch[i] = &projections.Event{Position: position, Stored: &st}
		}
		began := time.Now()
		for _, e := range batch {
			m.Fold(e)
		}
		if err := db.Update(m.Flush); err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
	}
	if err := db.View(func(tx *bolt.Tx) error {
		b.Logf("%d events: %.0f events/s, %.1f B an event", n, float64(n)/took.Seconds(), float64(tx.Size())/float64(n))
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return db
}
