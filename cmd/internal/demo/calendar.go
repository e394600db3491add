package demo

import (
	"fmt"
	"time"
	_ "time/tzdata" // a year in Brussels must be the same where there are no time zones
)

// A span is from its first moment to the first after it.
type span struct{ from, to time.Time }

// first and last are its days as --from and --to take them.
func (s span) first() string { return s.from.Format(time.DateOnly) }
func (s span) last() string  { return s.to.AddDate(0, 0, -1).Format(time.DateOnly) }

// A calendar is when things happen. Its moments are midnights in Brussels.
type calendar struct {
	start, end time.Time
	// The last three calendar quarters that lie wholly in the year.
	mixed, broken, clean span
	late                 span // the month that evidence comes late for: the last one of mixed
}

// The years of which all that the stories say of the law is so.
const earliest, latest = 2025, 2100

func newCalendar(until string) (calendar, error) {
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		return calendar{}, fmt.Errorf("finding the time zone: %w", err)
	}
	end, err := time.ParseInLocation(time.DateOnly, until, zone)
	if err != nil || end.Year() < earliest || end.Year() > latest {
		return calendar{}, fmt.Errorf("%w: it ends on a day from %d-01-01 to %d-12-31, as YYYY-MM-DD", ErrSpec, earliest, latest)
	}
	c := calendar{start: end.AddDate(-1, 0, 0), end: end}
	quarter := time.Date(end.Year(), (end.Month()-1)/3*3+1, 1, 0, 0, 0, 0, zone)
	for _, s := range []*span{&c.clean, &c.broken, &c.mixed} {
		*s = span{quarter.AddDate(0, -3, 0), quarter}
		quarter = s.from
	}
	c.late = span{c.mixed.to.AddDate(0, -1, 0), c.mixed.to}
	return c, nil
}

// on is a time of a day that begins at midnight.
func on(midnight time.Time, hour, minute int) time.Time {
	return time.Date(midnight.Year(), midnight.Month(), midnight.Day(), hour, minute, 0, 0, midnight.Location())
}

// workday is the first day from a midnight on that offices are open.
func workday(midnight time.Time) time.Time {
	for closed(midnight) {
		midnight = midnight.AddDate(0, 0, 1)
	}
	return midnight
}

// closed reports whether offices are: at weekends and on Belgian holidays of fixed date.
func closed(t time.Time) bool {
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		return true
	}
	switch t.Format("01-02") {
	case "01-01", "05-01", "07-21", "08-15", "11-01", "11-11", "12-25":
		return true
	}
	return false
}

// An hour of the year, and how much happens in it.
type hour struct {
	begins time.Time
	busy   int  // in hundredths of a workday's busiest ones
	office bool // people are at work; at other times mostly services are
}

// hours are all of them. Nothing is left to happen before the register is written.
func (c calendar) hours() []hour {
	workday := [24]int{1, 1, 1, 1, 1, 2, 4, 20, 70, 100, 105, 95, 50, 80, 100, 95, 85, 45, 15, 8, 6, 4, 2, 1}
	var list []hour
	for t := c.start; t.Before(c.end); t = t.Add(time.Hour) {
		h := hour{begins: t, busy: workday[t.Hour()], office: t.Hour() >= 7 && t.Hour() < 20}
		if closed(t) {
			h.busy = max(1, h.busy/15)
		}
		if len(list) < quietHours {
			h.busy = 0
		}
		list = append(list, h)
	}
	return list
}

// quietHours is how long the register is being written at the beginning.
const quietHours = 2
