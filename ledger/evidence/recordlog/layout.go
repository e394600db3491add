package recordlog

import (
	"math/bits"

	"github.com/imalink/custody/ledger/evidence"
)

// The files of a log, in the order in which they are written.
const (
	recordsFile = iota
	hashesFile
	nodesFile
	producersFile
	fileCount
)

var fileNames = [fileCount]string{"records", "hashes", "nodes", "producers"}

const (
	markerFile = "marker"
	hashSize   = len(evidence.Hash{})
	nodeSize   = evidence.AnnotationSize + hashSize
)

// lengths are those of the files of n records whose producers take so many bytes.
func lengths(n, producers uint64) [fileCount]int64 {
	return [fileCount]int64{
		int64(n) * evidence.RecordSize,
		int64(stored(n)) * int64(hashSize),
		int64(stored(n/evidence.BlockSize)) * int64(nodeSize),
		int64(producers),
	}
}

// stored is how many nodes a stored tree of n leaves has: its perfect subtrees, a leaf being one.
func stored(n uint64) uint64 { return 2*n - uint64(bits.OnesCount64(n)) }

// place is where a node over a perfect span stands among those stored: each behind the leaf that completed it, the
// smaller first.
func place(s evidence.Span) uint64 { return stored(s.To-1) + uint64(bits.TrailingZeros64(s.Len())) }

// cover gives the largest perfect spans that make up the first n leaves, left to right.
func cover(n uint64) (parts []evidence.Span) {
	for from := uint64(0); from < n; {
		to := from + 1<<(bits.Len64(n-from)-1)
		parts = append(parts, evidence.Span{From: from, To: to})
		from = to
	}
	return parts
}

// each gives the spans of one leaf each.
func each(s evidence.Span) []evidence.Span {
	parts := make([]evidence.Span, 0, s.Len())
	for i := s.From; i < s.To; i++ {
		parts = append(parts, evidence.Span{From: i, To: i + 1})
	}
	return parts
}

// fold joins the parts of a tree from the right: those of [cover], with whatever is ragged behind them.
func fold[T any](parts []T, join func(left, right T) T) T {
	last := len(parts) - 1
	root := parts[last]
	for i := last - 1; i >= 0; i-- {
		root = join(parts[i], root)
	}
	return root
}
