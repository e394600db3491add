package bitmaps

import (
	"fmt"
	"testing"

	"github.com/imalink/custody/projections/rows"
)

// BenchmarkCommon counts what a container, checked, has in common with a set of every third slot.
func BenchmarkCommon(b *testing.B) {
	var set Set
	for slot := 0; slot < ChunkSlots; slot += 3 {
		set.Add(uint16(slot))
	}
	for _, test := range []struct{ slots, run int }{{50, 1}, {1000, 1}, {4000, 1}, {20_000, 1}, {20_000, 100}} {
		var build builder
		for i := range test.slots {
			build.add(uint16(i/test.run*(ChunkSlots*test.run/test.slots) + i%test.run))
		}
		key := []byte("key")
		sealed := rows.Seal("bucket", key, build.container())
		b.Run(fmt.Sprintf("%d/runs of %d", test.slots, test.run), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				value, err := rows.Unseal("bucket", key, sealed)
				if err != nil {
					b.Fatal(err)
				}
				c, err := parse(value)
				if err != nil {
					b.Fatal(err)
				}
				c.common(&set)
			}
		})
	}
}
