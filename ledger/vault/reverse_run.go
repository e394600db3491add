package vault

import "math/bits"

// A run is people's tags in one cell, ascending by their first eight bytes.
type run struct {
	prefixes []uint64
	rows     []uint32 // numbers of rows
}

// runSizeInMemory is the memory of one tag of a run.
const runSizeInMemory = 8 + 4

// sortRun sorts the prefixes of the rows from one on. They are random, so as many
// buckets as there are prefixes leave about one in each.
func sortRun(prefixes []uint64, from int) run {
	shift := 64 - bits.Len(uint(len(prefixes)))
	ends := make([]uint32, 1<<(64-shift)+1)
	for _, p := range prefixes {
		ends[p>>shift+1]++
	}
	for i := range ends[1:] {
		ends[i+1] += ends[i]
	}
	r := run{make([]uint64, len(prefixes)), make([]uint32, len(prefixes))}
	for n, p := range prefixes {
		at := &ends[p>>shift] // where the bucket's next one goes
		r.prefixes[*at], r.rows[*at] = p, uint32(from+n)
		*at++
	}
	for i := 1; i < len(prefixes); i++ {
		for j := i; j > 0 && r.prefixes[j-1] > r.prefixes[j]; j-- {
			r.swap(j-1, j)
		}
	}
	return r
}

func (r run) swap(i, j int) {
	r.prefixes[i], r.prefixes[j] = r.prefixes[j], r.prefixes[i]
	r.rows[i], r.rows[j] = r.rows[j], r.rows[i]
}

func mergeRuns(a, b run) run {
	n := len(a.prefixes) + len(b.prefixes)
	m := run{make([]uint64, 0, n), make([]uint32, 0, n)}
	for i, j := 0, 0; len(m.prefixes) < n; {
		from, at := &a, &i
		if i == len(a.prefixes) || j < len(b.prefixes) && b.prefixes[j] < a.prefixes[i] {
			from, at = &b, &j
		}
		m.prefixes, m.rows = append(m.prefixes, from.prefixes[*at]), append(m.rows, from.rows[*at])
		*at++
	}
	return m
}

// search returns the index of the first prefix that is not less. It begins where
// it would be if they were spread evenly, which random ones nearly are.
func (r run) search(prefix uint64) int {
	n := len(r.prefixes)
	guess, _ := bits.Mul64(prefix, uint64(n))
	lo, hi := int(guess), int(guess)
	for step := 8; lo > 0 && r.prefixes[lo-1] >= prefix; step *= 2 {
		lo = max(0, lo-step)
	}
	for step := 8; hi < n && r.prefixes[hi] < prefix; step *= 2 {
		hi = min(n, hi+step)
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if r.prefixes[mid] < prefix {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
