package vault

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// few values, so that some are equal, and the extremes
		prefixes := rapid.SliceOfN(rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 5), rapid.Uint64Range(1<<64-3, 1<<64-1)), 1, 200).Draw(t, "prefixes")
		cut := rapid.IntRange(0, len(prefixes)-1).Draw(t, "cut")
		r := sortRun(slices.Clone(prefixes[cut:]), cut)
		if cut > 0 {
			r = mergeRuns(sortRun(slices.Clone(prefixes[:cut]), 0), r)
		}
		sorted := slices.Sorted(slices.Values(prefixes))
		if !slices.Equal(r.prefixes, sorted) {
			t.Fatalf("%v, want %v", r.prefixes, sorted)
		}
		seen := map[uint32]bool{}
		for i, n := range r.rows {
			if seen[n] || prefixes[n] != r.prefixes[i] {
				t.Fatalf("row %d has another prefix", n)
			}
			seen[n] = true
		}
		for _, p := range append(prefixes, 0, 3, 1<<63, 1<<64-1, rapid.Uint64().Draw(t, "other")) {
			want, _ := slices.BinarySearch(sorted, p)
			if got := r.search(p); got != want {
				t.Fatalf("search gives %d, want %d", got, want)
			}
		}
	})
}
