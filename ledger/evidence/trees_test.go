package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// hashReader is a reader of a log whose leaves have these hashes.
type hashReader []Hash

func (r hashReader) Size() uint64               { return uint64(len(r)) }
func (hashReader) Records(Span) ([]byte, error) { return nil, errors.ErrUnsupported }
func (hashReader) Node(Span) (Node, error)      { return Node{}, errors.ErrUnsupported }
func (r hashReader) Hashes(s []Span) ([]Hash, error) {
	all := make([]Hash, len(s))
	for i := range s {
		if !s[i].Perfect() {
			return nil, errors.New("asked for a node that is not perfect")
		}
		all[i] = r.root(s[i])
	}
	return all, nil
}

// root is MTH of RFC 6962, section 2.1.
func (r hashReader) root(s Span) Hash {
	switch s.Len() {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return r[s.From]
	}
	k := uint64(1)
	for 2*k < s.Len() {
		k *= 2
	}
	return NodeHash(r.root(Span{s.From, s.From + k}), r.root(Span{s.From + k, s.To}))
}

func numbered(n int) hashReader {
	r := make(hashReader, n)
	for i := range r {
		r[i] = sha256.Sum256([]byte{byte(i), byte(i >> 8)})
	}
	return r
}

// certificateLog has the leaves of the tests of Certificate Transparency.
func certificateLog() hashReader {
	var r hashReader
	for _, leaf := range []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"} {
		b, _ := hex.DecodeString(leaf)
		r = append(r, sha256.Sum256(append([]byte{0}, b...)))
	}
	return r
}

func hexes(all []Hash) (texts []string) {
	for _, h := range all {
		texts = append(texts, hex.EncodeToString(h[:]))
	}
	return texts
}

// TestCertificateTransparency holds roots and paths against those of the tests of Certificate Transparency (RFC 6962).
func TestCertificateTransparency(t *testing.T) {
	r := certificateLog()
	roots := []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	if h := (&Accumulator{}).Root(); hex.EncodeToString(h[:]) != roots[0] {
		t.Errorf("the root of nothing is %x", h)
	}
	for n := 1; n <= 8; n++ {
		whole, _, err := prunedTree{size: uint64(n), opened: []Span{{0, uint64(n)}}}.roots(each(r[:n]), nil)
		if err != nil || hex.EncodeToString(whole[:]) != roots[n] {
			t.Errorf("the root of %d is %x, %v", n, whole, err)
		}
	}
	for _, test := range []struct {
		path []Hash
		want []string
	}{
		{must(InclusionPath(r, 0, 8)), []string{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
			"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
		{must(InclusionPath(r, 5, 8)), []string{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
			"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
		{must(InclusionPath(r, 2, 3)), []string{"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
		{must(InclusionPath(r, 0, 1)), nil},
		{must(GrowthPath(r, 1, 1)), nil},
		{must(GrowthPath(r, 1, 8)), []string{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
			"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
		{must(GrowthPath(r, 6, 8)), []string{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
			"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
		{must(GrowthPath(r, 2, 5)), []string{"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
			"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
	} {
		if !slices.Equal(hexes(test.path), test.want) {
			t.Errorf("path %v, want %v", hexes(test.path), test.want)
		}
	}
}

// each gives one hash after another.
func each(all []Hash) func() Hash {
	return func() Hash { h := all[0]; all = all[1:]; return h }
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// TestPaths holds every path of every tree to 70 leaves against the verifier of the Go checksum database.
func TestPaths(t *testing.T) {
	r := numbered(70)
	for size := uint64(1); size <= r.Size(); size++ {
		root := tlog.Hash(r.root(Span{0, size}))
		for i := range size {
			path := must(InclusionPath(r, i, size))
			if err := tlog.CheckRecord(of(path), int64(size), root, int64(i), tlog.Hash(r[i])); err != nil {
				t.Errorf("leaf %d of %d: %v", i, size, err)
			}
			if i == 0 {
				continue
			}
			if err := tlog.CheckTree(of(must(GrowthPath(r, i, size))), int64(size), root, int64(i), tlog.Hash(r.root(Span{0, i}))); err != nil {
				t.Errorf("growth from %d to %d: %v", i, size, err)
			}
		}
	}
	for _, err := range []error{second(InclusionPath(r, 3, 3)), second(InclusionPath(r, 3, 71)), second(GrowthPath(r, 0, 3)), second(GrowthPath(r, 4, 3)), second(GrowthPath(r, 4, 71))} {
		if !errors.Is(err, ErrQuestion) {
			t.Errorf("a path that cannot be: %v", err)
		}
	}
}

func second(_ []Hash, err error) error { return err }

func of(path []Hash) []tlog.Hash {
	all := make([]tlog.Hash, len(path))
	for i, h := range path {
		all[i] = tlog.Hash(h)
	}
	return all
}

// checkPruned makes a pruned tree of a log and reads it.
func checkPruned(r hashReader, tree prunedTree) error {
	proof := must(hashes(r, tree.closed()))
	var opened []Hash
	for _, s := range tree.opened {
		opened = append(opened, r[s.From:s.To]...)
	}
	leaf := func() Hash { h := opened[0]; opened = opened[1:]; return h }
	next := func() (Hash, error) {
		if len(proof) == 0 {
			return Hash{}, ErrFormat
		}
		h := proof[0]
		proof = proof[1:]
		return h, nil
	}
	whole, cut, err := tree.roots(leaf, next)
	if err != nil || whole != r.root(Span{0, tree.size}) || len(opened)+len(proof) > 0 {
		return fmt.Errorf("%+v: root is %x, %v; %d leaves and %d hashes are left over", tree, whole, err, len(opened), len(proof))
	}
	if tree.cut > 0 && cut != r.root(Span{0, tree.cut}) {
		return fmt.Errorf("%+v: root before the cut is %x", tree, cut)
	}
	return nil
}

// TestPrunedRecordTree opens every range of every tree to 66 leaves, with every cut of the small ones and one of the
// others.
func TestPrunedRecordTree(t *testing.T) {
	r := numbered(66)
	for size := uint64(1); size <= r.Size(); size++ {
		for from := range size {
			for to := from; to <= size; to++ {
				var opened []Span
				if from < to {
					opened = []Span{{from, to}}
				}
				cuts := []uint64{(from*31 + to*17) % size}
				if size <= 12 {
					cuts = nil
					for c := range size {
						cuts = append(cuts, c)
					}
				}
				for _, cut := range cuts {
					if err := checkPruned(r, prunedTree{size: size, opened: opened, cut: cut}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// TestPrunedSets opens any set of leaves.
func TestPrunedSets(t *testing.T) {
	r := numbered(300)
	rapid.Check(t, func(t *rapid.T) {
		tree := prunedTree{size: rapid.Uint64Range(1, r.Size()).Draw(t, "size")}
		tree.cut = rapid.Uint64Range(0, tree.size-1).Draw(t, "cut")
		set := rapid.SliceOfDistinct(rapid.Uint64Range(0, tree.size-1), rapid.ID[uint64]).Draw(t, "opened")
		slices.Sort(set)
		for _, i := range set {
			tree.opened = appendIndex(tree.opened, i)
		}
		if err := checkPruned(r, tree); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRecordHash holds the hashes of leaves and nodes against those of the Go checksum database.
func TestRecordHash(t *testing.T) {
	record := bytes.Repeat([]byte{7}, RecordSize)
	leaf := LeafHash(record)
	if leaf != Hash(tlog.RecordHash(record)) || NodeHash(leaf, Hash{1}) != Hash(tlog.NodeHash(tlog.Hash(leaf), tlog.Hash{1})) {
		t.Error("other hashes than RFC 6962")
	}
}
