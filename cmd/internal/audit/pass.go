package audit

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

// remembered is how many leaves a commit may reach back for its roots to be known in passing: a ledger commits every
// second or so. What commits further back is recomputed once more.
const remembered = 1 << 16

// mostFar is how many bytes of commits that reach back further wait for that, at most.
const mostFar = 1 << 24

// A leaf is what an auditor has of a position: a record auditor its record, and of a commit its event; an event auditor
// its event.
type leaf struct {
	record  []byte
	event   []byte
	missing error // why there is no event of a commit
}

// A fault is what is false about a ledger, as found on the way.
type fault struct {
	position uint64 // where it is, or begins; 0 for everywhere
	why      string
	commit   bool // it is a false commit
	facts    bool // an event's facts are false: provable with the events that they follow from
	// prove proves it to others, from the log under a checkpoint; nil if nothing that is signed does.
	prove func(evidence.Reader, checkpoint.Note) ([]byte, error)
}

// A claim is a commit whose roots were not known any more when it came.
type claim struct {
	evidence.Commit
	by evidence.Committed
}

// A pass recomputes the evidence of a ledger, leaf by leaf.
type pass struct {
	trail     *evidence.Trail
	tiles     hashTiles
	sequences sequences
	judged    *judged // of an event auditor; else nil
	rules     evidence.Hash
	full      func(recordlog.Tile, []evidence.Hash) // is given the tiles that become full

	commits    uint64
	otherRules uint64 // commits made under others than those of this program
	far        []claim
	farBytes   int   // of their events
	missing    error // why a commit could not be read; of one that is served false, if there is one
	faults     []fault
	unlisted   int // faults beyond those
	buffer     []byte
}

// errStop ends a pass that cannot go on: the fault says why.
var errStop = errors.New("audit: a leaf that nothing can follow")

// newPass begins at leaf 0.
func newPass(events bool) *pass {
	p := &pass{trail: evidence.NewTrail(remembered), sequences: sequences{}, rules: evidence.Rules()}
	if events {
		p.judged = newJudged()
	}
	return p
}

// add takes the next leaf. The error is errStop.
func (p *pass) add(l leaf) error {
	index := p.trail.Size()
	record := l.record
	if p.judged != nil {
		r, faults, err := p.judged.record(index+1, l.event)
		if err != nil {
			p.found(fault{position: index + 1, why: err.Error()})
			return errStop
		}
		for _, why := range faults {
			p.found(fault{position: index + 1, why: why, facts: true})
		}
		p.buffer = r.Append(p.buffer[:0])
		record = p.buffer
	}
	if record[1] == evidence.KindCommitted {
		p.commit(evidence.Committed{Index: index, Event: l.event}, l.missing)
	}
	if err := p.trail.Append(record); err != nil {
		p.found(falseRecord(index, l.event, err.Error()))
		return errStop
	}
	r, err := evidence.DecodeRecord(record)
	if err != nil {
		return err // Append has read it
	}
	p.sequences.add(&r)
	p.tiles.append(evidence.LeafHash(record), p.full)
	return nil
}

// commit holds a commit against the roots of what is before it.
func (p *pass) commit(by evidence.Committed, missing error) {
	if missing != nil {
		if p.missing == nil || errors.Is(missing, errServed) {
			p.missing = missing
		}
		return
	}
	says, err := evidence.ParseCommit(by.Event)
	if err != nil {
		p.found(falseRecord(by.Index, by.Event, "it is recorded as a commit, and is none"))
		return
	}
	p.commits++
	if says.Rules != p.rules {
		p.otherRules++
	}
	switch why, err := p.trail.Contradicts(says); {
	case err != nil: // not remembered
		p.far, p.farBytes = append(p.far, claim{says, by}), p.farBytes+len(by.Event)
	case why != "":
		p.found(falseCommit(by, why))
	}
}

// found notes a fault. Those beyond what a report lists are counted.
func (p *pass) found(f fault) {
	if len(p.faults) == mostFindings {
		p.unlisted++
		return
	}
	p.faults = append(p.faults, f)
}

func falseRecord(index uint64, event []byte, why string) fault {
	return fault{position: index + 1, why: why, prove: func(r evidence.Reader, n checkpoint.Note) ([]byte, error) {
		return evidence.ProveFalseRecord(r, n, index, event)
	}}
}

func falseCommit(by evidence.Committed, why string) fault {
	return fault{position: by.Index + 1, why: "the commit is false: " + why, commit: true, prove: func(r evidence.Reader, n checkpoint.Note) ([]byte, error) {
		return evidence.ProveFalseCommit(r, n, by)
	}}
}

// recount holds the commits that reached too far back against all records again, which must be those that were
// recomputed before: so many, and with this root.
func (p *pass) recount(all iter.Seq2[leaf, error], size uint64, root evidence.Hash) error {
	slices.SortFunc(p.far, func(a, b claim) int { return int(int64(a.Size) - int64(b.Size)) })
	left := p.far
	var a evidence.Accumulator
	for l, err := range all {
		if err != nil {
			return err
		}
		if err := a.Append(l.record); err != nil {
			return fmt.Errorf("%w: %w", errServed, err)
		}
		for ; len(left) > 0 && left[0].Size == a.Size(); left = left[1:] {
			if must, _ := a.Commit(left[0].Rules); must != left[0].Commit {
				p.found(falseCommit(left[0].by, "its roots or totals are others"))
			}
		}
	}
	if a.Size() != size || a.Root() != root {
		return fmt.Errorf("%w: other records than it served before", errServed)
	}
	p.far, p.farBytes = nil, 0
	return nil
}
