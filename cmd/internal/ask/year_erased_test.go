package ask

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/events"
)

// lost is what an answer can no longer say of people: how many they were, and how
// many tags are nobody's.
type lost struct{ persons, tags int }

// yearWithout erases people of the year, deletes every view, and compares the
// answers about all others, and about everything, with what they were.
func (r *rig) yearWithout(t *testing.T, want answers, aliases map[string]string, year func(string) Question) {
	names := map[string]string{} // of those who go: identifier to person
	everybody := make([]string, 0, len(want.Timeline))
	for person := range want.Timeline {
		everybody = append(everybody, person)
	}
	slices.Sort(everybody)
	for i, person := range everybody {
		stolen := slices.Contains(want.Stolen.Persons, person)
		if i%9 != 0 && !stolen {
			continue
		}
		ids := []string{person}
		if alias := aliases[person]; alias != "" {
			ids = append(ids, alias)
		}
		for _, one := range r.erase(ids[i%len(ids)], PlanOptions{}).Identifiers {
			if !one.Goes || !slices.Contains(ids, string(one.ID)) {
				t.Fatalf("an identifier of %d stays: %v", len(ids), one.Stays)
			}
			names[string(one.ID)] = person
		}
	}
	if err := r.set.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range r.viewFiles(t) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	r.openViews()

	for id, person := range names {
		delete(want.Timeline, person)
		if _, err := r.Lookup(t.Context(), dpo(), Person, id, "timeline", year("person.timeline")); !errors.Is(err, ErrNotKnown) {
			t.Errorf("who was erased: %v", err)
		}
	}
	r.yearOfPersons(t, want, aliases, year)
	parties, stolen := countLost(t, names, want.Stolen.Session)
	r.yearOfParties(t, want, parties, year("parties"))
	r.yearOfTransfers(t, want, year)
	for actor, ids := range want.Actors {
		page, err := r.all(year("actor.accesses"), func(q Question) (Page, error) {
			found, err := r.Lookup(t.Context(), dpo(), Acting, actor, "accesses", q)
			return pageOf(found, err)
		})
		sameIDs(t, "an actor's accesses", page, err, ids)
	}
	found, err := r.Lookup(t.Context(), dpo(), Session, want.Stolen.Session, "summary", year("session.summary"))
	if err != nil {
		t.Fatal(err)
	}
	if s := found.Summary; s.Events != want.Stolen.Events || s.Persons != len(want.Stolen.Persons)-stolen.persons || s.Unresolved != stolen.tags {
		t.Errorf("%d people of the stolen session, %d unresolved, want %+v", s.Persons, s.Unresolved, stolen)
	}
}

// countLost counts, from what was sent, those who were erased: of each party that
// received their data, and of a session.
func countLost(t *testing.T, names map[string]string, session string) (parties map[string]lost, inSession lost) {
	type tag struct {
		party, id string
		class     events.Retention
		month     string
	}
	type one struct{ party, person string }
	tags, people := map[tag]bool{}, map[one]bool{}
	lines := bufio.NewScanner(unzip(t, "../../../events/testdata/events.ndjson.gz"))
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var e struct {
			Type string
			Time time.Time
			Data struct {
				Subjects  []struct{ ID string }
				Actor     struct{ Session string }
				Recipient struct{ Party, Role string }
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		kind, _ := events.ParseType(e.Type)
		of := []string{}
		if e.Data.Recipient.Party != "" && e.Data.Recipient.Role != "subject" {
			of = append(of, e.Data.Recipient.Party)
		}
		if e.Data.Actor.Session == session {
			of = append(of, "") // no party is called so
		}
		for _, party := range of {
			for _, s := range e.Data.Subjects {
				if person := names[s.ID]; person != "" {
					tags[tag{party, s.ID, kind.Retention(), e.Time.UTC().Format("2006-01")}] = true
					people[one{party, person}] = true
				}
			}
		}
	}
	parties = map[string]lost{}
	for tag := range tags {
		l := parties[tag.party]
		l.tags++
		parties[tag.party] = l
	}
	for p := range people {
		l := parties[p.party]
		l.persons++
		parties[p.party] = l
	}
	return parties, parties[""]
}
