package audit

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

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
	lacks := v.Lacks
	if v.Type == evidence.TypeShownLess {
		lacks = cmp.Or(v.Head.Lacks(checkpoint.NeedLog), v.Older.Lacks(checkpoint.NeedLog))
	}
	if lacks != nil {
		return "", lacks
	}
	at := v.Head.Size
	if v.Leaf != nil {
		at = v.Leaf.Position()
	}
	path = filepath.Join(a.cfg.Dir, fmt.Sprintf("%s-%d"+proofEnd, kindOf(v.Type), at))
	return path, durable.Replace(path, proof)
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
		if err != nil || !v.Type.Fault() || v.Outcome != evidence.Proven {
			continue // no proof, or about another log
		}
		report.list(Finding{Fault: v.Type != evidence.TypeShownLess, Text: "proven before: " + v.Fault, Proof: path})
	}
	return nil
}

// kindOf names the files of proofs.
func kindOf(t evidence.Type) string {
	switch t {
	case evidence.TypeFork:
		return "fork"
	case evidence.TypeRewritten:
		return "rewritten"
	case evidence.TypeFalseCommit:
		return "false-commit"
	case evidence.TypeShownLess:
		return "shown-less"
	case evidence.TypeFalseFacts:
		return "false-facts"
	}
	return "false-record"
}
