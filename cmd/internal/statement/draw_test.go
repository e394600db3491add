package statement

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/imalink/custody/events"
)

// A drawn is a ledger drawn by chance: stored events whose facts, days and numbers
// have nothing to do with each other.
type drawn struct {
	tb      testing.TB
	t       *rapid.T
	all     []events.Record
	parties map[string]uint64 // position of the last registration
	seqs    map[track]uint64
	now     time.Time // recorded time
}

// The days that events are drawn from: some before the range, some behind it.
const (
	firstDrawn = "2025-06-20"
	fromDrawn  = "2025-07-01"
	toDrawn    = "2025-07-20"
)

func draw(tb testing.TB, t *rapid.T) []events.Record {
	d := &drawn{tb: tb, t: t, parties: map[string]uint64{}, seqs: map[track]uint64{}, now: time.Date(2025, 7, 15, 0, 0, 0, 0, time.UTC)}
	for range rapid.IntRange(1, 60).Draw(t, "events") {
		d.event()
	}
	return d.all
}

func (d *drawn) pick(label string, words ...string) string {
	return rapid.SampledFrom(words).Draw(d.t, label)
}

func (d *drawn) country() string {
	return d.pick("country", "BE", "IE", "US", "CH", "IN", "ZZ", "NC", "IS")
}

// position is that of the next event.
func (d *drawn) position() uint64 { return uint64(len(d.all)) + 1 }

// event adds one event.
func (d *drawn) event() {
	first, _ := time.Parse(time.DateOnly, firstDrawn)
	at := first.Add(time.Duration(rapid.IntRange(0, 45*24*60).Draw(d.t, "minute")) * time.Minute)
	d.now = d.now.Add(time.Duration(rapid.IntRange(0, 72*60).Draw(d.t, "later")) * time.Minute)
	var facts events.Facts
	kind, data := d.data(at, &facts)
	source := "/" + d.pick("source", "ats", "crm")
	if kind == "" {
		d.own(at)
		return
	}
	line := event(source, d.seq(source), kind, at.Format("2006-01-02T15:04:05.000Z"), data)
	e, err := events.Decode([]byte(line))
	if err != nil {
		d.tb.Fatalf("%v: %s", err, line)
	}
	e.Instance = d.pick("instance", "", "b")
	e.ID = fmt.Sprint(d.position())
	d.all = append(d.all, stored(d.tb, d.position(), e, d.now, facts))
}

// seq is the number of the next event of a source: mostly the next one, sometimes
// one beyond it, before it, or none.
func (d *drawn) seq(source string) uint64 {
	t := track{source: source}
	switch n := d.seqs[t]; rapid.IntRange(0, 9).Draw(d.t, "number") {
	case 0:
		return 0
	case 1:
		return uint64(rapid.IntRange(1, 1+int(n)).Draw(d.t, "old number"))
	case 2:
		d.seqs[t] += 3
	default:
		d.seqs[t]++
	}
	return d.seqs[t]
}

// own adds an event of the ledger itself.
func (d *drawn) own(at time.Time) {
	e := events.Refusals{Producer: "ats", From: at, To: at.Add(time.Hour), Types: map[string]int64{"bad-format": 2}}.Event(fmt.Sprint(d.position()), ownSource, at)
	if rapid.Bool().Draw(d.t, "gap") {
		var err error
		if e, err = (events.Gap{Cause: "restore", From: 1, To: 2}).Event(fmt.Sprint(d.position()), ownSource, at); err != nil {
			d.tb.Fatal(err)
		}
	}
	d.all = append(d.all, stored(d.tb, d.position(), e, d.now, events.Facts{}))
}

// data draws what happened, and what the ledger knew of it; no kind is an event of
// the ledger itself.
func (d *drawn) data(at time.Time, facts *events.Facts) (kind, data string) {
	code := d.pick("party", "alpha", "alpha", "beta")
	switch d.pick("what", "shared", "accessed", "shared", "accessed", "beat", "party", "party", "engaged", "system", "tool", "corrected", "attested", "own") {
	case "shared":
		d.facts(code, facts)
		return "data.shared", officer + "," + about + fmt.Sprintf(`,"recipient":{"party":%q,"role":%q}`, code, d.pick("role", "client", "processor", "subprocessor", "subject")) + d.location()
	case "accessed":
		d.facts(code, facts)
		actor := fmt.Sprintf(`"actor":{"id":"x:1","role":"engineer","kind":%q,"party":%q}`, d.pick("kind", "human", "contractor", "processor"), code)
		return "data.accessed", actor + "," + about + `,"mode":"view"` + d.location()
	case "beat":
		return "ledger.heartbeat", fmt.Sprintf(`"state":%q`, d.pick("state", "started", "running", "stopped"))
	case "party":
		d.parties[code] = d.position()
		return "governance.party-registered", officer + fmt.Sprintf(`,"party":%q,"name":"Some Firm","roles":[%q],"country":%q`, code, d.pick("role", "client", "processor"), d.country()) +
			d.pick("more", "", `,"storage":["BE"],"access":["BE"],"confirmed_at":"2025-01-01"`, `,"confirmed_at":"2023-01-01","parent_country":"US"`, `,"subprocessor_of":["alpha"]`, `,"international_organisation":true`)
	case "engaged":
		return "governance.subprocessor-changed", officer + fmt.Sprintf(`,"party":%q,"subprocessor":%q,"state":%q,"from":%q`, code, d.pick("sub", "alpha", "beta", "gamma"), d.pick("state", "declared", "ended"), at.Format(time.DateOnly))
	case "system":
		return "governance.system-registered", officer + fmt.Sprintf(`,"system":%q,"personal_data":%t`, d.pick("system", "ats", "hr"), rapid.Bool().Draw(d.t, "data")) + d.pick("producer", "", `,"producer":"ats","storage":["US"]`)
	case "tool":
		return "governance.transfer-tool-registered", officer + fmt.Sprintf(`,"party":%q,"tool":"A46-2-c","tool_ref":"scc:1","from":"2025-07-05"`, code)
	case "corrected":
		return "ledger.corrected", officer + fmt.Sprintf(`,"corrects":{"source":"/ats","id":"%d"},"effect":"retract","reason_code":"wrong"`, rapid.IntRange(1, 60).Draw(d.t, "corrects"))
	case "attested":
		return "governance.control-attested", officer + fmt.Sprintf(`,"control":%q,"outcome":"effective"`, d.pick("control", controls()[3:]...)) +
			d.pick("range", "", `,"unmapped":0,"from":"2025-06-01","to":"2025-07-31"`, `,"unmapped":2,"from":"2025-07-02"`)
	}
	return "", ""
}

func (d *drawn) location() string {
	return d.pick("location", "", "", `,"location":{"access":["US"]},"assertion":"declared"`, `,"location":{"storage":["BE"],"access":["IN","BE"]}`)
}

// facts draws a class and a region, and what was registered of the party.
func (d *drawn) facts(code string, f *events.Facts) {
	f.Class = d.pick("class", "", "T0", "T0", "T1", "T1f", "T2", "T3", "T4", "T5", "U")
	if f.Class == "" {
		return
	}
	f.Tables = "2026-01-01-00000000"
	if f.Class != "T0" && rapid.Bool().Draw(d.t, "outside") {
		f.Region, f.Outside = "US", []string{"US"}
	}
	if at := d.parties[code]; at > 0 {
		f.Party = &events.Party{Code: code, Position: at, Country: d.country(), InternationalOrganisation: rapid.Bool().Draw(d.t, "io")}
		if rapid.Bool().Draw(d.t, "parent") {
			f.Party.ParentCountry = slices.Max([]string{d.country(), "IE"})
		}
	}
}
