package coverage

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// begin is the recorded time of position 0.
func begin() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// A shape is what the generated events differ in. Event gives them a place.
type shape struct {
	Source, Instance string
	Seq              uint64
	Data             string        // JSON; "" for an event without interest
	Type             string        // of Data
	Late             time.Duration // how long before its recording it happened
	Pause            time.Duration // how long after the event before it, it was recorded
}

const dull = `{"actor":{"id":"0000","role":"dpo"},"system":"ats","personal_data":true}`

// decoded keeps what was decoded once.
type decoded map[string]*events.Event

func (d decoded) event(t testing.TB, typ, data string) events.Event {
	t.Helper()
	if typ == "" {
		typ, data = "governance.system-registered", dull
	}
	e := d[typ+data]
	if e == nil {
		var err error
		e, err = events.Decode(fmt.Appendf(nil, `{"specversion":"1.0","id":"e","source":"/x","type":"eu.custody.%s.v1",`+
			`"time":"2026-01-01T00:00:00Z","data":%s}`, typ, data))
		if err != nil {
			t.Fatal(typ, err)
		}
		d[typ+data] = e
	}
	return *e
}

// recorded gives shapes the positions from 1 on.
func recorded(t testing.TB, shapes []shape) []*projections.Event {
	known, at := decoded{}, begin()
	list := make([]*projections.Event, 0, len(shapes))
	for i, s := range shapes {
		e := known.event(t, s.Type, s.Data)
		at = at.Add(s.Pause)
		e.ID, e.Source, e.Instance, e.Seq, e.At = fmt.Sprint(i), s.Source, s.Instance, s.Seq, at.Add(-s.Late)
		list = append(list, &projections.Event{Position: uint64(i) + 1, Stored: &events.Stored{Event: &e, Recorded: at}})
	}
	return list
}

func database(t testing.TB) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "coverage.db"), 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var errLost = errors.New("lost")

// folded folds events as an engine does: a flush after as many events as flush says; where lose says so, the flush
// is lost first, and what it held is folded again by a model that reads the file.
func folded(t testing.TB, db *bolt.DB, v projections.View, list []*projections.Event, flush func() int, lose func() bool) {
	t.Helper()
	m := opened(t, db, v)
	for len(list) > 0 {
		n := min(flush(), len(list))
		if lose() {
			if err := flushed(db, m, list[:n], errLost); !errors.Is(err, errLost) {
				t.Fatal(err)
			}
			m = opened(t, db, v)
		}
		if err := flushed(db, m, list[:n], nil); err != nil {
			t.Fatal(err)
		}
		list = list[n:]
	}
}

func opened(t testing.TB, db *bolt.DB, v projections.View) (m projections.Model) {
	t.Helper()
	err := db.View(func(tx *bolt.Tx) (err error) {
		m, err = v.Open(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// flushed folds events and flushes them in a transaction that ends with an error or with nil.
func flushed(db *bolt.DB, m projections.Model, list []*projections.Event, end error) error {
	for _, e := range list {
		m.Fold(e)
	}
	return db.Update(func(tx *bolt.Tx) error {
		if err := m.Flush(tx); err != nil {
			return err
		}
		return end
	})
}

// reading gives a reader of what was flushed.
func reading(t testing.TB, db *bolt.DB, fn func(r *Reader)) {
	t.Helper()
	err := db.View(func(tx *bolt.Tx) error {
		r, err := Read(tx)
		if err == nil {
			fn(r)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
