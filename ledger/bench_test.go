package ledger

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"sync/atomic"
	"testing"
)

// BenchmarkRecord records decoded events with random ids about 50,000 people,
// in requests of a size from several clients at once.
func BenchmarkRecord(b *testing.B) {
	for _, size := range []int{1, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			dir := b.TempDir()
			cfg := Config{Data: dir + "/data", Keys: dir + "/keys", Index: newMemoryIndex().at}
			if err := Create(b.Context(), cfg); err != nil {
				b.Fatal(err)
			}
			l, err := Open(b.Context(), cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close(b.Context())
			var recorded atomic.Int64
			b.SetParallelism(32)
			if size > 1 {
				b.SetParallelism(2)
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					subs := make([]Submission, size)
					for i := range subs {
						subs[i].Event = view(b, rand.Text(), fmt.Sprint("candidate:", mrand.IntN(50_000)))
					}
					if _, err := l.Record(b.Context(), subs); err != nil {
						b.Error(err)
						return
					}
					recorded.Add(int64(size))
				}
			})
			b.ReportMetric(float64(recorded.Load())/b.Elapsed().Seconds(), "events/s")
		})
	}
}
