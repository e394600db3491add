package cli

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/events"
)

const eraseLong = `Erases a person (GDPR Art. 17): whoever the identifiers belong to that are
linked with the one given. It has two steps. The erasure is opened, and from then
on the person is restricted; the keys are destroyed once a deletion was reported,
every leg of it (backups, processors) is done and every recipient was told
(Art. 19), or when it is due: a month from now, or by --due up to two more where
that is necessary (Art. 12(3)). With --now both happen at once.

Nothing of the stream changes. What is destroyed are the keys: afterwards nobody
can tell who the events were about, nor open what was sealed about them. Events
that list others as well stay readable for those.

  --dry-run   says what would go and who linked it, what stays and why, which
              legal holds are in the way, who is to be told; it changes nothing
  --keep      keeps a class on a ground of Art. 17(3), as disclosure:A17-3-e. A
              legal hold stops an erasure unless what it needs is kept on its ground;
              then what says that it is about this person is kept with it
  --as-actor  erases what an employee did as an actor, too: it needs --ground, and
              a second person who runs custody approve

The answer is the only copy of the certificate that names identifiers: keep it
with --certificate (JSON) or --pdf, outside the data directory.

` + identifierHelp

type eraseOptions struct {
	certificateFiles
	reason, request, reference, ground, due string
	keep                                    []string
	asActor, now, dryRun                    bool
	agreement
}

func (s *session) eraseCommand() *cobra.Command {
	var o eraseOptions
	cmd := &cobra.Command{
		Use:   "erase ID|- --reason CODE",
		Short: "Erase a person",
		Long:  eraseLong,
		Example: `  custody erase candidate:10001 --reason request --dry-run
  custody erase candidate:10001 --reason request --request dsar:2026/33 --pdf restricted.pdf
  custody erase - --reason request --now --certificate erased.json --pdf erased.pdf < id.txt
  custody erase candidate:10001 --reason request --keep disclosure:A17-3-e`,
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(cmd, "reason"); err != nil {
				return err
			}
			if err := s.identifiers(map[string]*string{"identifier": &args[0]}, "identifier"); err != nil {
				return err
			}
			return s.erase(cmd.Context(), args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.reason, "reason", "", "why, by Art. 17(1): retention, consent_withdrawn, objection, unlawful, legal_obligation, child; or request")
	f.StringVar(&o.request, "request", "", "reference of the person's request, such as dsar:2026/33; it is recorded")
	f.StringVar(&o.reference, "case", "", "the case this is asked for, such as dsar-2025-17; it is recorded")
	f.StringArrayVar(&o.keep, "keep", nil, "a class and the ground of Art. 17(3) it stays on, as disclosure:A17-3-e; may be repeated")
	f.StringVar(&o.due, "due", "", "last day on which keys are destroyed, legs done or not; within three months (default in a month)")
	f.BoolVar(&o.now, "now", false, "destroy the keys at once")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would go, and change nothing")
	f.BoolVar(&o.asActor, "as-actor", false, "erase what the person did as an actor, too")
	f.StringVar(&o.ground, "ground", "", "why that may go, a code; with --as-actor")
	o.certificateFiles.flags(cmd)
	o.agreement.flags(cmd)
	cmd.RegisterFlagCompletionFunc("reason", one(events.ErasureReasons()))
	return cmd
}

// erase opens an erasure. If the answer is lost, asking again says that it is
// open; with --now, that nobody is known any more, and custody erasure list has it.
func (s *session) erase(ctx context.Context, identifier string, o eraseOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	body := map[string]any{"identifier": identifier, "reason": o.reason}
	for name, text := range map[string]string{"request": o.request, "case": o.reference, "ground": o.ground} {
		if text != "" {
			body[name] = text
		}
	}
	for name, set := range map[string]bool{"now": o.now, "dry_run": o.dryRun, "as_actor": o.asActor} {
		if set {
			body[name] = true
		}
	}
	if len(o.keep) > 0 {
		body["keep"] = o.keep
	}
	due, err := s.dueBy(o.due)
	if err != nil {
		return err
	}
	if !due.IsZero() {
		body["due"] = due.UTC().Format(time.RFC3339)
	}
	if err := o.certificateFiles.check(s.outFile); err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := e.agreed(ctx, o.agreement, "/v1/erasures", body, &raw); err != nil {
		return e.close(err)
	}
	return e.close(e.certificate(raw, o.certificateFiles))
}
