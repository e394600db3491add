package projections

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// keySource draws keys spread like hashes.
func keySource(seed uint64) func() Key {
	r := rand.New(rand.NewPCG(seed, 99))
	return func() (k Key) {
		binary.BigEndian.PutUint64(k[:8], r.Uint64())
		binary.BigEndian.PutUint64(k[8:], r.Uint64())
		return k
	}
}

// BenchmarkIndex fills an index of one and of ten million random keys, 65,536 an Add, and then looks up: keys that
// are absent, as new events are, 1,000 in a transaction and alone, and keys that are there.
func BenchmarkIndex(b *testing.B) {
	for _, millions := range []int{1, 10} {
		b.Run(fmt.Sprintf("%dM", millions), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "index")
			x := filled(b, path, millions*1_000_000)
			b.Run("absent/1000", func(b *testing.B) { lookups(b, x, 1000, keySource(2)) })
			b.Run("absent/1", func(b *testing.B) { lookups(b, x, 1, keySource(2)) })
			b.Run("present/1000", func(b *testing.B) { lookups(b, x, 1000, keySource(1)) })
			b.Run("open", func(b *testing.B) {
				for b.Loop() {
					if err := x.Close(); err != nil {
						b.Fatal(err)
					}
					var err error
					if x, err = OpenIndex(path); err != nil || x.Discarded() != nil {
						b.Fatal(err, x.Discarded())
					}
				}
			})
			if err := x.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// filled reports, as it fills an index, what that took.
func filled(b *testing.B, path string, n int) *Index {
	x, err := OpenIndex(path)
	if err != nil {
		b.Fatal(err)
	}
	draw, entries, longest := keySource(1), make([]Entry, 1<<16), time.Duration(0)
	start := time.Now()
	for position := 0; position < n; {
		for i := range entries {
			position++
			entries[i] = Entry{draw(), uint64(position)}
		}
		began := time.Now()
		if err := x.Add(entries, uint64(position), [32]byte{}, nil); err != nil {
			b.Fatal(err)
		}
		longest = max(longest, time.Since(began))
	}
	added := time.Since(start)
	x.work.Wait()
	merged := time.Since(start)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	entries = nil
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.Logf("%d entries: %.0f adds/s, %.0f with merging finished, longest Add %v; %.1f B an entry; heap %.1f MB",
		n, float64(n)/added.Seconds(), float64(n)/merged.Seconds(), longest, float64(info.Size())/float64(n), float64(m.HeapAlloc)/1e6)
	return x
}

func lookups(b *testing.B, x *Index, batch int, draw func() Key) {
	keys, out := make([]Key, batch), make([]uint64, batch)
	b.ReportAllocs()
	for b.Loop() {
		for i := range keys {
			keys[i] = draw()
		}
		if err := x.LookupMany(keys, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/key")
}
