package ask

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/projections/search"
)

// answers are the right answers about the year, by another program.
type answers struct {
	Events     int
	Accesses   map[string][]string
	Disclosure map[string][]string `json:"disclosures"`
	Timeline   map[string][]string
	Actors     map[string][]string
	Recipients map[string]struct {
		Events      uint64
		Persons     int
		First, Last time.Time
	}
	Class        map[string]string            `json:"transfer_class"`
	Counts       map[string]uint64            `json:"transfer_counts"`
	Quarters     map[string]map[string]uint64 `json:"transfer_quarters"`
	Gaps         map[string][]uint64
	Unregistered []string
	Stolen       struct {
		Session     string
		Events      uint64
		Persons     []string
		Categories  []string
		First, Last time.Time
	}
}

func unzip(t *testing.T, path string) io.Reader {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// yearly is a rig that has recorded the year, and its answers, and the aliases
// that were linked in it.
func yearly(t *testing.T) (*rig, answers, map[string]string) {
	t.Helper()
	r := newRig(t)
	var want answers
	if err := json.NewDecoder(unzip(t, "testdata/answers.json.gz")).Decode(&want); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzip(t, "../../../events/testdata/events.ndjson.gz"))
	lines.Buffer(nil, 8<<20)
	aliases := map[string]string{}
	var batch []string
	for lines.Scan() {
		batch = append(batch, lines.Text())
		var e struct {
			Type string
			Data struct{ Subjects []struct{ ID string } }
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.Type == "eu.custody.subject.identifiers-linked.v1" {
			aliases[e.Data.Subjects[0].ID] = e.Data.Subjects[1].ID
		}
		if len(batch) == 2000 {
			r.send(batch...)
			batch = nil
		}
	}
	r.send(batch...)
	if head := r.ledger.Head().Position; head != uint64(want.Events) || len(aliases) == 0 {
		t.Fatalf("%d events, want %d", head, want.Events)
	}
	return r, want, aliases
}

// TestYear holds every answer of the year against those of another program.
func TestYear(t *testing.T) {
	t.Parallel()
	r, want, aliases := yearly(t)
	year := func(name string) Question { return Question{Name: name, KnownAt: fmt.Sprint(want.Events)} }
	t.Run("persons", func(t *testing.T) { r.yearOfPersons(t, want, aliases, year) })
	t.Run("actors", func(t *testing.T) {
		for actor, ids := range want.Actors {
			page, err := r.all(year("actor.accesses"), func(q Question) (Page, error) {
				found, err := r.Lookup(t.Context(), dpo(), Acting, actor, "accesses", q)
				return pageOf(found, err)
			})
			sameIDs(t, "an actor's accesses", page, err, ids)
		}
	})
	t.Run("parties", func(t *testing.T) { r.yearOfParties(t, want, nil, year("parties")) })
	t.Run("transfers", func(t *testing.T) { r.yearOfTransfers(t, want, year) })
	t.Run("coverage", func(t *testing.T) {
		got, err := r.Coverage(t.Context(), dpo(), year("coverage"))
		if err != nil {
			t.Fatal(err)
		}
		gaps := map[string][]uint64{}
		for _, p := range got.Producers {
			if len(p.Missing) > 0 {
				gaps["/"+p.Producer] = p.Missing
			}
		}
		if !maps.EqualFunc(gaps, want.Gaps, slices.Equal) || !slices.Equal(got.Unnamed, want.Unregistered) {
			t.Errorf("missing %v, unregistered %v", gaps, got.Unnamed)
		}
	})
	t.Run("stolen", func(t *testing.T) {
		w := want.Stolen
		found, err := r.Lookup(t.Context(), dpo(), Session, w.Session, "summary", year("session.lookup"))
		if err != nil {
			t.Fatal(err)
		}
		s := found.Summary
		if s.Events != w.Events || s.Persons != len(w.Persons) || s.Unresolved != 0 || !slices.Equal(s.Categories, w.Categories) ||
			!s.First.Equal(w.First) || !s.Last.Equal(w.Last) {
			t.Errorf("the stolen session: %+v", s)
		}
		for _, person := range w.Persons {
			got, err := r.Search(t.Context(), dpo(), "events", Question{Name: "events", About: Identified(person, "", w.Session), KnownAt: year("").KnownAt}, Counting{})
			if err != nil || got.Page.Total == 0 {
				t.Errorf("a person of the stolen session: %v", err)
			}
		}
	})
	t.Run("erased", func(t *testing.T) { r.yearWithout(t, want, aliases, year) })
}

func pageOf(found Found, err error) (Page, error) {
	if err != nil {
		return Page{}, err
	}
	return *found.Page, nil
}

// yearOfPersons asks everything about everybody, in random order, in pages of
// different lengths, from either end, by either name.
func (r *rig) yearOfPersons(t *testing.T, want answers, aliases map[string]string, year func(string) Question) {
	type one struct{ person, show string }
	var all []one
	for person := range want.Timeline {
		all = append(all, one{person, "accesses"}, one{person, "disclosures"}, one{person, "timeline"})
	}
	random := rand.New(rand.NewPCG(1, 2))
	slices.SortFunc(all, func(a, b one) int { return len(a.person) - len(b.person) })
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, ask := range all {
		ids := map[string]map[string][]string{"accesses": want.Accesses, "disclosures": want.Disclosure, "timeline": want.Timeline}[ask.show][ask.person]
		names := []string{ask.person}
		if alias := aliases[ask.person]; alias != "" {
			names = append(names, alias)
		}
		for _, name := range names {
			q := year("person." + ask.show)
			q.Limit, q.Newest = max(1+random.IntN(MaxLimit), len(ids)/4), random.IntN(2) == 0
			found, err := r.Lookup(t.Context(), dpo(), Person, name, ask.show, q)
			if err != nil || found.Identifiers != len(names) {
				t.Fatalf("%d identifiers, want %d: %v", found.Identifiers, len(names), err)
			}
			first := *found.Page
			page, err := r.all(q, func(q Question) (Page, error) {
				if q.Cursor == "" {
					return first, nil
				}
				return r.Person(t.Context(), dpo(), found.Handle, ask.show, q) // goes on with what the look-up began
			})
			sameIDs(t, ask.show, page, err, ids)
		}
	}
}

func sameIDs(t *testing.T, what string, page Page, err error, want []string) {
	t.Helper()
	got := make([]string, len(page.Items))
	for i, item := range page.Items {
		got[i] = item.ID
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %d events, want %d: %v", what, len(got), len(want), err)
	}
}

// yearOfParties compares parties. Of those who were erased, each by the tags that a
// party had of them, nobody can be counted as a person.
func (r *rig) yearOfParties(t *testing.T, want answers, erased map[string]lost, q Question) {
	got, err := r.Parties(t.Context(), dpo(), q)
	if err != nil || len(got.Items) != len(want.Recipients) {
		t.Fatalf("%d parties, want %d: %v", len(got.Items), len(want.Recipients), err)
	}
	for _, p := range got.Items {
		w, ok := want.Recipients[p.Party]
		w.Persons -= erased[p.Party].persons
		if !ok || p.Events != w.Events || *p.Persons != w.Persons || *p.Unresolved != erased[p.Party].tags || !p.First.Equal(w.First) || !p.Last.Equal(w.Last) ||
			p.Registered == slices.Contains(want.Unregistered, p.Party) {
			t.Errorf("%s: %+v, want %+v", p.Party, p, w)
		}
		one, err := r.Party(t.Context(), dpo(), p.Party, q)
		if err != nil || one.Party.Events != w.Events || *one.Party.Persons != w.Persons || *one.Party.Unresolved != erased[p.Party].tags || (one.Register.Registration != nil) != p.Registered {
			t.Errorf("%s alone: %+v, %v", p.Party, one.Party, err)
		}
	}
}

func (r *rig) yearOfTransfers(t *testing.T, want answers, year func(string) Question) {
	q := year("transfers")
	q.Limit = MaxLimit
	page, err := r.all(q, func(q Question) (Page, error) { return r.Transfers(t.Context(), dpo(), q) })
	classes := map[string]string{}
	for _, item := range page.Items {
		classes[item.ID] = item.Class
	}
	if err != nil || !maps.Equal(classes, want.Class) {
		t.Errorf("%d events have a class, want %d: %v", len(classes), len(want.Class), err)
	}
	quarters := map[string]map[string]uint64{"": want.Counts}
	maps.Copy(quarters, want.Quarters)
	for name, counts := range quarters {
		q := year("transfers.summary")
		if name != "" {
			q.From = time.Date(2025, time.Month(int(name[1]-'1')*3+1), 1, 0, 0, 0, 0, time.UTC)
			q.To = q.From.AddDate(0, 3, 0)
		}
		got, err := r.TransferCounts(t.Context(), dpo(), q)
		if err != nil || !maps.Equal(got.Counts, counts) {
			t.Errorf("%s: %v, want %v: %v", name, got.Counts, counts, err)
		}
		rows, err := r.TransferMap(t.Context(), dpo(), q)
		if err != nil || len(rows.Items) == 0 {
			t.Errorf("%s: no map: %v", name, err)
		}
	}
	// One of each class explained: the tables still say the same.
	for class := range want.Counts {
		q := year("transfers")
		q.Any, q.Limit = map[search.Facet][]string{search.Class: {class}}, 1
		page, err := r.Transfers(t.Context(), dpo(), q)
		if err != nil {
			t.Fatal(err)
		}
		position, err := r.Find(t.Context(), dpo(), page.Items[0].Source, page.Items[0].ID)
		if err != nil || position != page.Items[0].Position {
			t.Errorf("found at %d, want %d: %v", position, page.Items[0].Position, err)
		}
		e, err := r.Explain(t.Context(), dpo(), page.Items[0].Position, "")
		if err != nil || e.Class != class || !e.Now.Same || len(e.Facts) == 0 {
			t.Errorf("%s: %+v, %v", class, e, err)
		}
	}
}
