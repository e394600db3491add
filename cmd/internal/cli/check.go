package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/ledger"
)

const checkLong = `Holds the whole ledger against itself, from the bytes on disk: every checksum,
every event in its one spelling, recording times, identities, facts and classes,
the vault, and the durable mark beside the keys. It works on files, with the
server stopped, and changes nothing.

It says what it held against what, what could not be known, and every finding
with the first position affected.

Exit status:
  0  sound
  1  it could not be checked, for one because a server is running
  2  misused
  3  unsound`

// report is what check found.
type report struct {
	Sound    bool            `json:"sound"`
	Ledger   string          `json:"ledger,omitempty"`
	ID       string          `json:"id,omitempty"`
	Events   uint64          `json:"events"`
	Checked  []string        `json:"checked"`
	Notes    []string        `json:"notes,omitempty"`
	Findings []reportFinding `json:"findings"`
}

type reportFinding struct {
	Part     string `json:"part"`
	Position uint64 `json:"position,omitempty"`
	Text     string `json:"text"`
}

func (s *session) checkCommand() *cobra.Command {
	var where folders
	cmd := &cobra.Command{
		Use:   "check --data DIR --keys DIR",
		Short: "Hold the whole ledger against itself, offline",
		Long:  checkLong,
		Example: `  custody check --data /var/lib/custody --keys /etc/custody/keys
  custody check --data D --keys K -o json --out report.json`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "data", "keys"); err != nil {
				return err
			}
			return s.check(cmd.Context(), where)
		},
	}
	where.flags(cmd)
	return cmd
}

func (s *session) check(ctx context.Context, where folders) error {
	a, err := s.answer()
	if err != nil {
		return err
	}
	open, closeDevice, err := openDevice(where.keys)
	if err != nil {
		return a.close(err)
	}
	defer closeDevice()
	var bar progress
	found, err := ledger.Check(ctx, ledger.Config{Data: where.data, Keys: where.keys, Device: open}, func(done, all uint64) {
		if bar.bar == nil {
			bar = s.progress("checking events", int64(all), false)
		}
		bar.set(int64(done))
	})
	bar.finish()
	if err != nil && !errors.Is(err, ledger.ErrDamaged) {
		return a.close(ledgerFault(fmt.Errorf("checking: %w", err)))
	}
	r := reportOf(found)
	if err != nil { // the damage is such that the check went no further
		r.Sound = false
		r.Findings = append(r.Findings, reportFinding{Part: "files", Text: err.Error()})
	}
	if err := a.close(r.print(a)); err != nil {
		return err
	}
	if !r.Sound {
		err := &fault{status: unsound, err: errors.New("the ledger is unsound"), hint: "keep both directories as they are: they are evidence"}
		return err
	}
	return nil
}

func reportOf(found *ledger.Report) report {
	r := report{Checked: []string{}, Findings: []reportFinding{}}
	if found == nil {
		return r
	}
	r.Sound, r.Ledger, r.ID, r.Events, r.Notes = found.Sound(), found.Name, found.ID, found.Events, found.Notes
	r.Checked = append(r.Checked, found.Checked...)
	for _, f := range found.Findings {
		r.Findings = append(r.Findings, reportFinding{f.Part, f.Position, f.Text})
	}
	return r
}

func (r report) print(a *answer) error {
	verdict := "sound"
	if !r.Sound {
		verdict = "UNSOUND"
	}
	fields := []field{{"ledger", r.Ledger}, {"verdict", verdict}, {"events", strconv.FormatUint(r.Events, 10)}}
	for _, what := range r.Checked {
		fields = append(fields, field{"checked", what})
	}
	for _, what := range r.Notes {
		fields = append(fields, field{"note", what})
	}
	for _, f := range r.Findings {
		where := []string{f.Part}
		if f.Position > 0 {
			where = append(where, "from position "+strconv.FormatUint(f.Position, 10))
		}
		fields = append(fields, field{"finding", strings.Join(where, ", ") + ": " + f.Text})
	}
	return a.describe(r, fields...)
}
