package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// proofEnd ends the names of files of proofs. A witness of the folder leaves such, too.
const proofEnd = ".proof"

// add adds a fault to the report, proven under a checkpoint if it can be: whether it is.
func (a *Auditor) add(ctx context.Context, report *Report, under checkpoint.Note, f fault) (proven bool) {
	finding := Finding{Fault: true, Text: f.why, Position: f.position}
	if f.prove != nil && report.proofs() < mostProofs {
		proof, err := f.prove(a.ledger.reader(ctx, under.Size), under)
		if err == nil {
			finding.Proof, err = a.keep(proof)
		}
		if err != nil {
			finding.Text += fmt.Sprintf("; there is no proof of it for others: %v", err)
		}
	}
	report.list(finding)
	return finding.Proof != ""
}

// keep writes a proof of a fault to the folder, if it is one to whoever has the trust file; that the log showed less, if
// it is one to whoever trusts the witness of this folder besides.
func (a *Auditor) keep(proof []byte) (path string, err error) {
	v, err := evidence.VerifyFacts(proof, a.cfg.Trust, ledger.JudgeFacts)
	if err != nil {
		return "", err
	}
	if err := lacks(v); err != nil {
		return "", err
	}
	at := fmt.Sprint(v.Head.Size)
	switch {
	case v.Leaf != nil:
		at = fmt.Sprint(v.Leaf.Position())
	case v.Type == evidence.TypeShownLess:
		at += fmt.Sprintf("-%d", v.Older.Size)
	}
	path = filepath.Join(a.cfg.Dir, strings.ReplaceAll(v.Type.String(), " ", "-")+"-"+at+proofEnd)
	if _, err := os.Stat(path); err == nil && v.Type == evidence.TypeShownLess {
		return path, nil // it was seen before: the first time says more
	}
	return path, durable.Replace(path, proof)
}

// lacks is why a proof proves nothing to whoever has the trust file; of one that the log showed less, and the witness of
// this folder besides.
func lacks(v *evidence.Verdict) error {
	if v.Type == evidence.TypeShownLess {
		return cmp.Or(v.Head.Lacks(checkpoint.NeedLog), v.Older.Lacks(checkpoint.NeedLog))
	}
	return v.Lacks
}

// convicted lists the faults of the log that proofs in the folder prove: of an earlier round, or by the witness of the
// folder. They stand however well the log behaves now. Whoever goes on all the same takes them elsewhere first. That it
// showed less is mentioned and holds nobody up: what it shows now was held against that.
func (a *Auditor) convicted(report *Report) error {
	files, err := os.ReadDir(a.cfg.Dir)
	if err != nil {
		return fmt.Errorf("looking for proofs: %w", err)
	}
	for _, file := range files {
		if filepath.Ext(file.Name()) != proofEnd {
			continue
		}
		path := filepath.Join(a.cfg.Dir, file.Name())
		proof, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading a proof: %w", err)
		}
		v, err := evidence.VerifyFacts(proof, a.cfg.Trust, ledger.JudgeFacts)
		unjudged := errors.Is(err, evidence.ErrUnjudged)
		if err != nil && !unjudged || !v.Type.Fault() || lacks(v) != nil {
			continue // no proof, or about another log
		}
		text := "proven before: " + v.Fault
		if unjudged {
			text = "proven before, by another version of this program: what the log decided of an event is false"
		}
		report.list(Finding{Fault: v.Type != evidence.TypeShownLess, Text: text, Proof: path})
	}
	return nil
}
