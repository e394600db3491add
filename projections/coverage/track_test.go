package coverage

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/rows"
	"github.com/imalink/custody/projections/spoil"
)

// numbered is a producer's events with these numbers.
func numbered(t testing.TB, seqs ...uint64) []*projections.Event {
	shapes := make([]shape, len(seqs))
	for i, seq := range seqs {
		shapes[i] = shape{Source: "/ats", Seq: seq, Pause: time.Millisecond}
	}
	return recorded(t, shapes)
}

func everyFlush(n int) func() int { return func() int { return n } }
func never() bool                 { return false }

// TestTalliesStayFew sends every other number: there is always more missing, and writing that down again and again
// must not cost more than the events do. A producer that misses nothing has a tally a block.
func TestTalliesStayFew(t *testing.T) {
	const events, size = 3000, 4
	for _, test := range []struct {
		name     string
		step     uint64
		min, max uint64 // tallies
		ranges   uint64 // in all of them
	}{
		{"all", 1, events/size - 1, events/size - 1, 0},
		{"every other", 2, 4, 12, 2 * events},
	} {
		t.Run(test.name, func(t *testing.T) {
			var seqs []uint64
			for i := range uint64(events) {
				seqs = append(seqs, test.step*(i+1))
			}
			db := database(t)
			folded(t, db, view(size), numbered(t, seqs...), everyFlush(100), never)
			reading(t, db, func(r *Reader) {
				var tallies, ranges uint64
				for _, v := range values(t, r.tallies) {
					sum, err := decodeTally(v)
					if err != nil {
						t.Fatal(err)
					}
					tallies++
					ranges += uint64(len(sum.missing))
				}
				if tallies < test.min || tallies > test.max || ranges > test.ranges {
					t.Errorf("%d tallies with %d ranges for %d events", tallies, ranges, events)
				}
			})
		})
	}
}

func values(t *testing.T, table *rows.Table) (list [][]byte) {
	t.Helper()
	c := table.Cursor()
	k, v, err := c.First()
	for ; k != nil && err == nil; k, v, err = c.Next() {
		list = append(list, v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestOutOfOrder has numbers come in the worst of orders, and from far beyond each other.
func TestOutOfOrder(t *testing.T) {
	const n = 2000
	var backwards, shuffled []uint64
	for i := range uint64(n) {
		backwards = append(backwards, n-i)
	}
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
		shuffled = append(shuffled, uint64(i)+1)
	}
	for name, seqs := range map[string][]uint64{
		"backwards": backwards, "shuffled": shuffled, "far": {99_999_999_999_999, 1, 3, 99_999_999_999_998, 2},
	} {
		db := database(t)
		folded(t, db, View(), numbered(t, seqs...), everyFlush(300), never)
		reading(t, db, func(r *Reader) {
			for p := range r.Producers(1 << 63) {
				i := p.Instances[0]
				var want []Range
				if want = []Range{}; name == "far" {
					want = []Range{{4, 99_999_999_999_997}}
				}
				if !reflect.DeepEqual(i.Missing, want) || i.Repeated != 0 || i.Received != uint64(len(seqs)) {
					t.Errorf("%s: missing %v, %d repeated", name, i.Missing, i.Repeated)
				}
			}
		})
	}
}

// TestDamage spoils what is kept in every way, and demands an error instead of another answer.
func TestDamage(t *testing.T) {
	db := database(t)
	list := refused(recorded(t, slices.Concat(rapid.Custom(shapes).Example(1), rapid.Custom(shapes).Example(2))))
	folded(t, db, view(8), list, everyFlush(7), never)
	spoil.File(t, db, uint64(len(list)), func(tx *bolt.Tx) (string, error) {
		r, err := Read(tx)
		if err != nil {
			return "", err
		}
		var all []any
		for _, until := range []uint64{5, 60, 1 << 63} {
			for p, err := range r.Producers(until) {
				if err != nil {
					return "", err
				}
				all = append(all, p)
			}
			for u, err := range r.Unregistered(until) {
				if err != nil {
					return "", err
				}
				all = append(all, u)
			}
			for f, err := range r.Refusals(until) {
				if err != nil {
					return "", err
				}
				all = append(all, f)
			}
		}
		text, err := json.Marshal(all)
		return string(text), err
	})
}

// TestHalf refuses a file that lacks a bucket.
func TestHalf(t *testing.T) {
	db := database(t)
	folded(t, db, View(), numbered(t, 1), everyFlush(3), never)
	err := db.Update(func(tx *bolt.Tx) error {
		if err := tx.DeleteBucket([]byte(talliesBucket)); err != nil {
			return err
		}
		if _, err := Read(tx); !errors.Is(err, projections.ErrDamaged) {
			t.Error("half of the view was read")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
