package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/ledger/evidence"
)

const proveLong = `Has the server prove an answer. The proof goes to the file of --out, and custody
verify checks it anywhere, offline, knowing nothing but whose signatures count.

Days are whole UTC days of the events' times, over everything recorded so far;
positions are places in the ledger. They are never one flag: an event of July may
be recorded in September.

--class light gives kilobytes, and needs that an auditor recomputed and cosigned;
--class replay gives every record of the range, and trusts nobody.`

func (s *session) proveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prove",
		Short: "Prove an answer, to be verified offline",
		Long:  proveLong,
		Example: `  custody prove event 10541 --out p
  custody prove absence --flag T5 --from-day 2025-07-01 --to-day 2025-09-30 --out p
  custody prove count --flag used --from-position 1 --to-position 500 --class replay --out p
  custody prove growth old-checkpoint --out p`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(s.proveEventCommand(), s.proveInclusionCommand(), s.proveGrowthCommand())
	for _, what := range []struct{ name, short, long string }{
		{"count", "Prove how many records have a flag", "Proves how many records of a range have a flag, or one of several transfer classes."},
		{"absence", "Prove that no record has a flag", "Proves that no record of a range has a flag. If some have, there is no such proof:\nask for a list. \"None left the EEA\" takes T2,T3,T4,T5 and U, the unknown ones."},
		{"list", "Prove which records have a flag", "Proves which records of a range have a flag, and that there are no others."},
	} {
		cmd.AddCommand(s.proveAnswerCommand(what.name, what.short, what.long))
	}
	return cmd
}

func (s *session) proveEventCommand() *cobra.Command {
	var withheld bool
	cmd := &cobra.Command{
		Use:   "event POSITION --out FILE",
		Short: "Prove that an event is recorded, and as what",
		Long: `Proves that the event at a position is in the ledger. The proof has the stored event,
in which people are tags, and so its text can be compared with what was sent; with
--withhold it has the record alone: kind, flags, region, times and digest.`,
		Example:           `  custody prove event 10541 --out p`,
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := positionOf(args[0])
			if err != nil {
				return err
			}
			q.Set("told", strconv.FormatBool(!withheld))
			return s.prove(cmd.Context(), http.MethodGet, "/v1/proofs/event", q, nil)
		},
	}
	cmd.Flags().BoolVar(&withheld, "withhold", false, "leave the stored event out: only its record is proven")
	return cmd
}

func (s *session) proveInclusionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inclusion POSITION",
		Short: "Prove that a record is in the log, for other programs",
		Long: `Prints the proof that the record of the event at a position is in the log, in the text
format of c2sp.org/tlog-proof, for programs that read that. custody verify reads what
prove event gives.`,
		Example:           `  custody prove inclusion 10541 --out 10541.tlog-proof`,
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			position, err := positionOf(args[0])
			if err != nil {
				return err
			}
			b, err := s.fetch(cmd.Context(), http.MethodGet, "/v1/proofs/inclusion", position, nil)
			if err != nil {
				return err
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

// positionOf is the parameter for a position.
func positionOf(text string) (url.Values, error) {
	if n, err := strconv.ParseUint(text, 10, 53); err != nil || n == 0 {
		return nil, misuse("POSITION is a place in the ledger: a number from 1")
	}
	return url.Values{"position": {text}}, nil
}

func (s *session) proveGrowthCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "growth CHECKPOINT --out FILE",
		Short: "Prove that nothing changed since an older checkpoint",
		Long: `Proves that the newest checkpoint continues an older one, which is in a file: what was
recorded then is there, and unchanged. A ledger that was rewritten since cannot.`,
		Example: `  custody evidence checkpoint --out old-checkpoint
  custody prove growth old-checkpoint --out p`,
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("reading the checkpoint: %w", err)
			}
			return s.prove(cmd.Context(), http.MethodPost, "/v1/proofs/growth", nil, b)
		},
	}
}

func (s *session) proveAnswerCommand(what, short, long string) *cobra.Command {
	var flag, class, fromDay, toDay, fromPosition, toPosition, from, to string
	cmd := &cobra.Command{
		Use:               what + " --flag FLAG --from-day DAY --to-day DAY --out FILE",
		Short:             short,
		Long:              long,
		Example:           "  custody prove " + what + " --flag T5 --from-day 2025-07-01 --to-day 2025-09-30 --out p",
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "flag"); err != nil {
				return err
			}
			if _, err := evidence.ParseFlags(flag); err != nil {
				return misuse("--flag is one of %v, or several of the classes, separated by commas", evidence.FlagNames())
			}
			q := url.Values{"what": {what}, "flag": {flag}, "class": {class}}
			for name, value := range map[string]string{"from_day": fromDay, "to_day": toDay, "from_position": fromPosition,
				"to_position": toPosition, "from": from, "to": to} {
				if value != "" {
					q.Set(name, value)
				}
			}
			return s.prove(cmd.Context(), http.MethodGet, "/v1/proofs/answer", q, nil)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flag, "flag", "", "what is asked about: "+fmt.Sprint(evidence.FlagNames()))
	f.StringVar(&class, "class", "light", "light or replay")
	f.StringVar(&fromDay, "from-day", "", "first UTC day of the events' times")
	f.StringVar(&toDay, "to-day", "", "last UTC day, included")
	f.StringVar(&fromPosition, "from-position", "", "first position")
	f.StringVar(&toPosition, "to-position", "", "last position, included")
	f.StringVar(&from, "from", "", "first instant of the events' times, RFC 3339; only with --class replay")
	f.StringVar(&to, "to", "", "and the end, not included")
	cmd.RegisterFlagCompletionFunc("flag", several(evidence.FlagNames()))
	cmd.RegisterFlagCompletionFunc("class", one([]string{"light", "replay"}))
	return cmd
}

// prove has a proof made, verifies it, and writes it to the file of --out. Nothing is written of one that does not
// verify.
func (s *session) prove(ctx context.Context, method, path string, query url.Values, body []byte) error {
	if s.outFile == "" {
		return misuse("a proof is no text: say where it goes, with --out FILE")
	}
	proof, err := s.fetch(ctx, method, path, query, body)
	if err != nil {
		return asFlags(err)
	}
	v, err := evidence.Verify(proof, nil)
	if err != nil {
		return &fault{status: unsound, err: fmt.Errorf("the server gave a false proof: %w", err)}
	}
	if err := writeNew(s.outFile, proof); err != nil {
		return err
	}
	for _, line := range claims(v) {
		s.note("%s", line)
	}
	s.noteBeyond(ctx, v)
	s.note("the proof is in %s, %s bytes; custody verify %s --trust FILE checks it", s.outFile, count(len(proof)), s.outFile)
	return nil
}

// asFlags says what the server said of a parameter as what it is here, the misuse of a flag.
func asFlags(err error) error {
	p, ok := errors.AsType[*problem](err)
	if !ok || p.word() != "invalid-request" || !strings.HasPrefix(p.Path, "/") {
		return err
	}
	return misuse("--%s: %s", strings.ReplaceAll(p.Path[1:], "_", "-"), p.Detail)
}

// noteBeyond says how many positions under the newest checkpoint an answer does not look at, but for the commit that it
// stands on. It says nothing of other proofs and of ranges of positions, nor if the server does not answer: this is a
// remark beside what was asked for.
func (s *session) noteBeyond(ctx context.Context, v *evidence.Verdict) {
	c, err := s.client()
	if err != nil || v.Class() == "" || v.Question.Of == evidence.Positions {
		return
	}
	var w witnessed
	if err := c.call(ctx, http.MethodGet, "/v1/evidence", nil, nil, &w); err != nil || w.Signed <= v.Upto+1 {
		return
	}
	s.note("it says nothing of the %s positions recorded since; an auditor who cosigns now makes a newer one possible", count(w.Signed-v.Upto))
}

// fetch asks for bytes, which may take the server long, and asks again while it says that it will soon have them.
func (s *session) fetch(ctx context.Context, method, path string, query url.Values, body []byte) (got []byte, err error) {
	c, err := s.client()
	if err != nil {
		return nil, err
	}
	c = c.unhurried()
	waiting := s.progress("the server works on it", 0, false)
	defer waiting.finish()
	waiting.set(1) // it turns by itself from now on
	mediaType := ""
	if body != nil {
		mediaType = "text/plain"
	}
	note := func(format string, args ...any) {
		waiting.clear()
		s.note(format, args...)
	}
	err = patiently(ctx, note, func() error {
		response, err := c.send(ctx, method, path, query, mediaType, body)
		if err != nil {
			return err
		}
		got, err = io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return fmt.Errorf("reading the server's answer: %w", err)
		}
		return nil
	})
	return got, err
}

// writeNew writes a file durably. One that is there is replaced.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("opening --out: %w", err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing --out: %w", err)
	}
	return nil
}
