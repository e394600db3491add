package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/imalink/custody/cmd/internal/audit"
	"github.com/imalink/custody/cmd/internal/witness"
)

// audited shows what a round found, and gives its exit status.
func (s *session) audited(a *answer, r *audit.Report, err error) error {
	if r == nil {
		return auditFault(err)
	}
	if err := a.describe(r, reportFields(a, r)...); err != nil {
		return err
	}
	if !r.Sound {
		return &fault{status: unsound, err: errors.New("the ledger is unsound: nothing was cosigned"), hint: hintOf(r)}
	}
	return auditFault(err)
}

// hintOf says what to do about a fault. Nobody should look for a proof that there is not.
func hintOf(r *audit.Report) string {
	for _, f := range r.Findings {
		if f.Fault && f.Proof != "" {
			return "keep the proofs: custody verify FILE --trust FILE confirms them for others"
		}
	}
	return "no file proves this to others: they find the same if they audit with --seen and a checkpoint of before, or with --events"
}

func reportFields(a *answer, r *audit.Report) []field {
	from, verdict := "records", a.paint(green, "SOUND")
	if r.Events {
		from = "stored events"
	}
	if !r.Sound {
		verdict = a.paint(red, "UNSOUND")
	}
	if r.Size == 0 && r.Sound {
		return []field{{"ledger", r.Origin}, {"verdict", "nothing is signed yet"}}
	}
	fields := []field{
		{"ledger", r.Origin}, {"verdict", verdict},
		{"signed", fmt.Sprintf("first %s positions, root %s", count(r.Size), r.Root)},
		{"recomputed", fmt.Sprintf("%s from %s, after %s before", some(int(r.Records), "position"), from, count(r.From))},
		{"commits", count(r.Commits) + " held against the roots"},
	}
	if r.OtherRules > 0 {
		fields = append(fields, field{"note", count(r.OtherRules) + " commits were made under other rules or legal tables than this program's"})
	}
	if r.OtherTables > 0 {
		fields = append(fields, field{"note", count(r.OtherTables) + " events were classed under older legal tables; their classes were not decided again"})
	}
	return append(append(fields, findingFields(r)...), cosignedFields(r)...)
}

// isAlike reports whether two findings say the same of two positions, and neither has a proof.
func isAlike(f, g audit.Finding) bool {
	return f.Proof == "" && g.Proof == "" && f.Position > 0 && g.Position > 0 && f.Text == g.Text && f.Fault == g.Fault
}

func findingFields(r *audit.Report) (fields []field) {
	for i := 0; i < len(r.Findings); {
		f, alike := r.Findings[i], 1
		for i+alike < len(r.Findings) && isAlike(f, r.Findings[i+alike]) {
			alike++
		}
		i += alike
		name, text := "finding", f.Text
		if f.Fault {
			name = "FAULT"
		}
		switch {
		case alike > 1:
			text = fmt.Sprintf("at %s positions from %d on, all in -o json: %s", count(alike), f.Position, text)
		case f.Position > 0:
			text = fmt.Sprintf("from position %d: %s", f.Position, text)
		}
		if f.Proof != "" {
			text += "; proven by " + f.Proof
		}
		fields = append(fields, field{name, text})
	}
	if r.More > 0 {
		fields = append(fields, field{"", ""}, field{"finding", "and " + count(r.More) + " more"})
	}
	return fields
}

func cosignedFields(r *audit.Report) []field {
	switch {
	case r.Unchanged:
		return []field{{"cosigned", "before; nothing is new"}}
	case !r.Cosigned:
		return []field{{"cosigned", "nothing"}}
	}
	text := "yes, and the ledger has it"
	if !r.Taken {
		text = "yes; the ledger does not have it"
	}
	fields := []field{{"cosigned", text}}
	if len(r.Unannounced) > 0 {
		fields = append(fields, field{"not announced", strings.Join(r.Unannounced, " ")})
	}
	return fields
}

// auditFault gives an error of package audit its next step.
func auditFault(err error) error {
	switch {
	case errors.Is(err, audit.ErrNone):
		return advise(err, "custody audit init --state DIR --name NAME makes one")
	case errors.Is(err, audit.ErrLost), errors.Is(err, witness.ErrLost):
		return advise(err, "its keys have vouched for what is lost, and must not be used again: make new ones with custody audit init, in another folder, and have them announced")
	case errors.Is(err, audit.ErrState):
		return advise(err, "go on with the program that wrote it; if the file is damaged, its keys must not be used again: make new ones with custody audit init, in another folder, and have them announced")
	case errors.Is(err, audit.ErrForeign):
		return advise(err, "is --url the ledger of --trust? If its key was changed, its holder tells you the new one over another channel")
	case errors.Is(err, audit.ErrUnannounced):
		return advise(err, "have its operator announce it: custody evidence cosigner add VERIFIER-KEY; custody audit init showed the keys")
	}
	return err
}
