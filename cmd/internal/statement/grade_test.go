package statement

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// A diary writes the events of a made-up year, in which each month has something
// of its own.
type diary struct {
	lines []string
	seqs  map[string]uint64
}

const (
	officer = `"actor":{"id":"employee:d1","role":"dpo","kind":"human"}`
	about   = `"subjects":[{"id":"candidate:1","role":"candidate"},{"id":"candidate:2","role":"candidate"}],"system":"ats","dataset":"career_cv",` +
		`"categories":["contact"],"purpose":"service_provision","basis":"A6-1-b"`
)

func (d *diary) add(source, kind, at, data string, args ...any) {
	d.seqs[source]++
	d.lines = append(d.lines, event(source, d.seqs[source], kind, at, fmt.Sprintf(data, args...)))
}

func (d *diary) register(kind, data string, args ...any) {
	d.add("/register", "governance."+kind, "2025-01-01T00:00:00.000Z", officer+","+data, args...)
}

// gave is that data were given to a party on a day.
func (d *diary) gave(day, party, role string) {
	d.add("/ats", "data.shared", day+"T10:00:00.000Z", officer+","+about+`,"recipient":{"party":%q,"role":%q}`, party, role)
}

func newDiary() *diary {
	d := &diary{seqs: map[string]uint64{}}
	const place = `"name":"Some Firm","roles":[%q],"country":%q,"storage":[%q],"access":[%q],"assertion":"reconciled","confirmed_at":"2025-01-01"`
	for _, p := range [][3]string{{"home-bank", "client", "BE"}, {"home-host", "processor", "IE"}, {"alpine", "processor", "CH"},
		{"far-dev", "processor", "IN"}, {"deep-host", "subprocessor", "IN"}, {"engaged-host", "processor", "FR"}} {
		d.register("party-registered", `"party":%q,`+place, p[0], p[1], p[2], p[2], p[2])
	}
	d.register("party-registered", `"party":"daughter","parent_country":"US",`+place, "client", "BE", "BE", "BE")
	d.register("party-registered", `"party":"word-only","name":"Some Firm","roles":["client"],"country":"BE","storage":["BE"],"access":["BE"],"assertion":"declared","confirmed_at":"2025-01-01"`)
	d.register("subprocessor-changed", `"party":"engaged-host","subprocessor":"deep-host","state":"authorised","from":"2025-01-01"`)
	d.register("system-registered", `"system":"ats","personal_data":true,"producer":"ats","storage":["BE"],"access":["BE"],"assertion":"observed"`)
	d.register("system-registered", `"system":"wiki","personal_data":false`)
	d.register("policy-published", `"policy":"privacy","version":"3","sha256":"d82d98d509711b7bd15b6c7fe37f6ebb0029dc1f0cb4de71f14ec9b49321d443","effective_from":"2024-05-01T00:00:00Z"`)
	for _, control := range controls()[3:] {
		d.register("control-attested", `"control":%q,"outcome":"effective","unmapped":0,"from":"2025-02-01","to":"2025-02-14"`, control)
		d.register("control-attested", `"control":%q,"outcome":"reconciled","unmapped":0,"from":"2025-02-10","to":"2025-03-01"`, control)
	}
	d.register("control-attested", `"control":"egress_reconciliation","outcome":"effective","unmapped":3,"from":"2025-03-02","to":"2025-03-31"`)
	return d
}

// happened writes the year, day by day.
func (d *diary) happened() {
	for at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() == 2025; at = at.AddDate(0, 0, 1) {
		day := at.Format(time.DateOnly)
		if day == "2025-07-15" {
			d.seqs["/ats"] += 2 // lost
		}
		if day != "2025-04-09" && day != "2025-04-10" {
			d.add("/ats", "ledger.heartbeat", day+"T04:00:00.000Z", `"state":"running"`)
		}
		switch at.Day() {
		case 5:
			d.gave(day, "home-bank", "client")
		case 20:
			d.special(at.Month(), day)
		}
	}
}

// special is what a month has of its own.
func (d *diary) special(month time.Month, day string) {
	switch month {
	case time.May:
		d.gave(day, "ghost", "client")
	case time.June:
		d.gave(day, "alpine", "processor")
	case time.August:
		d.add("/ats", "data.accessed", day+"T10:00:00.000Z", officer+","+about+`,"mode":"view","location":{"access":["US"]},"assertion":"observed"`)
	case time.September:
		d.lines = append(d.lines, event("/ats", 0, "data.shared", day+"T10:00:00.000Z", officer+","+about+`,"recipient":{"party":"home-bank","role":"client"}`))
	case time.October:
		d.gave(day, "daughter", "client")
		d.gave(day, "word-only", "client")
	case time.November:
		d.gave(day, "engaged-host", "processor")
	case time.December:
		d.gave(day, "far-dev", "processor")
		d.gave(day, "deep-host", "subprocessor")
		d.add("/ats", "ledger.corrected", day+"T11:00:00.000Z", officer+`,"corrects":{"source":"/ats","id":"nothing"},"effect":"retract","reason_code":"duplicate"`)
	}
}

func whysOf(s *Statement) (list []string) {
	for _, r := range s.Result.Reasons {
		list = append(list, fmt.Sprintf("%s %s %d", r.Grade, r.Why, r.Count))
	}
	return list
}

// TestGrades: each month is graded for what happened in it, and nothing else.
func TestGrades(t *testing.T) {
	t.Parallel()
	d := newDiary()
	d.happened()
	all := record(t, d.lines...)
	for month, want := range map[string]struct {
		grade, law, policy string
		why                []string
	}{
		"01": {"B", Kept, Kept, []string{"B control 5"}},
		"02": {"A", Kept, Kept, nil},
		"03": {"B", Kept, Kept, []string{"B unmapped 3", "B control 5"}},
		"04": {"C", Unproven, Unproven, []string{"C heartbeat 2", "B control 5"}},
		"05": {"C", Unproven, Unproven, []string{"C unknown 1", "B control 5"}},
		"06": {"F", Kept, Broken, []string{"F transfer 1", "B control 5"}},
		"07": {"C", Unproven, Unproven, []string{"C gap 2", "B control 5"}},
		"08": {"B", Kept, Kept, []string{"B control 5"}},
		"09": {"C", Unproven, Unproven, []string{"C unnumbered 1", "B control 5"}},
		"10": {"B", Kept, Kept, []string{"B control 5", "B declared 1"}},
		"11": {"C", Unproven, Unproven, []string{"C onward 1", "B control 5"}},
		"12": {"F", Broken, Broken, []string{"F transfer 2", "B control 5"}},
	} {
		t.Run(month, func(t *testing.T) {
			first, err := time.Parse(time.DateOnly, "2025-"+month+"-01")
			if err != nil {
				t.Fatal(err)
			}
			s := made(t, all, first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly))
			if s.Result.Grade != want.grade || s.Result.Law != want.law || s.Result.Policy != want.policy || !slices.Equal(whysOf(s), want.why) {
				t.Errorf("%+v %q, want %v", s.Result, whysOf(s), want)
			}
			if absent := len(s.Transfers) == 0; absent != slices.Contains([]string{"01", "02", "03", "04", "07", "08", "09", "10", "11"}, month) {
				t.Errorf("%d transfers", len(s.Transfers))
			}
			if month == "04" && (len(s.Systems) != 2 || !slices.Equal(s.Systems[0].Without, []Days{{"2025-04-09", "2025-04-10"}})) {
				t.Errorf("%+v", s.Systems)
			}
			d.monthly(t, month, s)
		})
	}
	if s := made(t, all, "2024-12-31", "2025-01-01"); !slices.Equal(whysOf(s), []string{"C bare 1", "B control 5"}) {
		t.Errorf("before anything was registered: %q", whysOf(s))
	}
}

// monthly checks what else a month must say.
func (d *diary) monthly(t *testing.T, month string, s *Statement) {
	switch month {
	case "05":
		if want := (Lacking{Party: "ghost", Missing: NoParty, Events: 1, First: "2025-05-20", Last: "2025-05-20"}); len(s.Unknowns.Parties) != 1 || s.Unknowns.Parties[0] != want {
			t.Errorf("%+v", s.Unknowns.Parties)
		}
	case "07":
		g := s.Unknowns.Gaps
		if len(g) != 1 || g[0].To != g[0].From+1 || g[0].After != "2025-07-14" || g[0].Before != "2025-07-15" {
			t.Errorf("%+v", g)
		}
	case "08":
		if len(s.Working) != 1 || s.Working[0].Class != "T1" || s.Working[0].Party != "" || s.Working[0].Persons != 2 || s.class("T1").Law != NA {
			t.Errorf("%+v", s.Working)
		}
	case "10":
		if len(s.Parents) != 1 || s.Parents[0].Party != "daughter" || s.Parents[0].Parent != "US" || s.class("T7").Events != 1 {
			t.Errorf("%+v", s.Parents)
		}
	case "11":
		if len(s.Onward) != 1 || s.Onward[0].How != Registered || !slices.Equal(s.Onward[0].Chain, []string{"engaged-host", "deep-host"}) || !slices.Equal(s.Onward[0].Outside, []string{"IN"}) {
			t.Errorf("%+v", s.Onward)
		}
		if c := s.class("T9"); c.Law != Unproven || c.Policy != Unproven {
			t.Errorf("%+v", c)
		}
	case "12":
		if len(s.Onward) != 1 || s.Onward[0].How != Recorded || s.class("T9").Policy != Broken || len(s.Corrections) != 1 || len(s.Policies) != 1 {
			t.Errorf("%+v %+v %+v", s.Onward, s.Corrections, s.Policies)
		}
	}
}

// TestCosigners: who keeps a key is what was announced last.
func TestCosigners(t *testing.T) {
	t.Parallel()
	who := events.Who{Role: "operator", Token: "op-1"}
	b, key := newBook(), "+"+strings.Repeat("A", 44)
	for i, k := range []events.KeyAnnouncement{
		{Who: who, What: "witness", Key: "one.example/witness+00000001" + key, Operator: "neighbour"},
		{Who: who, What: "witness", Key: "two.example/witness+00000002" + key},
		{Who: who, What: "replay", Key: "three.example/replay+00000003" + key, Operator: "neighbour"},
		{Who: who, What: "replay", Key: "three.example/replay+00000003" + key, Operator: "neighbour", Retired: true},
		{Who: who, What: "replay", Key: "four.example/witness+00000004" + key, Operator: "neighbour"},
	} {
		e, err := k.Event(fmt.Sprint(i), "/custody", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		b.add(&entry{position: uint64(i + 1), st: &events.Stored{Event: e}})
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for key, want := range map[string]Cosigner{
		"one.example/witness+00000001":  {Announced: 1, Operator: "neighbour"},
		"two.example/witness+00000002":  {Announced: 2},
		"one.example/witness+00000002":  {}, // the name of one, the id of another
		"four.example/witness+00000004": {}, // announced for something else
	} {
		want.Key, want.Role, want.At = key, Witness, Instant{Time: at}
		if got := b.cosigner(Cosignature{key, Witness, at}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if got := b.cosigner(Cosignature{"three.example/replay+00000003", Replay, at}); got.Announced != 0 || got.Operator != "" {
		t.Errorf("a retired key: %+v", got)
	}
}
