package law_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events/law"
)

// codes are all 676 pairs of capital letters.
func codes() []string {
	var all []string
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			all = append(all, string(a)+string(b))
		}
	}
	return all
}

// edges are the days around every date in every table.
func edges() []law.Day {
	var days []law.Day
	add := func(i law.Interval) {
		for _, d := range []law.Day{i.From, i.Until} {
			if d != law.Past && d != law.Forever {
				days = append(days, d-1, d)
			}
		}
	}
	for _, row := range law.Places() {
		add(row.Interval)
	}
	for _, row := range law.Decisions() {
		add(row.Interval)
	}
	for _, row := range law.Tools() {
		add(row.Interval)
	}
	for _, row := range law.Instruments() {
		add(row.Interval)
		add(row.Signable)
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// inside returns the codes inside on a day, in alphabetical order.
func inside(d law.Day) []string {
	return slices.DeleteFunc(codes(), func(code string) bool {
		return !law.PlaceOn(code, d).Status.Inside() || law.Canonical(code) != code
	})
}

func TestEEA(t *testing.T) {
	const (
		eea30   = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
		regions = "AX EA GF GP IC MF MQ RE YT"
	)
	for _, c := range []struct{ day, want string }{
		{"1994-01-01", "AT BE BL DE DK EA ES FI FR GB GF GI GP GR IC IE IS IT LU MF MQ NL NO PT RE SE"},
		{"2019-12-31", eea30 + " " + regions + " GB GI"},
		{"2020-12-31", eea30 + " " + regions + " GB GI"},
		{"2021-01-01", eea30 + " " + regions + " GB"},
		{"2021-06-27", eea30 + " " + regions + " GB"},
		{"2021-06-28", eea30 + " " + regions},
		{"2026-11-22", eea30 + " " + regions},
		{"2100-01-01", eea30 + " " + regions},
	} {
		want := strings.Fields(c.want)
		slices.Sort(want)
		if got := inside(date(t, c.day)); !slices.Equal(got, want) {
			t.Errorf("inside on %s: %v, want %v", c.day, got, want)
		}
	}
}

// TestEveryCodeOnEveryEdge holds every pair of letters on every day on which anything changes: a place is one of
// inside, adequate, outside or unsettled, and a code that is no place is never inside.
func TestEveryCodeOnEveryEdge(t *testing.T) {
	known := 0
	for _, code := range codes() {
		if law.PlaceOn(code, 0).Status != law.Unknown && law.Canonical(code) == code {
			known++
		}
		for _, d := range edges() {
			row := law.PlaceOn(code, d)
			if row.Source == "" || !row.Holds(d) {
				t.Errorf("%s on %s: row %+v", code, d, row)
			}
			party := at(code)
			party.PIPEDA, party.DPF = true, law.Always()
			class := law.Classify(shared(d, party, law.Tool{})).Class
			want := []law.Class{law.T2, law.T5}
			switch {
			case row.Status == law.Unknown:
				want = []law.Class{law.U}
			case row.Status.Inside():
				want = []law.Class{law.T0}
			case row.Status == law.Review:
				want = []law.Class{law.T5}
			}
			if !slices.Contains(want, class) {
				t.Errorf("%s on %s is %s: %s, want %v", code, d, row.Status, class, want)
			}
			if again := law.PlaceOn(law.Canonical(code), d); again != row {
				t.Errorf("%s on %s differs from %s", code, d, law.Canonical(code))
			}
		}
	}
	if want := 249 + len(strings.Fields("AC AN CP DG EA IC TA XK")); known != want {
		t.Errorf("%d codes are places, want %d", known, want)
	}
}

// TestAdequateSet holds the countries adequate without any condition shown against the literal list.
func TestAdequateSet(t *testing.T) {
	for _, c := range []struct{ day, want string }{
		{"2018-05-25", "AD AR CH FO GG IL IM JE NZ UY"},
		{"2021-06-27", "AD AR CH FO GG IL IM JE JP NZ UY"},
		{"2025-12-28", "AD AR CH FO GB GG IL IM JE JP KR NZ UY"},
		{"2026-11-22", "AD AR BR CH FO GB GG IL IM JE JP KR NZ UY"},
	} {
		var got []string
		for _, code := range codes() {
			if law.Canonical(code) == code && law.Classify(shared(date(t, c.day), at(code), law.Tool{})).Class == law.T2 {
				got = append(got, code)
			}
		}
		if want := strings.Fields(c.want); !slices.Equal(got, want) {
			t.Errorf("adequate on %s: %v, want %v", c.day, got, want)
		}
	}
}

// TestRows holds the tables themselves: every row has a source and days, every code is a place, and no two rows
// speak of the same code and day.
func TestRows(t *testing.T) {
	spans := map[string][]law.Interval{}
	row := func(table string, codes []string, days law.Interval, source string) {
		if source == "" || days.From >= days.Until || len(codes) == 0 {
			t.Errorf("%s %v: days %v, source %q", table, codes, days, source)
		}
		for _, code := range codes {
			for _, other := range spans[table+code] {
				if days.From < other.Until && other.From < days.Until {
					t.Errorf("%s %s: %v overlaps %v", table, code, days, other)
				}
			}
			spans[table+code] = append(spans[table+code], days)
		}
	}
	place := func(code string) {
		if law.PlaceOn(code, 0).Status == law.Unknown || law.Canonical(code) != code {
			t.Errorf("%s is not a place", code)
		}
	}
	for _, r := range law.Places() {
		row("place ", strings.Fields(r.Codes), r.Interval, r.Source)
		for _, code := range strings.Fields(r.Codes) {
			place(code)
		}
	}
	for _, r := range law.Decisions() {
		row("decision ", []string{r.Code}, r.Interval, r.Source)
		if r.Code != "EPO" {
			place(r.Code)
		}
	}
	for _, r := range law.Tools() {
		row("tool ", []string{r.Code}, r.Interval, r.Source)
	}
	for _, r := range law.Instruments() {
		row("instrument ", []string{r.Code}, r.Interval, r.Source)
	}
}

// TestToolCodes holds the tools against the literal list of the event schema.
func TestToolCodes(t *testing.T) {
	want := strings.Fields(`A45-3 A46-2-a A46-2-b A46-2-c A46-2-d A46-2-e A46-2-f A46-3-a A46-3-b
		A49-1-a A49-1-b A49-1-c A49-1-d A49-1-e A49-1-f A49-1-g A49-2 privacy-shield safe-harbour`)
	var got []string
	for _, r := range law.Tools() {
		got = append(got, r.Code)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("tools %v, want %v", got, want)
	}
}

// TestVersion pins the tables. When it fails, a row has changed: read the change, move the day of review, and
// write the new version here.
func TestVersion(t *testing.T) {
	const want = "2026-11-22-d1c797e8"
	if got := law.Version(); got != want {
		t.Errorf("Version() = %q, want %q", got, want)
	}
}
