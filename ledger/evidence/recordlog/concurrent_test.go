package recordlog

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
)

// TestReaders has readers hold what they see, while it grows, against a log that is complete.
func TestReaders(t *testing.T) {
	const most = 6000
	whole, l := made(t, most), made(t, 0)
	l.every = 500
	var readers sync.WaitGroup
	for seed := range uint64(3) {
		readers.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 2))
			for seen := uint64(0); seen < most; {
				size := l.Size()
				if size < seen {
					t.Error("it shrank")
				}
				if seen = size; size > 0 {
					sameAt(t, l, whole, size, rnd)
				}
			}
		})
	}
	rnd := rand.New(rand.NewPCG(9, 2))
	for l.Size() < most {
		if err := give(l, l.Size(), min(l.Size()+1+rnd.Uint64N(300), most), 1000); err != nil {
			t.Error(err)
			break
		}
	}
	readers.Wait()
}

// sameAt compares what two logs give of their first n records.
func sameAt(t *testing.T, a, b *Log, n uint64, rnd *rand.Rand) {
	m := 1 + rnd.Uint64N(n)
	tile := Tile{Level: rnd.IntN(3) - 1, Width: 1 + rnd.IntN(256)}
	if tile.Level < 1 {
		tile.Index = (m - 1) / 256
	}
	leaf := evidence.Span{From: m - 1, To: m}
	for what, give := range map[string]func(l *Log) (any, error){
		"root":      func(l *Log) (any, error) { return l.Root(m) },
		"annotated": func(l *Log) (any, error) { n, err := l.Annotated(m); return n, err },
		"newest":    func(l *Log) (any, error) { n, err := l.Annotated(n); return n, err },
		"hash":      func(l *Log) (any, error) { h, err := l.Hashes([]evidence.Span{leaf}); return fmt.Sprint(h), err },
		"records":   func(l *Log) (any, error) { b, err := l.Records(leaf); return string(b), err },
		"tile":      func(l *Log) (any, error) { b, _ := l.Tile(tile, n); return string(b), nil },
	} {
		x, err := give(a)
		y, also := give(b)
		if err != nil || also != nil || x != y {
			t.Errorf("%s of %d: %v, %v", what, m, err, also)
		}
	}
}
