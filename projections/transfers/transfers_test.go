package transfers

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/spoil"
	"github.com/imalink/custody/projections/year"
)

const root = "../.."

func newFile(tb testing.TB) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(filepath.Join(tb.TempDir(), "view.db"), 0o600, &bolt.Options{NoSync: true, NoGrowSync: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// fold folds events into a file, with flushes of a size, each by a new model.
func fold(tb testing.TB, db *bolt.DB, all []*projections.Event, size int) {
	tb.Helper()
	for batch := range slices.Chunk(all, size) {
		if err := db.Update(func(tx *bolt.Tx) error {
			m, err := View().Open(tx)
			if err != nil {
				return err
			}
			for _, e := range batch {
				m.Fold(e)
			}
			return m.Flush(tx)
		}); err != nil {
			tb.Fatal(err)
		}
	}
}

// snapshot gives a reader for the rest of the test.
func snapshot(tb testing.TB, db *bolt.DB) *Reader {
	tb.Helper()
	tx, err := db.Begin(false)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = tx.Rollback() })
	r, err := Read(tx)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// rowsOf gives the map by reading every event.
func rowsOf(all []*projections.Event, f Filter) []Row {
	type key struct{ class, category, party, region, purpose, tool string }
	rows := map[key]*Row{}
	registered := map[string]bool{}
	for _, e := range all {
		st, d := e.Stored, e.Stored.Event.Data
		p := pathOf(st, func(code string) bool { return registered[code] })
		if st.Event.Kind == events.GovernancePartyRegistered {
			registered[d.Get("party").Text()] = true
		}
		at := st.Event.At.Truncate(time.Millisecond)
		if st.Facts.Class == "" || e.Position > f.Until || !f.From.IsZero() && at.Before(f.From) || !f.To.IsZero() && !at.Before(f.To) {
			continue
		}
		for _, category := range d.Get("categories").Texts() {
			k := key{p.class, category, p.party, p.region, p.purpose, p.tool}
			row := rows[k]
			if row == nil {
				row = &Row{p.class, category, p.party, p.region, p.purpose, p.tool, []string{}, []string{}, 0, at, at}
				rows[k] = row
			}
			for _, country := range p.countries {
				row.Countries = insert(row.Countries, country)
			}
			for _, country := range p.outside {
				row.Outside = insert(row.Outside, country)
			}
			row.Events++
			if at.Before(row.First) {
				row.First = at
			}
			if at.After(row.Last) {
				row.Last = at
			}
		}
	}
	list := []Row{}
	for _, row := range rows {
		list = append(list, *row)
	}
	return list
}

// insert keeps a list sorted, and each text in it once.
func insert(list []string, text string) []string {
	i, found := slices.BinarySearch(list, text)
	if found {
		return list
	}
	return slices.Insert(list, i, text)
}

func order(a, b Row) int {
	return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Party, b.Party), cmp.Compare(a.Region, b.Region),
		cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Class, b.Class))
}

// TestMap compares the map and the summary with those of reading all events.
func TestMap(t *testing.T) {
	all := year.Load(t, root)
	db := newFile(t)
	fold(t, db, all, 997)
	r := snapshot(t, db)
	classed := slices.DeleteFunc(slices.Clone(all), func(e *projections.Event) bool { return e.Stored.Facts.Class == "" })
	rapid.Check(t, func(t *rapid.T) {
		f := Filter{Until: uint64(len(all))}
		if rapid.Bool().Draw(t, "before the end") {
			f.Until = rapid.Uint64Range(0, uint64(len(all))).Draw(t, "until")
		}
		at := func(label string) time.Time {
			e := rapid.SampledFrom(classed).Draw(t, label)
			return e.Stored.Event.At.Truncate(time.Millisecond).Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, label+" by")) * time.Millisecond)
		}
		if rapid.Bool().Draw(t, "has from") {
			f.From = at("from")
		}
		if rapid.Bool().Draw(t, "has to") {
			f.To = at("to")
		}
		want := rowsOf(all, f)
		slices.SortFunc(want, order)
		rows, err := r.Map(f)
		if err != nil || !reflect.DeepEqual(rows, want) {
			t.Fatalf("%d rows, want %d, %v: %v", len(rows), len(want), err, f)
		}
		checkSummary(t, r, f, all)
	})
}

func checkSummary(t *rapid.T, r *Reader, f Filter, all []*projections.Event) {
	want := map[string]uint64{}
	for _, e := range all {
		at := e.Stored.Event.At.Truncate(time.Millisecond)
		if class := e.Stored.Facts.Class; class != "" && e.Position <= f.Until && (f.From.IsZero() || !at.Before(f.From)) && (f.To.IsZero() || at.Before(f.To)) {
			want[class]++
		}
	}
	counts, err := r.Summary(f)
	if err != nil || !maps.Equal(counts, want) {
		t.Fatalf("%v, want %v, %v: %v", counts, want, err, f)
	}
}

// TestYear counts the classes of the year, as they are known.
func TestYear(t *testing.T) {
	all := year.Load(t, root)
	db := newFile(t)
	fold(t, db, all, len(all))
	counts, err := snapshot(t, db).Summary(Filter{Until: uint64(len(all))})
	want := map[string]uint64{"T0": 1835, "T1": 10, "T1f": 3, "T2": 247, "T3": 59, "T4": 8, "T5": 344, "U": 104}
	if err != nil || !maps.Equal(counts, want) {
		t.Fatalf("%v, want %v: %v", counts, want, err)
	}
}

// TestDamage spoils what is kept in every way, and demands an error instead of another answer.
func TestDamage(t *testing.T) {
	all := year.Load(t, "../..")[:400]
	db := newFile(t)
	fold(t, db, all, 150)
	until := uint64(len(all))
	spoil.File(t, db, until, func(tx *bolt.Tx) (string, error) {
		r, err := Read(tx)
		if err != nil {
			return "", err
		}
		rows, err := r.Map(Filter{Until: until, From: all[20].Stored.Event.At})
		if err != nil {
			return "", err
		}
		counts, err := r.Summary(Filter{Until: until})
		return fmt.Sprint(rows, counts), err
	})
}

// TestEmpty reads a file that nothing was folded into.
func TestEmpty(t *testing.T) {
	db := newFile(t)
	r := snapshot(t, db)
	if rows, err := r.Map(Filter{Until: 1}); err != nil || len(rows) > 0 {
		t.Errorf("%v, %v", rows, err)
	}
	if counts, err := r.Summary(Filter{Until: 1}); err != nil || len(counts) > 0 {
		t.Errorf("%v, %v", counts, err)
	}
}

// event decodes an event as a producer sends it.
func event(tb testing.TB, kind, data string) *events.Event {
	tb.Helper()
	e, err := events.Decode(fmt.Appendf(nil, `{"specversion":"1.0","id":"1","source":"/ats","type":"eu.custody.%s.v1","time":"2025-01-01T00:00:00Z","data":%s}`, kind, data))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// TestImporter finds the importer where the event does not say which of two it is.
func TestImporter(t *testing.T) {
	const shared = `{"actor":{"id":"a:1","role":"r"%s},"subjects":[{"id":"c:1","role":"candidate"}],"activity":"x","recipient":{"party":%q,"role":%q}}`
	for _, test := range []struct {
		name, actor, recipient, role, class string
		registered, stored, want            string
	}{
		{"recipient", "", "known", "client", "T0", "known", "known", "known"},
		{"recipient not registered", "", "ghost", "client", "U", "", "", "ghost"},
		{"both not registered", `,"kind":"contractor","party":"phantom"`, "ghost", "client", "U", "", "", "ghost"},
		{"contractor not registered", `,"kind":"contractor","party":"phantom"`, "known", "client", "U", "known", "", "phantom"},
		{"own staff of a party", `,"party":"self"`, "ghost", "client", "U", "self", "", "ghost"},
		{"to the subject", `,"kind":"processor","party":"phantom"`, "subject", "subject", "U", "", "", "phantom"},
		{"contractor registered", `,"kind":"contractor","party":"known"`, "other", "client", "T5", "known", "known", "known"},
		{"own staff of a registered party outside", `,"party":"self"`, "subject", "subject", "T1", "self", "self", ""},
		{"own staff outside", "", "subject", "subject", "T1", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := &events.Stored{Event: event(t, "data.shared", fmt.Sprintf(shared, test.actor, test.recipient, test.role)), Facts: events.Facts{Class: test.class}}
			if test.stored != "" {
				st.Facts.Party = &events.Party{Code: test.stored, Country: "BE"}
			}
			if p := pathOf(st, func(code string) bool { return code == test.registered }); p.party != test.want {
				t.Errorf("importer %q, want %q", p.party, test.want)
			}
		})
	}
}

// TestRegistered: what was registered before an event, in this flush or an earlier one, tells who imported.
func TestRegistered(t *testing.T) {
	registration := &events.Stored{Event: event(t, "governance.party-registered", `{"actor":{"id":"e:1","role":"dpo"},"party":"acme","name":"Acme","roles":["client"],"country":"BE"}`)}
	shared := &events.Stored{Facts: events.Facts{Class: "U"}, Event: event(t, "data.shared", `{"actor":{"id":"a:1","role":"r","kind":"contractor","party":"phantom"},
		"subjects":[{"id":"c:1","role":"candidate"}],"activity":"x","recipient":{"party":"acme","role":"client"}}`)}
	all := []*projections.Event{{Position: 1, Stored: shared}, {Position: 2, Stored: registration}, {Position: 3, Stored: shared}, {Position: 4, Stored: shared}}
	for size := 1; size <= len(all); size++ {
		db := newFile(t)
		fold(t, db, all, size)
		rows, err := snapshot(t, db).Map(Filter{Until: 4})
		if err != nil || len(rows) != 2 || rows[0].Party != "acme" || rows[0].Events != 1 || rows[1].Party != "phantom" || rows[1].Events != 2 {
			t.Errorf("flushes of %d: %+v, %v", size, rows, err)
		}
	}
}

// FuzzPath: whatever is read back as a path is written as it was, and nothing makes reading go wrong.
func FuzzPath(f *testing.F) {
	p := path{class: "T3", party: "x", tool: "A46-2-c", categories: []string{"a", "b"}, outside: []string{"US"}}
	f.Add(string(p.append(nil)))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePath(text)
		if err != nil {
			return
		}
		again, err := parsePath(string(p.append(nil)))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%+v becomes %+v, %v", p, again, err)
		}
	})
}
