package notary

import (
	"context"
	"fmt"
	"slices"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// Request is what asks a witness to cosign a checkpoint of this ledger, that cosigned one of size old last; 0 if none
// (c2sp.org/tlog-witness). The error wraps [evidence.ErrQuestion] if old is larger than the checkpoint.
func (n *Notary) Request(note checkpoint.Note, old uint64) (checkpoint.Request, error) {
	own := note.Only(func(k checkpoint.Key) bool { return k.Name == note.Origin })
	r := checkpoint.Request{Old: old, Note: own}
	if old == 0 {
		return r, nil
	}
	var err error
	r.Proof, err = evidence.GrowthPath(n.log, old, note.Size)
	return r, err
}

// Answered takes from a witness's answer the cosignatures of a checkpoint by keys that were announced, and leaves those
// by others. The error is that of [Notary.Cosign]; it wraps [ErrCosignature] if there are none to take.
func (n *Notary) Answered(ctx context.Context, note checkpoint.Note, lines []checkpoint.Signature) error {
	cosigned := checkpoint.Note{Checkpoint: note.Checkpoint, Signatures: note.Signatures}.With(lines...)
	trust, err := n.Trust(ctx)
	if err != nil {
		return err
	}
	j := trust.Judge(cosigned)
	if j.Bad != nil {
		return fmt.Errorf("%w: %w", ErrCosignature, j.Bad)
	}
	known := j.Log
	for _, c := range slices.Concat(j.Witnesses, j.Replays) {
		known = append(known, c.Key)
	}
	answered := func(k checkpoint.Key) bool {
		return slices.ContainsFunc(lines, func(s checkpoint.Signature) bool { return s.Key == k })
	}
	if !slices.ContainsFunc(known, answered) {
		return fmt.Errorf("%w: none is by a key that was announced", ErrCosignature)
	}
	return n.Cosign(ctx, cosigned.Only(func(k checkpoint.Key) bool { return slices.Contains(known, k) }).Bytes())
}

// Witnessed is the newest checkpoint that a witness cosigned; the newest of all if there is none. An auditor that
// cosigns it, too, makes LIGHT proofs under it possible, however often checkpoints are signed. Its errors are those of
// Checkpoint.
func (n *Notary) Witnessed() (checkpoint.Note, error) {
	if best, found := n.newestThat(witnessed); found {
		return best, nil
	}
	return n.Checkpoint()
}
