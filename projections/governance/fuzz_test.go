package governance

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// FuzzVersion holds that reading a row never fails but with an error, and that what is read is a version: of a kind
// of the table, its data an object.
func FuzzVersion(f *testing.F) {
	list := recorded(f, examples())
	for _, e := range list {
		b, err := encode(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decode(7, b)
		if err != nil {
			return
		}
		var data map[string]json.RawMessage
		if _, ok := rowOf(v.Kind); !ok || v.Position != 7 || json.Unmarshal(v.Data, &data) != nil {
			t.Errorf("%q is read as %+v", b, v)
		}
	})
}

// TestRows reads every row as the event that it is of.
func TestRows(t *testing.T) {
	for _, e := range recorded(t, examples()) {
		b, err := encode(e)
		if err != nil {
			t.Fatal(err)
		}
		v, err := decode(e.Position, b)
		ev := e.Stored.Event
		if err != nil || v.Source != ev.Source || v.ID != ev.ID || !v.Time.Equal(ev.At) || !v.Recorded.Equal(e.Stored.Recorded) ||
			v.Kind != ev.Kind || v.Subjects != len(e.People.Subjects) || v.Actor != e.People.Actor {
			t.Errorf("%s: %+v, %v", ev.Kind, v, err)
		}
	}
}

// TestImpossibleRows refuses rows that no event has, one alteration at a time.
func TestImpossibleRows(t *testing.T) {
	row, err := encode(recorded(t, examples())[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "cut": row[:len(row)-1], "more behind": append(bytes.Clone(row), '1'),
		"another field": bytes.Replace(row, []byte(`{`), []byte(`{"more":1,`), 1),
	} {
		if _, err := decode(1, bad); !errors.Is(err, errVersion) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, alter := range map[string]func(s *stored){
		"kind of another family": func(s *stored) { s.Kind = events.DataShared },
		"no kind":                func(s *stored) { s.Kind = 200 },
		"negative nanoseconds":   func(s *stored) { s.Nano = -1 },
		"a second of them":       func(s *stored) { s.Nano = 1_000_000_000 },
		"fewer than no subjects": func(s *stored) { s.Subjects = -1 },
		"long actor":             func(s *stored) { s.Actor = make([]byte, 17) },
		"short name":             func(s *stored) { s.Named = [][]byte{s.Actor, {1}} },
		"data no object":         func(s *stored) { s.Data = json.RawMessage("[]") },
	} {
		var s stored
		if err := json.Unmarshal(row, &s); err != nil {
			t.Fatal(err)
		}
		alter(&s)
		bad, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(1, bad); !errors.Is(err, errVersion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkFold folds governance events, and others, which are nearly all.
func BenchmarkFold(b *testing.B) {
	facts := examples()
	list := recorded(b, facts)
	other := *list[0].Stored.Event
	other.Kind = events.DataAccessed
	for _, test := range []struct {
		name string
		kind func(i int) *projections.Event
	}{
		{"governance", func(i int) *projections.Event { return list[i%len(list)] }},
		{"others", func(int) *projections.Event { return &projections.Event{Stored: &events.Stored{Event: &other}} }},
	} {
		b.Run(test.name, func(b *testing.B) {
			db := database(b)
			m := opened(b, db)
			position := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				for i := range 1000 {
					position++
					e := *test.kind(i)
					e.Position = position
					m.Fold(&e)
				}
				if err := flushed(db, m, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(position)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
