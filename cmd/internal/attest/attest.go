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
	trust, err := n.Trust(ctx) // in whom the ledger says operate its cosigners
	if err != nil {
		return err
	}
	p := prover{n, basis, trust, bundle.Files{bundle.Checkpoint: basis.Note.Bytes(), bundle.Verifier: verifier.Page()}}
	counts, err := p.prove(bundle.Counts, statement.CountQuestion(r.From, r.To))
	if err != nil {
		return err
	}
	outside, working := statement.ListQuestions(counts)
	proof, err := p.prove(bundle.Proof, outside)
	if err != nil {
		return err
	}
	work, err := p.prove(bundle.Working, working)
	if err != nil {
		return err
	}
	figures, err := statement.FiguresOf(proof, counts, work)
	if err != nil {
		return err
	}
	s, err := statement.Make(ctx, statement.Sources{
		Name: l.Name(), ID: l.ID(), Replay: l.ReplayTo, Figures: figures, Cosigners: statement.CosignersOf(counts), Head: l.Head().Position,
		Issued: r.Issued, Grace: statement.DefaultGrace, Months: statement.DefaultMonths, Progress: r.Progress,
	})
	if err != nil {
		return err
	}
	if err := fill(ctx, p.files, l, s, r.Lang); err != nil {
		return err
	}
	var whole bytes.Buffer
	if err := n.WriteBundle(ctx, &whole, p.files); err != nil {
		return err
	}
	if _, err := Verify(whole.Bytes(), nil); err != nil {
		return fmt.Errorf("a bundle that does not verify: %w", err)
	}
	_, err = whole.WriteTo(w)
	return err
}

// A prover makes the proofs of a bundle, all under one checkpoint and commit.
type prover struct {
	notary *notary.Notary
	basis  notary.Basis
	trust  *checkpoint.Trust
	files  bundle.Files
}

// prove adds a proof to the files.
func (p *prover) prove(file string, q evidence.Question) (*evidence.Verdict, error) {
	proof, err := p.notary.ProveLight(p.basis, q)
	if err != nil {
		return nil, err
	}
	p.files[file] = proof
	return evidence.Verify(proof, p.trust)
}

// fill adds the statement in both forms, and the stored events that it lists.
func fill(ctx context.Context, files bundle.Files, l Ledger, s *statement.Statement, lang statement.Lang) error {
	var text, page bytes.Buffer
	if err := errors.Join(s.Encode(&text), s.Page(&page, lang)); err != nil {
		return err
	}
	lines := []byte{}
	for _, position := range s.Positions() {
		rec, err := l.Event(ctx, position)
		if err != nil {
			return fmt.Errorf("reading a listed event: %w", err)
		}
		lines = append(append(lines, rec.Raw...), '\n')
	}
	files[bundle.Statement], files[bundle.Page], files[bundle.Events] = text.Bytes(), page.Bytes(), lines
	return nil
}
