package projections

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
)

// A loop is a source of as many events as one likes: the same few, again and again.
type loop struct {
	few  []events.Record
	head uint64
}

func newLoop(head uint64) *loop {
	l := &loop{head: head}
	for n := range uint64(4096) {
		raw := storedAt(n + 1)
		l.few = append(l.few, events.Record{Digest: sha256.Sum256(raw), Raw: raw})
	}
	return l
}

func (l *loop) Head() uint64 { return l.head }

func (l *loop) Wait(ctx context.Context, after uint64) (uint64, error) {
	if after < l.head {
		return l.head, nil
	}
	<-ctx.Done()
	return 0, ctx.Err()
}

func (l *loop) Replay(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for at := from; at <= l.head; at++ {
			rec := l.few[at%uint64(len(l.few))]
			rec.Position = at
			if err := ctx.Err(); err != nil || !yield(rec, err) {
				return
			}
		}
	}
}

// A trivial model counts.
type trivial struct{ n uint64 }

func (m *trivial) Fold(*Event) { m.n++ }

func (m *trivial) Flush(tx *bolt.Tx) error {
	home, err := tx.CreateBucketIfNotExists([]byte("trivial"))
	if err != nil {
		return err
	}
	return home.Put([]byte("n"), binary.BigEndian.AppendUint64(nil, m.n))
}

// BenchmarkFill fills views of 200,000 events: decoding, the engine, and models that do nothing.
func BenchmarkFill(b *testing.B) {
	const n = 200_000
	for _, many := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("views=%d", many), func(b *testing.B) {
			source := newLoop(n)
			b.ReportAllocs()
			for b.Loop() {
				var views []View
				for i := range many {
					views = append(views, View{Name: string(rune('a' + i)), Open: func(*bolt.Tx) (Model, error) { return &trivial{}, nil }})
				}
				s, err := Open(b.Context(), Config{Dir: b.TempDir(), Source: source, Views: views})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Wait(b.Context(), n); err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkDecode decodes as the engine does, and one after the other.
func BenchmarkDecode(b *testing.B) {
	const n = 50_000
	source := newLoop(n)
	b.Run("parallel", func(b *testing.B) {
		for b.Loop() {
			for _, err := range decoded(b.Context(), source, 1) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("serial", func(b *testing.B) {
		for b.Loop() {
			for rec := range source.Replay(b.Context(), 1) {
				if _, err := Decode(rec); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "events/s")
	})
}

// BenchmarkWait is how long a query waits for an event that has just been recorded.
func BenchmarkWait(b *testing.B) {
	m := newMemory(10)
	s, err := Open(b.Context(), Config{Dir: b.TempDir(), Source: m, Views: []View{tallyView("a", 1, nil)}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		if err := s.Wait(b.Context(), m.grow(1)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkJudge opens files of a gigabyte: small values, as of positions, and those of several pages, as of bitmaps.
func BenchmarkJudge(b *testing.B) {
	for _, size := range []int{100, 3000, 30_000} {
		b.Run(fmt.Sprintf("values=%d", size), func(b *testing.B) {
			path, view := b.TempDir()+"/a.db", View{Name: "a"}
			file, err := newView(path, &view)
			if err != nil {
				b.Fatal(err)
			}
			fillTo(b, file, size, 1<<30)
			if err := file.db.Close(); err != nil {
				b.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			b.ReportAllocs()
			for b.Loop() {
				file, _, err := openView(path, &view, func(mark) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
				file.db.Close()
			}
			b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N))/float64(time.Millisecond)/float64(info.Size())*(1<<30), "ms/GB")
		})
	}
}

// fillTo puts values of a size under random keys until the file has some bytes.
func fillTo(b *testing.B, file *viewFile, size, bytes int) {
	b.Helper()
	random, value := rand.New(rand.NewPCG(1, 1)), make([]byte, size)
	for written := 0; written < bytes; {
		if err := file.db.Update(func(tx *bolt.Tx) error {
			home, err := tx.CreateBucketIfNotExists([]byte("values"))
			for range (64 << 20) / size {
				if err != nil {
					return err
				}
				key := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(written)), random.Uint64())
				err = home.Put(key, value)
				written += size + 32
			}
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}
