package evidence

import (
	"fmt"
	"time"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// ProveShownLess proves that a log showed a checkpoint as its newest at this time, after it had signed a larger one. That
// it was shown is the cosigner's word, so it is said only of what was seen.
func ProveShownLess(signed, shown checkpoint.Note, by checkpoint.Cosigner, at time.Time) ([]byte, error) {
	saw, err := by.Saw(signed.Checkpoint, shown.Checkpoint, at)
	if err != nil {
		return nil, err
	}
	w := newWriter(TypeShownLess)
	w.note(signed)
	w.note(shown)
	w.text(saw.Line())
	return w.end(nil)
}

func (v *Verdict) readShownLess(in *input) (err error) {
	if v.Head.Note, err = in.note(); err != nil {
		return err
	}
	v.Older = &Head{}
	if v.Older.Note, err = in.anyNote(); err != nil {
		return err
	}
	switch {
	case v.Older.Origin != v.Head.Origin:
		return errTwoLogs()
	case v.Older.Size >= v.Head.Size:
		return fmt.Errorf("%w: what was shown is not less than what was signed for", ErrFalse)
	}
	saw, err := in.text()
	if err != nil {
		return err
	}
	v.saw, err = checkpoint.ParseSignatures(saw)
	v.Fault = fmt.Sprintf("the log showed %d positions after it had signed for %d", v.Older.Size, v.Head.Size)
	return err
}
