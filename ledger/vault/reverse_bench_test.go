package vault

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// manyPeople returns a vault of n people whose index has them all, and their
// tags in one cell.
func manyPeople(b *testing.B, n int) (*bench, []Tag) {
	b.Helper()
	v := newBench(b)
	tags := make([]Tag, 0, n)
	for len(tags) < n {
		batch := v.Begin()
		c, err := batch.Cell(march)
		must(b, err)
		for range min(4096, n-len(tags)) {
			tag, _, err := batch.Tag(c, Identifier(fmt.Sprint("candidate:", len(tags))))
			must(b, err)
			tags = append(tags, tag)
		}
		must(b, batch.Flush(b.Context(), 0))
		batch.Commit()
	}
	must(b, v.saveIndex())
	return v, tags
}

// BenchmarkWho goes from tags back to people: reading every row, making one
// cell's tags, and looking one tag up once they are made.
func BenchmarkWho(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		v, tags := manyPeople(b, n)
		perPerson := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/person")
		}
		b.Run(fmt.Sprintf("people=%d/rows", n), func(b *testing.B) {
			for b.Loop() {
				v.Vault.reverse = newReverse(v.Vault, 0)
				_, err := v.Candidates("x")
				must(b, err)
			}
			perPerson(b)
		})
		b.Run(fmt.Sprintf("people=%d/cell", n), func(b *testing.B) {
			for b.Loop() {
				v.Vault.reverse.cells, v.Vault.reverse.order, v.Vault.reverse.size = map[CellID]*tagged{}, nil, 0
				_, err := v.Who(march, tags[:1])
				must(b, err)
			}
			perPerson(b)
			b.ReportMetric(heapOf(func() { v.Vault.reverse = newReverse(v.Vault, 0) })/float64(n), "B/person")
		})
		b.Run(fmt.Sprintf("people=%d/tags", n), func(b *testing.B) {
			_, err := v.Who(march, tags[:1])
			must(b, err)
			asked := make([]Tag, 1000)
			b.ReportAllocs()
			for b.Loop() {
				for i := range asked {
					asked[i] = tags[rand.IntN(n)]
				}
				_, err := v.Who(march, asked)
				must(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(asked)), "ns/tag")
		})
	}
}

// heapOf is how much of the heap letting go frees.
func heapOf(let func()) float64 {
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	before := heap()
	let()
	return before - heap()
}

// BenchmarkTagsOf is what a person's page asks: a hundred cells, two linked
// identifiers, known and not yet known to the cache.
func BenchmarkTagsOf(b *testing.B) {
	v, ids := benchPeople(b, 10_000)
	batch := v.Begin()
	for i := range 100 {
		_, err := batch.Cell(CellID{uint8(1 + i%3), Subject, Month(600 + i/3)})
		must(b, err)
	}
	must(b, batch.Flush(b.Context(), 0))
	batch.Commit()
	for i := 0; i < len(ids); i += 2 {
		must(b, v.Link(ids[i:i+2]))
	}
	must(b, v.saveIndex())
	for _, cached := range []bool{true, false} {
		b.Run(fmt.Sprintf("cached=%t", cached), func(b *testing.B) {
			v.Vault.cache = newCache(1)
			if cached {
				v.Vault.cache = newCache(len(ids))
			}
			for i := 0; b.Loop(); i++ {
				tags, err := v.TagsOf(ids[i*7919%len(ids)], Subject)
				must(b, err)
				if len(tags) < 200 {
					b.Fatalf("%d tags", len(tags))
				}
			}
		})
	}
}
