package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/cmd/internal/audit"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const auditLong = `Audits a ledger from elsewhere, trusting nobody who runs it: recomputes every
record, root and commit from the first position on, holds the tiles and checkpoints
against that, and cosigns what it recomputed. Proofs of class light stand on this.

It needs a token of role auditor, a trust file that says which keys are the
ledger's, and a folder that custody audit init made. What it recomputed is
remembered there, so the next round only reads what is new. The folder belongs to
its keys: an auditor that has lost it makes new keys, and has them announced.

From records it needs 54 bytes an event, and sees wrong roots and commits, rewritten
history, forks, and records that contradict themselves. With --events it reads the
stored events, in which nobody is named, and sees false records, flags and transfer
classes too. Say --events always or never: going over to it begins at position 1.

Where it finds a fault it cosigns nothing, writes a proof to its folder if there can
be one, and ends. custody verify FILE --trust FILE confirms it for whoever doubts.
While a proof lies in the folder nothing is cosigned, whatever the ledger shows then;
but for one that it showed less than it signed for, which takes this auditor's word:
it convinces whoever names its witness key in their trust file, if no more witnesses
are asked for. Some faults have no proof that others can verify, such as false numbers
of producers and false answers. Whoever is shown the same finds the same:
docs/THREATS.md says how.

Exit status:
  0  sound as far as it was audited, and cosigned
  1  it could not be audited, or the ledger did not take the cosignatures
  2  misused
  3  a fault of the ledger was found`

// leastEvery is how long there must be between rounds.
const leastEvery = 100 * time.Millisecond

type auditOptions struct {
	trust, state string
	once, events bool
	every        time.Duration
	seen         []string
}

func (s *session) auditCommand() *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit --trust FILE --state DIR",
		Short: "Recompute a ledger from elsewhere, and cosign it",
		Long:  auditLong,
		Example: `  custody audit init --state A --name auditor.example
  custody audit --url https://custody.example --token-file t --trust imalink.trust --state A --once
  custody audit --url https://custody.example --token-file t --trust imalink.trust --state A --events --every 5m
  custody audit witness --listen 127.0.0.1:8421 --trust imalink.trust --state A`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "trust", "state"); err != nil {
				return err
			}
			return s.audit(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	auditFolder(cmd, &o.state)
	trustFlag(cmd, &o.trust)
	f.BoolVar(&o.once, "once", false, "audit what is recorded now, and end")
	f.DurationVar(&o.every, "every", time.Minute, "how long to wait between rounds")
	f.BoolVar(&o.events, "events", false, "recompute from the stored events, not from records alone")
	f.StringArrayVar(&o.seen, "seen", nil, "checkpoint that somebody else was shown, which the ledger must continue; may be repeated")
	cmd.AddCommand(s.auditInitCommand(), s.auditWitnessCommand())
	return cmd
}

func auditFolder(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "state", "", "folder of the auditor: its keys, and what it knows of the ledger")
	cmd.MarkFlagDirname("state")
}

func trustFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "trust", "", "file that says which keys are the ledger's")
}

// audit audits, once or until ctx is done or a fault is found.
func (s *session) audit(ctx context.Context, o auditOptions) error {
	if o.every < leastEvery {
		return misuse("--every is %v at least", leastEvery)
	}
	cfg, err := s.auditor(o)
	if err != nil {
		return err
	}
	var bar progress
	cfg.Progress = func(done, all uint64) {
		if bar.bar == nil {
			bar = s.progress("recomputing records", int64(all), false)
		}
		if bar.set(int64(done)); done == all {
			bar.finish()
			bar = progress{}
		}
	}
	a, err := s.answer()
	if err != nil {
		return err
	}
	auditor, err := audit.Open(cfg)
	if err != nil {
		return a.close(auditFault(err))
	}
	defer auditor.Close() // the process ends, and with it the lock
	if o.once {
		s.settle(ctx)
		r, err := auditor.Round(ctx)
		bar.clear()
		return a.close(s.audited(a, r, err))
	}
	return a.close(s.follow(ctx, a, auditor, o.every))
}

// settleTime is how long a checkpoint is waited for that covers what is recorded. A ledger signs every second or so.
const settleTime = 5 * time.Second

// settle waits until a checkpoint covers what is recorded now, so that one round audits all of it. Whatever keeps that from
// coming, the round shows.
func (s *session) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	c, err := s.client()
	if err != nil {
		return
	}
	for recorded := uint64(0); ; {
		var now struct {
			Position uint64 `json:"position"`
			Evidence *struct {
				Signed   uint64 `json:"signed"`
				Unsigned string `json:"unsigned"`
			} `json:"evidence"`
		}
		err := c.call(ctx, http.MethodGet, "/v1/status", nil, nil, &now)
		if err != nil || now.Evidence == nil || now.Evidence.Unsigned != "" {
			return
		}
		if recorded = cmp.Or(recorded, now.Position); now.Evidence.Signed >= recorded {
			return
		}
		select {
		case <-time.After(settleTime / 50):
		case <-ctx.Done():
			return
		}
	}
}

// follow audits round by round, and tells of the first and of those in which something was new.
func (s *session) follow(ctx context.Context, a *answer, auditor *audit.Auditor, every time.Duration) error {
	failing, told := "", false
	for {
		r, err := auditor.Round(ctx)
		switch {
		case r != nil && !r.Sound: // even if it was interrupted: a fault was found
			return s.audited(a, r, err)
		case ctx.Err() != nil:
			return nil
		case lasting(err):
			return s.audited(a, r, err)
		case r != nil && (r.Records > 0 || !told):
			told = true
			if err := a.describe(r, reportFields(a, r)...); err != nil {
				return err
			}
			if err := a.Flush(); err != nil {
				return fmt.Errorf("writing the answer: %w", err)
			}
		}
		if err != nil && err.Error() != failing {
			s.note("%v; trying again every %v", err, every)
		}
		if failing = ""; err != nil {
			failing = err.Error()
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return nil
		}
	}
}

// lasting reports whether trying again does not help: it is another ledger, or one that shows this token nothing, or the
// auditor's own folder cannot be used.
func lasting(err error) bool {
	p, refused := errors.AsType[*problem](err)
	return errors.Is(err, audit.ErrForeign) || errors.Is(err, audit.ErrLost) || errors.Is(err, audit.ErrState) ||
		refused && (p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden)
}

// auditor reads what the flags name.
func (s *session) auditor(o auditOptions) (cfg audit.Config, err error) {
	trust, err := readTrust(o.trust)
	if err != nil {
		return cfg, err
	}
	c, err := s.client()
	if err != nil {
		return cfg, err
	}
	cfg = audit.Config{Dir: o.state, Trust: trust, Events: o.events, Now: time.Now, Do: s.asking(c)}
	for _, path := range o.seen {
		b, err := os.ReadFile(path)
		if err != nil {
			return cfg, fmt.Errorf("reading a checkpoint: %w", err)
		}
		n, err := checkpoint.Open(b)
		if err != nil {
			return cfg, fmt.Errorf("reading a checkpoint: %w", err)
		}
		if err := trust.Judge(n).Lacks(checkpoint.NeedLog); err != nil {
			return cfg, fmt.Errorf("%s is not a checkpoint of the ledger of the trust file: %w", path, err)
		}
		cfg.Seen = append(cfg.Seen, n)
	}
	return cfg, nil
}

// asking asks the server, and again while it says that it will soon be able to answer.
func (s *session) asking(c *client) audit.Do {
	return func(ctx context.Context, method, path string, query url.Values, body []byte) (answer io.ReadCloser, err error) {
		mediaType := ""
		if body != nil {
			mediaType = "text/plain"
		}
		err = patiently(ctx, s.note, func() error {
			response, err := c.send(ctx, method, path, query, mediaType, body)
			if err == nil {
				answer = response.Body
			}
			return err
		})
		return answer, err
	}
}

// readTrust reads a trust file.
func readTrust(path string) (*checkpoint.Trust, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the trust file: %w", err)
	}
	t, err := checkpoint.ParseTrust(b)
	if err != nil {
		return nil, fmt.Errorf("reading the trust file: %w", err)
	}
	return t, nil
}
