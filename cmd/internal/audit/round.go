package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// recompute takes the pass to the size of a checkpoint, and holds against it everything that the ledger serves and
// signed. What is false goes to the report. The error is that it could not be found out.
func (a *Auditor) recompute(ctx context.Context, s show, note checkpoint.Note, report *Report) error {
	if f, found := a.regressed(note); found {
		a.add(ctx, report, note, f)
		return nil
	}
	c := newComparison(ctx, a.ledger)
	a.pass.full = c.tile
	err := a.read(ctx, note.Size)
	if err == nil {
		a.pass.tiles.partial(c.tile)
	}
	others, cerr := c.wait()
	if err == nil {
		err = cerr
	}
	var more []fault
	switch {
	case errors.Is(err, errStop): // the last of the faults of the pass says why
	case errors.Is(err, errServed):
		more = []fault{{position: a.pass.trail.Size() + 1, why: err.Error()}}
	case err != nil:
		return err
	default:
		if more, err = a.hold(ctx, note, others); err != nil {
			return err
		}
	}
	for _, f := range append(more, a.pass.faults...) {
		a.add(ctx, report, note, f)
	}
	if !report.Sound {
		return nil
	}
	return a.holdOthers(ctx, s, note, report)
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
	err := p.recount(a.ledger.records(ctx, 0, note.Size, false), note.Checkpoint)
	if errors.Is(err, errServed) {
		return []fault{{why: err.Error()}}, nil
	}
	return nil, err
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

// regressed finds a ledger that signed less than before, or another root of the same size.
func (a *Auditor) regressed(note checkpoint.Note) (fault, bool) {
	switch last := a.last; {
	case note.Size < last.Size:
		return hidden(note.Size, last.Size), true
	case note.Size == last.Size && note.Root != last.Root:
		return forked(last, note), true
	}
	return fault{}, false
}

func hidden(shown, signed uint64) fault {
	return fault{position: shown + 1, why: fmt.Sprintf("it shows %d positions, and signed for %d before: it is an older copy, or hides something", shown, signed)}
}

func forked(a, b checkpoint.Note) fault {
	return fault{why: fmt.Sprintf("it signed two roots for %d positions", a.Size), prove: func(evidence.Reader, checkpoint.Note) ([]byte, error) {
		return evidence.ProveFork(a, b)
	}}
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
		if done := a.pass.trail.Size(); a.cfg.Progress != nil && (done%width == 0 || done == size) {
			a.cfg.Progress(done-from, size-from)
		}
	}
	return nil
}

// otherRoot finds out why what was recomputed does not give the root that was signed.
func (a *Auditor) otherRoot(ctx context.Context, note checkpoint.Note, others []difference) fault {
	if f, found, err := a.rewritten(ctx, a.last, note); err == nil && found && f.prove != nil {
		return f
	}
	if len(others) == 0 || others[0].tile.Level > 0 {
		return fault{why: fmt.Sprintf("the root that it signed for %d positions is not that of their records", note.Size)}
	}
	index := others[0].at
	if !a.cfg.Events {
		return fault{position: index + 1, why: "the record that it serves is not the one in the log"}
	}
	f := fault{position: index + 1, why: "the record in the log is not that of the event that it serves"}
	for l, err := range a.ledger.events(ctx, index, index+1) {
		if err == nil {
			f.prove = func(r evidence.Reader, n checkpoint.Note) ([]byte, error) {
				return evidence.ProveFalseRecord(r, n, index, l.event)
			}
		}
	}
	return f
}

// rewritten finds out whether a checkpoint does not continue an older one, from the tiles of hashes.
func (a *Auditor) rewritten(ctx context.Context, older, newer checkpoint.Note) (f fault, found bool, err error) {
	switch {
	case older.Size > newer.Size:
		return hidden(newer.Size, older.Size), true, nil
	case older.Size == newer.Size && older.Root != newer.Root:
		return forked(older, newer), true, nil
	case older.Size == newer.Size || older.Size == 0:
		return f, false, nil
	}
	r := a.ledger.reader(ctx, newer.Size)
	if _, err = evidence.ProveGrowth(r, older, newer); !errors.Is(err, evidence.ErrFalse) {
		return f, false, err
	}
	if _, err = evidence.ProveRewritten(r, older, newer); errors.Is(err, evidence.ErrFalse) {
		return fault{why: fmt.Sprintf("its tiles of hashes do not give the root that it signed for %d positions", newer.Size)}, true, nil
	}
	why := fmt.Sprintf("the history was rewritten: the log does not continue what it signed for %d positions", older.Size)
	return fault{why: why, prove: func(r evidence.Reader, n checkpoint.Note) ([]byte, error) {
		return evidence.ProveRewritten(r, older, n)
	}}, err == nil, err
}

// holdOthers holds the newest checkpoint against the one that was recomputed and those that others were shown.
func (a *Auditor) holdOthers(ctx context.Context, s show, note checkpoint.Note, report *Report) error {
	for _, older := range append(s.seen, a.last, note) {
		f, found, err := a.rewritten(ctx, older, s.newest)
		if errors.Is(err, errServed) {
			f, found, err = fault{why: err.Error()}, true, nil
		}
		if err != nil {
			return fmt.Errorf("holding it against another checkpoint: %w", err)
		}
		if found {
			a.add(ctx, report, s.newest, f)
		}
	}
	return nil
}
