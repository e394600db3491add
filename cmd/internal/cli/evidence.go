package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
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
  custody evidence cosigner add auditor.example/replay+1a2b3c4d+BAUG... --operator outside-auditor
  custody evidence key add`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(s.evidenceStatusCommand(), s.trustCommand(), s.keyCommand(), s.cosignerCommand())
	return cmd
}

// witnessed is how far evidence has come.
type witnessed struct {
	Origin    string   `json:"origin"`
	Keys      []string `json:"keys"`
	Bundle    string   `json:"bundle"`
	Records   uint64   `json:"records"`
	Committed uint64   `json:"committed"`
	Signed    uint64   `json:"signed"`
	SignedAt  string   `json:"signed_at,omitempty"`
	Cosigned  uint64   `json:"cosigned"`
	Unsigned  string   `json:"unsigned,omitempty"`
	Failing   string   `json:"failing,omitempty"`
	Cosigners []struct {
		Role     string `json:"role"`
		Key      string `json:"key"`
		Operator string `json:"operator,omitempty"`
	} `json:"cosigners"`
	Cosignatures []struct {
		Name string `json:"name"`
	} `json:"cosignatures"`
}

func (s *session) evidenceStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "status",
		Short:             "How far evidence has come, and whose keys sign",
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
	fields = append(fields, field{"bundle key", w.Bundle})
	for _, c := range w.Cosigners {
		who := c.Operator
		if who == "" {
			who = "the controller"
		}
		fields = append(fields, field{c.Role + " key", c.Key + " of " + who})
	}
	return fields
}

func (s *session) trustCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "trust",
		Short: "Print a trust file of the keys that the server names",
		Long: `Prints a trust file: the keys of the ledger, and those of the witnesses and
auditors that it announced. It is only as good as the channel: whoever verifies
compares each key with what its holder says, over the telephone or on paper, and
adds those of auditors of their own.`,
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
	for _, do := range []struct{ name, short string }{
		{"add", "Sign with another key beside the one"},
		{"retire", "Sign no more with the older of two keys, and destroy it"},
		{"new-origin", "Take a new name and new keys, for a ledger that may not sign"},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: do.name, Short: do.short, Example: "  custody evidence key " + do.name,
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
		Use:     "cosigner",
		Short:   "Announce whose cosignatures the ledger takes",
		Example: `  custody evidence cosigner add auditor.example/replay+1a2b3c4d+BAUG... --operator outside-auditor`,
		Args:    cobra.ArbitraryArgs,
		RunE:    group,
	}
	cmd.AddCommand(s.announceCommand("add", "Take the cosignatures of a key", false), s.announceCommand("retire", "Take them no more", true))
	return cmd
}

func (s *session) announceCommand(name, short string, retired bool) *cobra.Command {
	var operator string
	cmd := &cobra.Command{
		Use:               name + " VERIFIER-KEY",
		Short:             short,
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
