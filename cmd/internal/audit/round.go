package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// recompute takes the pass to the size of a checkpoint, and holds against it everything that the ledger serves and
// signed. What is false goes to the report, even if the ledger then stopped answering. The error is that it could not be
// found out.
func (a *Auditor) recompute(ctx context.Context, note checkpoint.Note, report *Report) error {
	c := newComparison(ctx, a.ledger)
	a.pass.full = c.tile
	err := a.read(ctx, note.Size)
	if err == nil {
		a.pass.tiles.partial(c.tile)
	}
	others, cerr := c.wait()
	var more []fault
	switch {
	case errors.Is(err, errStop): // the last of the faults of the pass says why
	case errors.Is(err, errServed):
		more = []fault{{position: a.pass.trail.Size() + 1, why: err.Error()}}
	case err != nil:
	case errors.Is(cerr, errServed):
		more = []fault{{why: cerr.Error()}}
	case cerr != nil && len(others) == 0:
		err = cerr
	default:
		more, err = a.hold(ctx, note, others)
	}
	if err != nil && len(more)+len(a.pass.faults) == 0 {
		return err
	}
	commit, tries := false, 0 // one proof is enough, and a few tries: each has all records up to it
	for _, f := range append(more, a.pass.faults...) {
		switch {
		case f.commit && commit:
			f.prove = nil
		case f.facts && tries < mostTries:
			tries++
			f.prove = a.falseFacts(ctx, f.position-1)
		}
		switch proven := a.add(ctx, report, note, f); {
		case proven && f.commit:
			commit = true
		case proven && f.facts:
			tries = mostTries
		}
	}
	report.More += a.pass.unlisted
	return nil
}

// mostTries is how often a round tries to prove false facts.
const mostTries = 3

// falseFacts proves that the facts of an event are false, with events that the ledger serves once more.
func (a *Auditor) falseFacts(ctx context.Context, index uint64) func(evidence.Reader, checkpoint.Note) ([]byte, error) {
	event := func(i uint64) ([]byte, error) {
		for l, err := range a.ledger.events(ctx, i, i+1) {
			return l.event, err
		}
		return nil, fmt.Errorf("%w: there is no event at position %d", errServed, i+1)
	}
	return func(r evidence.Reader, n checkpoint.Note) ([]byte, error) {
		return evidence.ProveFalseFacts(r, n, index, event, ledger.JudgeFacts)
	}
}

// hold holds what the pass recomputed against the root that was signed and the tiles of hashes that are served.
func (a *Auditor) hold(ctx context.Context, note checkpoint.Note, others []difference) ([]fault, error) {
	p := a.pass
	switch {
	case p.trail.Now().Root() != note.Root:
		f := a.otherRoot(ctx, note, others)
		p.faults = before(p.faults, f)
		return []fault{f}, nil
	case len(others) > 0:
		return []fault{{why: others[0].tile.Path() + " is not that of the records which it signed for"}}, nil
	case errors.Is(p.missing, errServed):
		return []fault{{why: p.missing.Error()}}, nil
	case p.missing != nil:
		return nil, p.missing
	case len(p.far) == 0:
		return nil, nil
	}
	err := a.recount(ctx)
	if errors.Is(err, errServed) {
		return []fault{{why: err.Error()}}, nil
	}
	return nil, err
}

// recount holds the commits that wait for it against all records up to where the pass is.
func (a *Auditor) recount(ctx context.Context) error {
	now := a.pass.trail.Now()
	return a.pass.recount(a.ledger.records(ctx, 0, now.Size(), false), now.Size(), now.Root())
}

// before leaves out false commits from where the log is another than it seemed on: that follows from it.
func before(faults []fault, first fault) (left []fault) {
	for _, f := range faults {
		if !f.commit || f.position < first.position {
			left = append(left, f)
		}
	}
	return left
}

// read gives the pass the leaves up to a size.
func (a *Auditor) read(ctx context.Context, size uint64) error {
	leaves := func(from, to uint64) iter.Seq2[leaf, error] { return a.ledger.records(ctx, from, to, true) }
	if a.cfg.Events {
		leaves = func(from, to uint64) iter.Seq2[leaf, error] { return a.ledger.events(ctx, from, to) }
	}
	from := a.pass.trail.Size()
	for l, err := range leaves(from, size) {
		if err != nil {
			return err
		}
		if err := a.pass.add(l); err != nil {
			return err
		}
		if a.pass.farBytes > mostFar {
			if err := a.recount(ctx); err != nil {
				return err
			}
		}
		if done := a.pass.trail.Size(); a.cfg.Progress != nil && (done%width == 0 || done == size) {
			a.cfg.Progress(done-from, size-from)
		}
	}
	return nil
}

// otherRoot finds out why what was recomputed does not give the root that was signed: what was recomputed before is of the
// same history.
func (a *Auditor) otherRoot(ctx context.Context, note checkpoint.Note, others []difference) fault {
	if len(others) == 0 || others[0].tile.Level > 0 {
		return fault{why: fmt.Sprintf("the root that it signed for %d positions is not that of their records", note.Size)}
	}
	index := others[0].at
	if !a.cfg.Events {
		return fault{position: index + 1, why: "the record that it serves is not the one in the log"}
	}
	for l, err := range a.ledger.events(ctx, index, index+1) {
		if err == nil {
			return a.otherRecord(ctx, note, index, l.event)
		}
	}
	return fault{position: index + 1, why: "the record in the log is not that of the event that it serves"}
}

// otherRecord finds out how the record of a leaf is not that of an event. What others can verify is proven.
func (a *Auditor) otherRecord(ctx context.Context, note checkpoint.Note, index uint64, event []byte) fault {
	f := falseRecord(index, event, "the record in the log is not that of the event that it serves")
	raw, err := a.ledger.reader(ctx, note.Size).Records(evidence.Span{From: index, To: index + 1})
	if err != nil {
		return f
	}
	st, err := events.DecodeStored(event)
	is, unsound := evidence.DecodeRecord(raw)
	switch {
	case err != nil || unsound != nil:
	case is.Digest != sha256.Sum256(event):
		return fault{position: f.position, why: "the event that it serves is not the one in the log"}
	case is == evidence.RecordOf(st, is.Digest, is.Producer):
		return fault{position: f.position, why: "the record in the log has another number of the producer than the event's source and instance have"}
	}
	return f
}
