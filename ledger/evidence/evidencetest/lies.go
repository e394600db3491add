package evidencetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// Faults are proofs that whoever runs the ledger lied. They are true.
func Faults() (cases []Case) {
	add := func(name string, proof []byte) {
		cases = append(cases, Case{name, proof, TrustFile("100"), evidence.Proven})
	}
	w := NewWorld(3)
	n := w.Size()
	other := w.Altered(7, w.bytes(8))
	add("fork", must(evidence.ProveFork(w.Note(n, Log), other.Note(n, Log))))
	add("rewritten", must(evidence.ProveRewritten(w, other.Note(301, Log), w.Note(n, Log))))
	for _, by := range FalseCommits() {
		add("false-commit-"+by.Lie, must(evidence.ProveFalseCommit(by, by.Note(by.Size(), Log), by.Commits[0])))
	}
	record := w.bytes(w.Shared)
	record[3] ^= 1 // from here on its class is another
	record[5] = 0
	record[6], record[7] = 0, 0
	liar := w.Altered(w.Shared, record)
	add("false-record-event", must(evidence.ProveFalseRecord(liar, liar.Note(n, Log), w.Shared, w.Event(w.Shared))))
	record = w.bytes(w.Shared)
	record[0] = 2
	liar = w.Altered(w.Shared, record)
	add("false-record-version", must(evidence.ProveFalseRecord(liar, liar.Note(n, Log), w.Shared, nil)))
	record = w.bytes(w.Shared)
	record[5] |= 1 // T0 and T4
	liar = w.Altered(w.Shared, record)
	add("false-record-classes", must(evidence.ProveFalseRecord(liar, liar.Note(n, Log), w.Shared, w.Event(w.Shared))))
	witness := must(checkpoint.ParseCosigner(Key(3)))
	add("shown-less", must(evidence.ProveShownLess(w.Note(n, Log), w.Note(300, Log), witness, SignedAt())))
	add("shown-nothing", must(evidence.ProveShownLess(w.Note(n, Log), nothing(), witness, SignedAt())))
	return cases
}

// nothing is the checkpoint of no records.
func nothing() checkpoint.Note {
	return Sign(checkpoint.Checkpoint{Origin: Origin, Root: sha256.Sum256(nil)}, Log)
}

// A Liar is a ledger whose one commit lies.
type Liar struct {
	*Ledger
	Lie string // what about
}

// FalseCommits are ledgers of 300 to 310 records, one for each thing that a commit can lie about.
func FalseCommits() (all []Liar) {
	for _, lie := range []struct {
		about  string
		change func(*evidence.Commit)
	}{
		{"root", func(c *evidence.Commit) { c.Root[3] ^= 1 }},
		{"annotated", func(c *evidence.Commit) { c.Annotated[3] ^= 1 }},
		{"totals", func(c *evidence.Commit) { c.Totals[7].Count++ }},
		{"days", func(c *evidence.Commit) { c.Totals[7].Last++ }},
		{"size", func(c *evidence.Commit) { c.Size = 306 }},
		{"smaller", func(c *evidence.Commit) { c.Size-- }},
	} {
		l := New(4)
		l.Grow(300)
		c := l.Truth()
		l.Grow(5)
		lie.change(&c)
		l.CommitTo(c)
		l.Grow(3)
		all = append(all, Liar{l, lie.about})
	}
	return all
}

// A lie changes what an honest LIGHT proof is made of.
type lie struct {
	name string
	q    evidence.Question
	tell func(l *World, p *Light)
}

// Lies are proofs that are false in a way that whoever runs the ledger could try, all rightly signed.
func Lies() (cases []Case) {
	for _, l := range lightLies() {
		w := NewWorld(5)
		w.Grow(1000)
		w.Second = w.Commit()
		w.Grow(9)
		p := w.Light(l.q, w.Size(), w.Second, Everybody)
		l.tell(w, &p)
		cases = append(cases, Case{"lie-light-" + l.name, p.Bytes(w.Ledger), TrustFile("100"), evidence.False})
	}
	return slices.Concat(cases, commitLies(), replayLies(), sightingLies())
}

func lightLies() []lie {
	days := evidence.Question{What: evidence.Count, Flags: evidence.T4, Of: evidence.Days, From: FirstDay + 3, To: FirstDay + 27}
	list := days
	list.What = evidence.List
	absence := days
	absence.What = evidence.Absence
	return []lie{
		{"closes-a-block", days, func(_ *World, p *Light) { first(p, block).Closed = true }},
		{"closes-the-root", days, func(_ *World, p *Light) { p.Tree.Closed = true }},
		{"closes-a-match", list, func(_ *World, p *Light) { first(p, block).Closed = true }},
		{"opens-a-node", days, func(_ *World, p *Light) { first(p, closed).Closed = false }},
		{"opens-all", days, func(_ *World, p *Light) { p.Tree.everything(func(t *Tree) { t.Closed = false }) }},
		{"moves-a-count", evidence.Question{What: evidence.Count, Flags: evidence.T4, Of: evidence.Positions, From: 0, To: 768}, func(_ *World, p *Light) {
			t := first(p, func(t *Tree) bool { return t.Left != nil && t.Left.Closed && t.Right.Closed })
			t.Left.Node.Annotation[4].Count++
			t.Right.Node.Annotation[4].Count-- // so that their sum is right
		}},
		{"false-count", days, func(_ *World, p *Light) { first(p, closed).Node.Annotation[4].Count++ }},
		{"no-count", days, func(_ *World, p *Light) { first(p, closed).Node.Annotation[4].Count = 0 }},
		{"false-day", days, func(_ *World, p *Light) { first(p, closed).Node.Annotation[4].First++ }},
		{"false-hash", days, func(_ *World, p *Light) { first(p, closed).Node.Hash[0] ^= 1 }},
		{"false-entry", days, func(_ *World, p *Light) { first(p, block).Entries[0].Day++ }},
		{"drops-a-flag", list, func(w *World, p *Light) {
			i := p.List[0]
			p.Tree.Each(func(t *Tree) {
				if block(t) && t.From <= i && i < t.To {
					t.Entries[i-t.From].Flags = 0
				}
			})
			p.List, p.Listed = p.List[1:], p.Listed[evidence.RecordSize:]
		}},
		{"omits-a-match", list, func(_ *World, p *Light) { p.List, p.Listed = p.List[1:], p.Listed[evidence.RecordSize:] }},
		{"adds-a-match", list, func(w *World, p *Light) {
			p.List, p.Listed = append([]uint64{0}, p.List...), append(w.bytes(0), p.Listed...)
		}},
		{"lists-other-flags", list, func(w *World, p *Light) { p.Listed[5] ^= 0x30 }},
		{"lists-another-record", list, func(w *World, p *Light) { copy(p.Listed, w.bytes(p.List[0]+1)) }},
		{"lists-another-day", list, func(w *World, p *Light) { p.Listed[9]++ }},
		{"lists-in-disorder", list, func(_ *World, p *Light) {
			p.Listed = append(append([]byte{}, p.Listed[evidence.RecordSize:]...), p.Listed[:evidence.RecordSize]...)
		}},
		{"absence-of-something", absence, func(*World, *Light) {}},
		{"count-as-absence", days, func(_ *World, p *Light) { p.Question.What = evidence.Absence }},
		{"count-as-list", days, func(_ *World, p *Light) { p.Question.What = evidence.List }},
		{"other-flag", days, func(_ *World, p *Light) { p.Question.Flags = evidence.Correction }},
		{"other-days", days, func(_ *World, p *Light) { p.Question.To += 30 }},
		{"two-flags", days, func(_ *World, p *Light) { p.Question.Flags = evidence.T4 | evidence.Late }},
		{"instants", days, func(_ *World, p *Light) { p.Question.Of = evidence.Instants }},
		{"no-days", days, func(_ *World, p *Light) { p.Question.From, p.Question.To = p.Question.To, p.Question.From }},
		{"beyond-the-commit", days, func(w *World, p *Light) {
			*p = w.Light(evidence.Question{What: evidence.Count, Flags: evidence.T4, Of: evidence.Positions, From: 5, To: p.Cut}, w.Size(), w.Second, Everybody)
			p.Question.To++
		}},
		{"tells-nothing", days, func(_ *World, p *Light) { first(p, closed).Told = 1 << 13 }},
		{"other-commit", days, func(w *World, p *Light) {
			p.Index, p.Record, p.Event = w.First.Index, w.bytes(w.First.Index), w.First.Event
		}},
		{"event-of-another-commit", days, func(w *World, p *Light) { p.Event = w.First.Event }},
		{"event-not-told", days, func(_ *World, p *Light) { p.Event = nil }},
		{"event-is-no-commit", days, func(w *World, p *Light) {
			p.Index, p.Record, p.Event = w.Shared, w.bytes(w.Shared), w.Event(w.Shared)
		}},
		{"other-index", days, func(_ *World, p *Light) { p.Index++ }},
		{"beyond-the-checkpoint", days, func(w *World, p *Light) { p.Index = w.Size() }},
		{"no-records", days, func(w *World, p *Light) {
			p.Note = Sign(checkpoint.Checkpoint{Origin: Origin}, Everybody)
		}},
	}
}

func block(t *Tree) bool  { return !t.Closed && t.Left == nil }
func closed(t *Tree) bool { return t.Closed }

// first is the first node of a proof that is so.
func first(p *Light, is func(*Tree) bool) (found *Tree) {
	p.Tree.Each(func(t *Tree) {
		if found == nil && is(t) {
			found = t
		}
	})
	return found
}

// everything calls f for every node, also below closed ones.
func (t *Tree) everything(f func(*Tree)) {
	f(t)
	if t.Left != nil {
		t.Left.everything(f)
		t.Right.everything(f)
	}
}

// commitLies are LIGHT proofs under commits that lie.
func commitLies() (cases []Case) {
	q := evidence.Question{What: evidence.Count, Flags: evidence.Collected, Of: evidence.Days, From: 0, To: FirstDay}
	for _, w := range FalseCommits() {
		p := w.Light(q, w.Size(), w.Commits[0], Everybody)
		cases = append(cases, Case{"lie-commit-" + w.Lie, p.Bytes(w.Ledger), TrustFile("100"), evidence.False})
	}
	// A commit to an annotation that no records can have, or to entries that the records do not have.
	for _, lie := range []struct {
		about  string
		change func(*evidence.Annotation)
	}{
		{"more-than-all", func(a *evidence.Annotation) { a[15].Count = 301 }},
		{"more-classes-than-all", func(a *evidence.Annotation) { a[0].Count = 300 }},
		{"days-in-disorder", func(a *evidence.Annotation) { a[15].First = a[15].Last + 1 }},
		{"day-of-nothing", func(a *evidence.Annotation) { a[15].Last = evidence.NoDay }},
	} {
		l := New(4)
		l.Grow(300)
		c := l.Truth()
		lie.change(&c.Totals)
		by := l.CommitTo(c)
		p := l.Light(evidence.Question{What: evidence.Absence, Flags: evidence.Correction, Of: evidence.Days}, l.Size(), by, Everybody)
		p.Tree.Node.Annotation = c.Totals
		cases = append(cases, Case{"lie-commit-" + lie.about, p.Bytes(l), TrustFile("100"), evidence.False})
	}
	for about, change := range []func(*evidence.Entry){func(e *evidence.Entry) { e.Flags |= uint16(evidence.Bulk) }, func(e *evidence.Entry) { e.Day++ }} {
		l := New(4)
		l.Grow(30)
		list := evidence.Question{What: evidence.List, Flags: evidence.Collected, Of: evidence.Positions, To: 30}
		c := l.Truth()
		change(&l.entries[l.Matching(list, 30)[0]])
		root := evidence.Block(l.entries)
		c.Totals, c.Annotated = root.Annotation, root.Hash
		by := l.CommitTo(c)
		p := l.Light(list, l.Size(), by, Everybody)
		cases = append(cases, Case{fmt.Sprintf("lie-commit-entries-%d", about), p.Bytes(l), TrustFile("100"), evidence.False})
	}
	// A commit whose record says another kind, or that contradicts itself.
	for i, name := range []string{"kind", "unsound"} {
		w := NewWorld(6)
		record := w.bytes(w.Second.Index)
		record[[]int{1, 15}[i]] = 0
		liar := w.Altered(w.Second.Index, record)
		p := liar.Light(q, liar.Size(), w.Second, Everybody)
		cases = append(cases, Case{"lie-commit-record-" + name, p.Bytes(liar), TrustFile("100"), evidence.False})
	}
	return cases
}

// replayLies are proofs of REPLAY, of events and of faults that are none.
func replayLies() (cases []Case) {
	w := NewWorld(7)
	n := w.Size()
	note := w.Note(n, Log|Witness)
	add := func(name string, proof []byte) {
		cases = append(cases, Case{"lie-" + name, proof, TrustFile("100"), evidence.False})
	}
	replay := func(q evidence.Question, of evidence.Span, records []byte) []byte {
		b := AppendNote(AppendQuestion([]byte("CUSTODYP\x01\x03"), q), note)
		return w.AppendPruned(append(b, records...), n, func(i uint64) bool { return of.From <= i && i < of.To }, 0)
	}
	q := evidence.Question{What: evidence.Count, Flags: evidence.T4, Of: evidence.Positions, From: 100, To: 160}
	span := evidence.Span{From: 100, To: 160}
	records := must(w.Records(span))
	altered := bytes.Clone(records)
	altered[4] ^= 0x20
	add("replay-altered", replay(q, span, altered))
	add("replay-another-range", replay(q, evidence.Span{From: 101, To: 161}, must(w.Records(evidence.Span{From: 101, To: 161}))))
	add("replay-shorter", replay(q, evidence.Span{From: 100, To: 159}, records[:59*evidence.RecordSize]))
	add("replay-swapped", replay(q, span, append(append([]byte{}, records[evidence.RecordSize:]...), records[:evidence.RecordSize]...)))
	days := evidence.Question{What: evidence.Count, Flags: evidence.T4, Of: evidence.Days, From: FirstDay, To: FirstDay + 9}
	add("replay-of-part", replay(days, span, records))
	q.What, q.Flags = evidence.Absence, evidence.Collected
	add("replay-absence-of-something", replay(q, span, records))
	q.What, q.From, q.To = evidence.Count, 100, 100
	add("replay-nothing", replay(q, evidence.Span{}, nil))
	q.To = n + 1
	add("replay-beyond", replay(q, evidence.Span{From: 100, To: n}, must(w.Records(evidence.Span{From: 100, To: n}))))

	leaf := func(t evidence.Type, index uint64, record, event []byte) []byte {
		b := binary.BigEndian.AppendUint64(append([]byte("CUSTODYP\x01"), byte(t)), index)
		b = AppendEvent(append(AppendNote(b, note), record...), event)
		return w.AppendPruned(b, n, func(i uint64) bool { return i == index }, 0)
	}
	other := Shared{Class: "T4", Region: "CH", Time: time.UnixMilli((FirstDay + 5) * dayMillis)}.Stored()
	add("event-of-another", leaf(evidence.TypeEvent, w.Shared, w.bytes(w.Shared), other))
	add("event-elsewhere", leaf(evidence.TypeEvent, w.Shared+1, w.bytes(w.Shared), nil))
	add("event-beyond", leaf(evidence.TypeEvent, n, w.bytes(0), nil))
	add("false-record-true", leaf(evidence.TypeFalseRecord, w.Shared, w.bytes(w.Shared), w.Event(w.Shared)))
	add("false-record-untold", leaf(evidence.TypeFalseRecord, w.Shared, w.bytes(w.Shared), nil))
	add("false-record-another", leaf(evidence.TypeFalseRecord, w.Shared, w.bytes(w.Shared), other))

	falseCommit := func(l *Ledger, by evidence.Committed) []byte {
		b := AppendNote([]byte("CUSTODYP\x01\x13"), l.Note(l.Size(), Log))
		b = AppendEvent(binary.BigEndian.AppendUint64(b, by.Index), by.Event)
		b = append(b, must(l.Records(evidence.Span{To: by.Index + 1}))...)
		return l.AppendPruned(b, l.Size(), func(i uint64) bool { return i <= by.Index }, 0)
	}
	add("false-commit-true", falseCommit(w.Ledger, w.First))
	one := FalseCommits()[0]
	record := one.bytes(one.Commits[0].Index)
	record[1] = 4
	add("false-commit-of-another-kind", falseCommit(one.Altered(one.Commits[0].Index, record), one.Commits[0]))
	record = one.bytes(9)
	record[14], record[15] = 0, 0
	add("false-commit-of-no-records", falseCommit(one.Altered(9, record), one.Commits[0]))

	two := func(t evidence.Type, older, newer checkpoint.Note) []byte {
		b := AppendNote(AppendNote(append([]byte("CUSTODYP\x01"), byte(t)), older), newer)
		if t == evidence.TypeFork {
			return b
		}
		return w.AppendPruned(b, newer.Size, func(uint64) bool { return false }, older.Size)
	}
	liar := w.Altered(7, w.bytes(8))
	stranger := Sign(checkpoint.Checkpoint{Origin: "another.example", Size: 300, Root: w.Root(300)}, Witness)
	add("growth-rewritten", two(evidence.TypeGrowth, liar.Note(300, Log), note))
	add("growth-backwards", two(evidence.TypeGrowth, note, w.Note(300, Log|Witness)))
	add("growth-of-nothing", two(evidence.TypeGrowth, note, note))
	add("growth-of-another", two(evidence.TypeGrowth, stranger, note))
	add("growth-from-empty", two(evidence.TypeGrowth, nothing(), note))
	add("rewritten-from-empty", two(evidence.TypeRewritten, nothing(), note))
	add("growth-from-zeros", two(evidence.TypeGrowth, Sign(checkpoint.Checkpoint{Origin: Origin}, Log), note))
	add("rewritten-of-nothing", two(evidence.TypeRewritten, note, note))
	add("rewritten-grown", two(evidence.TypeRewritten, w.Note(300, Log), note))
	x, y := w.Note(n, Log), liar.Note(n, Log)
	if string(x.Body()) < string(y.Body()) {
		x, y = y, x
	}
	add("fork-in-disorder", two(evidence.TypeFork, x, y))
	add("fork-of-one", two(evidence.TypeFork, x, x))
	add("fork-of-two-sizes", two(evidence.TypeFork, w.Note(300, Log), liar.Note(301, Log)))
	return cases
}
