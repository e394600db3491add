package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// TestYear records the whole year in requests of odd sizes, restarts half-way,
// sends everything again, and looks at what lies on disk.
func TestYear(t *testing.T) {
	cfg := newConfig(t)
	l := open(t, cfg)
	lines := year(t)
	first := map[string]uint64{}
	for i := 0; i < len(lines); {
		if i > len(lines)/2 && l.Head().Position == uint64(len(first)) && first["restarted"] == 0 {
			closeLedger(t, l)
			l = open(t, cfg)
			first["restarted"] = 1
		}
		n := min(1+i%257, len(lines)-i)
		var es []*events.Event
		for _, line := range lines[i : i+n] {
			es = append(es, decode(t, line))
		}
		for j, r := range record(t, l, es...) {
			id := es[j].Source + " " + es[j].ID
			pos, repeat := first[id]
			switch {
			case repeat && (r.Status != Duplicate || r.Position != pos):
				t.Fatalf("line %d: a repeat got %s at %d, want duplicate at %d", i+j+1, r.Status, r.Position, pos)
			case !repeat && r.Status != Recorded:
				t.Fatalf("line %d: %s: %v", i+j+1, r.Status, r.Err)
			}
			if !repeat {
				first[id] = r.Position
			}
		}
		i += n
	}
	if first["restarted"] == 0 {
		t.Fatal("the test did not restart the ledger")
	}
	checkClasses(t, l)
	closeLedger(t, l)
	searchIdentifiers(t, cfg, lines)

	cfg.Index = newMemoryIndex().at // the view is lost
	l = open(t, cfg)
	for i := 0; i < len(lines); i += 1000 {
		var es []*events.Event
		for _, line := range lines[i:min(i+1000, len(lines))] {
			es = append(es, decode(t, line))
		}
		for j, r := range record(t, l, es...) {
			if want := first[es[j].Source+" "+es[j].ID]; r.Status != Duplicate || r.Position != want {
				t.Fatalf("line %d again: %s at %d, want duplicate at %d", i+j+1, r.Status, r.Position, want)
			}
		}
	}
}

// checkClasses holds every stored class against the year's answers.
func checkClasses(t *testing.T, l *Ledger) {
	t.Helper()
	var answers struct {
		Class map[string]string `json:"transfer_class"`
	}
	if err := json.Unmarshal(gunzip(t, "../events/law/testdata/classes.json.gz"), &answers); err != nil {
		t.Fatal(err)
	}
	want := answers.Class
	got, next := 0, uint64(1)
	for rec, err := range l.Replay(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Position != next {
			t.Fatalf("replay gave %d, want %d", rec.Position, next)
		}
		next++
		st, err := events.DecodeStored(rec.Raw)
		if err != nil {
			t.Fatalf("position %d: %v", rec.Position, err)
		}
		if st.Facts.Class != want[st.Event.ID] {
			t.Errorf("position %d: class %q, want %q", rec.Position, st.Facts.Class, want[st.Event.ID])
		}
		if st.Facts.Class != "" {
			got++
		}
	}
	if got != len(want) || got == 0 {
		t.Errorf("%d events have a class, want %d", got, len(want))
	}
}

func TestConflict(t *testing.T) {
	l := open(t, newConfig(t))
	pos := record(t, l, view(t, "a", "candidate:10001"))[0].Position
	for name, e := range map[string]*events.Event{
		"another person":  view(t, "a", "candidate:10002"),
		"a known person":  view(t, "a", "employee:x01"),
		"another time":    at(t, view(t, "a", "candidate:10001"), "2026-04-02T09:14:05.120Z"),
		"sealed field":    field(t, view(t, "a", "candidate:10001"), "reason", "another reason"),
		"joinable field":  field(t, view(t, "a", "candidate:10001"), "reference", "vacancy:663"),
		"clear field":     field(t, view(t, "a", "candidate:10001"), "mode", "print"),
		"one field less":  field(t, view(t, "a", "candidate:10001"), "reason", ""),
		"one field more":  field(t, view(t, "a", "candidate:10001"), "statute", "law-1"),
		"no joinable any": field(t, view(t, "a", "candidate:10001"), "reference", ""),
	} {
		r := record(t, l, e)[0]
		if r.Status != Refused || r.Err == nil || r.Err.Type != events.Conflict || r.Err.Path != "/id" {
			t.Errorf("%s: %s, %v", name, r.Status, r.Err)
		}
	}
	if r := record(t, l, view(t, "a", "candidate:10001"))[0]; r.Status != Duplicate || r.Position != pos {
		t.Errorf("the same again: %s at %d", r.Status, r.Position)
	}
	if _, known, err := l.vault.Lookup("candidate:10002"); known || err != nil {
		t.Errorf("a conflict made a person: %v, %v", known, err)
	}
	other := view(t, "a", "candidate:10003")
	other.Source = "/crm"
	if r := record(t, l, other)[0]; r.Status != Recorded {
		t.Errorf("the same id from another source: %s", r.Status)
	}
}

func at(t *testing.T, e *events.Event, when string) *events.Event {
	t.Helper()
	b := bytes.Replace(e.AppendJSON(nil), []byte(e.Time), []byte(when), 1)
	return decode(t, b)
}

func field(t *testing.T, e *events.Event, name, value string) *events.Event {
	t.Helper()
	v := events.TextOf(value)
	if value == "" {
		v = events.Value{}
	}
	data, ok := e.Data.With(name, v)
	if !ok {
		t.Fatalf("no field %s", name)
	}
	c := *e
	c.Data = data
	return &c
}

// TestRepeatsInHand sends the same events at the same moment from many sides.
func TestRepeatsInHand(t *testing.T) {
	l := open(t, newConfig(t))
	const clients, each = 8, 50
	positions := make([][]uint64, clients)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				results, err := l.Record(t.Context(), []Submission{{Event: view(t, fmt.Sprint("e", i), "candidate:1")}, {Event: view(t, fmt.Sprint("e", i), "candidate:1")}})
				if err != nil {
					t.Errorf("record: %v", err)
					return
				}
				if results[0].Position != results[1].Position || results[1].Status != Duplicate {
					t.Errorf("repeat in one request: %d %d %s", results[0].Position, results[1].Position, results[1].Status)
				}
				positions[c] = append(positions[c], results[0].Position)
			}
		})
	}
	wg.Wait()
	if head := l.Head().Position; head != each {
		t.Errorf("%d events recorded, want %d", head, each)
	}
	for c := range clients {
		for i, pos := range positions[c] {
			if pos != positions[0][i] {
				t.Errorf("event %d has positions %d and %d", i, pos, positions[0][i])
			}
		}
	}
}

func TestTimes(t *testing.T) {
	cfg := newConfig(t)
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	cfg.Now = func() time.Time { return now }
	l := open(t, cfg)
	for when, want := range map[string]string{
		"2026-03-02T12:05:00Z": "", "2026-03-02T12:05:00.001Z": events.TimeAhead, "1970-01-01T00:00:00Z": "", "1969-12-31T23:59:59Z": events.TimeBefore,
	} {
		r := record(t, l, at(t, view(t, when[:10]+"-"+when[17:19], "candidate:1"), when))[0]
		if got := r.Err; (got == nil) != (want == "") || got != nil && (got.Type != want || got.Path != "/time") {
			t.Errorf("%s: %v", when, got)
		}
	}
	now = now.Add(-time.Hour) // the clock steps back: recorded times do not
	record(t, l, at(t, view(t, "back", "candidate:1"), "2026-03-02T10:00:00Z"))
}
