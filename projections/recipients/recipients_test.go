package recipients_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/person"
	"github.com/imalink/custody/projections/recipients"
	"github.com/imalink/custody/projections/spoil"
	"github.com/imalink/custody/projections/year"
)

// fold folds events with flushes of any size, and opens the model anew between some of them.
func fold(tb testing.TB, all []*projections.Event, seed uint64) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(filepath.Join(tb.TempDir(), "view.db"), 0o600, &bolt.Options{PageSize: 4096, NoSync: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	r := rand.New(rand.NewPCG(seed, 1))
	var m projections.Model
	for batch := 0; len(all) > 0; all = all[batch:] {
		if m == nil || r.IntN(3) == 0 {
			if err := db.View(func(tx *bolt.Tx) (err error) {
				m, err = recipients.View().Open(tx)
				return err
			}); err != nil {
				tb.Fatal(err)
			}
		}
		batch = min(len(all), 1+r.IntN(5000))
		for _, e := range all[:batch] {
			m.Fold(e)
		}
		if err := db.Update(m.Flush); err != nil {
			tb.Fatal(err)
		}
	}
	return db
}

// received is what a look at each event gives: the positions of each of a party's people.
func received(all []*projections.Event) map[string]map[string][]uint64 {
	people := map[string]map[string][]uint64{}
	for _, e := range all {
		r := e.Stored.Event.Data.Get("recipient").Object()
		code := r.Get("party").Text()
		if code == "" || r.Get("role").Text() == "subject" || len(e.People.Subjects) == 0 {
			continue
		}
		if people[code] == nil {
			people[code] = map[string][]uint64{}
		}
		for _, tag := range e.People.Subjects {
			key := string(person.Key(e.People.SubjectCell, tag))
			if p := people[code][key]; len(p) == 0 || p[len(p)-1] != e.Position {
				people[code][key] = append(p, e.Position)
			}
		}
	}
	return people
}

// TestYear compares the people of every party, as of the end, of the middle and of the beginning.
func TestYear(t *testing.T) {
	all := year.Load(t, "../..")
	parties := received(all)
	if len(parties) < 5 {
		t.Fatalf("%d parties in the year", len(parties))
	}
	for _, until := range []uint64{uint64(len(all)), uint64(len(all) / 2), 40, 0} {
		people := received(all[:until])
		if err := fold(t, all, until).View(func(tx *bolt.Tx) error {
			r, err := recipients.Read(tx, until)
			if err != nil {
				return err
			}
			for party := range parties {
				if err := compare(r, party, people[party]); err != nil {
					return fmt.Errorf("until %d: %w", until, err)
				}
			}
			return compare(r, "nobody", nil)
		}); err != nil {
			t.Error(err)
		}
	}
}

// compare reads the people of a party.
func compare(r *recipients.Reader, party string, want map[string][]uint64) error {
	got := map[string][]uint64{}
	var order []string
	for p, err := range r.People(party) {
		if err != nil {
			return err
		}
		key := string(person.Key(p.Cell, p.Tag))
		got[key] = append(got[key], p.Positions...)
		order = append(order, key)
	}
	if !maps.EqualFunc(got, want, slices.Equal) || !slices.IsSortedFunc(order, cmp.Compare) {
		return fmt.Errorf("party %s: %d people, want %d, or other positions or order", party, len(got), len(want))
	}
	return nil
}

// TestDamage spoils what is kept in every way, and demands an error instead of another answer.
func TestDamage(t *testing.T) {
	all := year.Load(t, "../..")[:600]
	parties := slices.Sorted(maps.Keys(received(all)))
	spoil.File(t, fold(t, all, 1), uint64(len(all)), func(tx *bolt.Tx) (string, error) {
		r, err := recipients.Read(tx, uint64(len(all)))
		if err != nil {
			return "", err
		}
		var people strings.Builder
		for _, party := range append(parties, "nobody") {
			for p, err := range r.People(party) {
				if err != nil {
					return "", err
				}
				fmt.Fprintln(&people, party, p)
			}
		}
		return people.String(), nil
	}, "f in people", "p in people") // all of a party's people need no filter
}
