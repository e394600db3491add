package evidencetest

import (
	"encoding/binary"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// A Tree is a node of a pruned annotated tree, made from all entries without a thought for speed, so that tests can
// hold proofs against it; or changed, to lie.
type Tree struct {
	From, To    uint64 // leaves
	Closed      bool
	Told        uint16           // of a closed one: flags that are told although nothing has them
	Node        evidence.Node    // of a closed one
	Entries     []evidence.Entry // of an open block
	Left, Right *Tree            // of any other open one
}

// Open is the tree over these entries with every node open.
func Open(entries []evidence.Entry) *Tree { return open(entries, 0) }

func open(entries []evidence.Entry, from uint64) *Tree {
	n := uint64(len(entries))
	t := &Tree{From: from, To: from + n}
	if n <= evidence.BlockSize {
		t.Entries = append(t.Entries, entries...)
		t.Node = evidence.Block(entries)
		return t
	}
	k := split((n+evidence.BlockSize-1)/evidence.BlockSize) * evidence.BlockSize
	t.Left, t.Right = open(entries[:k], from), open(entries[k:], from+k)
	t.Node = evidence.Join(t.Left.Node, t.Right.Node)
	return t
}

// Pruned closes every node that the question needs not see, looking at each entry.
func (t *Tree) Pruned(q evidence.Question, entries []evidence.Entry) *Tree {
	t.Closed = true
	for f := range evidence.FlagCount {
		if q.Flags&(1<<f) != 0 && !t.answers(q, entries, 1<<f) {
			t.Closed = false
		}
	}
	if !t.Closed && t.Left != nil {
		t.Left.Pruned(q, entries)
		t.Right.Pruned(q, entries)
	}
	return t
}

// answers reports whether the bounds of the entries that have a flag answer for them.
func (t *Tree) answers(q evidence.Question, entries []evidence.Entry, flag uint16) bool {
	var some, before, within, after bool
	first, last := uint64(evidence.NoDay), uint64(0)
	for i := t.From; i < t.To; i++ {
		if entries[i].Flags&flag != 0 {
			some, first, last = true, min(first, uint64(entries[i].Day)), max(last, uint64(entries[i].Day))
		}
	}
	if q.Of == evidence.Days {
		before, within, after = last < q.From, q.From <= first && last <= q.To, first > q.To
	} else {
		before, within, after = t.To <= q.From, q.From <= t.From && t.To <= q.To, t.From >= q.To
	}
	return !some || before || after || within && q.What != evidence.List
}

// Each calls f for every node that is not below a closed one.
func (t *Tree) Each(f func(*Tree)) {
	f(t)
	if !t.Closed && t.Left != nil {
		t.Left.Each(f)
		t.Right.Each(f)
	}
}

func (t *Tree) append(b []byte) []byte {
	switch {
	case t.Closed:
		return t.appendClosed(append(b, 0))
	case t.Left != nil:
		return t.Right.append(t.Left.append(append(b, 1)))
	}
	b = append(b, 1)
	for _, e := range t.Entries {
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, e.Flags), e.Day)
	}
	return b
}

func (t *Tree) appendClosed(b []byte) []byte {
	var some uint16
	var told []byte
	all := t.Node.Annotation.Append(nil)
	for f, y := range t.Node.Annotation {
		if y != (evidence.Tally{First: evidence.NoDay}) || t.Told>>f&1 == 1 {
			some |= 1 << f
			told = append(told, all[9*f:9*f+9]...)
		}
	}
	return append(append(binary.BigEndian.AppendUint16(b, some), told...), t.Node.Hash[:]...)
}

// A Light is what a LIGHT proof is made of. Tests change it, to lie.
type Light struct {
	Question evidence.Question
	Note     checkpoint.Note
	Index    uint64 // of the commit
	Record   []byte
	Event    []byte
	Tree     *Tree
	List     []uint64 // indices of the listed records
	Listed   []byte   // those records
	Cut      uint64
}

// Light is what an honest proof is made of.
func (l *Ledger) Light(q evidence.Question, size uint64, by evidence.Committed, who By) Light {
	c := must(evidence.ParseCommit(by.Event))
	p := Light{Question: q, Note: l.Note(size, who), Index: by.Index, Record: l.bytes(by.Index), Event: by.Event, Cut: c.Size}
	n := min(c.Size, by.Index)
	p.Tree = Open(l.entries[:n]).Pruned(q, l.entries[:n])
	if q.What == evidence.List {
		p.List = l.Matching(q, n)
	}
	for _, i := range p.List {
		p.Listed = append(p.Listed, l.bytes(i)...)
	}
	return p
}

// Matching is the indices, among the first records, of those that the question is about.
func (l *Ledger) Matching(q evidence.Question, size uint64) (found []uint64) {
	for i := range size {
		r := l.Record(i)
		x := map[evidence.Range]uint64{evidence.Positions: i, evidence.Days: uint64(r.Day()), evidence.Instants: uint64(r.Time)}[q.Of]
		if r.Flags&q.Flags != 0 && q.From <= x && (x < q.To || x == q.To && q.Of == evidence.Days) {
			found = append(found, i)
		}
	}
	return found
}

// Bytes is the proof.
func (p Light) Bytes(l *Ledger) []byte {
	b := append([]byte("CUSTODYP\x01"), byte(evidence.TypeLight))
	b = AppendQuestion(b, p.Question)
	b = AppendNote(b, p.Note)
	b = binary.BigEndian.AppendUint64(b, p.Index)
	b = AppendEvent(append(b, p.Record...), p.Event)
	b = append(p.Tree.append(b), p.Listed...)
	opened := map[uint64]bool{p.Index: true}
	for _, i := range p.List {
		opened[i] = true
	}
	return l.AppendPruned(b, p.Note.Size, func(i uint64) bool { return opened[i] }, p.Cut)
}

// AppendPruned appends a pruned record tree over the first leaves.
func (l *Ledger) AppendPruned(b []byte, size uint64, opened func(uint64) bool, cut uint64) []byte {
	var node func(from, to uint64)
	node = func(from, to uint64) {
		holds := from < cut && cut < to
		for i := from; i < to && !holds; i++ {
			holds = opened(i)
		}
		switch {
		case !holds:
			h := l.hash(from, to)
			b = append(b, h[:]...)
		case to-from > 1:
			k := from + split(to-from)
			node(from, k)
			node(k, to)
		}
	}
	if size > 0 {
		node(0, size)
	}
	return b
}

// AppendQuestion, AppendNote and AppendEvent append fields of proofs.
func AppendQuestion(b []byte, q evidence.Question) []byte {
	b = binary.BigEndian.AppendUint16(append(b, byte(q.What)), uint16(q.Flags))
	b = binary.BigEndian.AppendUint64(append(b, byte(q.Of)), q.From)
	return binary.BigEndian.AppendUint64(b, q.To)
}

// AppendNote appends a note.
func AppendNote(b []byte, n checkpoint.Note) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(n.Bytes()))), n.Bytes()...)
}

// AppendEvent appends an event; nil is not told.
func AppendEvent(b, stored []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(stored))), stored...)
}
