package audit

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// ErrUnannounced is returned where the ledger does not take the cosignatures of the replay key. Nothing was left with it.
var ErrUnannounced = errors.New("audit: the ledger has not announced the replay key of this auditor")

// cosign cosigns a checkpoint that was recomputed, once that is remembered, and leaves the cosignatures with the ledger.
func (a *Auditor) cosign(ctx context.Context, note checkpoint.Note, report *Report) error {
	state, err := a.pass.encode(note)
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	if err := a.memory.Alone(func() error { return a.memory.Write(note.Origin, state) }); err != nil {
		return err
	}
	a.last = note
	replay, err := a.keys.Replay.Cosign(note.Checkpoint, a.cfg.Now())
	if err != nil {
		return err
	}
	signatures := []checkpoint.Signature{replay}
	witnessed, err := a.addWitness(ctx, note, report)
	if err != nil || !report.Sound {
		return err
	}
	if witnessed != nil {
		signatures = append(signatures, *witnessed)
	}
	report.Cosigned, report.Note = true, string(note.With(signatures...).Bytes())
	return a.leave(ctx, note, signatures, report)
}

// addWitness has the witness of this folder cosign a checkpoint; nil if it cosigned a larger one.
func (a *Auditor) addWitness(ctx context.Context, note checkpoint.Note, report *Report) (*checkpoint.Signature, error) {
	last, err := a.witness.Last()
	if err != nil || last.Size > note.Size {
		return nil, err
	}
	request := checkpoint.Request{Old: last.Size, Note: note}
	if last.Size > 0 {
		if request.Proof, err = evidence.GrowthPath(a.ledger.reader(ctx, note.Size), last.Size, note.Size); err != nil {
			return nil, err
		}
	}
	answer, err := a.witness.Add(request)
	switch {
	case err != nil:
		return nil, err
	case answer.Err == nil:
		return &answer.Signature, nil
	case answer.Status == http.StatusConflict && answer.Proof == "":
		return nil, nil // it was asked by others meanwhile
	case answer.Proof != "":
		report.list(Finding{Fault: true, Text: fmt.Sprintf("it signed two roots for %d positions", note.Size), Proof: answer.Proof})
		return nil, nil
	}
	return nil, fmt.Errorf("the witness of this folder does not cosign: %w", answer.Err)
}

// leave leaves those cosignatures with the ledger that it takes.
func (a *Auditor) leave(ctx context.Context, note checkpoint.Note, signatures []checkpoint.Signature, report *Report) error {
	announced, err := a.ledger.announced(ctx)
	if err != nil {
		return fmt.Errorf("leaving the cosignatures: %w", err)
	}
	verifiers := map[checkpoint.Key]string{a.keys.Replay.Key(): a.keys.Replay.Verifier(), a.keys.Witness.Key(): a.keys.Witness.Verifier()}
	for _, s := range signatures {
		if key := verifiers[s.Key]; announced[key] {
			note = note.With(s)
		} else {
			report.Unannounced = append(report.Unannounced, key)
		}
	}
	if !announced[a.keys.Replay.Verifier()] {
		return ErrUnannounced
	}
	if err := a.ledger.leave(ctx, note); err != nil {
		return fmt.Errorf("leaving the cosignatures: %w", err)
	}
	report.Taken = true
	a.left, a.leftAt = note.Checkpoint, a.cfg.Now()
	return nil
}
