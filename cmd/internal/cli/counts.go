package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// facetCount is how many events have a value of a facet.
type facetCount struct {
	Facet string `json:"facet"`
	Value string `json:"value"`
	Count uint64 `json:"count"`
}

// facets shows how many events have each value of each facet.
func (s *session) facets(e *exchange, raw json.RawMessage) error {
	var answered struct {
		Total  uint64                  `json:"total"`
		Facets map[string][]facetCount `json:"facets"`
	}
	if err := understand(raw, &answered); err != nil {
		return err
	}
	if answered.Facets == nil {
		return errForeign
	}
	if e.format == "json" {
		return e.describe(raw)
	}
	order := facetNames()
	for _, name := range sortedKeys(answered.Facets) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	if e.format != "table" {
		return e.facetRows(order, answered.Facets)
	}
	fmt.Fprintf(e, "%s\n", some(int(answered.Total), "event"))
	for _, name := range order {
		var bars []bar
		for _, v := range answered.Facets[name] {
			b := bar{value: v.Value, label: "  " + v.Value, count: v.Count}
			if name == "class" {
				b.colour = classColour(v.Value)
			}
			bars = append(bars, b)
		}
		if len(bars) > 0 {
			fmt.Fprintf(e, "\n%s\n", e.paint(bold, oneLine(name)))
			s.bars(e, bars)
		}
	}
	return nil
}

// facetRows writes a row for each value.
func (e *exchange) facetRows(order []string, facets map[string][]facetCount) error {
	rows := e.listing(column{name: "facet"}, column{name: "value"}, column{name: "count"})
	for _, name := range order {
		for _, v := range facets[name] {
			v.Facet = name
			if err := rows.row(v, name, v.Value, strconv.FormatUint(v.Count, 10)); err != nil {
				return err
			}
		}
	}
	return rows.flush()
}

// units are what a histogram counts by.
func units() []string { return []string{"hour", "day", "week", "month", "quarter", "year"} }

// histogram shows how many events there were when.
func (s *session) histogram(e *exchange, raw json.RawMessage, unit string) error {
	var answered struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := understand(raw, &answered); err != nil {
		return err
	}
	if answered.Items == nil {
		return errForeign
	}
	switch e.format {
	case "json":
		return e.describe(raw)
	case "ndjson":
		for _, item := range answered.Items {
			e.Write(append(lined(item), '\n'))
		}
		return nil
	}
	return s.buckets(e, answered.Items, unit)
}

func (s *session) buckets(e *exchange, items []json.RawMessage, unit string) error {
	var bars []bar
	var expected time.Time
	rows := [][]string{{"from", "count"}}
	for _, raw := range items {
		var item struct {
			From  time.Time `json:"from"`
			Count uint64    `json:"count"`
		}
		if err := understand(raw, &item); err != nil {
			return err
		}
		from := item.From.In(e.zone)
		if !expected.IsZero() && from.After(expected) {
			bars = append(bars, bar{}) // nothing happened in between
		}
		expected = following(from, unit)
		bars = append(bars, bar{label: labelled(from, unit), count: item.Count})
		rows = append(rows, []string{from.Format(time.RFC3339), strconv.FormatUint(item.Count, 10)})
	}
	if e.format == "csv" {
		return csv.NewWriter(e).WriteAll(rows)
	}
	s.bars(e, bars)
	return nil
}

// following is where the next unit of time begins.
func following(from time.Time, unit string) time.Time {
	switch unit {
	case "hour":
		return from.Add(time.Hour)
	case "day":
		return from.AddDate(0, 0, 1)
	case "week":
		return from.AddDate(0, 0, 7)
	case "month":
		return from.AddDate(0, 1, 0)
	case "quarter":
		return from.AddDate(0, 3, 0)
	}
	return from.AddDate(1, 0, 0)
}

// labelled names a unit of time.
func labelled(from time.Time, unit string) string {
	switch unit {
	case "hour":
		return from.Format("2006-01-02 15:04 MST")
	case "day":
		return from.Format("2006-01-02 Mon")
	case "week":
		year, week := from.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	case "month":
		return from.Format("2006-01")
	case "quarter":
		return fmt.Sprintf("%d-Q%d", from.Year(), (int(from.Month())+2)/3)
	}
	return from.Format("2006")
}

// checkFacets refuses names that are no facets.
func checkFacets(names string) error {
	if names == "" || names == "all" {
		return nil
	}
	for name := range strings.SplitSeq(names, ",") {
		if err := facetNamed(name, "facets"); err != nil {
			return err
		}
	}
	return nil
}
