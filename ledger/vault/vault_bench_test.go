package vault

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

func benchPeople(b *testing.B, n int) (*bench, []Identifier) {
	b.Helper()
	v := newBench(b)
	ids := make([]Identifier, n)
	batch := v.Begin()
	c, err := batch.Cell(march)
	must(b, err)
	for i := range ids {
		ids[i] = Identifier(fmt.Sprintf("candidate:%d", 100000+i))
		_, _, err := batch.Tag(c, ids[i])
		must(b, err)
	}
	must(b, batch.Flush(b.Context(), 0))
	batch.Commit()
	must(b, v.saveIndex())
	return v, ids
}

func BenchmarkTag(b *testing.B) {
	v, ids := benchPeople(b, 10000)
	batch := v.Begin()
	defer batch.Abort()
	c, err := batch.Cell(march)
	must(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, _, err := batch.Tag(c, ids[i*7919%len(ids)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEvent is what one event costs: a subject and an actor, a session, one
// sealed blob.
func BenchmarkEvent(b *testing.B) {
	v, ids := benchPeople(b, 10000)
	batch := v.Begin()
	defer batch.Abort()
	plain := []byte(`{"session":"s-1234567890","reason":"interview preparation"}`)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c, err := batch.Cell(march)
		must(b, err)
		a, err := batch.Cell(byActor)
		must(b, err)
		_, p, err := batch.Tag(c, ids[i*7919%len(ids)])
		must(b, err)
		_, _, err = batch.Tag(a, ids[i%100])
		must(b, err)
		_, err = batch.Ref(c, "s-1234567890")
		must(b, err)
		_, err = batch.Seal(c, [16]byte{byte(i), byte(i >> 8), byte(i >> 16)}, []Person{p}, plain)
		must(b, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkSeal(b *testing.B) {
	for _, n := range []int{1, 2, 16} {
		b.Run(fmt.Sprintf("%d subjects", n), func(b *testing.B) {
			keys := make([]key, n)
			for i := range keys {
				keys[i] = newKey()
			}
			plain := make([]byte, 100)
			b.ReportAllocs()
			for b.Loop() {
				_, err := encodeBlob(keys, nil, [16]byte{1}, newKey(), plain)
				must(b, err)
			}
		})
	}
}

// BenchmarkNewPeople creates people, 1,000 in a batch, on a log in memory, the
// index written beside.
func BenchmarkNewPeople(b *testing.B) {
	v := newBench(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		batch := v.Begin()
		c, err := batch.Cell(march)
		must(b, err)
		for range 1000 {
			n++
			_, _, err := batch.Tag(c, Identifier(fmt.Sprintf("candidate:%d", n)))
			must(b, err)
		}
		must(b, batch.Flush(b.Context(), 0))
		batch.Commit()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "people/s")
	var bytes int
	for _, m := range v.log.messages {
		bytes += len(m.Data)
	}
	b.ReportMetric(float64(bytes)/float64(n), "B/person")
}

// BenchmarkLookupIndex looks up people that the cache does not have.
func BenchmarkLookupIndex(b *testing.B) {
	v, ids := benchPeople(b, 100000)
	v.Vault.cache = newCache(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, ok, err := v.Lookup(ids[i*7919%len(ids)]); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkCachedPerson reports the memory of one person in the cache, with keys
// for three cells' classes.
func BenchmarkCachedPerson(b *testing.B) {
	const people = 65536
	v, ids := benchPeople(b, people)
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for b.Loop() {
		v.Vault.cache = newCache(people)
		empty := heap()
		batch := v.Begin()
		for _, cell := range []CellID{march, legal, byActor} {
			c, err := batch.Cell(cell)
			must(b, err)
			for _, id := range ids {
				_, _, err := batch.Tag(c, id)
				must(b, err)
			}
		}
		b.ReportMetric(float64(heap()-empty)/people, "B/person")
		equal(b, "cached", len(v.Vault.cache.byID), people)
		batch.Abort()
	}
}

// BenchmarkOpen opens a vault whose index is there, and one whose index is not.
func BenchmarkOpen(b *testing.B) {
	for _, rebuild := range []bool{false, true} {
		b.Run(fmt.Sprintf("rebuild=%t", rebuild), func(b *testing.B) {
			v, ids := benchPeople(b, 100000)
			for b.Loop() {
				b.StopTimer()
				must(b, v.Close())
				if rebuild {
					must(b, os.Remove(v.index))
				}
				b.StartTimer()
				v.open()
			}
			b.ReportMetric(float64(b.N)*float64(len(ids))/b.Elapsed().Seconds(), "people/s")
		})
	}
}
