package governance

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
)

// begin is the recorded time of position 0.
func begin() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }

// A fact is a governance event to be, and what it is a version of.
type fact struct {
	kind    string // without the family
	data    string // the members behind the actor
	what    What
	key     []string
	parties []string
	at      time.Time // event time
}

const actor = `{"actor":{"id":"employee:d01","role":"dpo","session":"s-77","for":"employee:d02"},"reason":"because"`

func tag(identifier string) (t projections.Tag) {
	copy(t[:], identifier+"................")
	return t
}

// recorded gives facts the positions from 1 on.
func recorded(t testing.TB, facts []fact) (list []*projections.Event) {
	t.Helper()
	for i, f := range facts {
		e, err := events.Decode(fmt.Appendf(nil, `{"specversion":"1.0","id":"e%d","source":"/register","type":"eu.custody.governance.%s.v1",`+
			`"time":%q,"data":%s}`, i, f.kind, f.at.Format(time.RFC3339Nano), actor+f.data+"}"))
		if err != nil {
			t.Fatal(f.kind, err)
		}
		p := projections.People{Actor: tag("d01"), Named: []projections.Tag{tag("d02")}}
		if v := e.Data.Get("employee").Text(); v != "" {
			p.Named = append(p.Named, tag(strings.TrimPrefix(v, "employee:")))
		}
		for range e.Data.Get("subjects").List() {
			p.Subjects = append(p.Subjects, tag("someone"))
		}
		list = append(list, &projections.Event{Position: uint64(i) + 1, People: p,
			Stored: &events.Stored{Event: e, Recorded: begin().Add(time.Duration(i) * time.Millisecond)}})
	}
	return list
}

func database(t testing.TB) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "governance.db"), 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var errLost = errors.New("lost")

// folded folds events as an engine does: a flush after as many events as flush says; where lose says so, the flush
// is lost first, and what it held is folded again by a model that reads the file.
func folded(t testing.TB, db *bolt.DB, list []*projections.Event, flush func() int, lose func() bool) {
	t.Helper()
	m := opened(t, db)
	for len(list) > 0 {
		n := min(flush(), len(list))
		if lose() {
			if err := flushed(db, m, list[:n], errLost); !errors.Is(err, errLost) {
				t.Fatal(err)
			}
			m = opened(t, db)
		}
		if err := flushed(db, m, list[:n], nil); err != nil {
			t.Fatal(err)
		}
		list = list[n:]
	}
}

func opened(t testing.TB, db *bolt.DB) (m projections.Model) {
	t.Helper()
	err := db.View(func(tx *bolt.Tx) (err error) {
		m, err = View().Open(tx)
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

// read gives a reader of facts.
func read(t testing.TB, facts []fact, fn func(r *Reader)) {
	t.Helper()
	db := database(t)
	folded(t, db, recorded(t, facts), func() int { return 3 }, func() bool { return false })
	reading(t, db, fn)
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
