package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// holdOthers holds the newest checkpoint against all others that the ledger signed: those that are to be audited, what was
// cosigned before, what others were shown. It needs a few tiles of hashes, and trusts none of them: afterwards each is
// known to be of one history, or a fault is listed. The error is that it could not be found out.
func (a *Auditor) holdOthers(ctx context.Context, s show, report *Report) error {
	var held []checkpoint.Checkpoint
	var failed error
	for _, older := range slices.Concat(s.seen, s.notes) {
		if slices.Contains(held, older.Checkpoint) {
			continue
		}
		held = append(held, older.Checkpoint)
		f, found, err := a.rewritten(ctx, older, s.newest)
		if errors.Is(err, errServed) {
			f, found, err = fault{why: err.Error()}, true, nil
		}
		switch {
		case err != nil:
			failed = fmt.Errorf("holding it against another checkpoint: %w", err)
		case found:
			a.add(ctx, report, s.newest, f)
		}
	}
	return failed
}

// rewritten finds out whether a checkpoint does not continue an older one, from the tiles of hashes.
func (a *Auditor) rewritten(ctx context.Context, older, newer checkpoint.Note) (f fault, found bool, err error) {
	switch {
	case older.Size == 0: // everything continues nothing
		return f, false, nil
	case older.Size > newer.Size:
		return a.hidden(newer, older), true, nil
	case older.Size == newer.Size && older.Root != newer.Root:
		return forked(older, newer), true, nil
	case older.Size == newer.Size:
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

// hidden is that a log shows less than it signed for. That it did is this auditor's word: of its witness.
func (a *Auditor) hidden(shown, signed checkpoint.Note) fault {
	why := fmt.Sprintf("it shows %d positions, and signed for %d before: it is an older copy, or hides something", shown.Size, signed.Size)
	return fault{position: shown.Size + 1, why: why, prove: func(evidence.Reader, checkpoint.Note) ([]byte, error) {
		return evidence.ProveShownLess(signed, shown, a.keys.Witness, a.cfg.Now())
	}}
}

func forked(a, b checkpoint.Note) fault {
	return fault{why: fmt.Sprintf("it signed two roots for %d positions", a.Size), prove: func(evidence.Reader, checkpoint.Note) ([]byte, error) {
		return evidence.ProveFork(a, b)
	}}
}
