// Package attest makes and verifies bundles: a statement of recorded non-transfer together with all that it takes to
// check it on a machine that knows nothing of the ledger (docs/FORMAT.md, "Bundle").
//
// What is always true:
//
//  1. What a bundle says is what its proofs say; a bundle that would not verify is not given out.
//  2. A bundle brings no trust: whose signatures count is for whoever verifies to know.
package attest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/imalink/custody/cmd/internal/statement"
	"github.com/imalink/custody/cmd/internal/verifier"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/bundle"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/notary"
)

// Ledger is what statements are about. *ledger.Ledger is the one that is used.
type Ledger interface {
	Name() string
	ID() string
	Head() ledger.Head
	Event(ctx context.Context, position uint64) (events.Record, error)
	ReplayTo(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
	Evidence() *notary.Notary
}

// A Request says what a statement is to be about.
type Request struct {
	From, To law.Day // UTC days, both included
	Lang     statement.Lang
	Issued   time.Time
	Progress func(done, of uint64) // may be nil
}

// NonTransfer writes the bundle of a statement of recorded non-transfer. It reads every stored event once. The error
// is one of packages notary, evidence and statement: then nothing was written, or it is w's.
func NonTransfer(ctx context.Context, w io.Writer, l Ledger, r Request) error {
	n := l.Evidence()
	basis, err := n.Basis(ctx, 1)
	if err != nil {
		return err
	}
	files := bundle.Files{bundle.Checkpoint: basis.Note.Bytes(), bundle.Verifier: verifier.Page()}
	figures, err := prove(n, basis, r, files)
	if err != nil {
		return err
	}
	if files[bundle.Events], err = listedEvents(ctx, l, figures); err != nil {
		return err
	}
	judged, err := n.Judged(ctx, basis.Note)
	if err != nil {
		return err
	}
	s, err := statement.Make(ctx, statement.Sources{
		Name: l.Name(), ID: l.ID(), Replay: l.ReplayTo, Figures: figures, Cosigners: cosigners(judged), Head: l.Head().Position,
		Issued: r.Issued, Grace: statement.DefaultGrace, Months: statement.DefaultMonths, Progress: r.Progress,
	})
	if err != nil {
		return err
	}
	var text, page bytes.Buffer
	if err := errors.Join(s.Encode(&text), s.Page(&page, r.Lang)); err != nil {
		return err
	}
	files[bundle.Statement], files[bundle.Page] = text.Bytes(), page.Bytes()
	var whole bytes.Buffer
	if err := n.WriteBundle(ctx, &whole, files); err != nil {
		return err
	}
	if _, err := Verify(whole.Bytes(), nil); err != nil {
		return fmt.Errorf("a bundle that does not verify: %w", err)
	}
	_, err = whole.WriteTo(w)
	return err
}

// prove makes the three proofs, and reads the figures from them.
func prove(n *notary.Notary, basis notary.Basis, r Request, files bundle.Files) (statement.Figures, error) {
	var verdicts []*evidence.Verdict
	for _, q := range questions(r) {
		proof, err := n.ProveLight(basis, q.question)
		if errors.Is(err, evidence.ErrPresent) {
			q.question.What = evidence.List
			proof, err = n.ProveLight(basis, q.question)
		}
		if err != nil {
			return statement.Figures{}, err
		}
		v, err := evidence.Verify(proof, nil)
		if err != nil {
			return statement.Figures{}, err
		}
		files[q.file] = proof
		verdicts = append(verdicts, v)
	}
	return statement.FiguresOf(verdicts[0], verdicts[1], verdicts[2])
}

type asked struct {
	file     string
	question evidence.Question
}

// questions are what the proofs answer: the outside transfers and unknowns, all classes, own staff outside.
func questions(r Request) []asked {
	q := func(what evidence.What, flags evidence.Flags) evidence.Question {
		return evidence.Question{What: what, Flags: flags, Of: evidence.Days, From: uint64(r.From), To: uint64(r.To)}
	}
	return []asked{
		{bundle.Proof, q(evidence.Absence, evidence.T2|evidence.T3|evidence.T4|evidence.T5|evidence.Unknown)},
		{bundle.Counts, q(evidence.Count, evidence.Classes)},
		{bundle.Working, q(evidence.Absence, evidence.T1)},
	}
}

// listedEvents are the stored events of both lists, one a line, by position.
func listedEvents(ctx context.Context, l Ledger, f statement.Figures) ([]byte, error) {
	all := slices.Concat(f.Outside, f.Working)
	slices.SortFunc(all, func(a, b statement.Listed) int { return int(int64(a.Position) - int64(b.Position)) })
	lines := []byte{}
	for _, e := range all {
		rec, err := l.Event(ctx, e.Position)
		if err != nil {
			return nil, fmt.Errorf("reading a listed event: %w", err)
		}
		lines = append(append(lines, rec.Raw...), '\n')
	}
	return lines, nil
}

func cosigners(j checkpoint.Judgement) (all []statement.Cosignature) {
	for _, c := range j.Witnesses {
		all = append(all, statement.Cosignature{Key: c.Key.String(), Role: statement.Witness, Time: c.Time})
	}
	for _, c := range j.Replays {
		all = append(all, statement.Cosignature{Key: c.Key.String(), Role: statement.Replay, Time: c.Time})
	}
	return all
}
