package bitmaps

import (
	"slices"
	"testing"
)

// FuzzContainer: bytes that pass as a container can be read, and the set they are is built again from what was read.
func FuzzContainer(f *testing.F) {
	for _, slots := range [][]uint16{{0}, {1, 2, 3, 9}, {65535}, {7, 8, 9, 10, 11, 65534, 65535}} {
		f.Add([]byte(containerOf(f, slots)))
	}
	f.Add(append([]byte{bitsForm}, make([]byte, 8192)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parse(b)
		if err != nil {
			return
		}
		var s, all Set
		c.union(&s)
		all.AddRange(0, ChunkSlots)
		slots := slices.Collect(s.All())
		if n := c.common(&all); n != c.common(&s) || n < len(slots) || n > len(slots) && c[0] != listForm {
			t.Fatalf("%d slots, %d counted", len(slots), n)
		}
		if len(slots) == 0 {
			return // bits of nothing are well formed; nobody writes them
		}
		var again Set
		containerOf(t, slots).union(&again)
		if again != s {
			t.Fatal("another set")
		}
	})
}

// FuzzCounts: what is read of a chunk's values is in the range of what can be written.
func FuzzCounts(f *testing.F) {
	f.Add([]byte{1, 0, 0, 2, 200, 1, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		counts, err := parseCounts(b)
		for _, c := range counts {
			if err == nil && (c.Slots < 1 || c.Slots > ChunkSlots) {
				t.Fatalf("%d slots", c.Slots)
			}
		}
	})
}

// FuzzBlock: a block that passes can be read at every slot, and what was read is written and read as it was.
func FuzzBlock(f *testing.F) {
	for _, values := range [][]int64{{5}, {-1, 1 << 40, 7}, {-1 << 63, 1<<63 - 1}} {
		f.Add(appendBlock(nil, values, slices.Min(values), slices.Max(values)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		block, err := parseBlock(b)
		if err != nil {
			return
		}
		values := make([]int64, block.Len())
		for i := range values {
			values[i] = block.At(i)
		}
		again, err := parseBlock(appendBlock(nil, values, slices.Min(values), slices.Max(values)))
		if err != nil || again.Len() != block.Len() {
			t.Fatal(err)
		}
		for i, v := range values {
			if again.At(i) != v {
				t.Fatalf("number %d is %d, was %d", i, again.At(i), v)
			}
		}
	})
}
