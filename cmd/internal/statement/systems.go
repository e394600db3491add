package statement

import (
	"maps"
	"slices"
	"strings"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/law"
)

// systems counts events by system and day, and heartbeats by producer and day.
type systems struct {
	span
	days  map[string]map[law.Day]*SystemDay // by system; "" is none named
	told  map[string]map[string]bool        // producers that reported of a system
	beats map[string]map[law.Day]uint64     // by producer
}

func newSystems(s span) *systems {
	return &systems{span: s, days: map[string]map[law.Day]*SystemDay{}, told: map[string]map[string]bool{}, beats: map[string]map[law.Day]uint64{}}
}

// add takes in an event. Those that name no system count only if they have a class.
func (s *systems) add(e *entry) {
	if !e.inside {
		return
	}
	ev := e.st.Event
	producer := strings.TrimPrefix(ev.Source, "/")
	if ev.Kind == events.LedgerHeartbeat {
		if s.beats[producer] == nil {
			s.beats[producer] = map[law.Day]uint64{}
		}
		s.beats[producer][e.day]++
		return
	}
	name := ev.Data.Get("system").Text()
	if ev.Kind.Family() == "governance" || name == "" && e.class == law.None {
		return // what is said about a system is not said by it
	}
	if s.days[name] == nil {
		s.days[name], s.told[name] = map[law.Day]*SystemDay{}, map[string]bool{}
	}
	day := s.days[name][e.day]
	if day == nil {
		day = &SystemDay{Day: dayOf(e.day)}
		s.days[name][e.day] = day
	}
	day.Events++
	if e.class != law.None {
		day.Examined++
	}
	s.told[name][producer] = true
}

// rows are the systems that something was recorded of in the range, and those that
// were registered in it, by code.
func (s *systems) rows(b *book) (rows []System) {
	names := map[string]bool{}
	for name := range s.days {
		names[name] = true
	}
	for name := range b.systems {
		if _, ok := b.systemOn(name, s.to); ok {
			names[name] = true
		}
	}
	for _, name := range sortedKeys(names) {
		rows = append(rows, s.row(b, name))
	}
	return rows
}

func (s *systems) row(b *book, name string) System {
	row := System{System: name, Producers: slices.Sorted(maps.Keys(s.told[name]))}
	if last, ok := b.systemOn(name, s.to); ok {
		row.Registered, row.Personal, row.Producers = last.position, last.personal, nil
		if last.producer != "" {
			row.Producers = []string{last.producer}
		}
	}
	for d := s.from; d <= s.to; d++ {
		registered, ok := b.systemOn(name, d)
		beats := s.beats[registered.producer][d]
		if !ok {
			for producer := range s.told[name] {
				beats += s.beats[producer][d]
			}
		}
		row.add(s.days[name][d], d, beats, ok && registered.personal)
	}
	return row
}

// add adds a day: what came, and whether a heartbeat was to come.
func (row *System) add(came *SystemDay, d law.Day, beats uint64, expected bool) {
	if came == nil {
		came = &SystemDay{Day: dayOf(d)}
	}
	if came.Heartbeats = beats; came.Events+beats > 0 {
		row.Days = append(row.Days, *came)
	}
	if !expected {
		return
	}
	if row.Expected++; beats == 0 {
		row.Without = extend(row.Without, d)
	}
}

// extend adds a day to days, the last of which may end the day before.
func extend(days []Days, d law.Day) []Days {
	if n := len(days); n > 0 && days[n-1].To == dayOf(d-1) {
		days[n-1].To = dayOf(d)
		return days
	}
	return append(days, Days{dayOf(d), dayOf(d)})
}

// bare are the days of the range on which no system with personal data is
// registered.
func (s *systems) bare(b *book) (days []Days) {
	for d := s.from; d <= s.to; d++ {
		reported := false
		for name := range b.systems {
			registered, ok := b.systemOn(name, d)
			reported = reported || ok && registered.personal
		}
		if !reported {
			days = extend(days, d)
		}
	}
	return days
}
