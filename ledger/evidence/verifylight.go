package evidence

import (
	"crypto/sha256"
	"fmt"
)

// checkLight is nil if LIGHT can answer the question, under a commit to so many records.
func checkLight(q Question, records uint64) error {
	if q.Of == Instants {
		return fmt.Errorf("%w: only REPLAY answers of instants; LIGHT knows whole days", ErrQuestion)
	}
	return q.Check(records)
}

func (v *Verdict) readLight(in *input) (err error) {
	if v.Question, err = in.question(); err != nil {
		return err
	}
	if v.Head.Note, err = in.note(); err != nil {
		return err
	}
	index, err := in.number()
	if err != nil {
		return err
	}
	if err := v.readRecord(in, index); err != nil {
		return err
	}
	if err := v.readCommit(in); err != nil {
		return err
	}
	c := v.Commit
	if c.Size > index {
		return fmt.Errorf("%w: a commit to more records than are before it", ErrFalse)
	}
	if err := checkLight(v.Question, c.Size); err != nil {
		return err
	}
	found, root, err := annotatedTree{leaves: c.Size, width: BlockSize, question: v.Question}.read(in)
	if err != nil {
		return err
	}
	if root != (Node{c.Totals, c.Annotated}) {
		return fmt.Errorf("%w: not the annotated tree of the commit", ErrFalse)
	}
	v.Counts, v.Upto, v.Totals = found.counts, c.Size, c.Totals
	if err := v.readList(in, found); err != nil {
		return err
	}
	return v.absent()
}

// readCommit reads the event of the leaf, which commits to roots.
func (v *Verdict) readCommit(in *input) (err error) {
	if v.Event, err = in.event(); err != nil {
		return err
	}
	if v.Leaf.Record.Kind != KindCommitted || v.Leaf.Record.Digest != sha256.Sum256(v.Event) {
		return errEvent()
	}
	c, err := ParseCommit(v.Event)
	v.Commit = &c
	return err
}

// readList reads the records of a list, and that they and the commit are in the log.
func (v *Verdict) readList(in *input, found answer) error {
	listed, err := in.records(uint64(len(found.list)))
	if err != nil {
		return err
	}
	var opened []Span
	for i, index := range found.list {
		r, err := DecodeRecord(listed[RecordSize*i:][:RecordSize])
		if err != nil {
			return err
		}
		if r.Entry() != found.listed[i] {
			return fmt.Errorf("%w: a record that is not that of the annotated tree", ErrFalse)
		}
		v.List = append(v.List, Leaf{index, r})
		opened = appendIndex(opened, index)
	}
	opened = appendIndex(opened, v.Leaf.Index)
	records := append(listed[:len(listed):len(listed)], v.Raw...)
	whole, cut, err := in.roots(prunedTree{size: v.Head.Size, opened: opened, cut: v.Commit.Size}, records)
	if err != nil {
		return err
	}
	if cut != v.Commit.Root {
		return fmt.Errorf("%w: not the root that the commit says", ErrFalse)
	}
	return v.rooted(whole)
}
