package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger/evidence"
)

// Figures are what the proofs beside a statement say: all of them under one
// checkpoint and one commit, about the same days.
type Figures struct {
	From, To law.Day // UTC, both included

	Origin string
	Size   uint64 // of the checkpoint
	Commit uint64 // position of the ledger.committed
	Events uint64 // that it covers: positions 1 to this

	Root, Annotated, Rules [32]byte // of the commit

	Counts  [7]uint64 // of T0, T1 with T1f, T2, T3, T4, T5, U
	Outside []Listed  // T2 to T5 and U, by position
	Working []Listed  // T1 and T1f, by position
}

// Listed is a record of a proof's list.
type Listed struct {
	Position uint64
	Digest   [32]byte // of the stored event
}

// Flags of the proofs: what the bundle's files answer about.
const (
	flagsOutside = evidence.T2 | evidence.T3 | evidence.T4 | evidence.T5 | evidence.Unknown
	flagsWorking = evidence.T1
)

// CountQuestion is what the proof counts is to answer about some days.
func CountQuestion(from, to law.Day) evidence.Question {
	return evidence.Question{What: evidence.Count, Flags: evidence.Classes, Of: evidence.Days, From: uint64(from), To: uint64(to)}
}

// ListQuestions are what the proofs proof and working are to answer, when the
// answer about counts is known: a list, or if there is nothing to list, that.
func ListQuestions(counts *evidence.Verdict) (proof, work evidence.Question) {
	of := func(flags evidence.Flags) evidence.Question {
		q := counts.Question
		q.What, q.Flags = evidence.Absence, flags
		for i, n := range counts.Counts {
			if flags&(1<<i) != 0 && n > 0 {
				q.What = evidence.List
			}
		}
		return q
	}
	return of(flagsOutside), of(flagsWorking)
}

// CosignersOf are the cosignatures of a proof's checkpoint, of those keys that the
// trust names with which it was verified.
func CosignersOf(v *evidence.Verdict) (all []Cosignature) {
	for _, c := range v.Head.Witnesses {
		all = append(all, Cosignature{c.Key.String(), Witness, c.Time})
	}
	for _, c := range v.Head.Replays {
		all = append(all, Cosignature{c.Key.String(), Replay, c.Time})
	}
	return all
}

// FiguresOf reads the figures from verified proofs: the bundle's files proof,
// counts and working, in this order. Whether anybody known signed them is another
// question. The error wraps [ErrSources] if they are not the proofs of one
// statement, or [ErrDiffers] if they contradict each other.
func FiguresOf(proof, counts, work *evidence.Verdict) (Figures, error) {
	for _, p := range []struct {
		v     *evidence.Verdict
		flags evidence.Flags
		whats []evidence.What
	}{
		{proof, flagsOutside, []evidence.What{evidence.List, evidence.Absence}},
		{counts, evidence.Classes, []evidence.What{evidence.Count}},
		{work, flagsWorking, []evidence.What{evidence.List, evidence.Absence}},
	} {
		q := p.v.Question
		switch {
		case p.v.Type != evidence.TypeLight || q.Of != evidence.Days || q.Flags != p.flags || !slices.Contains(p.whats, q.What):
			return Figures{}, fmt.Errorf("%w: a proof that answers another question", ErrSources)
		case (q.What == evidence.List) != (len(p.v.List) > 0) && q.What != evidence.Count:
			return Figures{}, fmt.Errorf("%w: an absence is to be proven as one", ErrSources)
		case q.From != counts.Question.From || q.To != counts.Question.To:
			return Figures{}, fmt.Errorf("%w: proofs about other days", ErrSources)
		case p.v.Head.Checkpoint != counts.Head.Checkpoint || p.v.Leaf.Index != counts.Leaf.Index || *p.v.Commit != *counts.Commit:
			return Figures{}, fmt.Errorf("%w: proofs under another checkpoint or commit", ErrSources)
		}
		for i, n := range p.v.Counts {
			if evidence.Flags(1<<i)&p.flags != 0 && n != counts.Counts[i] {
				return Figures{}, fmt.Errorf("%w: two proofs count differently", ErrDiffers)
			}
		}
	}
	c := counts.Commit
	f := Figures{
		From: law.Day(counts.Question.From), To: law.Day(counts.Question.To), Origin: counts.Head.Origin, Size: counts.Head.Size,
		Commit: counts.Leaf.Position(), Events: c.Size, Root: c.Root, Annotated: c.Annotated, Rules: c.Rules,
		Counts: [7]uint64(counts.Counts[:7]), Outside: listed(proof.List), Working: listed(work.List),
	}
	return f, nil
}

func listed(leaves []evidence.Leaf) (all []Listed) {
	for _, l := range leaves {
		all = append(all, Listed{l.Position(), l.Record.Digest})
	}
	return all
}

func (f *Figures) covers() Covers {
	return Covers{
		Origin: f.Origin, Events: f.Events, Commit: f.Commit, Size: f.Size,
		Root: hex.EncodeToString(f.Root[:]), Annotated: hex.EncodeToString(f.Annotated[:]), Rules: hex.EncodeToString(f.Rules[:]),
	}
}

// Agrees is nil if the statement says what the proofs say: the same days, commit
// and checkpoint, the same counts, and in its two lists the same events. Else it
// wraps [ErrDiffers] and says in what. Whoever checks a bundle asks this.
func (s *Statement) Agrees(f Figures) error {
	own, proven := s.Covers, f.covers()
	proven.KnownAt, proven.Head, proven.Lag = own.KnownAt, own.Head, own.Lag
	proven.Tables, proven.Months = own.Tables, own.Months
	switch {
	case own != proven:
		return fmt.Errorf("%w: another commit or checkpoint", ErrDiffers)
	case s.Range.From != dayOf(f.From) || s.Range.To != dayOf(f.To):
		return fmt.Errorf("%w: other days", ErrDiffers)
	}
	for i, name := range []string{"T0", "T1", "T2", "T3", "T4", "T5", "U"} {
		n := s.class(name).Events
		if name == "T1" {
			n += s.class("T1f").Events
		}
		if n != f.Counts[i] {
			return fmt.Errorf("%w: %s, %d events of %d", ErrDiffers, name, n, f.Counts[i])
		}
	}
	if err := same(s.Transfers, f.Outside); err != nil {
		return fmt.Errorf("%w: transfers: %w", ErrDiffers, err)
	}
	if err := same(s.Working, f.Working); err != nil {
		return fmt.Errorf("%w: working: %w", ErrDiffers, err)
	}
	return nil
}

// same compares a list with that of a proof.
func same(items []Item, proven []Listed) error {
	if len(items) != len(proven) {
		return fmt.Errorf("%d events of %d", len(items), len(proven))
	}
	i := slices.IndexFunc(items, func(it Item) bool {
		p := proven[0]
		proven = proven[1:]
		return it.Position != p.Position || it.Digest != hex.EncodeToString(p.Digest[:])
	})
	if i >= 0 {
		return fmt.Errorf("another event at place %d", i+1)
	}
	return nil
}

// Positions are those of the events listed, in order: what the bundle's file events
// holds.
func (s *Statement) Positions() (all []uint64) {
	for _, it := range slices.Concat(s.Transfers, s.Working) {
		all = append(all, it.Position)
	}
	slices.Sort(all)
	return all
}

// EventsAgree is nil if these are the stored events listed, in order of their
// positions, each with LF behind it. Else it wraps [ErrDiffers].
func (s *Statement) EventsAgree(lines []byte) error {
	digests := map[uint64]string{}
	for _, it := range slices.Concat(s.Transfers, s.Working) {
		digests[it.Position] = it.Digest
	}
	for _, p := range s.Positions() {
		line, rest, found := bytes.Cut(lines, []byte("\n"))
		if sum := sha256.Sum256(line); !found || hex.EncodeToString(sum[:]) != digests[p] {
			return fmt.Errorf("%w: not the stored event of position %d", ErrDiffers, p)
		}
		lines = rest
	}
	if len(lines) > 0 {
		return fmt.Errorf("%w: stored events that are not listed", ErrDiffers)
	}
	return nil
}

// class is the row of a class; every statement has each.
func (s *Statement) class(name string) Class {
	for _, c := range s.Classes {
		if c.Class == name {
			return c
		}
	}
	return Class{}
}
