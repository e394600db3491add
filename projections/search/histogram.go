package search

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"time"
)

// A Unit is what a histogram has a bucket for.
type Unit uint8

// The units. Weeks begin on Monday (ISO 8601).
const (
	Hour Unit = 1 + iota
	Day
	Week
	Month
	Quarter
	Year
)

// ParseUnit finds a unit by its name: hour, day, week, month, quarter, year.
func ParseUnit(name string) (Unit, bool) {
	i := slices.Index(unitNames[:], name)
	return Unit(i), i > 0
}

// String is the unit's name; "" for no unit.
func (u Unit) String() string {
	if int(u) >= len(unitNames) {
		return ""
	}
	return unitNames[u]
}

// ErrUnit reports a unit that there is not.
var ErrUnit = errors.New("search: no such unit")

var unitNames = [...]string{Hour: "hour", Day: "day", Week: "week", Month: "month", Quarter: "quarter", Year: "year"}

// A Bucket is how many events fell into an hour, a day, … of a zone.
type Bucket struct {
	Start time.Time // its first instant, in the zone
	Count uint64
}

// Histogram counts the events that match by event time, as clocks and calendars in the zone show it: the hour that a
// clock goes back over is two buckets, a day of 23 or 25 hours is one. Buckets ascend; empty ones are left out.
// It reads the times of all events that match.
func (r *Reader) Histogram(f Filter, zone *time.Location, unit Unit) ([]Bucket, error) {
	if unit < Hour || unit > Year {
		return nil, fmt.Errorf("unit %d: %w", unit, ErrUnit)
	}
	h := histogram{zone: zone, hours: unit == Hour, counts: map[int64]uint64{}}
	if err := r.eachBlock(f, h.block); err != nil {
		return nil, err
	}
	h.settle()
	return h.buckets(unit), nil
}

const (
	hourMillis = 60 * 60 * 1000
	dayMillis  = 24 * hourMillis
)

// A histogram counts by the hour's first instant, in milliseconds since 1970, or by the day of the calendar, since then.
type histogram struct {
	zone    *time.Location
	hours   bool
	counts  map[int64]uint64
	periods []period // those of the zone that were needed, the last one first

	current   int64  // key that is being counted
	low, high int64  // instants that have it, high excluded; there may be others
	run       uint64 // not in counts yet
}

// A period is one in which clocks in a zone differ from UTC by the same: instants in milliseconds, until excluded.
type period struct{ from, until, offset int64 }

func (p period) has(at int64) bool { return p.from <= at && at < p.until }

// block counts the events of a block; if all have one key, without reading them.
func (h *histogram) block(b *block) error {
	h.turn(b.least)
	if b.all && h.low <= b.least && b.greatest < h.high {
		h.run += b.count
		return nil
	}
	return b.times(h.add)
}

func (h *histogram) add(at int64) {
	if at < h.low || h.high <= at {
		h.turn(at)
	}
	h.run++
}

// turn goes on with the key of an instant.
func (h *histogram) turn(at int64) {
	h.settle()
	p := h.period(at)
	if !h.hours {
		h.current = floor(at+p.offset, dayMillis)
		h.low = h.current*dayMillis - p.offset
		h.high = h.low + dayMillis
	} else {
		h.low = floor(at+p.offset, hourMillis)*hourMillis - p.offset
		h.high = h.low + hourMillis
		if h.current = h.low; h.low < p.from && h.period(h.low).offset != p.offset {
			h.current = p.from // clocks changed within the hour: it begins anew
		}
	}
	h.low, h.high = max(h.low, p.from), min(h.high, p.until)
}

func (h *histogram) settle() {
	if h.run > 0 {
		h.counts[h.current] += h.run
	}
	h.run = 0
}

func (h *histogram) period(at int64) period {
	for i, p := range h.periods {
		if p.has(at) {
			h.periods[0], h.periods[i] = p, h.periods[0]
			return p
		}
	}
	p := periodOf(at, h.zone)
	if p.has(at) {
		h.periods = append(h.periods, p)
	}
	return p
}

// periodOf is the period of an instant, or a part of it: beyond its table, the time package begins one with each year,
// and one that ends before the last day of a leap year still when asked about that day.
func periodOf(at int64, zone *time.Location) period {
	t := time.UnixMilli(at).In(zone)
	_, offset := t.Zone()
	p := period{math.MinInt64, math.MaxInt64, int64(offset) * 1000}
	from, until := t.ZoneBounds()
	if !from.IsZero() {
		p.from = from.UnixMilli()
	}
	if !until.IsZero() {
		p.until = until.UnixMilli()
	}
	return p
}

func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

func (h *histogram) buckets(unit Unit) []Bucket {
	counts := h.counts
	if !h.hours {
		counts = make(map[int64]uint64, len(h.counts))
		for day, n := range h.counts {
			counts[unit.firstDay(day)] += n
		}
	}
	buckets := make([]Bucket, 0, len(counts))
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		start := key
		if !h.hours {
			start = startOf(key, h.zone)
		}
		buckets = append(buckets, Bucket{time.UnixMilli(start).In(h.zone), counts[key]})
	}
	return buckets
}

// firstDay is the first day of the week, month, … that a day is in, in days since 1970.
func (u Unit) firstDay(day int64) int64 {
	t := time.UnixMilli(day * dayMillis).UTC()
	year, month, date := t.Date()
	switch u {
	case Week:
		return day - int64(t.Weekday()+6)%7
	case Month:
		date = 1
	case Quarter:
		month, date = month-(month-1)%3, 1
	case Year:
		month, date = 1, 1
	}
	return floor(time.Date(year, month, date, 0, 0, 0, 0, time.UTC).UnixMilli(), dayMillis)
}

// startOf is the first instant of a day, or of the first day after it that the zone has, in milliseconds. Where clocks
// go back over midnight, it is that of the second time.
func startOf(day int64, zone *time.Location) int64 {
	const near = 2 * dayMillis // more than any offset
	n := sort.Search(2*near, func(i int) bool {
		at := time.UnixMilli(day*dayMillis - near + int64(i)).In(zone)
		_, offset := at.Zone()
		return floor(at.UnixMilli()+int64(offset)*1000, dayMillis) >= day
	})
	return day*dayMillis - near + int64(n)
}
