package statement

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// TestAgain: an event is decided again by all that was registered, whenever it was,
// as of its own day.
func TestAgain(t *testing.T) {
	t.Parallel()
	d := newDiary()
	d.gave("2025-06-05", "late", "client")
	d.gave("2025-06-06", "far-dev", "processor")
	d.gave("2025-06-07", "far-dev", "processor")
	d.gave("2025-06-08", "home-host", "processor")
	d.add("/ats", "data.used", "2025-06-09T10:00:00.000Z", officer+","+about)
	d.register("party-registered", `"party":"late","name":"Some Firm","roles":["client"],"country":"BE","storage":["BE"],"access":["BE"]`)
	d.register("party-registered", `"party":"home-host","name":"Some Firm","roles":["processor"],"country":"IE","storage":["IE"],"access":["IN"]`)
	d.register("transfer-tool-registered", `"party":"far-dev","tool":"A46-2-c","tool_ref":"scc:1","tia_ref":"tia:1","from":"2025-06-07"`)
	all := record(t, d.lines...)
	s := made(t, all, "2025-06-01", "2025-06-30")
	var got []string
	for _, x := range s.Again.Differences {
		got = append(got, x.Was+" "+x.Now)
	}
	if s.Again.Events != 4 || s.Again.Same != 1 || !slices.Equal(got, []string{"T0 T5", "T5 T3", "U T0"}) {
		t.Errorf("%+v", s.Again)
	}
	if !slices.Contains(whysOf(s), "C again 1") {
		t.Errorf("%q", whysOf(s)) // what was inside when it was recorded, and is not any more
	}
}

// TestLost: positions that were lost, and what was refused, count if it was on days
// that touch the range.
func TestLost(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return day
	}
	for days, want := range map[[3]string][2]int{ // of the event before, of the gap, of the refusals
		{"2025-05-30", "2025-05-31", "2025-05-31"}: {0, 0},
		{"2025-05-30", "2025-06-01", "2025-06-01"}: {1, 1},
		{"2025-05-30", "2025-07-15", "2025-06-30"}: {1, 1},
		{"2025-06-30", "2025-07-01", "2025-07-01"}: {1, 0},
		{"2025-07-01", "2025-07-02", "2025-07-02"}: {0, 0},
	} {
		l := newLosses(span{day(t, "2025-06-01"), day(t, "2025-06-30")})
		gap, err := events.Gap{Cause: "restore", From: 2, To: 5}.Event("2", ownSource, at(days[1]))
		if err != nil {
			t.Fatal(err)
		}
		refused := events.Refusals{Producer: "ats", From: at(days[2]), To: at(days[2]).Add(time.Minute), Types: map[string]int64{"bad-format": 2, "too-large": 1}}.Event("3", ownSource, at(days[2]))
		l.add(&entry{position: 1, st: &events.Stored{Event: refused, Recorded: at(days[0])}})
		l.add(&entry{position: 2, st: &events.Stored{Event: gap, Recorded: at(days[1])}})
		if len(l.lost) != want[0] || len(l.refused()) != 2*want[1] {
			t.Errorf("%v: %+v %+v", days, l.lost, l.refused())
		}
	}
}

// TestBehind: a chain is followed as far as it goes, on the days asked for, and not
// in circles.
func TestBehind(t *testing.T) {
	t.Parallel()
	d := newDiary()
	engaged := func(party, sub, state, from string) {
		d.register("subprocessor-changed", `"party":%q,"subprocessor":%q,"state":%q,"from":%q`, party, sub, state, from)
	}
	engaged("home-host", "engaged-host", "declared", "2025-01-01")
	engaged("engaged-host", "home-host", "declared", "2025-01-01")
	engaged("home-host", "nobody", "declared", "2025-06-10")
	engaged("home-host", "nobody", "ended", "2025-06-20")
	engaged("home-host", "refused", "objected", "2025-01-01")
	d.register("party-registered", `"party":"below","name":"Some Firm","roles":["subprocessor"],"country":"IN","subprocessor_of":["alpine"]`)
	d.gave("2025-07-05", "alpine", "processor")
	d.gave("2025-06-05", "home-host", "processor")
	d.gave("2025-06-12", "home-host", "processor")
	d.gave("2025-06-25", "home-host", "processor")
	all := record(t, d.lines...)
	for days, want := range map[[2]string][]string{
		{"2025-06-01", "2025-06-09"}: {"home-host engaged-host deep-host"},
		{"2025-06-10", "2025-06-15"}: {"home-host engaged-host deep-host", "home-host nobody"},
		{"2025-06-01", "2025-06-30"}: {"home-host engaged-host deep-host", "home-host nobody"},
		{"2025-06-20", "2025-06-30"}: {"home-host engaged-host deep-host"},
		{"2025-07-01", "2025-07-31"}: {"alpine below"},
	} {
		s := made(t, all, days[0], days[1])
		var got []string
		for _, o := range s.Onward {
			got = append(got, strings.Join(o.Chain, " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %q", days, got)
		}
	}
}

// TestAnnounced: what a heartbeat says was numbered, and never came, is missing.
func TestAnnounced(t *testing.T) {
	t.Parallel()
	lines := []string{
		event("/ats", 1, "ledger.heartbeat", "2025-06-01T04:00:00.000Z", `"state":"running","last":1`),
		event("/ats", 0, "ledger.heartbeat", "2025-06-03T04:00:00.000Z", `"state":"running","last":4`),
		event("/ats", 6, "ledger.heartbeat", "2025-06-04T04:00:00.000Z", `"state":"running","last":6`),
	}
	s := made(t, record(t, lines...), "2025-06-02", "2025-06-03")
	want := []Gap{{"ats", "", 2, 4, "2025-06-01", "2025-06-03"}, {"ats", "", 5, 5, "2025-06-03", "2025-06-04"}}
	if !slices.Equal(s.Unknowns.Gaps, want) || s.Unknowns.Producers[0].Missing != 4 || s.Unknowns.Producers[0].Unnumbered != 1 {
		t.Errorf("%+v", s.Unknowns)
	}
}
