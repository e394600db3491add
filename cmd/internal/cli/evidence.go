package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/verifier"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const evidenceLong = `The evidence of a ledger: a Merkle log over a record of each event, and a tree
that counts what the records say. Every second or so the ledger commits to both in
an event of its own and signs a checkpoint; witnesses and auditors cosign.`

func (s *session) evidenceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "evidence",
		Short: "Follow the evidence of a ledger, and its keys",
		Long:  evidenceLong,
		Example: `  custody evidence status
  custody evidence trust > imalink.trust
  custody evidence checkpoint --out checkpoint-2025-09-30
  custody evidence cosigner add auditor.example/replay+1a2b3c4d+BAUG... --operator outside-auditor
  custody evidence key add`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(s.evidenceStatusCommand(), s.checkpointCommand(), s.trustCommand(), s.verifierCommand(), s.keyCommand(), s.cosignerCommand())
	return cmd
}

// witnessed is how far evidence has come.
type witnessed struct {
	Origin  string   `json:"origin"`
	Keys    []string `json:"keys"`
	Retired []struct {
		Key  string `json:"key"`
		Upto uint64 `json:"upto"`
	} `json:"retired"`
	Bundle    string `json:"bundle"`
	Records   uint64 `json:"records"`
	Committed uint64 `json:"committed"`
	Signed    uint64 `json:"signed"`
	SignedAt  string `json:"signed_at,omitempty"`
	Cosigned  uint64 `json:"cosigned"`
	Unsigned  string `json:"unsigned,omitempty"`
	Failing   string `json:"failing,omitempty"`
	Cosigners []struct {
		Role     string `json:"role"`
		Key      string `json:"key"`
		Operator string `json:"operator,omitempty"`
	} `json:"cosigners"`
	Cosignatures []struct {
		Role string `json:"role"`
		Key  string `json:"key"`
		Time string `json:"time"`
	} `json:"cosignatures"`
}

func (s *session) evidenceStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "How far evidence has come, and whose keys sign",
		Long: `Says how many records there are, how many of them the last commit, the last
checkpoint and the last cosigned checkpoint cover, whose keys sign, who cosigned,
and if checkpoints are not signed, why.`,
		Example:           `  custody evidence status`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := s.begin()
			if err != nil {
				return err
			}
			var w witnessed
			if err := e.ask(cmd.Context(), http.MethodGet, "/v1/evidence", nil, nil, &w); err != nil {
				return e.close(err)
			}
			return e.close(e.describe(w, w.fields(e)...))
		},
	}
}

func (w witnessed) fields(e *exchange) []field {
	fields := []field{{"origin", w.Origin}, {"records", count(w.Records)}, {"committed", "first " + count(w.Committed)},
		{"signed", "first " + count(w.Signed)}, {"at", shown(w.SignedAt, e.zone)}, {"cosigned", "first " + count(w.Cosigned)}}
	if w.Unsigned != "" {
		fields = append(fields, field{"NOT SIGNING", w.Unsigned})
	}
	if w.Failing != "" {
		fields = append(fields, field{"failing", w.Failing})
	}
	for _, k := range w.Keys {
		fields = append(fields, field{"log key", k})
	}
	for _, k := range w.Retired {
		fields = append(fields, field{"retired log key", fmt.Sprintf("%s, up to size %d", k.Key, k.Upto)})
	}
	fields = append(fields, field{"bundle key", w.Bundle})
	for _, c := range w.Cosigners {
		who := c.Operator
		if who == "" {
			who = "the controller"
		}
		fields = append(fields, field{c.Role + " key", c.Key + " of " + who})
	}
	for _, c := range w.Cosignatures {
		who := map[string]string{"witness": "witness", "replay": "auditor"}[c.Role]
		fields = append(fields, field{who + " cosigned", c.Key + ", " + shown(c.Time, e.zone)})
	}
	return fields
}

func (s *session) checkpointCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "checkpoint",
		Short: "Print the newest checkpoint, to be kept",
		Long: `Prints the newest checkpoint: how many positions there are, the root over them, and
the signatures. It takes no token. Keep it away from the ledger: as long as you have
it, custody prove growth shows that nothing before it was changed, or cannot.`,
		Example: `  custody evidence checkpoint --out checkpoint-2025-09-30
  custody prove growth checkpoint-2025-09-30 --out p`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := s.fetch(cmd.Context(), http.MethodGet, "/v1/checkpoint", nil, nil)
			if err != nil {
				return err
			}
			if _, err := checkpoint.Open(b); err != nil {
				return errForeign
			}
			a, err := s.answer()
			if err != nil {
				return err
			}
			_, err = a.Write(b)
			return a.close(err)
		},
	}
}

func (s *session) trustCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "trust",
		Short: "Print a trust file of the keys that the server names",
		Long: `Prints a trust file: the keys of the ledger, those that it signed with before, up to
the size that they signed for, and those of the witnesses and auditors that it
announced. It is only as good as the channel: whoever verifies compares each key with
what its holder says, over the telephone or on paper, and adds those of auditors of
their own.`,
		Example:           `  custody evidence trust --out imalink.trust`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := s.begin()
			if err != nil {
				return err
			}
			var w witnessed
			if err := e.ask(cmd.Context(), http.MethodGet, "/v1/evidence", nil, nil, &w); err != nil {
				return e.close(err)
			}
			fmt.Fprintf(e, "# As the server names them: compare each key with its holder before you rely on it.\n")
			for _, k := range w.Keys {
				fmt.Fprintf(e, "log %s\n", k)
			}
			for _, k := range w.Retired {
				fmt.Fprintf(e, "log %s upto %d\n", k.Key, k.Upto)
			}
			if w.Bundle != "" {
				fmt.Fprintf(e, "bundle %s\n", w.Bundle)
			}
			for _, c := range w.Cosigners {
				fmt.Fprintf(e, "%s %s\n", c.Role, c.Key)
			}
			return e.close(nil)
		},
	}
}

func (s *session) verifierCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verifier",
		Short: "Print verify.html, which verifies in a browser",
		Long: `Prints the page that verifies proofs and bundles in a browser, offline: the one that
this program puts into bundles. Publish its SHA-256, which custody version says, where
whoever verifies can find it without you. It works without a server.`,
		Example:           `  custody evidence verifier --out verify.html`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			a, err := s.answer()
			if err != nil {
				return err
			}
			_, err = a.Write(verifier.Page())
			return a.close(err)
		},
	}
}

func (s *session) keyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Change the keys that the ledger signs with",
		Long: `A key is changed in two steps: add another, have everybody who verifies put it in
their trust file, retire the older one. In between both sign. Each step is an event.

A ledger that may not sign, because it is an older copy than what it signed for or
its keys are lost, takes a new origin: another name and other keys, with the one
before as its ancestor.`,
		Example: `  custody evidence key add
  custody evidence key retire
  custody evidence key new-origin`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	for _, do := range []struct{ name, short, long string }{
		{"add", "Sign with another key beside the one", `Makes another key, announces it in an event, and signs every checkpoint with both
from then on. Prints its verifier key: a line "log" of trust files.`},
		{"retire", "Sign no more with the older of two keys, and destroy it", `Announces that the older of two keys signs no more, and destroys it. Prints what
trust files say of it from then on: its checkpoints count up to the last size that
it signed for, so that whoever stole it can sign nothing beyond.`},
		{"new-origin", "Take a new name and new keys, for a ledger that may not sign", `Gives a ledger that may not sign another name and other keys, and announces that in
an event, with the name before as its ancestor. To whoever verifies it is another
ledger: give them its new verifier key, and say why.`},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: do.name, Short: do.short, Long: do.long, Example: "  custody evidence key " + do.name,
			Args: arguments(0, 0), ValidArgsFunction: cobra.NoFileCompletions,
			RunE: func(cmd *cobra.Command, _ []string) error { return s.changeKey(cmd.Context(), do.name) },
		})
	}
	return cmd
}

func (s *session) changeKey(ctx context.Context, do string) error {
	e, err := s.begin()
	if err != nil {
		return err
	}
	var changed struct {
		Key  string `json:"key"`
		Upto uint64 `json:"upto,omitempty"`
	}
	if err := e.call(ctx, http.MethodPost, "/v1/evidence/keys", nil, map[string]any{"do": do}, &changed); err != nil {
		return e.close(err)
	}
	fields := []field{{"key", changed.Key}}
	if changed.Upto > 0 {
		fields = append(fields, field{"in trust files", fmt.Sprintf("log %s upto %d", changed.Key, changed.Upto)})
	}
	return e.close(e.describe(changed, fields...))
}

func (s *session) cosignerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cosigner",
		Short: "Announce whose cosignatures the ledger takes",
		Long: `Witnesses cosign whatever grew consistently, auditors what they recomputed; the name
of an auditor's key ends in /replay. The ledger takes the cosignatures of keys that it
announced, each in an event. That says nothing of whether they are to be trusted:
whoever verifies decides that.`,
		Example: `  custody evidence cosigner add auditor.example/replay+1a2b3c4d+BAUG... --operator outside-auditor`,
		Args:    cobra.ArbitraryArgs,
		RunE:    group,
	}
	cmd.AddCommand(
		s.announceCommand("add", "Take the cosignatures of a key", "Announces a verifier key of a witness or an auditor, and who keeps it. Its\ncosignatures are taken from then on.", false),
		s.announceCommand("retire", "Take the cosignatures of a key no more", "Announces that a key cosigns no more. What it cosigned before stays.", true))
	return cmd
}

func (s *session) announceCommand(name, short, long string, retired bool) *cobra.Command {
	var operator string
	cmd := &cobra.Command{
		Use:               name + " VERIFIER-KEY",
		Short:             short,
		Long:              long,
		Example:           "  custody evidence cosigner " + name + " auditor.example/replay+1a2b3c4d+BAUG...",
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := s.begin()
			if err != nil {
				return err
			}
			body := map[string]any{"key": args[0], "retired": retired}
			if operator != "" {
				body["operator"] = operator
			}
			var announced struct {
				Position uint64 `json:"position"`
			}
			if err := e.call(cmd.Context(), http.MethodPost, "/v1/evidence/cosigners", nil, body, &announced); err != nil {
				return e.close(err)
			}
			return e.close(e.describe(announced, field{"announced at", fmt.Sprintf("position %d", announced.Position)}))
		},
	}
	cmd.Flags().StringVar(&operator, "operator", "", "code of the party that keeps the key (default the controller)")
	return cmd
}
