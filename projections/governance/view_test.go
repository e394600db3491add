package governance

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/spoil"
	"github.com/imalink/custody/projections/year"
)

// days are those on which generated facts happen and of which they speak.
func days(i int) time.Time { return begin().AddDate(0, 0, i) }

func day(i int) string { return days(i).Format(time.DateOnly) }

// draw gives random facts about a few things of a few parties, happening in any order.
func draw(t *rapid.T) (facts []fact) {
	number := func(n int, what string) int { return rapid.IntRange(0, n-1).Draw(t, what) }
	codes := []string{"acme", "acme-x", "cloud"}
	for range rapid.IntRange(0, 40).Draw(t, "facts") {
		party, other := codes[number(3, "party")], codes[number(3, "other")]
		ref := fmt.Sprintf("r:%d", number(2, "ref"))
		from, to := day(number(6, "from")), ""
		if number(2, "open") == 0 {
			to = fmt.Sprintf(`,"to":%q`, day(number(6, "to")))
		}
		f := fact{at: days(number(6, "at")).Add(time.Duration(number(3, "hour")) * time.Hour), parties: []string{party}}
		switch number(7, "kind") {
		case 0:
			f.kind, f.what, f.key = "party-registered", WhatParty, []string{party}
			f.data = fmt.Sprintf(`,"party":%q,"name":"A","roles":["client"],"country":%q,"subprocessor_of":[%q]`, party, []string{"BE", "US"}[number(2, "country")], other)
			f.parties = append(f.parties, other)
		case 1:
			f.kind, f.what, f.key = "agreement-signed", WhatAgreement, []string{party, ref}
			f.data = fmt.Sprintf(`,"party":%q,"agreement":%q,"kind":"processing","from":%q%s`, party, ref, from, to)
		case 2:
			f.kind, f.what, f.key = "agreement-ended", WhatAgreement, []string{party, ref}
			f.data = fmt.Sprintf(`,"party":%q,"agreement":%q,"at":%q`, party, ref, from)
		case 3:
			f.kind, f.what, f.key = "processor-assessed", WhatProcessorAssessment, []string{party}
			f.data = fmt.Sprintf(`,"party":%q,"kind":%q,"outcome":%q`, party, []string{"ex-ante", "exit"}[number(2, "act")], []string{"pass", "fail"}[number(2, "outcome")])
		case 4:
			f.kind, f.what, f.key = "transfer-tool-registered", WhatTransferTool, []string{party, "A46-2-c", ref}
			f.data = fmt.Sprintf(`,"party":%q,"tool":"A46-2-c","tool_ref":%q,"tia_ref":%q,"from":%q%s`, party, ref, ref, from, to)
		case 5:
			f.kind, f.what, f.key = "subprocessor-changed", WhatSubprocessor, []string{party, other}
			f.data = fmt.Sprintf(`,"party":%q,"subprocessor":%q,"state":%q,"from":%q`, party, other, []string{"declared", "ended"}[number(2, "state")], from)
			f.parties = append(f.parties, other)
		case 6:
			f.kind, f.what, f.key = "assessment-recorded", WhatAssessment, []string{"tia", ref}
			f.data = fmt.Sprintf(`,"kind":"tia","assessment":%q,"outcome":%q,"from":%q`, ref, []string{"good", "bad"}[number(2, "outcome")], from)
			f.parties = nil
		}
		facts = append(facts, f)
	}
	return facts
}

// TestAgainstAll folds random facts with random flushes, some of them lost, and holds answers, as of random moments
// and known at every position, against all facts.
func TestAgainstAll(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		facts := draw(rt)
		list := recorded(t, facts)
		db := database(t)
		defer db.Close()
		folded(t, db, list, func() int { return rapid.IntRange(1, 9).Draw(rt, "flush") }, func() bool { return rapid.Bool().Draw(rt, "lost") })
		at := days(rapid.IntRange(-1, 6).Draw(rt, "asked")).Add(time.Hour)
		reading(t, db, func(r *Reader) {
			for until := range uint64(len(list) + 2) {
				o := oracle{facts: facts[:min(until, uint64(len(facts)))], at: at}
				o.agrees(t, r, until)
				o.at = time.Time{}
				o.agrees(t, r, until)
			}
		})
	})
}

// agrees holds what is given of versions and things against all facts.
func (o oracle) agrees(t *testing.T, r *Reader, until uint64) {
	t.Helper()
	for _, what := range Whats() {
		want := o.things(func(f fact) bool { return f.what == what })
		same(t, what, places(t, r.List(what, o.at, until)), want)
		for i, p := range want {
			key := o.facts[p-1].key
			same(t, "after", places(t, r.List(what, o.at, until, key...)), want[i+1:])
			v, ok, err := r.At(what, o.at, until, key...)
			same(t, "in force", []any{v.Position, ok, err}, []any{p, true, nil})
			var history []uint64
			for n, f := range o.facts {
				if f.what == what && slices.Equal(f.key, key) {
					history = append(history, uint64(n)+1)
				}
			}
			var got []uint64
			for _, v := range all(t, r.History(what, until, key...)) {
				got = append(got, v.Position)
			}
			same(t, "history", got, history)
		}
	}
	for _, code := range []string{"acme", "acme-x", "cloud", "nobody"} {
		same(t, "things", places(t, r.Things(code, o.at, until)), o.things(func(f fact) bool {
			return slices.ContainsFunc(o.facts, func(g fact) bool {
				return g.what == f.what && slices.Equal(g.key, f.key) && slices.Contains(g.parties, code)
			})
		}))
		if !o.at.IsZero() {
			p, ok, err := r.Party(code, o.at, until)
			want, known := o.party(code)
			same(t, code, []any{p, ok, err}, []any{want, known, nil})
		}
	}
	var registered []string
	for _, p := range all(t, r.Parties(o.at, until)) {
		registered = append(registered, fmt.Sprint(p.Party, " ", p.Position))
	}
	var want []string
	for _, p := range o.things(func(f fact) bool { return f.what == WhatParty }) {
		want = append(want, fmt.Sprint(o.facts[p-1].key[0], " ", p))
	}
	same(t, "parties", registered, want)
}

// places are the positions of things' versions.
func places(t *testing.T, seq func(func(Thing, error) bool)) []uint64 {
	t.Helper()
	list := []uint64{}
	for _, th := range all(t, seq) {
		list = append(list, th.Version.Position)
	}
	return list
}

// things gives the position of the version in force of each thing that a fact is about, by sort and key.
func (o oracle) things(wanted func(f fact) bool) []uint64 {
	last := map[string]uint64{}
	for i, f := range o.facts {
		if wanted(f) && (o.at.IsZero() || !f.at.After(o.at)) {
			last[fmt.Sprint(f.what, f.key)] = uint64(i) + 1
		}
	}
	list := []uint64{}
	for _, p := range last {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b uint64) int {
		f, g := o.facts[a-1], o.facts[b-1]
		return cmp.Or(cmp.Compare(f.what, g.what), slices.Compare(f.key, g.key))
	})
	return list
}

func same[T any](t testing.TB, what any, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		text, _ := json.Marshal(got)
		other, _ := json.Marshal(want)
		t.Fatalf("%v:\n got %s\nwant %s", what, text, other)
	}
}

// TestYear finds the year's register in it.
func TestYear(t *testing.T) {
	list := year.Load(t, "../..")
	db := database(t)
	folded(t, db, list, func() int { return 997 }, func() bool { return false })
	until := uint64(len(list))
	noon := func(day string) time.Time {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		return at.Add(12 * time.Hour)
	}
	reading(t, db, func(r *Reader) {
		if n := len(all(t, r.Parties(time.Time{}, until))); n == 0 || n != len(all(t, r.List(WhatParty, time.Time{}, until))) {
			t.Errorf("%d parties", n)
		}
		for _, test := range []struct {
			day   string
			tools int
		}{{"2025-03-14", 0}, {"2025-03-15", 1}, {"2025-12-31", 1}} {
			p, ok, err := r.Party("helpdesk", noon(test.day), until)
			if err != nil || !ok || len(p.TransferTools) != test.tools || p.Registration == nil {
				t.Errorf("helpdesk on %s: %+v, %t, %v", test.day, p, ok, err)
			}
			for _, tool := range p.TransferTools {
				if tool.TIARef != "tia:7" || tool.TIA != nil {
					t.Errorf("the tool %+v refers to an assessment that nobody recorded", tool)
				}
			}
		}
		ghost, ok, err := r.Party("ghost-saas", noon("2025-12-31"), until)
		if err != nil || ok || ghost.Registration != nil {
			t.Errorf("a party of which nothing is known: %+v, %t, %v", ghost, ok, err)
		}
	})
}

// TestEmpty asks a file without events.
func TestEmpty(t *testing.T) {
	reading(t, database(t), func(r *Reader) { oracle{at: begin()}.agrees(t, r, 1<<64-1) })
}

// TestOthersCostNothing folds events of other families, which leave no row; and a model keeps none it has written.
func TestOthersCostNothing(t *testing.T) {
	db := database(t)
	var list []*projections.Event
	for _, e := range year.Load(t, "../..") {
		if e.Stored.Event.Kind.Family() != "governance" {
			list = append(list, e)
		}
	}
	folded(t, db, list, func() int { return 5000 }, func() bool { return false })
	reading(t, db, func(r *Reader) {
		if k, _, err := r.versions.Cursor().First(); k != nil || err != nil {
			t.Errorf("row %q, %v", k, err)
		}
	})
	m := opened(t, db)
	if err := flushed(db, m, recorded(t, examples()), nil); err != nil {
		t.Fatal(err)
	}
	if kept := m.(*model).rows; len(kept) > 0 {
		t.Errorf("%d rows kept", len(kept))
	}
}

// TestDamage spoils what is kept in every way, and demands an error instead of another answer.
func TestDamage(t *testing.T) {
	facts := slices.Concat(examples(), rapid.Custom(draw).Example(4))
	db := database(t)
	folded(t, db, recorded(t, facts), func() int { return 5 }, func() bool { return false })
	until := uint64(len(facts))
	spoil.File(t, db, until, func(tx *bolt.Tx) (string, error) {
		r, err := Read(tx)
		if err != nil {
			return "", err
		}
		var all []any
		for _, known := range []uint64{until, until / 2} {
			for _, what := range Whats() {
				for thing, err := range r.List(what, time.Time{}, known) {
					if err != nil {
						return "", err
					}
					all = append(all, thing)
				}
			}
			for _, f := range facts {
				for v, err := range r.History(f.what, known, f.key...) {
					if err != nil {
						return "", err
					}
					all = append(all, v)
				}
				for _, code := range append(f.parties, "nobody") {
					p, ok, err := r.Party(code, begin(), known)
					if err != nil {
						return "", err
					}
					all = append(all, p, ok)
				}
			}
		}
		text, err := json.Marshal(all)
		return string(text), err
	})
}

// TestHalf refuses a file that lacks a bucket.
func TestHalf(t *testing.T) {
	db := database(t)
	folded(t, db, recorded(t, examples()), func() int { return 5 }, func() bool { return false })
	err := db.Update(func(tx *bolt.Tx) error {
		if err := tx.DeleteBucket([]byte(partiesBucket)); err != nil {
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
