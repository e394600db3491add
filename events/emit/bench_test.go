package emit_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/eventstest"
)

// raw is the time of one write and fsync of as many bytes as an event has, in the same run.
func raw(b *testing.B) time.Duration {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	const rounds = 300
	event, start := make([]byte, 480), time.Now()
	for i := range rounds {
		if _, err := f.WriteAt(event, int64(i*len(event))); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start) / rounds
}

// ratio reports what an operation cost beside one write and fsync.
func ratio(b *testing.B, raw time.Duration) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(raw), "fsyncs/op")
}

func benchmark(b *testing.B, spooled bool, callers int) {
	c := quiet(eventstest.NewLedger())
	if spooled {
		c.Spool = filepath.Join(b.TempDir(), "spool")
	}
	c.SpoolBytes = 4 << 30
	e := open(b, c)
	cost := raw(b)
	b.ResetTimer()
	if callers == 1 {
		for b.Loop() {
			mustEmit(b, e, access())
		}
	} else {
		b.SetParallelism(callers / 2)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := e.Emit(b.Context(), access()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.StopTimer()
	ratio(b, cost)
}

// The ledger is in memory: what is measured is the SDK and, with a spool, its disk.
func BenchmarkEmitSpooled(b *testing.B)     { benchmark(b, true, 1) }
func BenchmarkEmitSpooledBy64(b *testing.B) { benchmark(b, true, 64) }
func BenchmarkEmitDirect(b *testing.B)      { benchmark(b, false, 1) }
func BenchmarkEmitDirectBy64(b *testing.B)  { benchmark(b, false, 64) }

// BenchmarkBuild is what making and checking an event costs.
func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		if _, err := emit.New("ats", access()); err != nil {
			b.Fatal(err)
		}
	}
}
