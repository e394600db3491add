package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const coverageLong = `Shows what the ledger does not hold: of each producer, and of each of its
instances, the numbers that are missing from the sequence it sends, how long it
has been silent, and what was refused; and the parties that received personal
data without being registered.

A number that is missing may still come. An event that carries no number cannot
be missed.`

// covered is what coverage shows of an answer.
type covered struct {
	Producers []struct {
		Producer     string  `json:"producer"`
		Instance     string  `json:"instance"`
		Received     uint64  `json:"received"`
		Last         uint64  `json:"last"`
		LastTime     string  `json:"last_time"`
		MissingCount uint64  `json:"missing_count"`
		Missing      []gap   `json:"missing_ranges"`
		Unnumbered   uint64  `json:"unnumbered"`
		Repeated     uint64  `json:"repeated"`
		Silent       float64 `json:"silent_seconds"`
	} `json:"producers"`
	Refusals []struct {
		Producer string `json:"producer"`
		Type     string `json:"type"`
		Count    uint64 `json:"count"`
		First    string `json:"first"`
		Last     string `json:"last"`
	} `json:"refusals"`
	Unregistered []struct {
		Party      string `json:"party"`
		Received   uint64 `json:"received"`
		First      uint64 `json:"first_position"`
		Last       uint64 `json:"last_position"`
		Registered uint64 `json:"registered_position"`
	} `json:"unregistered"`
}

// gap is numbers that are missing, both ends included.
type gap struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

func (s *session) coverageCommand() *cobra.Command {
	var o scope
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Show gaps, silence, refusals and unregistered parties",
		Long:  coverageLong,
		Example: `  custody coverage
  custody coverage --known-at 10000 -o json | jq '.producers[] | select(.missing != [])'`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return s.coverage(cmd.Context(), o) },
	}
	o.knownFlags(cmd)
	return cmd
}

func (s *session) coverage(ctx context.Context, o scope) error {
	t, err := s.terms(o, nil)
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	raw, err := e.object(ctx, "/v1/coverage", t.query())
	if err != nil {
		return e.close(err)
	}
	var c covered
	if err := understand(raw, &c); err != nil {
		return e.close(err)
	}
	switch {
	case c.Producers == nil:
		err = errForeign
	case e.format == "table":
		err = e.coverageTables(c)
	case e.format == "csv":
		err = e.coverageRows(c)
	default:
		err = e.describe(raw)
	}
	return e.close(err)
}

// coverageTables are the parts of coverage below each other, those with nothing
// in them left out.
func (e *exchange) coverageTables(c covered) error {
	rows := e.listing(column{"producer", 16}, column{"instance", 12}, column{"received", -9}, column{"highest", -9}, column{"missing", -8},
		column{"repeated", -8}, column{"unnumbered", -10}, column{"last event", 23}, column{"silent", 8}, column{"missing numbers", 0})
	rows.tint = func(i int, cell string) colour {
		if i == 4 && cell != "0" || i == 9 {
			return red
		}
		return ""
	}
	for _, p := range c.Producers {
		err := rows.row(nil, p.Producer, p.Instance, count(p.Received), count(p.Last), count(p.MissingCount), count(p.Repeated),
			count(p.Unnumbered), shown(p.LastTime, e.zone), silence(p.Silent), someGaps(p.Missing))
		if err != nil {
			return err
		}
	}
	if err := e.refusals(c); err != nil {
		return err
	}
	return e.unregistered(c)
}

func (e *exchange) refusals(c covered) error {
	if len(c.Refusals) == 0 {
		return nil
	}
	fmt.Fprintf(e, "\n%s\n", e.paint(bold, "refused"))
	rows := e.listing(column{"producer", 16}, column{"events", -9}, column{"why", 20}, column{"not before", 23}, column{"not after", 0})
	for _, r := range c.Refusals {
		if err := rows.row(nil, r.Producer, count(r.Count), r.Type, shown(r.First, e.zone), shown(r.Last, e.zone)); err != nil {
			return err
		}
	}
	return nil
}

func (e *exchange) unregistered(c covered) error {
	if len(c.Unregistered) == 0 {
		return nil
	}
	fmt.Fprintf(e, "\n%s\n", e.paint(bold, "given personal data before they were registered"))
	rows := e.listing(column{"party", 20}, column{"events", -9}, column{"first", -9}, column{"last", -9}, column{"registered since", 0})
	for _, u := range c.Unregistered {
		since := "no"
		if u.Registered > 0 {
			since = "at position " + strconv.FormatUint(u.Registered, 10)
		}
		err := rows.row(nil, u.Party, count(u.Received), strconv.FormatUint(u.First, 10), strconv.FormatUint(u.Last, 10), since)
		if err != nil {
			return err
		}
	}
	return nil
}

// coverageRows are the producers; what else there is does not fit the same
// columns, and is said to be elsewhere.
func (e *exchange) coverageRows(c covered) error {
	rows := e.listing(plain("producer", "instance", "received", "last", "missing_count", "repeated", "unnumbered", "last_time", "silent_seconds", "missing").columns()...)
	for _, p := range c.Producers {
		err := rows.row(nil, p.Producer, p.Instance, strconv.FormatUint(p.Received, 10), strconv.FormatUint(p.Last, 10),
			strconv.FormatUint(p.MissingCount, 10), strconv.FormatUint(p.Repeated, 10), strconv.FormatUint(p.Unnumbered, 10), p.LastTime,
			strconv.FormatFloat(p.Silent, 'f', 0, 64), gaps(p.Missing, " "))
		if err != nil {
			return err
		}
	}
	if len(c.Refusals) > 0 || len(c.Unregistered) > 0 {
		e.note("there are refusals or unregistered parties, too: see -o json")
	}
	return rows.flush()
}

// someGaps are the first gaps, and how many more there are.
func someGaps(list []gap) string {
	const most = 12 // so that a line stays a line
	if len(list) <= most {
		return gaps(list, ", ")
	}
	return gaps(list[:most], ", ") + " and " + some(len(list)-most, "more gap")
}

// gaps are written as 7 or 7-9.
func gaps(list []gap, between string) string {
	parts := make([]string, len(list))
	for i, g := range list {
		parts[i] = strconv.FormatUint(g.From, 10)
		if g.To > g.From {
			parts[i] += "-" + strconv.FormatUint(g.To, 10)
		}
	}
	return strings.Join(parts, between)
}

// silence is a duration for people, in the one unit that says enough.
func silence(seconds float64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d >= 48*time.Hour:
		return some(int(d/(24*time.Hour)), "day")
	case d >= time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	}
	return d.String()
}
