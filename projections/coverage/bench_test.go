package coverage

import (
	"encoding/binary"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
)

// BenchmarkFold folds and flushes events of a number of instances, in flushes as a rebuild and as a live view has.
func BenchmarkFold(b *testing.B) {
	for _, test := range []struct {
		name             string
		instances, flush int
		loss             uint64
	}{
		{"rebuild", 8, projections.FlushEvents, 1000},
		{"rebuild,1000instances", 1000, projections.FlushEvents, 1000},
		{"live", 8, 500, 1000},
		{"rebuild,halflost", 8, projections.FlushEvents, 2},
	} {
		b.Run(test.name, func(b *testing.B) {
			list := traffic(b, projections.FlushEvents, test.instances, test.loss)
			highest := list[len(list)-1].Stored.Event.Seq
			db := database(b)
			m := opened(b, db, View())
			var position, ahead uint64
			b.ReportAllocs()
			for b.Loop() {
				for i := 0; i < len(list); i += test.flush {
					part := list[i:min(i+test.flush, len(list))]
					for _, e := range part {
						position++
						e.Position = position
						e.Stored.Event.Seq += ahead // go on where each instance was
					}
					if err := flushed(db, m, part, nil); err != nil {
						b.Fatal(err)
					}
				}
				ahead = highest
			}
			b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(size(b, db)/float64(position), "B/event")
		})
	}
}

func size(b *testing.B, db *bolt.DB) (bytes float64) {
	err := db.View(func(tx *bolt.Tx) error {
		bytes = float64(tx.Size())
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}

// traffic is events of some instances in turn, every so many of each lost.
func traffic(t testing.TB, n, instances int, loss uint64) []*projections.Event {
	shapes := make([]shape, n)
	seqs := make([]uint64, instances)
	for i := range shapes {
		k := (i * 7919) % instances
		if seqs[k]++; seqs[k]%loss == 0 {
			seqs[k]++
		}
		shapes[i] = shape{Source: "/ats", Instance: "i" + string(binary.AppendUvarint(nil, uint64(k))), Seq: seqs[k],
			Late: time.Duration(i%977) * time.Millisecond, Pause: time.Millisecond}
	}
	return recorded(t, shapes)
}

// BenchmarkProducers answers for some instances that missed little or a lot.
func BenchmarkProducers(b *testing.B) {
	for _, test := range []struct {
		name      string
		instances int
		loss      uint64
	}{{"8", 8, 1000}, {"1000", 1000, 1000}, {"8,halflost", 8, 2}} {
		b.Run(test.name, func(b *testing.B) {
			list := traffic(b, 4*projections.FlushEvents, test.instances, test.loss)
			db := database(b)
			folded(b, db, View(), list, everyFlush(projections.FlushEvents), never)
			b.ReportAllocs()
			for b.Loop() {
				reading(b, db, func(r *Reader) {
					for range r.Producers(uint64(len(list)) - 3) {
					}
				})
			}
		})
	}
}
