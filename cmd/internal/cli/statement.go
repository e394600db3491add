package cli

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/attest"
	"github.com/imalink/custody/cmd/internal/statement"
	"github.com/imalink/custody/events"
)

const statementLong = `Makes the statement of recorded non-transfer over a range of UTC days: a bundle
with the statement, as JSON and as a page to read, its proofs, the checkpoint with
its cosignatures, and a page that verifies all of it in a browser.

It says what was recorded, graded A, B, C or F, and what it cannot show. Every
stored event is read once: on a large ledger that takes a while.`

func (s *session) statementCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "statement",
		Short: "State what was recorded, with proofs",
		Long: `Makes documents for somebody outside: what the ledger recorded, with everything it
takes to verify that without trusting whoever runs it.`,
		Example: `  custody statement non-transfer --from-day 2025-07-01 --to-day 2025-09-30 --out q3.zip`,
		Args:    cobra.ArbitraryArgs,
		RunE:    group,
	}
	cmd.AddCommand(s.nonTransferCommand())
	return cmd
}

func (s *session) nonTransferCommand() *cobra.Command {
	var from, to, lang string
	cmd := &cobra.Command{
		Use:               "non-transfer --from-day DAY --to-day DAY --out FILE",
		Short:             "State that no transfer outside the EEA was recorded, or which",
		Long:              statementLong,
		Example:           `  custody statement non-transfer --from-day 2025-07-01 --to-day 2025-09-30 --lang nl --out q3.zip`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "from-day", "to-day", "out"); err != nil {
				return err
			}
			if !slices.Contains([]string{"en", "nl", "fr"}, lang) {
				return misuse("--lang is en, nl or fr")
			}
			q := url.Values{"from_day": {from}, "to_day": {to}, "lang": {lang}}
			b, err := s.fetch(cmd.Context(), http.MethodGet, "/v1/statements/non-transfer", q, nil)
			if err != nil {
				return asFlags(err)
			}
			v, err := attest.Verify(b, nil)
			if err != nil {
				return &fault{status: unsound, err: err, hint: "the server gave a bundle that does not verify"}
			}
			if err := writeNew(s.outFile, b); err != nil {
				return err
			}
			for _, p := range v.Proofs[:1] {
				s.note("%s", answerLine(p))
			}
			s.note("grade %s; the bundle is in %s, %s bytes; custody verify %s --trust FILE checks it, and so does verify.html in it",
				v.Statement.Result.Grade, s.outFile, count(len(b)), s.outFile)
			s.noteBeyond(cmd.Context(), v.Proofs[0])
			if n := delicate(v.Statement); n > 0 {
				s.note("%s in it under privilege or inquiry, or about an authority or a breach: read it before you hand it on", some(n, "event"))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&from, "from-day", "", "first UTC day of the events' times")
	f.StringVar(&to, "to-day", "", "last UTC day, included")
	f.StringVar(&lang, "lang", "en", "language that the page shows first: en, nl or fr")
	cmd.RegisterFlagCompletionFunc("lang", one([]string{"en", "nl", "fr"}))
	return cmd
}

// delicate is how many of the events that a statement lists are not for everybody whom it may reach.
func delicate(s *statement.Statement) (n int) {
	for _, it := range slices.Concat(s.Transfers, s.Working) {
		if it.Secrecy != "" || it.Kind == events.GovernanceAuthorityRequested.Name() || strings.HasPrefix(it.Kind, "breach.") {
			n++
		}
	}
	return n
}
