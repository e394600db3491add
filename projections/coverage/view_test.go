package coverage

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/year"
)

// agrees holds every answer of a reader against the oracle, as known at a position.
func agrees(t testing.TB, r *Reader, list []*projections.Event, until uint64) {
	t.Helper()
	list = known(list, until)
	same(t, until, "producers", all(t, r.Producers(until)), wantProducers(list))
	same(t, until, "unregistered", all(t, r.Unregistered(until)), wantUnregistered(list))
	same(t, until, "refusals", all(t, r.Refusals(until)), wantRefusals(list))
}

func same[T any](t testing.TB, until uint64, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("until %d, %s:\n got %+v\nwant %+v", until, what, got, want)
	}
}

// TestAgainstAll folds random events with random flushes, some of them lost, and holds every answer, as known at
// every position, against all events.
func TestAgainstAll(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := recorded(t, shapes(rt))
		db := database(t)
		defer db.Close()
		folded(t, db, view(rapid.IntRange(1, 5).Draw(rt, "block")), list,
			func() int { return rapid.IntRange(1, 40).Draw(rt, "flush") }, func() bool { return rapid.Bool().Draw(rt, "lost") })
		reading(t, db, func(r *Reader) {
			for until := range uint64(len(list) + 2) {
				agrees(t, r, list, until)
			}
			agrees(t, r, list, 1<<64-1)
		})
	})
}

// shapes draws what some instances of some producers send: numbers with losses, delays, repeats and restarts,
// events without a number, heartbeats; and parties named, registered and named again, and refusals.
func shapes(t *rapid.T) (list []shape) {
	type instance struct{ source, name string }
	next, delayed := map[instance]uint64{}, map[instance][]uint64{}
	for range rapid.IntRange(0, 120).Draw(t, "events") {
		i := instance{rapid.SampledFrom([]string{"/ats", "/ats-x", "/crm"}).Draw(t, "source"),
			rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "instance")}
		s := shape{Source: i.source, Instance: i.name,
			Late:  time.Duration(rapid.IntRange(0, 5000).Draw(t, "late")) * 777 * time.Microsecond,
			Pause: time.Duration(rapid.IntRange(0, 9).Draw(t, "pause")) * time.Millisecond}
		switch rapid.IntRange(0, 11).Draw(t, "way") {
		case 0: // lost
			next[i] += uint64(rapid.IntRange(1, 3).Draw(t, "lost"))
		case 1: // delayed
			next[i]++
			delayed[i] = append(delayed[i], next[i])
			continue
		case 2, 3: // came late
			if n := len(delayed[i]); n > 0 {
				k := rapid.IntRange(0, n-1).Draw(t, "which")
				s.Seq = delayed[i][k]
				delayed[i] = append(delayed[i][:k:k], delayed[i][k+1:]...)
			}
		case 4: // again, or whatever
			s.Seq = uint64(rapid.IntRange(0, 30).Draw(t, "any"))
		case 5: // begins anew
			next[i] = 0
		default:
			next[i]++
			s.Seq = next[i]
		}
		s.Type, s.Data = content(t)
		list = append(list, s)
	}
	return list
}

func content(t *rapid.T) (typ, data string) {
	party := func() string { return rapid.SampledFrom([]string{"acme", "acme-x", "ghost"}).Draw(t, "party") }
	switch rapid.IntRange(0, 9).Draw(t, "content") {
	case 0:
		state := rapid.SampledFrom([]string{`"started"`, `"running"`, `"stopped"`, `"running","last":7`, `"stopped","last":12`}).Draw(t, "state")
		return "ledger.heartbeat", `{"state":` + state + `}`
	case 1, 2:
		role := rapid.SampledFrom([]string{"client", "processor", "subject"}).Draw(t, "role")
		actor := rapid.SampledFrom([]string{`"kind":"human","party":"ghost"`, `"kind":"processor","party":"acme"`, `"kind":"contractor","party":"acme-x"`}).Draw(t, "actor")
		return "data.shared", `{"subjects":[{"id":"0000","role":"candidate"}],"actor":{"id":"0001","role":"recruiter",` + actor + `},` +
			`"system":"ats","dataset":"cv","categories":["contact"],"purpose":"placement","basis":"A6-1-b",` +
			`"recipient":{"party":"` + party() + `","role":"` + role + `"}}`
	case 3:
		return "governance.party-registered", `{"actor":{"id":"0000","role":"dpo"},"party":"` + party() + `","name":"A","roles":["client"],"country":"BE"}`
	case 4:
		return "data.accessed", `{"subjects":[{"id":"0000","role":"candidate"}],"actor":{"id":"0001","role":"engineer","kind":"processor","party":"` + party() + `"},` +
			`"system":"ats","dataset":"cv","categories":["contact"],"purpose":"placement","basis":"A6-1-b","mode":"view"}`
	case 5: // no handling of data
		return "governance.system-registered", `{"actor":{"id":"0001","role":"engineer","kind":"processor","party":"` + party() + `"},"system":"ats","personal_data":true}`
	}
	return "", ""
}

// TestYear holds the year's gaps and unregistered parties against what is known of it.
func TestYear(t *testing.T) {
	list := year.Load(t, "../..")
	db := database(t)
	folded(t, db, View(), list, func() int { return 997 }, func() bool { return false })
	gaps := map[string][]uint64{"ats": {20, 376, 1854, 3195, 3227, 7203, 7509, 7578}, "crm": {530}}
	reading(t, db, func(r *Reader) {
		for until := uint64(0); until <= uint64(len(list))+500; until += 1500 {
			agrees(t, r, list, until)
		}
		for p := range r.Producers(uint64(len(list))) {
			var missing []uint64
			for _, g := range p.Instances[0].Missing {
				for n := g.From; n <= g.To; n++ {
					missing = append(missing, n)
				}
			}
			if !reflect.DeepEqual(missing, gaps[p.Producer]) {
				t.Errorf("%s misses %v, want %v", p.Producer, missing, gaps[p.Producer])
			}
		}
		never := []string{}
		for u := range r.Unregistered(uint64(len(list))) {
			if u.Registered == 0 {
				never = append(never, u.Party)
			}
		}
		if !reflect.DeepEqual(never, []string{"ghost-saas"}) {
			t.Errorf("never registered: %v", never)
		}
	})
}

// refused appends events of the ledger that say what it refused.
func refused(list []*projections.Event) []*projections.Event {
	for i, types := range []map[string]int64{{"bad-format": 2}, {"bad-format": 3, "personal-data": 1}, {"too-large": 1}} {
		at := begin().Add(time.Duration(i) * time.Minute)
		producer := []string{"ats", "ats", "unregistered"}[i]
		e := events.Refusals{Producer: producer, From: at.Add(-time.Second), To: at, Types: types}.Event("r", ownSource, at)
		list = append(list, &projections.Event{Position: uint64(len(list)) + 1, Stored: &events.Stored{Event: e, Recorded: at}})
	}
	return list
}

// TestRefusals counts refusals by producer and type, over several events of the ledger.
func TestRefusals(t *testing.T) {
	list := refused(nil)
	for flush := 1; flush <= 3; flush++ {
		db := database(t)
		folded(t, db, View(), list, func() int { return flush }, func() bool { return true })
		reading(t, db, func(r *Reader) {
			for until := range uint64(5) {
				agrees(t, r, list, until)
			}
			if got := all(t, r.Refusals(2)); len(got) != 2 || got[0].Count != 5 || got[0].Type != "bad-format" || !got[0].First.Equal(begin().Add(-time.Second)) {
				t.Errorf("refusals %+v", got)
			}
			if got := all(t, r.Producers(3)); got != nil {
				t.Errorf("the ledger is no producer: %+v", got)
			}
		})
	}
}

// TestEmpty asks a file without events.
func TestEmpty(t *testing.T) {
	reading(t, database(t), func(r *Reader) { agrees(t, r, nil, 1<<64-1) })
}

// TestSilence orders instances by how long they are silent, and says who said that it would be.
func TestSilence(t *testing.T) {
	list := recorded(t, []shape{
		{Source: "/ats", Seq: 1},
		{Source: "/crm", Seq: 1, Pause: time.Minute},
		{Source: "/ats", Seq: 2, Pause: time.Minute},
		{Source: "/crm", Seq: 2, Pause: time.Minute, Type: "ledger.heartbeat", Data: `{"state":"stopped"}`},
	})
	db := database(t)
	folded(t, db, View(), list, func() int { return 3 }, func() bool { return false })
	reading(t, db, func(r *Reader) {
		got, err := r.Silence(4, begin().Add(10*time.Minute))
		want := []Silence{
			{Producer: "ats", Since: begin().Add(2 * time.Minute), Seconds: 480, Longest: 120},
			{Producer: "crm", Since: begin().Add(3 * time.Minute), Seconds: 420, Longest: 120, Stopped: true},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		got, err = r.Silence(2, begin().Add(10*time.Minute))
		if err != nil || len(got) != 2 || got[1].Stopped || got[0].Seconds != 600 {
			t.Errorf("known at 2: %+v, %v", got, err)
		}
	})
}
