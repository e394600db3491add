package cli

import (
	"fmt"
	"time"
)

// period is a span of time; a zero end is open.
type period struct{ since, until time.Time }

// period reads --from and --to. Each is a day of the zone, which is inside, or
// an RFC 3339 instant: from is inside, to is not.
func (s *session) period(from, to string) (period, error) {
	zone, err := s.location()
	if err != nil {
		return period{}, err
	}
	var p period
	if p.since, err = moment("from", from, zone, 0); err != nil {
		return period{}, err
	}
	if p.until, err = moment("to", to, zone, 1); err != nil {
		return period{}, err
	}
	if !p.since.IsZero() && !p.until.IsZero() && !p.since.Before(p.until) {
		return period{}, misuse("--from is not before --to")
	}
	return p, nil
}

// location is the zone of --tz.
func (s *session) location() (*time.Location, error) {
	zone, err := time.LoadLocation(s.zone)
	if err != nil || s.zone == "" || s.zone == "Local" {
		return nil, misuse("--tz is not the name of a time zone, such as Europe/Brussels or UTC")
	}
	return zone, nil
}

// moment reads a day, as the midnight that begins it or, for days 1, the one
// that ends it, or an instant.
func moment(flag, text string, zone *time.Location, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return time.Date(day.Year(), day.Month(), day.Day()+days, 0, 0, 0, 0, zone), nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	return time.Time{}, misuse("--%s takes a day such as 2025-03-31, or an instant such as 2025-03-31T09:00:00Z", flag)
}

// String says what was understood, in UTC.
func (p period) String() string {
	from, to := "the first event", "the last"
	if !p.since.IsZero() {
		from = instant(p.since) + " (included)"
	}
	if !p.until.IsZero() {
		to = instant(p.until) + " (excluded)"
	}
	return fmt.Sprintf("from %s to %s", from, to)
}

// instant is RFC 3339 in UTC, as the server takes it.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// shown is how a table shows an instant that came as RFC 3339.
func shown(text string, zone *time.Location) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return t.In(zone).Format("2006-01-02 15:04:05.000")
}
