package recordlog

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/imalink/custody/ledger/evidence"
)

// reader gives package tlog our stored hashes.
func reader(l *Log) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		spans := make([]evidence.Span, len(indexes))
		for i, index := range indexes {
			level, n := tlog.SplitStoredHashIndex(index)
			spans[i] = evidence.Span{From: uint64(n) << level, To: uint64(n+1) << level}
		}
		hashes, err := l.Hashes(spans)
		out := make([]tlog.Hash, len(hashes))
		for i, h := range hashes {
			out[i] = tlog.Hash(h)
		}
		return out, err
	})
}

// TestStoredOrder: the file of hashes is in the order of package tlog, and has what that computes.
func TestStoredOrder(t *testing.T) {
	l := made(t, 1100)
	records, err := l.Records(evidence.Span{To: 1100})
	must(t, err)
	var want []byte
	for i := range int64(1100) {
		hashes, err := tlog.StoredHashes(i, records[i*recordSize:][:recordSize], reader(l))
		must(t, err)
		if at := tlog.StoredHashIndex(0, i); at != int64(place(evidence.Span{From: uint64(i), To: uint64(i) + 1})) {
			t.Fatalf("leaf %d belongs at %d", i, at)
		}
		for _, h := range hashes {
			want = append(want, h[:]...)
		}
	}
	must(t, l.Sync())
	if got := bytesOf(t, l.dir)["hashes"]; got != string(want) {
		t.Error("hashes stand otherwise")
	}
	for _, n := range []int64{0, 1, 2, 255, 256, 257, 1100, 1<<40 - 1} {
		if int64(stored(uint64(n))) != tlog.StoredHashIndex(0, n) {
			t.Errorf("%d leaves store %d", n, stored(uint64(n)))
		}
	}
}

// TestRoots holds every R(n), G(n), A(n) against package tlog, the definition, and the accumulator.
func TestRoots(t *testing.T) {
	const most = 1100
	l := made(t, most)
	records, err := l.Records(evidence.Span{To: most})
	must(t, err)
	var a evidence.Accumulator
	for n := uint64(0); ; n++ {
		root, err := l.Root(n)
		must(t, err)
		want, err := tlog.TreeHash(int64(n), reader(l))
		if err != nil || evidence.Hash(want) != root || a.Root() != root {
			t.Fatalf("R(%d) is another: %v", n, err)
		}
		if n > 0 {
			node, err := l.Annotated(n)
			must(t, err)
			if by, _ := a.Annotated(); by != node || n%7 == 0 && annotatedOf(records[:n*recordSize]) != node {
				t.Fatalf("G(%d) is another", n)
			}
		}
		if n == most {
			return
		}
		must(t, a.Append(records[n*recordSize:][:recordSize]))
	}
}

// annotatedOf is the root of the annotated tree over records, as docs/FORMAT.md defines it.
func annotatedOf(records []byte) evidence.Node {
	n := len(records) / recordSize
	if n <= 256 {
		b := binary.BigEndian.AppendUint16([]byte{2}, uint16(n))
		node := evidence.Node{Annotation: evidence.Nothing()}
		for ; len(records) > 0; records = records[recordSize:] {
			day := uint16(binary.BigEndian.Uint64(append([]byte{0, 0}, records[8:14]...)) / 86_400_000)
			b = binary.BigEndian.AppendUint16(append(b, records[4:6]...), day)
			for i := range node.Annotation {
				if f := &node.Annotation[i]; binary.BigEndian.Uint16(records[4:])>>i&1 == 1 {
					f.Count, f.First, f.Last = f.Count+1, min(f.First, day), max(f.Last, day)
				}
			}
		}
		node.Hash = sha256.Sum256(b)
		return node
	}
	k := 1
	for blocks := (n + 255) / 256; 2*k < blocks; k *= 2 {
	}
	left, right := annotatedOf(records[:k*256*recordSize]), annotatedOf(records[k*256*recordSize:])
	b := []byte{3}
	node := evidence.Node{}
	for _, child := range []*evidence.Node{&left, &right} {
		b = append(child.Annotation.Append(b), child.Hash[:]...)
	}
	for i, f := range left.Annotation {
		g := right.Annotation[i]
		node.Annotation[i] = evidence.Tally{Count: f.Count + g.Count, First: min(f.First, g.First), Last: max(f.Last, g.Last)}
	}
	node.Hash = sha256.Sum256(b)
	return node
}

// TestNodes holds every node of the annotated tree over whole blocks against the definition.
func TestNodes(t *testing.T) {
	const blocks = 9
	l := made(t, blocks*256+17)
	for width := uint64(1); width <= blocks; width *= 2 {
		for from := uint64(0); from+width <= blocks; from += width {
			s := evidence.Span{From: from, To: from + width}
			node, err := l.Node(s)
			must(t, err)
			records, err := l.Records(evidence.Span{From: s.From * 256, To: s.To * 256})
			must(t, err)
			if node != annotatedOf(records) {
				t.Errorf("node over blocks %v is another", s)
			}
		}
	}
}

// TestHashesInAnyOrder: order is for speed only.
func TestHashesInAnyOrder(t *testing.T) {
	l := made(t, 300)
	spans := each(evidence.Span{To: 300})
	up, err := l.Hashes(spans)
	must(t, err)
	slices.Reverse(spans)
	down, err := l.Hashes(spans)
	must(t, err)
	slices.Reverse(down)
	if !slices.Equal(up, down) {
		t.Error("other hashes from right to left")
	}
}

// TestProofs: package tlog makes proofs from our hashes, and finds them right.
func TestProofs(t *testing.T) {
	l := made(t, 700)
	for _, n := range []int64{1, 2, 3, 255, 256, 257, 700} {
		root, err := l.Root(uint64(n))
		must(t, err)
		for i := int64(0); i < n; i += 1 + n/50 {
			record, err := l.Records(evidence.Span{From: uint64(i), To: uint64(i) + 1})
			must(t, err)
			p, err := tlog.ProveRecord(n, i, reader(l))
			must(t, err)
			must(t, tlog.CheckRecord(p, n, tlog.Hash(root), i, tlog.RecordHash(record)))
			old, err := l.Root(uint64(i + 1))
			must(t, err)
			grown, err := tlog.ProveTree(n, i+1, reader(l))
			must(t, err)
			must(t, tlog.CheckTree(grown, n, tlog.Hash(root), i+1, tlog.Hash(old)))
		}
	}
}

// TestBeyond: what is not there, or is no node, is refused.
func TestBeyond(t *testing.T) {
	l := made(t, 600)
	for _, s := range []evidence.Span{{From: 0, To: 601}, {From: 2, To: 1}, {From: 601, To: 601}, {From: 0, To: 1 << 63}} {
		if _, err := l.Records(s); !errors.Is(err, ErrRange) {
			t.Errorf("records %v: %v", s, err)
		}
	}
	for _, s := range []evidence.Span{{From: 600, To: 601}, {From: 0, To: 3}, {From: 1, To: 3}, {From: 4, To: 4}, {From: 0, To: 1024}, {From: 2, To: 1}} {
		if _, err := l.Hashes([]evidence.Span{{From: 0, To: 1}, s}); !errors.Is(err, ErrRange) {
			t.Errorf("hash over %v: %v", s, err)
		}
	}
	for _, s := range []evidence.Span{{From: 2, To: 3}, {From: 0, To: 3}, {From: 1, To: 1}, {From: 0, To: 4}} {
		if _, err := l.Node(s); !errors.Is(err, ErrRange) {
			t.Errorf("node over %v: %v", s, err)
		}
	}
	_, root := l.Root(601)
	_, annotated := l.Annotated(601)
	for name, err := range map[string]error{"root": root, "annotated": annotated, "cut": l.Truncate(601)} {
		if !errors.Is(err, ErrRange) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
