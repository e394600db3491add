package evidence

import (
	"fmt"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// An Outcome is what came of verifying a proof that holds together; [False] is that of one that does not.
type Outcome int

// The outcomes, which are the exit statuses of custody verify.
const (
	Proven   Outcome = 0
	Unsigned Outcome = 2 // self-consistent, but not signed by those whom the trust asks for, or no trust is given
	False    Outcome = 3
)

// String is the name of the outcome.
func (o Outcome) String() string {
	switch o {
	case Proven:
		return "proven"
	case Unsigned:
		return "unsigned"
	}
	return "false"
}

// A Head is a checkpoint of a proof, and who signed it.
type Head struct {
	checkpoint.Note
	checkpoint.Judgement
}

// A Leaf is a record and where it is.
type Leaf struct {
	Index  uint64 // its position is one more
	Record Record
}

// Position is that of the event in the ledger, from 1.
func (l Leaf) Position() uint64 { return l.Index + 1 }

// A Verdict says what a proof proves, and to whom. Everything in it was recomputed, but for what [Verdict.Event]
// and the times of events say: these are their producers' claims.
type Verdict struct {
	Type    Type
	Outcome Outcome // Proven or Unsigned
	Lacks   error   // why it is not proven: wraps checkpoint.ErrUnsigned

	Head  Head  // the checkpoint that the proof is under; of growth the newer, of a fork the second
	Older *Head // of growth and of a rewritten log, the older; of a fork the first; of a log that showed less, what it showed; else nil

	Sighting checkpoint.Sighting // of a log that showed less: whose word that is

	Leaf   *Leaf  // of an event, a LIGHT proof (of its commit), a false commit or record, false facts; else nil
	Raw    []byte // the record of Leaf as it is in the log: a false record may be none
	Event  []byte // the stored event of Leaf; nil if it is not told
	Commit *Commit

	Question Question          // of REPLAY and LIGHT
	Counts   [FlagCount]uint64 // of the question's flags
	List     []Leaf            // of a list, in order
	Upto     uint64            // of REPLAY and LIGHT: the answer is as recorded up to this position
	Totals   Annotation        // of all records that were looked at: of LIGHT those of the commit, of REPLAY those of the range

	Fault string // of types from 17 on: what is false

	saw     []checkpoint.Signature // of a log that showed less
	told    []Told                 // of false facts: what they follow from, and the event itself
	foreign bool                   // of false facts: recorded under other rules than those of this program
}

// Count is the answer: how many records have one of the question's flags in its range.
func (v *Verdict) Count() (n uint64) {
	for _, c := range v.Counts {
		n += c
	}
	return n
}

// Class is what somebody must trust beyond the keys: of REPLAY nobody, of LIGHT an auditor. "" of other proofs.
func (v *Verdict) Class() string {
	if v.Type == TypeReplay || v.Type == TypeLight {
		return v.Type.String()
	}
	return ""
}

// judge says who signed, and whether it is all who must have.
func (v *Verdict) judge(trust *checkpoint.Trust) error {
	need := checkpoint.NeedWitnesses
	switch {
	case v.Type == TypeLight:
		need = checkpoint.NeedReplays
	case v.Type.Fault():
		need = checkpoint.NeedLog
	}
	v.Head.Judgement = trust.Judge(v.Head.Note)
	lacks := v.Head.Lacks(need)
	if v.Older != nil {
		v.Older.Judgement = trust.Judge(v.Older.Note)
		if v.Older.Bad != nil {
			return v.Older.Bad
		}
		if err := v.Older.Lacks(checkpoint.NeedLog); err != nil {
			err = fmt.Errorf("the older checkpoint: %w", err)
			if lacks != nil {
				err = fmt.Errorf("%w; %w", lacks, err)
			}
			lacks = err
		}
	}
	if v.Head.Bad != nil {
		return v.Head.Bad
	}
	if v.Type == TypeShownLess {
		v.Sighting = trust.JudgeSighting(v.Head.Checkpoint, v.Older.Checkpoint, v.saw)
		if v.Sighting.Bad != nil {
			return v.Sighting.Bad
		}
		if err := v.Sighting.Lacks(); lacks == nil {
			lacks = err
		}
	}
	if lacks != nil {
		v.Outcome, v.Lacks = Unsigned, lacks
	}
	return nil
}
