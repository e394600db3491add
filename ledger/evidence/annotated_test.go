package evidence

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// entryReader is a reader of records with these entries, in blocks of another width.
type entryReader struct {
	entries []Entry
	width   uint64
}

func (r entryReader) Size() uint64                { return uint64(len(r.entries)) }
func (entryReader) Hashes([]Span) ([]Hash, error) { return nil, errors.ErrUnsupported }

func (r entryReader) Records(s Span) (b []byte, _ error) {
	for _, e := range r.entries[s.From:s.To] {
		record := Record{Flags: Flags(e.Flags), Time: int64(e.Day) * dayMillis, Producer: 1}
		b = record.Append(b)
	}
	return b, nil
}

func (r entryReader) Node(s Span) (Node, error) {
	if !s.Perfect() || s.To*r.width > r.Size() {
		return Node{}, errors.New("asked for a node that is not perfect, or not whole")
	}
	return r.node(r.entries[s.From*r.width : s.To*r.width]), nil
}

// node is as docs/FORMAT.md says, without a thought for what a proof needs.
func (r entryReader) node(entries []Entry) Node {
	blocks := (uint64(len(entries)) + r.width - 1) / r.width
	if blocks == 1 {
		return Block(entries)
	}
	k := uint64(1)
	for 2*k < blocks {
		k *= 2
	}
	return Join(r.node(entries[:k*r.width]), r.node(entries[k*r.width:]))
}

func randomEntries(random *rand.Rand, n int) (all []Entry) {
	for i := range n {
		e := Entry{Day: uint16(100 + i/4)}
		if random.IntN(9) == 0 {
			e.Day -= uint16(random.IntN(12))
		}
		if random.IntN(3) == 0 {
			e.Flags = 1 << random.IntN(7)
		}
		if random.IntN(3) == 0 {
			e.Flags |= uint16(Late)
		}
		all = append(all, e)
	}
	return all
}

// naive answers a question by looking at every entry.
func naive(entries []Entry, q Question) (a answer) {
	for i, e := range entries {
		x := uint64(i)
		if q.Of == Days {
			x = uint64(e.Day)
		}
		if Flags(e.Flags)&q.Flags == 0 || x < q.From || x > q.To || x == q.To && q.Of == Positions {
			continue
		}
		for f := range a.counts {
			a.counts[f] += uint64(Flags(e.Flags) & q.Flags >> f & 1)
		}
		if q.What == List {
			a.list = append(a.list, uint64(i))
			a.listed = append(a.listed, e)
		}
	}
	return a
}

// askAnnotated proves an answer over the first leaves and reads it again.
func askAnnotated(r entryReader, leaves uint64, q Question, root Node) ([]byte, error) {
	tree := annotatedTree{leaves: leaves, width: r.width, question: q}
	w := &writer{}
	spans, err := tree.prove(w, r)
	if err != nil {
		return nil, err
	}
	in := &input{w.b}
	got, is, err := tree.read(in)
	if err != nil {
		return nil, err
	}
	want := naive(r.entries[:leaves], q)
	var listed []uint64
	for _, s := range spans {
		for i := s.From; i < s.To; i++ {
			listed = append(listed, i)
		}
	}
	switch {
	case len(in.rest) > 0:
		return nil, errors.New("not read to its end")
	case is != root:
		return nil, errors.New("another root")
	case got.counts != want.counts || !slices.Equal(got.list, want.list) || !slices.Equal(got.listed, want.listed) || !slices.Equal(listed, want.list):
		return nil, errors.New("another answer")
	}
	return w.b, nil
}

// TestAnnotatedTree asks about every range of trees to 66 leaves in blocks of 1 and 3: of small trees under each
// flag and each kind of answer, of others under one for every ninth range.
func TestAnnotatedTree(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	asked := 0
	flags := []Flags{T0, T4, Late, T2 | T4 | Unknown, Classes, Bulk}
	for _, width := range []uint64{1, 3} {
		r := entryReader{randomEntries(random, 66), width}
		for leaves := uint64(1); leaves <= r.Size(); leaves++ {
			root := r.node(r.entries[:leaves])
			ask := func(q Question) {
				for i, f := range flags {
					for _, what := range []What{Count, Absence, List} {
						if leaves > 8 && (q.From*7+q.To*5+leaves+uint64(3*i)+uint64(what))%162 != 0 {
							continue
						}
						q.Flags, q.What = f, what
						asked++
						if _, err := askAnnotated(r, leaves, q, root); err != nil {
							t.Fatalf("%d leaves in blocks of %d, %+v: %v", leaves, width, q, err)
						}
					}
				}
			}
			for from := range leaves {
				for to := from + 1; to <= leaves; to++ {
					ask(Question{Of: Positions, From: from, To: to})
				}
			}
			for from := uint64(94); from < 117; from++ {
				for to := from; to < 117; to++ {
					ask(Question{Of: Days, From: from, To: to})
				}
			}
		}
	}
	t.Log(asked, "questions")
}

// TestAnnotatedMutations changes each bit of pruned trees, cuts them short and makes them longer: no change has
// the same root.
func TestAnnotatedMutations(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	for leaves := 1; leaves <= 24; leaves++ {
		r := entryReader{randomEntries(random, leaves), 3}
		root := r.node(r.entries)
		for _, q := range []Question{
			{What: Count, Flags: T3, Of: Positions, From: 0, To: uint64(leaves+1) / 2}, {What: List, Flags: Late, Of: Days, From: 99, To: 102},
			{What: Count, Flags: Late, Of: Days, From: 101, To: 102}, {What: Absence, Flags: Classes, Of: Days, From: 90, To: 95},
		} {
			proof, err := askAnnotated(r, uint64(leaves), q, root)
			if err != nil {
				t.Fatal(err)
			}
			tree := annotatedTree{leaves: uint64(leaves), width: 3, question: q}
			holds := func(b []byte) bool {
				in := &input{b}
				_, got, err := tree.read(in)
				return err == nil && len(in.rest) == 0 && got == root
			}
			for i := range len(proof) * 8 {
				flipped := slices.Clone(proof)
				flipped[i/8] ^= 1 << (i % 8)
				if holds(flipped) {
					t.Fatalf("%d leaves, %+v: bit %d is another and it holds", leaves, q, i)
				}
			}
			for i := range proof {
				if holds(proof[:i]) {
					t.Fatalf("%d leaves, %+v: cut at %d and it holds", leaves, q, i)
				}
			}
			if holds(append(slices.Clone(proof), 0)) {
				t.Fatalf("%d leaves, %+v: more bytes and it holds", leaves, q)
			}
		}
	}
}

// TestAccumulator holds the roots that are added up against those of whole trees.
func TestAccumulator(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	r := entryReader{randomEntries(random, 2100), BlockSize}
	records := must(r.Records(Span{0, r.Size()}))
	var leaves hashReader
	var a Accumulator
	for n := 1; n <= len(r.entries); n++ {
		record := records[(n-1)*RecordSize:][:RecordSize]
		leaves = append(leaves, LeafHash(record))
		if err := a.Append(record); err != nil || a.Size() != uint64(n) {
			t.Fatal(err)
		}
		if n > 70 && n%37 != 0 && n%BlockSize > 1 {
			continue
		}
		c, some := a.Commit(Hash{9})
		node := r.node(r.entries[:n])
		if want := (Commit{uint64(n), leaves.root(Span{0, uint64(n)}), node.Hash, node.Annotation, Hash{9}}); !some || c != want {
			t.Fatalf("%d records: %+v, want %+v", n, c, want)
		}
	}
	before, _ := a.Commit(Hash{})
	if err := a.Append(make([]byte, RecordSize)); !errors.Is(err, ErrRecord) {
		t.Errorf("a record that is none: %v", err)
	}
	if after, _ := a.Commit(Hash{}); after != before {
		t.Error("a record that was refused was appended")
	}
	if _, some := new(Accumulator).Commit(Hash{}); some {
		t.Error("a commit to nothing")
	}
}

// TestAnnotation reads what is written, and refuses what no leaves can have.
func TestAnnotation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		n := rapid.IntRange(1, BlockSize).Draw(t, "entries")
		a := Block(randomEntries(rand.New(rand.NewPCG(seed, 0)), n)).Annotation
		got, err := DecodeAnnotation(a.Append(nil), uint64(n))
		if err != nil || got != a {
			t.Fatalf("%v, %v; want %v", got, err, a)
		}
	})
	three := func(change func(a *Annotation)) []byte {
		a := Block([]Entry{{uint16(T1 | Late), 5}, {uint16(T2), 6}, {uint16(T2 | Late), 9}}).Annotation
		change(&a)
		return a.Append(nil)
	}
	for name, change := range map[string]func(a *Annotation){
		"more than there are":    func(a *Annotation) { a[14].Count = 4 },
		"days of nothing":        func(a *Annotation) { a[0].Last = 1 },
		"no days of something":   func(a *Annotation) { a[1] = Tally{Count: 1, First: NoDay} },
		"days in disorder":       func(a *Annotation) { a[14].First = 10 },
		"a day that is none":     func(a *Annotation) { a[14].Last = NoDay },
		"four classes for three": func(a *Annotation) { a[0] = Tally{Count: 1, First: 5, Last: 5} },
	} {
		if _, err := DecodeAnnotation(three(change), 3); !errors.Is(err, ErrFalse) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := DecodeAnnotation(three(func(*Annotation) {}), 3); err != nil {
		t.Error(err)
	}
	if _, err := DecodeAnnotation(make([]byte, AnnotationSize+1), 3); !errors.Is(err, ErrFormat) {
		t.Errorf("145 bytes: %v", err)
	}
}
