package cli

import (
	"strings"
	"testing"
)

func TestPeriod(t *testing.T) {
	for _, test := range []struct{ zone, from, to, want string }{
		{"Europe/Brussels", "", "", "from the first event to the last"},
		{"Europe/Brussels", "2025-01-01", "2025-01-31", "from 2024-12-31T23:00:00Z (included) to 2025-01-31T23:00:00Z (excluded)"},
		{"Europe/Brussels", "2025-03-30", "2025-03-30", "from 2025-03-29T23:00:00Z (included) to 2025-03-30T22:00:00Z (excluded)"}, // a day of 23 hours
		{"Europe/Brussels", "2025-10-26", "2025-10-26", "from 2025-10-25T22:00:00Z (included) to 2025-10-26T23:00:00Z (excluded)"}, // of 25
		{"UTC", "2025-12-31", "2025-12-31", "from 2025-12-31T00:00:00Z (included) to 2026-01-01T00:00:00Z (excluded)"},
		{"UTC", "2025-01-01T00:00:00.5+01:00", "", "from 2024-12-31T23:00:00.5Z (included) to the last"},
		{"UTC", "2025-01-01", "2025-01-01T12:00:00Z", "from 2025-01-01T00:00:00Z (included) to 2025-01-01T12:00:00Z (excluded)"},
	} {
		p, err := (&session{zone: test.zone}).period(test.from, test.to)
		if err != nil || p.String() != test.want {
			t.Errorf("%s to %s in %s: %v, %v; want %s", test.from, test.to, test.zone, p, err, test.want)
		}
	}
}

func TestPeriodRefused(t *testing.T) {
	for _, test := range []struct{ zone, from, to, want string }{
		{"Europe/Nowhere", "", "", "--tz"},
		{"Local", "", "", "--tz"},
		{"", "", "", "--tz"},
		{"UTC", "2025-02-30", "", "--from"},
		{"UTC", "yesterday", "", "--from"},
		{"UTC", "", "2025-01-01T00:00:00", "--to"},
		{"UTC", "2025-01-02", "2025-01-01", "not before"},
		{"UTC", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "not before"},
	} {
		_, err := (&session{zone: test.zone}).period(test.from, test.to)
		if status(err) != misused || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q to %q in %q: %v, want misuse with %q", test.from, test.to, test.zone, err, test.want)
		}
		if err != nil && test.from != "" && strings.Contains(err.Error(), test.from) {
			t.Errorf("%q is repeated by %v", test.from, err)
		}
	}
}
