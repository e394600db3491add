package coverage

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// The oracle answers from the whole list of events, each question on its own, with sets of numbers.

func known(list []*projections.Event, until uint64) []*projections.Event {
	return list[:min(uint64(len(list)), until)]
}

func wantSeen(list []*projections.Event) Seen {
	first, last := list[0], list[len(list)-1]
	times := make([]time.Time, len(list))
	for i, e := range list {
		times[i] = e.Stored.Event.At.Truncate(time.Millisecond)
	}
	return Seen{
		Received: uint64(len(list)), FirstPosition: first.Position, LastPosition: last.Position,
		FirstRecorded: first.Stored.Recorded, LastRecorded: last.Stored.Recorded,
		First: slices.MinFunc(times, time.Time.Compare), Last: slices.MaxFunc(times, time.Time.Compare),
	}
}

func wantProducers(list []*projections.Event) (want []Producer) {
	bySource := map[string]map[string][]*projections.Event{}
	all := map[string][]*projections.Event{}
	for _, e := range list {
		ev := e.Stored.Event
		if ev.Source == ownSource {
			continue
		}
		code := ev.Source[1:]
		if bySource[code] == nil {
			bySource[code] = map[string][]*projections.Event{}
		}
		bySource[code][ev.Instance] = append(bySource[code][ev.Instance], e)
		all[code] = append(all[code], e)
	}
	for _, code := range slices.Sorted(maps.Keys(bySource)) {
		p := Producer{Producer: code, Seen: wantSeen(all[code])}
		for _, instance := range slices.Sorted(maps.Keys(bySource[code])) {
			i := wantInstance(bySource[code][instance])
			i.Instance = instance
			p.Missing += i.MissingAll
			p.Instances = append(p.Instances, i)
		}
		want = append(want, p)
	}
	return want
}

func wantInstance(list []*projections.Event) Instance {
	i := Instance{Seen: wantSeen(list), Missing: []Range{}}
	have := map[uint64]bool{}
	for n, e := range list {
		ev := e.Stored.Event
		switch {
		case ev.Seq == 0:
			i.Unnumbered++
		case have[ev.Seq]:
			i.Repeated++
		case ev.Seq < i.Highest:
			i.Late++
		}
		have[ev.Seq], i.Highest = true, max(i.Highest, ev.Seq)
		if n > 0 {
			before := list[n-1].Stored.Recorded
			if s := e.Stored.Recorded.Sub(before).Seconds(); s > i.LongestPause.Seconds {
				i.LongestPause = Pause{Seconds: s, Since: before}
			}
		}
		i.Stopped = false
		if ev.Kind == events.LedgerHeartbeat {
			state := ev.Data.Get("state").Text()
			i.Heartbeats++
			i.Heartbeat = &Heartbeat{State: state, Recorded: e.Stored.Recorded}
			i.Announced = max(i.Announced, uint64(ev.Data.Get("last").Int()))
			i.Stopped = state == "stopped"
		}
	}
	for n := uint64(1); n <= i.Highest; n++ {
		if have[n] {
			continue
		}
		i.MissingAll++
		if last := len(i.Missing) - 1; last >= 0 && i.Missing[last].To == n-1 {
			i.Missing[last].To = n
		} else {
			i.Missing = append(i.Missing, Range{n, n})
		}
	}
	return i
}

func wantUnregistered(list []*projections.Event) (want []Unregistered) {
	since, named := map[string]uint64{}, map[string][]*projections.Event{}
	for _, e := range list {
		ev := e.Stored.Event
		recipient, actor := ev.Data.Get("recipient").Object(), ev.Data.Get("actor").Object()
		codes := map[string]bool{}
		if recipient.Get("role").Text() != "subject" {
			codes[recipient.Get("party").Text()] = true
		}
		if kind := actor.Get("kind").Text(); ev.Kind.Family() == "data" && (kind == "processor" || kind == "contractor") {
			codes[actor.Get("party").Text()] = true
		}
		delete(codes, "")
		for code := range codes {
			if since[code] == 0 {
				named[code] = append(named[code], e)
			}
		}
		if code := ev.Data.Get("party").Text(); ev.Kind == events.GovernancePartyRegistered && since[code] == 0 {
			since[code] = e.Position
		}
	}
	for _, code := range slices.Sorted(maps.Keys(named)) {
		want = append(want, Unregistered{Party: code, Seen: wantSeen(named[code]), Registered: since[code]})
	}
	return want
}

func wantRefusals(list []*projections.Event) (want []Refused) {
	type of struct{ producer, word string }
	sums := map[of]Refused{}
	for _, e := range list {
		d := e.Stored.Event.Data
		if e.Stored.Event.Kind != events.LedgerRefused {
			continue
		}
		from, _ := time.Parse(time.RFC3339, d.Get("from").Text())
		to, _ := time.Parse(time.RFC3339, d.Get("to").Text())
		for _, v := range d.Get("types").List() {
			k := of{d.Get("producer").Text(), v.Object().Get("type").Text()}
			s, ok := sums[k]
			if !ok {
				s = Refused{Producer: k.producer, Type: k.word, First: from, Last: to}
			}
			s.Count += uint64(v.Object().Get("count").Int())
			s.First, s.Last = slices.MinFunc([]time.Time{s.First, from}, time.Time.Compare), slices.MaxFunc([]time.Time{s.Last, to}, time.Time.Compare)
			s.Position = e.Position
			sums[k] = s
		}
	}
	return slices.SortedFunc(maps.Values(sums), func(a, b Refused) int {
		return cmp.Or(cmp.Compare(a.Producer, b.Producer), cmp.Compare(a.Type, b.Type))
	})
}

// all gathers what an answer yields.
func all[T any](t testing.TB, seq func(func(T, error) bool)) (list []T) {
	t.Helper()
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}
