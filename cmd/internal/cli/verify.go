package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/attest"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/bundle"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const verifyLong = `Verifies a proof, or the bundle of a statement, offline: it asks no server and
believes nothing that the file does not prove. Says what is proven, under whose
keys, and as recorded up to which position.

Whose signatures count is in the trust file, which you have from elsewhere than
the proof: the keys of the ledger, of witnesses, of auditors that replay, and how
many of them there must be. custody evidence trust prints one of a ledger's own
keys and of those it announced, to be compared over another channel.

Exit status:
  0  proven
  1  it could not be verified, or takes other rules to be judged, or misused
  2  self-consistent, but not signed by those who are trusted, or no trust file
  3  false: it does not hold together, or a known key's signature is wrong`

// maxProof is the most bytes of a file that is verified.
const maxProof = 1 << 31

func (s *session) verifyCommand() *cobra.Command {
	var trust string
	cmd := &cobra.Command{
		Use:   "verify FILE --trust FILE",
		Short: "Verify a proof or a bundle, offline",
		Long:  verifyLong,
		Example: `  custody verify p --trust imalink.trust
  custody verify non-transfer-2025-q3.zip --trust imalink.trust -o json`,
		Args: func(cmd *cobra.Command, args []string) error { return noMisuse(arguments(1, 1)(cmd, args)) },
		RunE: func(_ *cobra.Command, args []string) error { return s.verify(args[0], trust) },
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return noMisuse(flagMisuse(cmd, err)) })
	cmd.Flags().StringVar(&trust, "trust", "", "file that says whose signatures count (default nobody's)")
	return cmd
}

// noMisuse gives a command line that cannot be meant another status than 2, which says something of the proof.
func noMisuse(err error) error {
	if f, ok := errors.AsType[*fault](err); ok && f.status == misused {
		return &fault{status: failed, err: f.err, hint: f.hint}
	}
	return err
}

func (s *session) verify(path, trustPath string) error {
	var trust *checkpoint.Trust
	if trustPath != "" {
		var err error
		if trust, err = readTrust(trustPath); err != nil {
			return err
		}
	}
	if info, err := os.Stat(path); err == nil && info.Size() > maxProof {
		return fmt.Errorf("a proof has at most %d bytes", maxProof)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the proof: %w", err)
	}
	a, err := s.answer()
	if err != nil {
		return noMisuse(err)
	}
	if len(b) >= 2 && string(b[:2]) == "PK" {
		v, err := attest.Verify(b, trust)
		if err != nil {
			return a.close(falsified(a, err))
		}
		return a.close(concluded(s.printBundle(a, v), v.Outcome, v.Lacks))
	}
	v, err := evidence.VerifyFacts(b, trust, ledger.JudgeFacts)
	if errors.Is(err, evidence.ErrUnjudged) {
		return a.close(unjudged(a, err))
	}
	if err != nil {
		return a.close(falsified(a, err))
	}
	return a.close(concluded(s.printVerdict(a, v), v.Outcome, v.Lacks))
}

// unjudged says that a proof holds together, and is of a fault that this program cannot decide upon.
func unjudged(a *answer, why error) error {
	shown := struct {
		Outcome string `json:"outcome"`
	}{"unsupported"}
	if err := a.describe(shown, field{"outcome", a.paint(yellow, "NOT JUDGED")}, field{"why", why.Error()}); err != nil {
		return err
	}
	return &fault{status: failed, err: fmt.Errorf("neither proven nor false: %w", why), hint: "use the custody that the ledger had when it recorded the event"}
}

// falsified says that something is false, and why. In JSON it has the outcome alone (docs/FORMAT.md, "Verdict").
func falsified(a *answer, why error) error {
	shown := struct {
		Outcome string `json:"outcome"`
	}{evidence.False.String()}
	if err := a.describe(shown, field{"outcome", a.paint(red, "FALSE")}, field{"why", why.Error()}); err != nil {
		return err
	}
	hint := "keep it: it is evidence of who gave it to you"
	if errors.Is(why, evidence.ErrFormat) || errors.Is(why, bundle.ErrFormat) {
		hint = "is it the file that you were given, whole and unchanged? Then keep it: it is evidence of who gave it to you"
	}
	return &fault{status: unsound, err: fmt.Errorf("it is false: %w", why), hint: hint}
}

// concluded is the error that gives the exit status of an outcome.
func concluded(err error, outcome evidence.Outcome, lacks error) error {
	if err != nil || outcome == evidence.Proven {
		return err
	}
	return &fault{status: int(outcome), err: fmt.Errorf("self-consistent, but not proven: %w", lacks)}
}
