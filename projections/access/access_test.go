package access_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/access"
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
				m, err = access.View().Open(tx)
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

// look gives the positions of every tag by a look at each event.
func look(all []*projections.Event) map[string][]uint64 {
	found := map[string][]uint64{}
	note := func(e *projections.Event, r access.Relation, tag projections.Tag) {
		key := string(access.Key(r, e.People.ActorCell, tag))
		if p := found[key]; !tag.IsZero() && (len(p) == 0 || p[len(p)-1] != e.Position) {
			found[key] = append(p, e.Position)
		}
	}
	for _, e := range all {
		note(e, access.Actor, e.People.Actor)
		note(e, access.Session, e.People.Session)
		for _, tag := range e.People.Named {
			note(e, access.Named, tag)
		}
	}
	return found
}

// TestYear compares the positions of every actor, person named and session, as of the end and of the middle.
func TestYear(t *testing.T) {
	all := year.Load(t, "../..")
	for i, e := range all { // the year names few besides the actor, and none twice
		if i%3 == 0 && len(e.People.Named) == 0 {
			tag := year.Tag(e.People.ActorCell, fmt.Sprint("employee:", i%90))
			e.People.Named = []projections.Tag{tag, year.Tag(e.People.ActorCell, fmt.Sprint("employee:", i%70)), tag}
		}
	}
	for _, until := range []uint64{uint64(len(all)), uint64(len(all) / 2), 1} {
		want := look(all[:until])
		if err := fold(t, all, until).View(func(tx *bolt.Tx) error {
			r, err := access.Read(tx, until)
			if err != nil {
				return err
			}
			got, relations := map[string][]uint64{}, map[access.Relation]int{}
			for p, err := range r.Prefix(nil, nil) {
				if err != nil {
					return err
				}
				got[string(p.Key)] = append(got[string(p.Key)], p.Positions...)
				relations[access.Relation(p.Key[0])]++
			}
			if !maps.EqualFunc(got, want, slices.Equal) || until > 1 && len(relations) != 3 {
				t.Errorf("until %d: %d tags, want %d, or other positions, or relations %v", until, len(got), len(want), relations)
			}
			for key := range want {
				if got, err := r.Positions(nil, []byte(key)); err != nil || !slices.Equal(got, want[key]) {
					return fmt.Errorf("until %d: key %x: %d positions, want %d, %w", until, key, len(got), len(want[key]), err)
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}
