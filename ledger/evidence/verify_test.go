package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// held is the verdict of a proof, which must not be false.
func held(t *rapid.T, proof []byte, err error) *evidence.Verdict {
	if err != nil {
		t.Fatalf("proving: %v", err)
	}
	v, err := evidence.Verify(proof, evidencetest.Trust())
	if err != nil {
		t.Fatalf("verifying: %v", err)
	}
	return v
}

// anyWorld is a ledger of some hundred records with a commit somewhere.
func anyWorld(t *rapid.T) (l *evidencetest.Ledger, by evidence.Committed, covered uint64) {
	l = evidencetest.New(rapid.Uint64().Draw(t, "seed"))
	l.Grow(rapid.IntRange(1, 1200).Draw(t, "before"))
	c := l.Truth()
	l.Grow(rapid.IntRange(0, 40).Draw(t, "until committed"))
	by = l.CommitTo(c)
	l.Grow(rapid.IntRange(0, 300).Draw(t, "after"))
	return l, by, c.Size
}

func anyQuestion(t *rapid.T, size uint64) evidence.Question {
	q := evidence.Question{What: evidence.What(rapid.IntRange(1, 3).Draw(t, "what")), Of: evidence.Range(rapid.IntRange(1, 2).Draw(t, "of"))}
	q.Flags = 1 << rapid.IntRange(0, 15).Draw(t, "flag")
	if rapid.Bool().Draw(t, "several") {
		q.Flags = evidence.Flags(rapid.Uint32Range(1, uint32(evidence.Classes)).Draw(t, "classes"))
	}
	if q.Of == evidence.Positions {
		q.From = rapid.Uint64Range(0, size-1).Draw(t, "from")
		q.To = rapid.Uint64Range(q.From+1, size).Draw(t, "to")
		return q
	}
	q.From = rapid.Uint64Range(evidencetest.FirstDay-70, evidencetest.FirstDay+170).Draw(t, "first day")
	q.To = q.From + rapid.Uint64Range(0, 100).Draw(t, "days")
	return q
}

// checkAnswer holds a verdict against what all records say.
func checkAnswer(t *rapid.T, l *evidencetest.Ledger, v *evidence.Verdict, q evidence.Question, size uint64) {
	want := l.Matching(q, size)
	var counts [evidence.FlagCount]uint64
	var list []evidence.Leaf
	for _, i := range want {
		r := l.Record(i)
		for f := range counts {
			counts[f] += uint64(r.Flags & q.Flags >> f & 1)
		}
		if q.What == evidence.List {
			list = append(list, evidence.Leaf{Index: i, Record: r})
		}
	}
	if v.Question != q || v.Counts != counts || v.Count() != uint64(len(want)) || !slices.Equal(v.List, list) || v.Upto != size {
		t.Fatalf("%+v: %v up to %d, %d listed; want %v up to %d, %d listed", q, v.Counts, v.Upto, len(v.List), counts, size, len(list))
	}
}

// TestAnswers asks any question of any ledger, by LIGHT and by REPLAY, and holds the answers against all records, and
// the proof of LIGHT against one made without a thought for speed.
func TestAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, by, covered := anyWorld(t)
		q := anyQuestion(t, covered)
		light, err := evidence.ProveLight(l, l.Note(l.Size(), evidencetest.Everybody), q, by)
		if q.What == evidence.Absence && len(l.Matching(q, covered)) > 0 {
			if !errors.Is(err, evidence.ErrPresent) {
				t.Fatalf("an absence of what is there: %v", err)
			}
			return
		}
		v := held(t, light, err)
		checkAnswer(t, l, v, q, covered)
		if v.Outcome != evidence.Proven || v.Class() != "LIGHT" || v.Leaf.Index != by.Index || *v.Commit != must(evidence.ParseCommit(by.Event)) || v.Totals != v.Commit.Totals {
			t.Fatalf("%+v", v)
		}
		if made := l.Light(q, l.Size(), by, evidencetest.Everybody).Bytes(l); !bytes.Equal(made, light) {
			t.Fatalf("a proof of %d bytes, and one of %d made naively", len(light), len(made))
		}
		if rapid.Bool().Draw(t, "instants") {
			from := l.Record(rapid.Uint64Range(0, covered-1).Draw(t, "begins with")).Time
			to := l.Record(rapid.Uint64Range(0, covered-1).Draw(t, "ends before")).Time
			q = evidence.Question{What: q.What, Flags: q.Flags, Of: evidence.Instants, From: uint64(min(from, to)), To: uint64(max(from, to, from+1))}
		}
		size := rapid.Uint64Range(covered, l.Size()).Draw(t, "checkpoint")
		replay, err := evidence.ProveReplay(l, l.Note(size, evidencetest.Log|evidencetest.Witness), q)
		if errors.Is(err, evidence.ErrPresent) && len(l.Matching(q, size)) > 0 && q.What == evidence.Absence {
			return
		}
		v = held(t, replay, err)
		checkAnswer(t, l, v, q, size)
		if v.Outcome != evidence.Proven || v.Class() != "REPLAY" || v.Commit != nil {
			t.Fatalf("%+v", v)
		}
	})
}

// TestEveryRange asks about every range of positions and of days of a ledger of two blocks and some more, in which
// the commit covers all sizes in turn.
func TestEveryRange(t *testing.T) {
	l := evidencetest.New(12)
	l.Grow(530)
	for step, size := range []uint64{1, 2, 255, 256, 257, 511, 512, 513, 530} {
		world := l.With(size)
		by := world.Commit()
		note := world.Note(size+1, evidencetest.Everybody)
		for i := range 60 {
			from := uint64(i*37+step) % size
			to := from + 1 + uint64(i*101)%(size-from)
			day := evidencetest.FirstDay + from/10
			for _, q := range []evidence.Question{
				{What: evidence.Count, Flags: evidence.T3, Of: evidence.Positions, From: from, To: to},
				{What: evidence.Count, Flags: evidence.Collected, Of: evidence.Positions, From: from / 256 * 256, To: min(from/256*256+256, size)},
				{What: evidence.List, Flags: evidence.Late, Of: evidence.Positions, From: from, To: to},
				{What: evidence.Count, Flags: evidence.Classes, Of: evidence.Days, From: day, To: day + to/20},
				{What: evidence.List, Flags: evidence.T2 | evidence.Unknown, Of: evidence.Days, From: day, To: day + to/20},
			} {
				proof, err := evidence.ProveLight(world, note, q, by)
				if err != nil {
					t.Fatalf("%d records, %+v: %v", size, q, err)
				}
				if !bytes.Equal(proof, world.Light(q, size+1, by, evidencetest.Everybody).Bytes(world)) {
					t.Fatalf("%d records, %+v: another proof than one made naively", size, q)
				}
				v, err := evidence.Verify(proof, nil)
				if err != nil || v.Count() != uint64(len(world.Matching(q, size))) || v.Outcome != evidence.Unsigned || !errors.Is(v.Lacks, checkpoint.ErrUnsigned) {
					t.Fatalf("%d records, %+v: %+v, %v", size, q, v, err)
				}
			}
		}
	}
}

// TestLeavesAndGrowth proves every leaf and every growth of ledgers to 66 records; the verifier of the Go checksum
// database says the same of the same hashes.
func TestLeavesAndGrowth(t *testing.T) {
	l := evidencetest.New(3)
	l.Grow(66)
	for size := uint64(1); size <= l.Size(); size++ {
		note := l.Note(size, evidencetest.Log)
		for i := range size {
			v, err := evidence.Verify(must(evidence.ProveEvent(l, note, i, nil)), nil)
			if err != nil || v.Leaf.Index != i || v.Leaf.Position() != i+1 || v.Leaf.Record != l.Record(i) || v.Event != nil {
				t.Fatalf("leaf %d of %d: %+v, %v", i, size, v, err)
			}
			raw := must(l.Records(evidence.Span{From: i, To: i + 1}))
			if err := tlog.CheckRecord(hashes(evidence.InclusionPath(l, i, size)), int64(size), tlog.Hash(note.Root), int64(i), tlog.RecordHash(raw)); err != nil {
				t.Fatalf("leaf %d of %d: %v", i, size, err)
			}
			if i == 0 {
				continue
			}
			older := l.Note(i, evidencetest.Log)
			v, err = evidence.Verify(must(evidence.ProveGrowth(l, older, note)), nil)
			if err != nil || v.Older.Size != i || v.Head.Size != size {
				t.Fatalf("growth from %d to %d: %+v, %v", i, size, v, err)
			}
			if err := tlog.CheckTree(hashes(evidence.GrowthPath(l, i, size)), int64(size), tlog.Hash(note.Root), int64(i), tlog.Hash(older.Root)); err != nil {
				t.Fatalf("growth from %d to %d: %v", i, size, err)
			}
		}
	}
}

func hashes(path []evidence.Hash, err error) []tlog.Hash {
	var all []tlog.Hash
	for _, h := range must(path, err) {
		all = append(all, tlog.Hash(h))
	}
	return all
}

// TestUnprovable asks for proofs of what is not there.
func TestUnprovable(t *testing.T) {
	w := evidencetest.NewWorld(8)
	n := w.Size()
	note, liar := w.Note(n, evidencetest.Log), w.Altered(5, must(w.Records(evidence.Span{From: 6, To: 7})))
	q := evidence.Question{What: evidence.Count, Flags: evidence.T2, Of: evidence.Positions, From: 3, To: 9}
	instants, beyond := q, q
	instants.Of, beyond.To = evidence.Instants, n+1
	early := evidence.Committed{Index: n, Event: w.First.Event}
	foreign := evidence.Committed{Index: w.Second.Index, Event: w.First.Event}
	none := evidence.Committed{Index: w.Shared, Event: w.Event(w.Shared)}
	long := evidencetest.New(1)
	vast := make([]byte, 1<<23+1)
	long.Add(evidence.Record{Producer: 1, Digest: sha256.Sum256(vast)})
	prove := func(_ []byte, err error) error { return err }
	for name, test := range map[string]struct{ err, want error }{
		"a leaf beyond":               {prove(evidence.ProveEvent(w, note, n, nil)), evidence.ErrQuestion},
		"a checkpoint beyond":         {prove(evidence.ProveEvent(w.With(n-1), note, 0, nil)), evidence.ErrQuestion},
		"another event":               {prove(evidence.ProveEvent(w, note, 0, w.Event(w.Shared))), evidence.ErrFalse},
		"an event too long":           {prove(evidence.ProveEvent(long, long.Note(1, evidencetest.Log), 0, vast)), evidence.ErrFormat},
		"another log":                 {prove(evidence.ProveEvent(liar, note, 0, nil)), evidence.ErrFalse},
		"growth backwards":            {prove(evidence.ProveGrowth(w, note, w.Note(3, evidencetest.Log))), evidence.ErrQuestion},
		"growth of another":           {prove(evidence.ProveGrowth(w, liar.Note(9, evidencetest.Log), note)), evidence.ErrFalse},
		"rewritten, and is not":       {prove(evidence.ProveRewritten(w, w.Note(9, evidencetest.Log), note)), evidence.ErrFalse},
		"a fork that is none":         {prove(evidence.ProveFork(note, note)), evidence.ErrFalse},
		"positions beyond":            {prove(evidence.ProveReplay(w, note, beyond)), evidence.ErrQuestion},
		"LIGHT of instants":           {prove(evidence.ProveLight(w, note, instants, w.First)), evidence.ErrQuestion},
		"a commit beyond":             {prove(evidence.ProveLight(w, note, q, early)), evidence.ErrQuestion},
		"another commit's event":      {prove(evidence.ProveLight(w, note, q, foreign)), evidence.ErrFalse},
		"an event that is no commit":  {prove(evidence.ProveLight(w, note, q, none)), evidence.ErrFormat},
		"a false commit, and is true": {prove(evidence.ProveFalseCommit(w, note, w.First)), evidence.ErrFalse},
		"a false record, and is true": {prove(evidence.ProveFalseRecord(w, note, w.Shared, w.Event(w.Shared))), evidence.ErrFalse},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: %v, want %v", name, test.err, test.want)
		}
	}
}

// TestFaults says what each false commit is false about.
func TestFaults(t *testing.T) {
	want := map[string]string{
		"root": "another root of the record log", "annotated": "another root of the annotated tree", "totals": "other totals", "days": "other totals",
		"size": "more records than are before it", "smaller": "another root of the record log",
	}
	for _, l := range evidencetest.FalseCommits() {
		v, err := evidence.Verify(must(evidence.ProveFalseCommit(l, l.Note(l.Size(), evidencetest.Log), l.Commits[0])), nil)
		if err != nil || !strings.HasSuffix(v.Fault, want[l.Lie]) || v.Leaf.Index != 305 {
			t.Errorf("%s: %+v, %v", l.Lie, v, err)
		}
		q := evidence.Question{What: evidence.Count, Flags: evidence.T5, Of: evidence.Days}
		_, err = evidence.Verify(l.Light(q, l.Size(), l.Commits[0], evidencetest.Everybody).Bytes(l.Ledger), nil)
		if !errors.Is(err, evidence.ErrFalse) || l.Lie == "size" && !strings.HasSuffix(err.Error(), want[l.Lie]) {
			t.Errorf("%s, used by LIGHT: %v", l.Lie, err)
		}
	}
}

// TestLyingCommit shows what LIGHT does not: a commit to another annotated tree, under which the ledger counts what it
// likes. Without an auditor's signature nothing is proven; anybody with the records can show the fault.
func TestLyingCommit(t *testing.T) {
	l := evidencetest.New(9)
	l.Grow(400)
	q := evidence.Question{What: evidence.Absence, Flags: evidence.Collected, Of: evidence.Days, From: 0, To: 65000}
	c := l.Truth()
	c.Totals[7] = evidence.Tally{First: evidence.NoDay} // none was collected
	by := l.CommitTo(c)
	for _, who := range []struct {
		by   evidencetest.By
		want evidence.Outcome
	}{{evidencetest.Log | evidencetest.Witness, evidence.Unsigned}, {evidencetest.Everybody, evidence.Proven}} {
		p := l.Light(q, l.Size(), by, who.by)
		p.Tree.Closed, p.Tree.Node.Annotation = true, c.Totals
		v, err := evidence.Verify(p.Bytes(l), evidencetest.Trust())
		if err != nil || v.Outcome != who.want {
			t.Errorf("signed by %b: %+v, %v", who.by, v, err)
		}
	}
	v, err := evidence.Verify(must(evidence.ProveFalseCommit(l, l.Note(l.Size(), evidencetest.Log), by)), evidencetest.Trust())
	if err != nil || v.Outcome != evidence.Proven || v.Fault == "" {
		t.Errorf("the fault: %+v, %v", v, err)
	}
}

// TestImpossibleAnnotation refuses a tree that nobody can have recomputed, though it is committed to and signed by all.
func TestImpossibleAnnotation(t *testing.T) {
	q := evidence.Question{What: evidence.Count, Flags: evidence.Correction, Of: evidence.Days, From: 0, To: evidence.NoDay - 1}
	for name, c := range map[string]struct {
		change func(*evidence.Annotation)
		sound  bool
	}{
		"another":               {func(*evidence.Annotation) {}, true}, // that is for an auditor to see
		"more than leaves":      {func(a *evidence.Annotation) { a[7].Count = 301 }, false},
		"as many as leaves":     {func(a *evidence.Annotation) { a[7].Count = 300 }, true},
		"two classes of a leaf": {func(a *evidence.Annotation) { a[0].Count = 300 }, false},
		"days out of order":     {func(a *evidence.Annotation) { a[7].First = a[7].Last + 1 }, false},
		"a day that is none":    {func(a *evidence.Annotation) { a[7].Last = evidence.NoDay }, false},
	} {
		l := evidencetest.New(1)
		l.Grow(300)
		commit := l.Truth()
		c.change(&commit.Totals)
		commit.Annotated[0] ^= 1 // of a tree that nobody has seen
		p := l.Light(q, l.Size(), l.CommitTo(commit), 0)
		p.Note = l.Note(l.Size(), evidencetest.Everybody)
		p.Tree = &evidencetest.Tree{To: commit.Size, Closed: true, Node: evidence.Node{Annotation: commit.Totals, Hash: commit.Annotated}}
		if _, err := evidence.Verify(p.Bytes(l), evidencetest.Trust()); (err == nil) != c.sound || err != nil && !errors.Is(err, evidence.ErrFalse) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLongReplay proves an answer over more records than are read at once.
func TestLongReplay(t *testing.T) {
	l, _ := year(40_000, 0.001, 1)
	question := evidence.Question{What: evidence.Count, Flags: evidence.Late, Of: evidence.Positions, From: 3, To: 39_000}
	v := must(evidence.Verify(must(evidence.ProveReplay(l, l.Note(l.Size(), evidencetest.Everybody), question)), evidencetest.Trust()))
	if want := uint64(len(l.Matching(question, l.Size()))); v.Outcome != evidence.Proven || v.Count() != want || want == 0 {
		t.Errorf("%d, %v", v.Count(), v.Outcome)
	}
}

// TestMisdescribed sees that the record of a told event says otherwise, though it is recorded so.
func TestMisdescribed(t *testing.T) {
	l := evidencetest.New(1)
	l.Grow(20)
	index := l.Commit().Index
	lie := l.Record(index)
	lie.Flags ^= evidence.Late
	for _, liar := range []*evidencetest.Ledger{l, l.Altered(index, lie.Append(nil))} {
		v, err := evidence.Verify(must(evidence.ProveEvent(liar, liar.Note(liar.Size(), evidencetest.Log), index, l.Event(index))), nil)
		if err != nil || v.Misdescribed() != (liar != l) {
			t.Errorf("%v, misdescribed %v", err, v.Misdescribed())
		}
	}
}
