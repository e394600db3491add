package evidence

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// Verify says what a proof proves to whoever has this trust; nil trusts nobody, so then nothing is proven. An error
// means that the proof is false, and says why: it wraps [ErrFormat], [ErrRecord], [ErrQuestion] or [ErrFalse], or
// an error of package checkpoint if a note is none or a signature is false. Proofs of type 22 take [VerifyFacts].
func Verify(proof []byte, trust *checkpoint.Trust) (*Verdict, error) {
	return VerifyFacts(proof, trust, nil)
}

// VerifyFacts is Verify with somebody who decides the facts of events. The error wraps [ErrUnjudged] as well: the proof is
// one of type 22 that holds together so far, and judge is nil or cannot decide; the verdict beside it says who signed, and
// its outcome is what it would be.
func VerifyFacts(proof []byte, trust *checkpoint.Trust, judge Judge) (*Verdict, error) {
	in := &input{proof}
	head, err := in.take(uint64(len(proofMagic)) + 2)
	if err != nil {
		return nil, err
	}
	if string(head[:len(proofMagic)]) != proofMagic || head[len(proofMagic)] != proofVersion {
		return nil, fmt.Errorf("%w: no proof, or of another version", ErrFormat)
	}
	v := &Verdict{Type: Type(head[len(proofMagic)+1])}
	if err := v.read(in); err != nil {
		return nil, err
	}
	if len(in.rest) > 0 {
		return nil, fmt.Errorf("%w: bytes after the end of the proof", ErrFormat)
	}
	if err := v.judge(trust); err != nil {
		return nil, err
	}
	if v.Type == TypeFalseFacts {
		switch err := v.faultOfFacts(judge); {
		case errors.Is(err, ErrUnjudged):
			return v, err
		case err != nil:
			return nil, err
		}
	}
	return v, nil
}

func (v *Verdict) read(in *input) error {
	switch v.Type {
	case TypeEvent, TypeFalseRecord:
		return v.readLeaf(in)
	case TypeGrowth, TypeRewritten:
		return v.readCut(in)
	case TypeReplay:
		return v.readReplay(in)
	case TypeLight:
		return v.readLight(in)
	case TypeFork:
		return v.readFork(in)
	case TypeFalseCommit:
		return v.readFalseCommit(in)
	case TypeShownLess:
		return v.readShownLess(in)
	case TypeFalseFacts:
		return v.readFalseFacts(in)
	}
	return fmt.Errorf("%w: a proof of another type", ErrFormat)
}

// readLeaf reads a proof about one leaf.
func (v *Verdict) readLeaf(in *input) (err error) {
	index, err := in.number()
	if err != nil {
		return err
	}
	if v.Head.Note, err = in.note(); err != nil {
		return err
	}
	if err := v.readRecord(in, index); err != nil {
		return err
	}
	if v.Event, err = in.event(); err != nil {
		return err
	}
	if err := v.readRoot(in, Span{index, index + 1}, v.Raw); err != nil {
		return err
	}
	if v.Event != nil && sha256.Sum256(v.Event) != Hash(v.Raw[RecordSize-sha256.Size:]) {
		return errEvent()
	}
	if v.Type == TypeFalseRecord {
		return v.faultOfRecord()
	}
	return nil
}

func errEvent() error { return fmt.Errorf("%w: an event that is not the record's", ErrFalse) }

// readRecord reads the record of a leaf under the checkpoint. It may be one that contradicts itself.
func (v *Verdict) readRecord(in *input, index uint64) (err error) {
	if index >= v.Head.Size {
		return errLeaf()
	}
	v.Raw, err = in.records(1)
	if err != nil {
		return err
	}
	v.Leaf = &Leaf{Index: index}
	v.Leaf.Record, err = DecodeRecord(v.Raw)
	if v.Type == TypeFalseRecord {
		return nil
	}
	return err
}

func errLeaf() error { return fmt.Errorf("%w: a leaf beyond the checkpoint", ErrFalse) }

// readRoot reads the record tree around leaves with these records, and is nil if its root is that of the checkpoint.
func (v *Verdict) readRoot(in *input, leaves Span, records []byte) error {
	whole, _, err := in.roots(prunedTree{size: v.Head.Size, opened: []Span{leaves}}, records)
	if err != nil {
		return err
	}
	return v.rooted(whole)
}

// rooted is nil if this is the root of the checkpoint.
func (v *Verdict) rooted(root Hash) error {
	if root != v.Head.Root {
		return fmt.Errorf("%w: not the root of the checkpoint", ErrFalse)
	}
	return nil
}

// readTwo reads two notes of one log.
func (v *Verdict) readTwo(in *input) (err error) {
	v.Older = &Head{}
	if v.Older.Note, err = in.note(); err != nil {
		return err
	}
	if v.Head.Note, err = in.note(); err != nil {
		return err
	}
	if v.Older.Origin != v.Head.Origin {
		return errTwoLogs()
	}
	return nil
}

func errTwoLogs() error { return fmt.Errorf("%w: checkpoints of two logs", ErrFalse) }

// readCut reads that one checkpoint continues another, or does not.
func (v *Verdict) readCut(in *input) error {
	if err := v.readTwo(in); err != nil {
		return err
	}
	if v.Older.Size >= v.Head.Size {
		return fmt.Errorf("%w: the second checkpoint is not larger than the first", ErrFalse)
	}
	whole, cut, err := in.roots(prunedTree{size: v.Head.Size, cut: v.Older.Size}, nil)
	if err != nil {
		return err
	}
	if err := v.rooted(whole); err != nil {
		return err
	}
	switch continues := cut == v.Older.Root; {
	case v.Type == TypeGrowth && !continues:
		return fmt.Errorf("%w: the second checkpoint does not continue the first", ErrFalse)
	case v.Type == TypeRewritten && continues:
		return fmt.Errorf("%w: the second checkpoint continues the first", ErrFalse)
	case v.Type == TypeRewritten:
		v.Fault = "the log was rewritten: a later checkpoint does not continue an earlier one"
	}
	return nil
}

func (v *Verdict) readFork(in *input) error {
	if err := v.readTwo(in); err != nil {
		return err
	}
	switch {
	case v.Older.Size != v.Head.Size:
		return fmt.Errorf("%w: checkpoints of two sizes", ErrFalse)
	case bytes.Compare(v.Older.Body(), v.Head.Body()) >= 0: // the same, or not the one order of the two
		return fmt.Errorf("%w: not two checkpoints in order", ErrFalse)
	}
	v.Fault = "the log signed two roots for one size"
	return nil
}

func (v *Verdict) readReplay(in *input) (err error) {
	if v.Question, err = in.question(); err != nil {
		return err
	}
	if v.Head.Note, err = in.note(); err != nil {
		return err
	}
	v.Upto = v.Head.Size
	if err := v.Question.Check(v.Upto); err != nil {
		return err
	}
	scope := v.Question.scope(v.Upto)
	all, err := in.records(scope.Len())
	if err != nil {
		return err
	}
	if err := v.readRoot(in, scope, all); err != nil {
		return err
	}
	if err := v.count(scope.From, all); err != nil {
		return err
	}
	return v.absent()
}

// count answers the question from all records of its range.
func (v *Verdict) count(from uint64, all []byte) error {
	v.Totals = Nothing()
	for index := from; len(all) > 0; index, all = index+1, all[RecordSize:] {
		r, err := DecodeRecord(all[:RecordSize])
		if err != nil {
			return err
		}
		v.Totals.Add(r.Entry())
		if f := r.Flags & v.Question.Flags; f != 0 && v.Question.matchesRecord(index, &r) {
			for i := range v.Counts {
				v.Counts[i] += uint64(f >> i & 1)
			}
			if v.Question.What == List {
				v.List = append(v.List, Leaf{index, r})
			}
		}
	}
	return nil
}

// absent refuses an absence of what is there.
func (v *Verdict) absent() error {
	if v.Question.What == Absence && v.Count() > 0 {
		return fmt.Errorf("%w, of an absence: %w", ErrFalse, ErrPresent)
	}
	return nil
}
