package vault

import (
	"fmt"
	"testing"
)

// BenchmarkErase erases one of many people, then forgets a cell, then asks who
// somebody is: for the first time, which reads every row, and right after an
// erasure, when what was made before is carried over.
// Everything is durable but the stream, which is in memory.
func BenchmarkErase(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		v, tags := manyPeople(b, n)
		next := 0
		b.Run(fmt.Sprintf("people=%d/erase", n), func(b *testing.B) {
			before := v.written()
			for b.Loop() {
				row, err := v.RowOf(Identifier(fmt.Sprint("candidate:", next)))
				must(b, err)
				next++
				_, err = v.Erase(b.Context(), Erasing{Rows: map[PersonID][]Chain{row: nil}})
				must(b, err)
			}
			b.ReportMetric(float64(v.written()-before)/float64(b.N), "bytes/op")
		})
		b.Run(fmt.Sprintf("people=%d/forget", n), func(b *testing.B) {
			before := v.written()
			for b.Loop() {
				next++
				_, _, err := v.Forget(b.Context(), Forgetting{Class: 9, Before: Month(next)})
				must(b, err)
			}
			b.ReportMetric(float64(v.written()-before)/float64(b.N), "bytes/op")
		})
		for _, held := range []int{1, 100} {
			b.Run(fmt.Sprintf("people=%d/forget, held=%d", n, held), func(b *testing.B) {
				f := Forgetting{Class: 9}
				for i := range held {
					row, err := v.RowOf(Identifier(fmt.Sprint("candidate:", n-1-i)))
					must(b, err)
					f.Held = append(f.Held, row)
				}
				before := v.written()
				for b.Loop() {
					next++
					f.Before = Month(next)
					_, _, err := v.Forget(b.Context(), f)
					must(b, err)
				}
				b.ReportMetric(float64(v.written()-before)/float64(b.N), "bytes/op")
			})
		}
		b.Run(fmt.Sprintf("people=%d/who, first", n), func(b *testing.B) {
			for b.Loop() {
				v.Vault.reverse = newReverse(v.Vault, 0)
				_, err := v.Who(march, tags[n-1:])
				must(b, err)
			}
		})
		b.Run(fmt.Sprintf("people=%d/who, after", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				row, err := v.RowOf(Identifier(fmt.Sprint("candidate:", next)))
				must(b, err)
				next++
				_, err = v.Who(march, tags[n-1:])
				must(b, err)
				_, err = v.Erase(b.Context(), Erasing{Rows: map[PersonID][]Chain{row: nil}})
				must(b, err)
				b.StartTimer()
				_, err = v.Who(march, tags[n-1:])
				must(b, err)
			}
		})
		must(b, v.Close())
		v.Vault = nil
	}
}

// written is how many bytes the vault's stream has.
func (b *bench) written() (n int) {
	for _, m := range b.log.messages {
		n += len(m.Data)
	}
	return n
}
