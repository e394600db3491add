package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

const transfersLong = `Shows what was given to others, and whether it left the European Economic Area:
every disclosure with the class it was given when it was recorded.

  T0   everything inside the EEA
  T1   own staff worked from outside: no transfer
  T1f  a contractor established inside worked from outside: no transfer
  T2   under an adequacy decision whose condition is shown (GDPR Art. 45)
  T3   with appropriate safeguards (Art. 46)
  T4   under a derogation (Art. 49)
  T5   without a ground
  U    not known: a fact that decides is missing

Without a flag every event is listed. --map shows which categories of data went
to whom, where, why, and by which tool; --summary counts the events of each
class. custody explain says why an event has its class.

` + scopeHelp

type transferOptions struct {
	scope
	paging
	filters
	summary, mapped bool
}

func (s *session) transfersCommand() *cobra.Command {
	var o transferOptions
	cmd := &cobra.Command{
		Use:   "transfers",
		Short: "Show what was given to others, and whether it left the EEA",
		Long:  transfersLong,
		Example: `  custody transfers --from 2025-01-01 --to 2025-12-31 --summary
  custody transfers --map
  custody transfers --class T4,T5,U -o csv --out transfers.csv
  custody transfers --party acme-bank --at 2025-06-30 -o ndjson`,
		Args:              arguments(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return s.transfers(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.summary, "summary", false, "count the events of each class")
	cmd.Flags().BoolVar(&o.mapped, "map", false, "show the map: category, party, place, purpose, tool and class")
	o.windowFlags(cmd)
	o.asOfFlags(cmd)
	o.filters.flags(cmd)
	o.paging.flags(cmd)
	return cmd
}

func (s *session) transfers(ctx context.Context, o transferOptions) error {
	if o.summary && o.mapped {
		return misuse("--summary and --map exclude each other")
	}
	if o.summary && o.paging != (paging{}) || o.mapped && o.newest {
		return misuse("--limit and --newest are for lists of events")
	}
	if err := o.check(); err != nil {
		return err
	}
	t, err := s.terms(o.scope, &o.filters)
	if err != nil {
		return err
	}
	e, err := s.begin()
	if err != nil {
		return err
	}
	if o.summary {
		return e.close(s.transferSummary(ctx, e, t))
	}
	l := &list{exchange: e, paging: o.paging, bar: s.reading, table: disclosureSheet(), csv: eventCSV()}
	l.fetch = e.paged("/v1/transfers", t, o.order())
	if o.mapped {
		l.table, l.csv = mapSheet(), nil
		l.fetch = e.whole("/v1/transfers/map", t.query())
	}
	return l.show(ctx)
}

func mapSheet() sheet {
	return sheet{{"class", "class", 5}, {"category", "category", 20}, {"party", "party", 20}, {"region", "region", 6},
		{"countries", "countries", 12}, {"purpose", "purpose", 24}, {"tool", "tool", 14}, {"events", "events", -8},
		{"first", "first", 23}, {"last", "last", 0}}
}

func (s *session) transferSummary(ctx context.Context, e *exchange, t terms) error {
	raw, err := e.object(ctx, "/v1/transfers/summary", t.query())
	if err != nil {
		return err
	}
	var answered struct {
		Counts map[string]uint64 `json:"counts"`
	}
	if err := understand(raw, &answered); err != nil {
		return err
	}
	if answered.Counts == nil {
		return errForeign
	}
	switch e.format {
	case "csv":
		w := csv.NewWriter(e)
		w.Write([]string{"class", "events"})
		for _, b := range classBars(answered.Counts) {
			w.Write([]string{b.value, strconv.FormatUint(b.count, 10)})
		}
		w.Flush()
		return nil
	case "table":
		s.bars(e, classBars(answered.Counts))
		return nil
	}
	return e.describe(raw)
}

// classBars are the counts of classes in the order of the law.
func classBars(counts map[string]uint64) []bar {
	var bars []bar
	for _, class := range classNames() {
		if n, ok := counts[class]; ok {
			bars = append(bars, bar{class, fmt.Sprintf("%-3s  %s", class, classMeaning(class)), n, classColour(class)})
		}
	}
	for _, class := range sortedKeys(counts) {
		if classMeaning(class) == "" {
			bars = append(bars, bar{class, class, counts[class], classColour(class)})
		}
	}
	return bars
}

// classMeaning is a class in a few words; "" for none that there is.
func classMeaning(class string) string {
	switch class {
	case "T0":
		return "inside the EEA"
	case "T1":
		return "own staff outside"
	case "T1f":
		return "contractor outside"
	case "T2":
		return "adequacy, Art. 45"
	case "T3":
		return "safeguards, Art. 46"
	case "T4":
		return "derogation, Art. 49"
	case "T5":
		return "without a ground"
	case "U":
		return "not known"
	}
	return ""
}
