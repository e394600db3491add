package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/imalink/custody/cmd/internal/demo"
)

// tampered is what tampering showed.
type tampered struct {
	Caught   bool            `json:"caught"`
	File     string          `json:"file"`
	Byte     int64           `json:"byte"`
	Before   string          `json:"before"`
	After    string          `json:"after"`
	Position uint64          `json:"position"`
	Record   int64           `json:"record"`
	Events   uint64          `json:"events"`
	Findings []reportFinding `json:"findings"`
}

// tamper flips a bit of a copy, and shows that it is found.
func (s *session) tamper(ctx context.Context, a *answer, home demo.Home) error {
	var bar progress
	t, err := demo.Tamper(ctx, home, func(done, all uint64) {
		if bar.bar == nil {
			bar = s.progress("checking the copy", int64(all), false)
		}
		bar.set(int64(done))
	})
	bar.finish()
	if err != nil {
		return err
	}
	shown := tampered{true, t.File, t.Offset, string(t.Before), string(t.After), t.Position, t.Record, t.Events, nil}
	fields := []field{
		{"copied", absolute(home.Data) + ", which is not changed"},
		{"checked", count(t.Events) + " events: sound"},
		{"changed", fmt.Sprintf("one bit: byte %s of %s", count(t.Offset), t.File)},
		{"from", fmt.Sprintf("%q to %q: a transfer of class T%c, without a ground, now reads as T%c, a derogation", t.Before, t.After, t.Before, t.After)},
		{"checked again", a.paint(red, "UNSOUND")},
		{"found", fmt.Sprintf("in the record that begins at byte %s of that file, which is the event at position %s", count(t.Record), strconv.FormatUint(t.Position, 10))},
	}
	for _, f := range t.Findings {
		shown.Findings = append(shown.Findings, reportFinding{f.Part, f.Position, f.Text})
		fields = append(fields, field{"finding", f.Part + ": " + f.Text})
	}
	fields = append(fields, field{"so", "caught. A server does not start on such a ledger; custody check exits with status 3"})
	return a.describe(shown, fields...)
}
