package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// unlinked takes back that two identifiers are one person's.
func unlinked(id, a, b string) string {
	return strings.Replace(linked(id, a, b), "identifiers-linked", "identifiers-unlinked", 1)
}

// deleted is a deletion of somebody's data, with legs as JSON.
func deleted(id, at, person, legs string) string {
	return event(id, "data.deleted", at, fmt.Sprintf(act, whiskey, session, person)+`,"deletion":"D-1","method":"erase","trigger":"request","legs":[`+legs+`]`)
}

// told says that a party was told of an erasure.
func told(id, at, person, party string) string {
	return event(id, "subject.recipient-notified", at, fmt.Sprintf(`"actor":{"id":"employee:d1","role":"dpo"},"subjects":[{"id":%q,"role":"candidate"}],"recipient":{"party":%q,"role":"processor"},"about":"erasure","outcome":"sent"`, person, party))
}

// later is an instant after anything that a test was sent before, and after the one
// that it was before.
func (r *rig) later() string {
	r.instants++
	return time.Now().Add(time.Duration(r.instants) * time.Millisecond).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// detail shows an erasure, and holds that it names nobody.
func (r *rig) detail(position uint64) ErasureDetail {
	r.t.Helper()
	d, err := r.Erasure(r.t.Context(), dpo(), position, "c-1")
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := json.Marshal(d)
	if err != nil || strings.Contains(string(text), "zulu") || strings.Contains(string(text), "xray") || strings.Contains(string(text), "whiskey") {
		r.t.Errorf("it names somebody: %s, %v", text, err)
	}
	return d
}

// waiting is the only erasure that is open.
func (r *rig) waiting() OpenErasure {
	r.t.Helper()
	before := r.ledger.Head()
	open, err := r.OpenErasures(r.t.Context())
	if err != nil || len(open) != 1 || r.ledger.Head() != before {
		r.t.Fatalf("%d are open: %v", len(open), err)
	}
	return open[0]
}

// TestPursuit follows an erasure from its opening until its keys are destroyed.
func TestPursuit(t *testing.T) {
	r := small(t)
	const due, done = `{"kind":"backup","state":"due","due":"2027-01-01"}`, `{"kind":"backup","state":"done"}`
	r.send(deleted("s-0", march, zulu, `{"kind":"live","state":"done"}`), told("s-1", r.later(), zulu, "tango-bank")) // what was before counts for nothing
	p := r.plan(zulu, PlanOptions{})
	n := r.opened(p, PlanOptions{})
	d := r.detail(n)
	if last := r.last(); last.Query != "erasure" || last.Case != "c-1" || !slices.Equal(last.Subjects, []string{zulu}) && !slices.Equal(last.Subjects, []string{alias}) || last.Persons != 1 {
		t.Errorf("recorded as %s about %d", last.Query, last.Persons)
	}
	if d.State != erasureOpen || d.Identifiers != 2 || d.Reason != "objection" || d.Request != "R-7" || d.Token != "dpo-1" || d.Ended != nil || d.Position != n {
		t.Errorf("%+v", d.Erasure)
	}
	if q := d.Pursuit; len(q.Persons) != 1 || q.Changed || q.Complete || len(q.Recipients) != 3 || q.untold() != 3 || len(q.Rows) != 2 ||
		len(q.Restrictions) != 1 || q.Restrictions[0].Position != n || q.Restrictions[0].Kind != "ledger.erasure-opened" {
		t.Errorf("%+v", q)
	}
	steps := []struct {
		name  string
		lines []string
		hold  int
	}{
		{"everybody told, but nothing deleted", []string{told("s-2", r.later(), zulu, "tango-bank"), told("s-3", r.later(), alias, "quebec-lab"), told("s-4", r.later(), zulu, "uniform-saas")}, 0},
		{"a deletion, with a leg that is due", []string{deleted("s-5", r.later(), zulu, due)}, 0},
		{"the leg done, and a party given data again", []string{deleted("s-6", r.later(), alias, done), gave("s-7", r.later(), whiskey, session, alias, "uniform-saas")}, 0},
		{"it told again, and a hold", []string{told("s-8", r.later(), zulu, "uniform-saas"), event("s-9", "governance.hold-placed", r.later(), `"actor":{"id":"employee:d1","role":"dpo"},"hold":"H-1","ground":"A17-3-e"`)}, 1},
	}
	for _, step := range steps {
		r.send(step.lines...)
		if e := r.waiting(); e.Complete || e.Position != n || e.Holds != step.hold || len(e.Rows) != 2 || e.Due.Before(time.Now()) || e.Who != byDPO() {
			t.Errorf("after %s: %+v", step.name, e)
		}
	}
	r.send(event("s-10", "governance.hold-released", r.later(), `"actor":{"id":"employee:d1","role":"dpo"},"hold":"H-1"`))
	if d := r.detail(n); !d.Pursuit.Complete || d.Pursuit.Recipients[0].Told == nil {
		t.Errorf("not complete: %+v", d.Pursuit.Standing)
	}
	e := r.waiting()
	if !e.Complete {
		t.Errorf("not complete: %+v", e)
	}
	before := r.ledger.Head().Position
	shredded := r.shred(n, e.Rows, e.AsOf)
	d = r.detail(n)
	if d.State != erasureShredded || d.Ended == nil || d.Ended.Position != shredded.Position || d.Ended.Root != shredded.Root || d.Pursuit != nil || r.last().Subjects != nil {
		t.Errorf("%+v", d)
	}
	list, err := r.Erasures(t.Context(), dpo(), Question{Name: "erasures"})
	if err != nil || len(list.Items) != 1 || list.Items[0].Ended == nil {
		t.Errorf("%+v, %v", list, err)
	}
	list, err = r.Erasures(t.Context(), dpo(), Question{Name: "erasures", KnownAt: fmt.Sprint(before)})
	if err != nil || len(list.Items) != 1 || list.Items[0].State != erasureOpen || list.Items[0].Ended != nil {
		t.Errorf("as known before: %+v, %v", list, err)
	}
	if open, err := r.OpenErasures(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%d are open: %v", len(open), err)
	}
}

// TestPursuitChanged: an erasure is of those identifiers that it was opened for.
func TestPursuitChanged(t *testing.T) {
	for name, line := range map[string]string{
		"linked":   linked("c-1", zulu, yankee),
		"unlinked": unlinked("c-1", zulu, alias),
	} {
		t.Run(name, func(t *testing.T) {
			r := small(t)
			n := r.opened(r.plan(zulu, PlanOptions{}), PlanOptions{})
			r.send(deleted("s-1", r.later(), zulu, `{"kind":"live","state":"done"}`), line)
			d := r.detail(n).Pursuit
			if persons := map[string]int{"linked": 1, "unlinked": 2}[name]; !d.Changed || d.Rows != nil || d.Complete || len(d.Persons) != persons {
				t.Errorf("%+v", d)
			}
			if e := r.waiting(); !e.Changed || e.Rows != nil || e.Complete {
				t.Errorf("%+v", e)
			}
			if name == "linked" { // and taken back
				r.send(unlinked("c-2", zulu, yankee))
			} else {
				r.send(linked("c-2", zulu, alias))
			}
			if d := r.detail(n).Pursuit; d.Changed || len(d.Rows) != 2 {
				t.Errorf("taken back: %+v", d)
			}
		})
	}
}

// TestErasureList: pages of erasures that were cancelled, carried out, and are open.
func TestErasureList(t *testing.T) {
	r := small(t)
	keep := PlanOptions{AsActor: true, Keep: []events.Keeping{{Class: events.LegalState, Ground: "A17-3-b"}}}
	var want []string
	note := func(n uint64, state string) { want = append(want, fmt.Sprintf("%d %s", n, state)) }
	var n uint64
	for range 4 {
		n = r.opened(r.plan(zulu, keep), keep)
		if _, err := r.ledger.RecordCancelling(t.Context(), events.Cancelling{Who: byDPO(), Erasure: n, Reason: "mistake"}); err != nil {
			t.Fatal(err)
		}
		note(n, erasureCancelled)
	}
	if s, err := r.State(t.Context(), dpo(), r.named(dpo(), Person, zulu), Question{Name: "person.state"}); err != nil || s.Restricted != nil {
		t.Errorf("cancelled, and restricted: %+v, %v", s, err)
	}
	n = r.opened(r.plan(zulu, keep), keep)
	e := r.waiting()
	shredded := r.shred(n, e.Rows, e.AsOf)
	note(n, erasureShredded)
	if _, err := r.ledger.Forget(t.Context(), ledger.Forgetting{Who: byDPO(), Class: events.Access, Before: 1, AsOf: r.ledger.Head().Position}); err != nil { // ends no erasure
		t.Fatal(err)
	}
	if root, err := r.Event(t.Context(), dpo(), shredded.Position, ""); err != nil || len(root.Persons) != 0 {
		t.Errorf("it names %d: %v", len(root.Persons), err)
	}
	note(r.opened(r.plan(yankee, PlanOptions{}), PlanOptions{}), erasureOpen)
	for _, newest := range []bool{false, true} {
		var got []string
		q := Question{Name: "erasures", Limit: 1, Newest: newest}
		before := r.questions()
		for more := true; more; {
			page, err := r.Erasures(t.Context(), dpo(), q)
			if err != nil || page.Total != 6 || len(page.Items) != 1 {
				t.Fatal(page, err)
			}
			one := page.Items[0]
			got = append(got, fmt.Sprintf("%d %s", one.Position, one.State))
			if (one.Ended == nil) != (one.State == erasureOpen) || one.AsActor == (one.State == erasureOpen) || one.AsActor && (one.Keep[0] != Staying{"subject", "legal-state", "A17-3-b"} || one.Ground != "left" || one.Approved != "dpo-2") {
				t.Errorf("%+v", one)
			}
			q.Cursor, more = page.Next, page.Next != ""
		}
		if newest {
			slices.Reverse(got)
		}
		if !slices.Equal(got, want) || r.questions() != before+1 {
			t.Errorf("%v, want %v; %d questions", got, want, r.questions()-before)
		}
	}
	r.close() // how erasures ended is read anew
	r.open()
	if e := r.waiting(); fmt.Sprintf("%d open", e.Position) != want[5] {
		t.Errorf("after a restart: %+v", e)
	}
}

// TestErasureRefused: what is no erasure, and who may not see one.
func TestErasureRefused(t *testing.T) {
	r := small(t)
	for _, position := range []uint64{0, 2, 1 << 40} {
		if _, err := r.Erasure(t.Context(), dpo(), position, ""); !errors.Is(err, ledger.ErrNoEvent) {
			t.Errorf("position %d: %v", position, err)
		}
	}
	n := r.opened(r.plan(zulu, PlanOptions{}), PlanOptions{})
	for name, a := range map[string]Asker{"window": investigator(), "from": {Role: access.RoleDPO, Name: "dpo-1", Box: access.Box{From: time.Unix(1, 0)}}, "subject": {Role: access.RoleSubject}} {
		if _, err := r.Erasure(t.Context(), a, n, ""); !errors.Is(err, ErrBox) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, recorded := range []bool{false, true} {
		r.refuse = func(q events.Query) (uint64, error) {
			if recorded {
				if _, err := r.ledger.RecordQuery(t.Context(), q); err != nil {
					t.Error(err)
				}
			}
			return 0, errors.New("the disk is gone")
		}
		if d, err := r.Erasure(t.Context(), dpo(), n, ""); !errors.Is(err, ErrNotRecorded) || d.Pursuit != nil {
			t.Errorf("not recorded: %v", err)
		}
	}
}

// TestRestricted: whether a person is restricted shows at once, to whoever looks
// them up, and to themselves, in every list.
func TestRestricted(t *testing.T) {
	r := small(t)
	row, err := r.ledger.RowOf(zulu)
	if err != nil {
		t.Fatal(err)
	}
	me := Asker{Token: "aaaaaaaaaaaaaaaa", Name: "me-1", Role: access.RoleSubject, Box: access.Box{Person: row}}
	limit := func(id, kind, at, more string) string {
		return event(id, kind, at, fmt.Sprintf(`"actor":{"id":"employee:d1","role":"dpo"},"subjects":[{"id":%q,"role":"candidate"}]%s`, alias, more))
	}
	const ground = `,"ground":"A18-1-a"`
	steps := []struct {
		name, line  string
		since, mine string // the month since when; "" is not at all
		count       int
		opens       bool
	}{
		{name: "nothing"},
		{name: "secretly", line: limit("r-1", "data.restricted", january, ground+`,"secrecy":"inquiry"`), since: "01", count: 1},
		{name: "lifted before", line: limit("r-2", "data.unrestricted", "2025-01-09T09:00:00.000Z", ""), since: "01", count: 1},
		{name: "lifted", line: limit("r-3", "data.unrestricted", "2025-01-11T09:00:00.000Z", "")},
		{name: "of a dataset", line: limit("r-4", "data.restricted", february, ground+`,"dataset":"career_cv"`), since: "02", mine: "02", count: 1},
		{name: "another lifted", line: limit("r-5", "data.unrestricted", march, `,"dataset":"payroll"`), since: "02", mine: "02", count: 1},
		{name: "of a system lifted", line: limit("r-7", "data.unrestricted", march, `,"system":"crm"`), since: "02", mine: "02", count: 1},
		{name: "an erasure", opens: true, since: "02", mine: "02", count: 2},
		{name: "that one lifted", line: limit("r-6", "data.unrestricted", march, `,"dataset":"career_cv"`), since: r.later()[5:7], mine: r.later()[5:7], count: 1},
	}
	var opening uint64
	for _, step := range steps {
		if step.line != "" {
			r.send(step.line)
		}
		if step.opens {
			opening = r.opened(r.plan(zulu, PlanOptions{}), PlanOptions{})
		}
		for _, id := range []string{zulu, alias} {
			for _, show := range []string{"", "timeline"} {
				found, err := r.Lookup(t.Context(), dpo(), Person, id, show, Question{Name: "x"})
				sameRestricted(t, step.name, found.Restricted, err, step.since, opening)
			}
		}
		s, err := r.State(t.Context(), dpo(), r.named(dpo(), Person, zulu), Question{Name: "person.state"})
		sameRestricted(t, step.name, s.Restricted, err, step.since, opening)
		if len(s.Restrictions) != step.count || r.last().Query != "person.state" || len(r.last().Subjects) != 1 {
			t.Errorf("%s: %+v", step.name, s.Restrictions)
		}
		s, err = r.State(t.Context(), me, Me, Question{Name: "person.state"})
		sameRestricted(t, step.name+", to themselves", s.Restricted, err, step.mine, opening)
		for _, who := range []struct {
			Asker
			since string
		}{{dpo(), step.since}, {me, step.mine}} {
			handle := r.named(who.Asker, Person, zulu)
			page, err := r.Person(t.Context(), who.Asker, handle, "timeline", Question{Name: "x", Limit: 1})
			sameRestricted(t, step.name+", listed", page.Restricted, err, who.since, opening)
			page, err = r.Person(t.Context(), who.Asker, handle, "timeline", Question{Name: "x", Limit: 1, Cursor: page.Next})
			sameRestricted(t, step.name+", on the next page", page.Restricted, err, who.since, opening)
			reads, err := r.Reads(t.Context(), who.Asker, handle, Question{Name: "x"})
			sameRestricted(t, step.name+", with who asked", reads.Restricted, err, who.since, opening)
			shares, err := r.Recipients(t.Context(), who.Asker, handle, Question{Name: "x"})
			sameRestricted(t, step.name+", with recipients", shares.Restricted, err, who.since, opening)
		}
	}
	found, err := r.Lookup(t.Context(), dpo(), Person, zulu, "", Question{Name: "x", KnownAt: "10"})
	sameRestricted(t, "as known before", found.Restricted, err, "", 0)
	found, err = r.Lookup(t.Context(), dpo(), Acting, whiskey, "", Question{Name: "x"})
	sameRestricted(t, "an actor", found.Restricted, err, "", 0)
}

func sameRestricted(t *testing.T, name string, got *Restricted, err error, month string, opening uint64) {
	t.Helper()
	if err != nil || (got != nil) != (month != "") || got != nil && (got.Since.Format("01") != month || got.Erasure != opening) {
		t.Errorf("%s: %+v, want since %q by erasure %d: %v", name, got, month, opening, err)
	}
}
