package statement

import (
	"context"
	"testing"
)

// BenchmarkMake makes the statement of a quarter from the year of events.
func BenchmarkMake(b *testing.B) {
	all := record(b, year(b)...)
	src := sources(b, all, "2025-07-01", "2025-09-30")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Make(context.Background(), src); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(all))/b.Elapsed().Seconds(), "events/s")
}
