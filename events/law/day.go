package law

import (
	"errors"
	"math"
	"time"
)

// Day is a whole UTC day, counted from 1970-01-01 (day 0). Days before it are negative.
type Day int32

const (
	// Past is before every day that the tables name; an interval from Past has no known start.
	Past Day = math.MinInt32
	// Forever is after every day; an interval until Forever has no known end.
	Forever Day = math.MaxInt32
)

// ErrDay reports text that is not a calendar day written YYYY-MM-DD. It never holds the text.
var ErrDay = errors.New("law: not a calendar day written YYYY-MM-DD")

// DayOf returns the UTC day in which t falls.
func DayOf(t time.Time) Day {
	const seconds = 24 * 60 * 60
	unix := t.Unix()
	day := unix / seconds
	if unix%seconds < 0 {
		day-- // division truncates, days before 1970 are rounded down
	}
	return Day(day)
}

// ParseDay reads an ISO 8601 calendar day such as "2025-03-15". Its error is [ErrDay].
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, ErrDay // the cause quotes the text
	}
	return DayOf(t), nil
}

// String returns the day as ISO 8601 calendar day; [Past] and [Forever] give their names.
func (d Day) String() string {
	switch d {
	case Past:
		return "past"
	case Forever:
		return "forever"
	}
	return time.Unix(int64(d)*24*60*60, 0).UTC().Format(time.DateOnly)
}

// An Interval is the days from From up to, and without, Until. Its zero value holds no day.
type Interval struct{ From, Until Day }

// Always holds every day.
func Always() Interval { return Interval{Past, Forever} }

// Through returns the days from first up to and with last, as contracts and lists are dated.
func Through(first, last Day) Interval {
	if last == Forever {
		return Interval{first, Forever}
	}
	return Interval{first, last + 1}
}

// Holds reports whether d is one of the days.
func (i Interval) Holds(d Day) bool { return i.From <= d && d < i.Until }

// on is the day of a date in the tables.
func on(year int, month time.Month, day int) Day {
	return DayOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// from is every day since a date; during the days from a date up to and without another.
func from(d Day) Interval          { return Interval{d, Forever} }
func during(d, until Day) Interval { return Interval{d, until} }
