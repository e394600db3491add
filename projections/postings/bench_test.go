package postings

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

const benchSize = 22

// people draws keys as a year's events have them: a cell of twelve months and eight classes, and a random tag. The months
// come in order.
type people struct {
	r          *rand.Rand
	total, now int
}

func newPeople(total int) *people { return &people{r: rand.New(rand.NewPCG(1, 2)), total: total} }

func (p *people) next(key []byte) {
	key[0], key[1] = byte(p.r.Uint32()&7), 1
	binary.BigEndian.PutUint32(key[2:], uint32(p.now*12/p.total))
	binary.BigEndian.PutUint64(key[6:], p.r.Uint64())
	binary.BigEndian.PutUint64(key[14:], p.r.Uint64())
	p.now++
}

// BenchmarkPostings fills a file with random keys, 65,536 and 500 a flush, and then reads 100 keys at a time, as for one
// person's page: keys that are there and keys that are not. The figure in the name is in thousands.
func BenchmarkPostings(b *testing.B) {
	for _, thousands := range []int{1_000, 5_000, 20_000} {
		for _, batch := range []int{65_536, 500} {
			b.Run(fmt.Sprintf("%d/%d", thousands, batch), func(b *testing.B) {
				db, sample := filled(b, thousands*1000, batch)
				b.Run("present", func(b *testing.B) { lookups(b, db, sample) })
				absent := make([][]byte, len(sample))
				for i, key := range sample {
					absent[i] = append([]byte(nil), key...)
					absent[i][benchSize-1]++
				}
				b.Run("absent", func(b *testing.B) { lookups(b, db, absent) })
				b.Run("page", func(b *testing.B) { pages(b, db, sample, 0) })
			})
		}
	}
}

// filled reports, as it fills a file, what that took, and gives it with some of its keys.
func filled(b *testing.B, n, batch int) (*bolt.DB, [][]byte) {
	path := filepath.Join(b.TempDir(), "view.db")
	db := openDB(b, path)
	db.NoSync = batch > 1000 // as when a file is filled anew
	w := openWriter(b, db, benchSize, wholePairs, mergePay)
	draw, key := newPeople(n), make([]byte, benchSize)
	var sample [][]byte
	start, longest := time.Now(), time.Duration(0)
	for position := 1; position <= n; {
		for range batch {
			if draw.next(key); position%(n/10_000) == 0 {
				sample = append(sample, append([]byte(nil), key...))
			}
			w.Add(key, uint64(position))
			position++
		}
		began := time.Now()
		flush(b, db, w)
		longest = max(longest, time.Since(began))
	}
	took := time.Since(start)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	w = nil
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := db.Stats()
	b.Logf("%d keys: %.0f/s, longest flush %v; %.1f B a key, %.1f in free pages; %d segments; heap %.1f MB", n, float64(n)/took.Seconds(), longest,
		float64(info.Size())/float64(n), float64(s.FreePageN)*4096/float64(n), len(stateIn(b, db).segments), float64(m.HeapAlloc)/1e6)
	return db, sample
}

func lookups(b *testing.B, db *bolt.DB, sample [][]byte) {
	r, keys := rand.New(rand.NewPCG(3, 4)), make([][]byte, 100)
	var dst []uint64
	b.ReportAllocs()
	for b.Loop() {
		for i := range keys {
			keys[i] = sample[r.IntN(len(sample))]
		}
		if err := db.View(func(tx *bolt.Tx) error {
			r, err := Read(tx, testBucket, always)
			for _, key := range keys {
				if err == nil {
					dst, err = r.Positions(dst[:0], key)
				}
			}
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLargest reads pages anywhere in the positions of 100 keys, of which twelve have them all. The figure in the name
// is how many, in thousands.
func BenchmarkLargest(b *testing.B) {
	for _, thousands := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(thousands), func(b *testing.B) {
			db, n := openDB(b, filepath.Join(b.TempDir(), "view.db")), thousands*1000
			w := openWriter(b, db, benchSize, wholePairs, mergePay)
			draw, key := newPeople(n), make([]byte, benchSize)
			var keys [][]byte
			for position := 1; position <= n; position++ {
				if draw.next(key); len(keys) < 100 {
					keys = append(keys, append([]byte(nil), key...))
				}
				w.Add(keys[position*12/(n+1)], uint64(position))
				if w.Add(key, uint64(position)); position%65_536 == 0 || position == n {
					flush(b, db, w)
				}
			}
			b.Run("page", func(b *testing.B) { pages(b, db, keys, uint64(n)) })
		})
	}
}

// BenchmarkWhole goes through all positions of 100 keys, of which twelve have 100,000 together, as one person's, among a
// million of others.
func BenchmarkWhole(b *testing.B) {
	const n, each = 1_000_000, 10
	db := openDB(b, filepath.Join(b.TempDir(), "view.db"))
	db.NoSync = true
	w := openWriter(b, db, benchSize, wholePairs, mergePay)
	draw, key := newPeople(n), make([]byte, benchSize)
	var keys [][]byte
	for position := 1; position <= n; position++ {
		if draw.next(key); len(keys) < 100 {
			keys = append(keys, append([]byte(nil), key...))
		}
		if position%each == 0 {
			w.Add(keys[position*12/(n+1)], uint64(position))
		}
		if w.Add(key, uint64(position)); position%65_536 == 0 || position == n {
			flush(b, db, w)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := db.View(func(tx *bolt.Tx) error {
			r, err := Read(tx, testBucket, always)
			if err != nil {
				return err
			}
			for _, err := range r.Union(keys, false).From(1) {
				if err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(n/each), "ns/position")
}

// pages reads fifty positions of 100 keys: the newest, or, if anywhere is not zero, those before some position up to it.
func pages(b *testing.B, db *bolt.DB, sample [][]byte, anywhere uint64) {
	r, keys := rand.New(rand.NewPCG(3, 4)), make([][]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		from := uint64(always)
		if copy(keys, sample); anywhere > 0 {
			from = r.Uint64N(anywhere) + 1
		} else {
			for i := range keys {
				keys[i] = sample[r.IntN(len(sample))]
			}
		}
		if err := db.View(func(tx *bolt.Tx) error {
			r, err := Read(tx, testBucket, always)
			if err != nil {
				return err
			}
			n := 0
			for _, err := range r.Union(keys, true).From(from) {
				if n++; err != nil || n == 50 {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}
