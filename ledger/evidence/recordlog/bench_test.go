package recordlog

import (
	"math/rand/v2"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
)

// BenchmarkAppend appends with the system's disk, syncs included.
func BenchmarkAppend(b *testing.B) {
	for name, batch := range map[string]int{"4096": 4096, "64": 64} {
		b.Run(name, func(b *testing.B) {
			l, _, err := Open(b.TempDir())
			must(b, err)
			records := history(l.Number, 0, uint64(batch))
			b.SetBytes(int64(len(records)))
			for b.Loop() {
				must(b, l.Append(records))
			}
			must(b, l.Close())
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// long is a log of 2^20 records, of which many are the same.
func long(b *testing.B) *Log {
	l := mustOpen(b, b.TempDir())
	records := history(l.Number, 0, 4096)
	for l.Size() < 1<<20 {
		must(b, l.Append(records))
	}
	return l
}

// BenchmarkRead is what proofs and tiles ask of a log of 2^20 records.
func BenchmarkRead(b *testing.B) {
	l := long(b)
	rnd := rand.New(rand.NewPCG(4, 4))
	for name, read := range map[string]func() error{
		"root":      func() error { _, err := l.Root(1<<20 - 1 - rnd.Uint64N(1<<19)); return err },
		"annotated": func() error { _, err := l.Annotated(1<<20 - 1 - rnd.Uint64N(1<<19)); return err },
		"inclusion": func() error {
			i := rnd.Uint64N(1 << 20)
			spans := make([]evidence.Span, 0, 20)
			for width := uint64(1); width < 1<<20; width *= 2 {
				from := i/width ^ 1
				spans = append(spans, evidence.Span{From: from * width, To: (from + 1) * width})
			}
			_, err := l.Hashes(spans)
			return err
		},
		"node": func() error {
			from := rnd.Uint64N(1 << 12)
			_, err := l.Node(evidence.Span{From: from, To: from + 1})
			return err
		},
		"tile of leaves":  func() error { _, err := l.Tile(Tile{0, rnd.Uint64N(1 << 12), 256}, 1<<20); return err },
		"tile of blocks":  func() error { _, err := l.Tile(Tile{1, rnd.Uint64N(1 << 4), 256}, 1<<20); return err },
		"tile of entries": func() error { _, err := l.Tile(Tile{Entries, rnd.Uint64N(1 << 12), 256}, 1<<20); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				must(b, read())
			}
		})
	}
}

// BenchmarkCheck recomputes and compares 2^20 records.
func BenchmarkCheck(b *testing.B) {
	l := long(b)
	records := history(l.Number, 0, 4096)
	must(b, l.Close())
	for b.Loop() {
		c, err := NewCheck(l.dir)
		must(b, err)
		for range 1 << 8 {
			must(b, c.Append(records))
		}
		_, err = c.End()
		must(b, err)
	}
	b.ReportMetric(float64(b.N)*(1<<20)/b.Elapsed().Seconds(), "records/s")
}
