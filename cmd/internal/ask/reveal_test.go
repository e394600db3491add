package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// lastShown is what was recorded last of identifiers that were shown.
func (r *rig) lastShown() events.Reveal {
	return r.shown[slices.Max(slices.Collect(maps.Keys(r.shown)))]
}

func pointers(items []Identity) (list []string) {
	for _, i := range items {
		list = append(list, i.Pointer+"="+string(i.ID))
	}
	return list
}

// TestReveal: who is behind the tags of an event, in the order of its data, once
// that is recorded.
func TestReveal(t *testing.T) {
	r := small(t)
	results := r.send(
		event("case", "subject.case-changed", february, fmt.Sprintf(`"actor":{"id":%q,"role":"recruiter","for":"employee:sierra76"},"subjects":[{"id":%q,"role":"candidate"},{"id":%q,"role":"candidate"},{"id":%q,"role":"candidate"}],`+
			`"case":"C-1","kind":"placement","state":"joined","handlers":["employee:d1",%q]`, whiskey, zulu, yankee, alias, whiskey)),
		event("grant", "governance.authorisation-granted", february, fmt.Sprintf(`"actor":{"id":"employee:d1","role":"dpo"},"system":"ats","categories":["contact"],"employee":%q`, whiskey)))
	actors := []string{"/data/actor/id=" + whiskey, "/data/actor/for=employee:sierra76", "/data/handlers/0=employee:d1", "/data/handlers/1=" + whiskey}
	subjects := []string{"/data/subjects/0/id=" + zulu, "/data/subjects/1/id=" + yankee, "/data/subjects/2/id=" + alias}
	for _, test := range []struct {
		position uint64
		who      string
		want     []string
		shown    events.Reveal
	}{
		{results[0].Position, "actors", actors, events.Reveal{Actors: []string{"employee:d1", "employee:sierra76", whiskey}}},
		{results[0].Position, "subjects", subjects, events.Reveal{Subjects: []string{yankee, zulu, alias}}},
		{results[0].Position, "all", slices.Concat(actors, subjects), events.Reveal{Subjects: []string{yankee, zulu, alias}, Actors: []string{"employee:d1", "employee:sierra76", whiskey}}},
		{results[1].Position, "all", []string{"/data/actor/id=employee:d1", "/data/employee=" + whiskey}, events.Reveal{Actors: []string{"employee:d1", whiskey}}},
		{results[1].Position, "subjects", nil, events.Reveal{}}, // that somebody looked is recorded all the same
	} {
		head := r.ledger.Head().Position
		got, err := r.Reveal(t.Context(), dpo(), RevealRequest{Position: test.position, Who: test.who, ReasonCode: "breach", Reason: "who was it", Case: "c-1", Approved: "dpo-2"})
		if err != nil || !slices.Equal(pointers(got.Items), test.want) || got.Unresolved != 0 || !slices.Equal(got.Recorded, []uint64{head + 1}) || r.ledger.Head().Position != head+1 {
			t.Errorf("%s: %v, %v", test.who, pointers(got.Items), err)
			continue
		}
		shown := r.shown[head+1]
		if !slices.Equal(shown.Subjects, test.shown.Subjects) || !slices.Equal(shown.Actors, test.shown.Actors) || shown.ReasonCode != "breach" || shown.Reason != "who was it" ||
			shown.Case != "c-1" || shown.Approved != "dpo-2" || shown.Role != "dpo" || shown.Token != "dpo-1" || shown.Bulk != "" {
			t.Errorf("%s: recorded with %d and %d", test.who, len(shown.Subjects), len(shown.Actors))
		}
		if test.who == "all" && len(got.Items) == 7 && (got.Items[0].Mask != got.Items[3].Mask || got.Items[4].Mask != got.Items[6].Mask || got.Items[4].Mask == got.Items[5].Mask) {
			t.Errorf("masks %+v", got.Items)
		}
		if printed := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(printed, "employee:") || strings.Contains(printed, "candidate:") {
			t.Error("an answer prints somebody")
		}
	}
	reads, err := r.Reads(t.Context(), dpo(), r.named(dpo(), Person, yankee), Question{Name: "person.reads"})
	if last := reads.Items[len(reads.Items)-1]; err != nil || last.Kind != "ledger.identity-revealed" || last.Reason != "breach" || last.Approved != "dpo-2" || last.Persons != 3 || last.Case != "c-1" {
		t.Errorf("%+v, %v", reads.Items, err)
	}
	r.erase(zulu, PlanOptions{})
	got, err := r.Reveal(t.Context(), dpo(), RevealRequest{Position: results[0].Position, Who: "subjects", ReasonCode: "breach"})
	if err != nil || !slices.Equal(pointers(got.Items), subjects[1:2]) || got.Unresolved != 2 {
		t.Errorf("after an erasure: %v, %d unresolved, %v", pointers(got.Items), got.Unresolved, err)
	}
}

// TestRevealSession: who is in a session's events, each identifier once; in a
// window, those of its events.
func TestRevealSession(t *testing.T) {
	r := small(t)
	handle := r.named(dpo(), Session, session)
	february := RevealRequest{Session: session, Who: "subjects", From: time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)}
	march := february
	march.From, march.To = february.To, time.Time{}
	boxed := RevealRequest{Session: session, Who: "subjects"}
	for name, test := range map[string]struct {
		a    Asker
		r    RevealRequest
		want []string
	}{
		"subjects":     {dpo(), RevealRequest{Session: session, Who: "subjects"}, []string{zulu, alias}},
		"by handle":    {dpo(), RevealRequest{Handle: handle, Who: "subjects"}, []string{zulu, alias}},
		"actors":       {dpo(), RevealRequest{Session: session, Who: "actors"}, []string{whiskey}},
		"all":          {dpo(), RevealRequest{Session: session, Who: "all"}, []string{zulu, alias, whiskey}},
		"of march":     {dpo(), march, []string{zulu}},
		"of february":  {dpo(), february, []string{zulu, alias}},
		"boxed":        {investigator(), boxed, []string{zulu, alias}},
		"unknown":      {dpo(), RevealRequest{Session: "sess-lima82", Who: "all"}, nil},
		"of a session": {dpo(), RevealRequest{Session: "sess-romeo77", Who: "all"}, []string{yankee, "employee:sierra76"}},
	} {
		test.r.ReasonCode = "breach"
		got, err := r.Reveal(t.Context(), test.a, test.r)
		var ids []string
		masks := map[string]bool{}
		for _, item := range got.Items {
			ids, masks[item.Mask] = append(ids, string(item.ID)), true
		}
		if err != nil || !slices.Equal(ids, test.want) || got.Unresolved != 0 || len(r.lastShown().Subjects)+len(r.lastShown().Actors) != len(ids) {
			t.Errorf("%s: %v, %v", name, ids, err)
		}
		if slices.Contains(ids, zulu) && slices.Contains(ids, alias) && len(masks) != len(ids)-1 {
			t.Errorf("%s: %d masks for %d", name, len(masks), len(ids)-1)
		}
	}
	if got := r.lastShown().Case; got != "" && got != "case-9" {
		t.Errorf("recorded for case %q", got)
	}
}

// TestRevealHandle: every identifier of a person who was looked up.
func TestRevealHandle(t *testing.T) {
	r := small(t)
	for _, test := range []struct {
		what     What
		id       string
		subjects []string
		actors   []string
	}{{Person, alias, []string{zulu, alias}, nil}, {Acting, whiskey, nil, []string{whiskey}}} {
		got, err := r.Reveal(t.Context(), dpo(), RevealRequest{Handle: r.named(dpo(), test.what, test.id), ReasonCode: "dsar"})
		if shown := r.lastShown(); err != nil || len(got.Items) != len(test.subjects)+len(test.actors) || !slices.Equal(shown.Subjects, test.subjects) || !slices.Equal(shown.Actors, test.actors) {
			t.Errorf("%s: %v, %v", test.what, pointers(got.Items), err)
		}
		if _, err := r.Reveal(t.Context(), investigator(), RevealRequest{Handle: r.named(investigator(), test.what, test.id), ReasonCode: "dsar"}); !errors.Is(err, ErrBox) {
			t.Errorf("%s, within a window: %v", test.what, err)
		}
	}
}

// TestRevealRefused: nothing is shown that is not recorded, and what makes no sense
// is neither.
func TestRevealRefused(t *testing.T) {
	r := small(t)
	head := r.ledger.Head()
	person := r.named(dpo(), Person, zulu)
	boxed := investigator()
	for name, bad := range map[string]struct {
		a    Asker
		r    RevealRequest
		want error
	}{
		"nothing":          {dpo(), RevealRequest{Who: "all"}, ErrQuestion},
		"two":              {dpo(), RevealRequest{Position: 2, Session: session, Who: "all"}, ErrQuestion},
		"who":              {dpo(), RevealRequest{Position: 2}, ErrQuestion},
		"who else":         {dpo(), RevealRequest{Position: 2, Who: "everybody"}, ErrQuestion},
		"who of a person":  {dpo(), RevealRequest{Handle: person, Who: "all"}, ErrQuestion},
		"from of an event": {dpo(), RevealRequest{Position: 2, Who: "all", From: time.Unix(1, 0)}, ErrQuestion},
		"to of a person":   {dpo(), RevealRequest{Handle: person, To: time.Unix(1, 0)}, ErrQuestion},
		"another's handle": {boxed, RevealRequest{Handle: person}, ErrHandle},
		"no event":         {dpo(), RevealRequest{Position: 11, Who: "all"}, ledger.ErrNoEvent},
		"outside":          {boxed, RevealRequest{Position: 2, Who: "all"}, ErrBox},
		"another case":     {boxed, RevealRequest{Position: 6, Who: "all", Case: "case-8"}, ErrBox},
		"before":           {boxed, RevealRequest{Session: session, Who: "all", From: time.Unix(1, 0)}, ErrBox},
		"subject":          {Asker{Role: access.RoleSubject}, RevealRequest{Position: 2, Who: "all"}, ErrBox},
	} {
		bad.r.ReasonCode = "breach"
		if got, err := r.Reveal(t.Context(), bad.a, bad.r); !errors.Is(err, bad.want) || got.Items != nil || r.ledger.Head() != head {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Reveal(t.Context(), dpo(), RevealRequest{Position: 2, Who: "all"}); !errors.Is(err, ErrQuestion) || r.ledger.Head() != head {
		t.Errorf("no reason: %v", err)
	}
	if _, err := r.Reveal(t.Context(), dpo(), RevealRequest{Position: 2, Who: "all", ReasonCode: "No Code"}); !errors.Is(err, ErrNotRecorded) || r.ledger.Head() != head {
		t.Errorf("a reason that is no code: %v", err)
	}
	for _, recorded := range []bool{false, true} {
		r.conceal = func(shown events.Reveal) (uint64, error) {
			if recorded {
				if _, err := r.ledger.RecordReveal(t.Context(), shown); err != nil {
					t.Error(err)
				}
			}
			return 0, errors.New("the disk is gone")
		}
		if got, err := r.Reveal(t.Context(), dpo(), RevealRequest{Position: 2, Who: "all", ReasonCode: "breach"}); !errors.Is(err, ErrNotRecorded) || got.Items != nil {
			t.Errorf("not recorded: %v", err)
		}
	}
	r.conceal = nil
	if got, err := r.Reveal(t.Context(), dpo(), RevealRequest{Position: 2, Who: "all", ReasonCode: "breach"}); err != nil || len(got.Items) != 2 {
		t.Errorf("asked again: %v", err)
	}
}

// TestRevealMany: what one event cannot list is recorded in parts, all of them
// before any is shown; and there is a limit.
func TestRevealMany(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	listed := func(id, session string, from, n int) {
		subjects := make([]string, n)
		for i := range n {
			subjects[i] = fmt.Sprintf(`{"id":"c:%d","role":"candidate"}`, from+i)
		}
		data := strings.Replace(fmt.Sprintf(act, "employee:1", session, "c"), `{"id":"c","role":"candidate"}`, strings.Join(subjects, ","), 1)
		r.send(event(id, "data.accessed", january, data+`,"mode":"list"`))
	}
	for part := range MaxRevealed / events.MaxSubjects {
		listed(fmt.Sprintf("e-%d", part), fmt.Sprintf("sess-%d", part/2), part*events.MaxSubjects, events.MaxSubjects)
		listed(fmt.Sprintf("f-%d", part), "sess-9", part*events.MaxSubjects, events.MaxSubjects)
	}
	request := RevealRequest{Session: "sess-0", Who: "all", ReasonCode: "breach"}
	got, err := r.Reveal(t.Context(), dpo(), request)
	if err != nil || len(got.Items) != 2*events.MaxSubjects+1 || len(got.Recorded) != 2 {
		t.Fatalf("%d identities, recorded at %v, %v", len(got.Items), got.Recorded, err)
	}
	first, last := r.shown[got.Recorded[0]], r.shown[got.Recorded[1]]
	if first.Bulk == "" || first.Bulk != last.Bulk || first.Part != 1 || last.Part != 2 || first.Parts != 0 || last.Parts != 2 || len(first.Actors) != 1 || len(last.Actors) != 0 ||
		len(first.Subjects) != events.MaxSubjects || len(last.Subjects) != events.MaxSubjects || len(slices.Compact(slices.Sorted(slices.Values(slices.Concat(first.Subjects, last.Subjects))))) != 2*events.MaxSubjects {
		t.Errorf("parts %d and %d of %d", first.Part, last.Part, last.Parts)
	}
	n := 0
	r.conceal = func(shown events.Reveal) (uint64, error) {
		if n++; n == 2 {
			return 0, errors.New("the disk is gone")
		}
		return r.ledger.RecordReveal(t.Context(), shown)
	}
	if got, err := r.Reveal(t.Context(), dpo(), request); !errors.Is(err, ErrNotRecorded) || got.Items != nil {
		t.Errorf("recorded in part: %v", err)
	}
	r.conceal = nil
	request = RevealRequest{Session: "sess-9", Who: "subjects", ReasonCode: "breach"}
	if got, err := r.Reveal(t.Context(), dpo(), request); err != nil || len(got.Items) != MaxRevealed || len(got.Recorded) != MaxRevealed/events.MaxSubjects {
		t.Errorf("%d identities: %v", len(got.Items), err)
	}
	head := r.ledger.Head()
	request.Who = "all"
	if got, err := r.Reveal(t.Context(), dpo(), request); !errors.Is(err, ErrQuestion) || got.Items != nil || r.ledger.Head() != head {
		t.Errorf("one more than %d: %v", MaxRevealed, err)
	}
}

// TestOwnRecord: nothing that a person is answered about the own record names an
// employee, or lets two answers be laid side by side (CJEU, C-579/21).
func TestOwnRecord(t *testing.T) {
	r := small(t)
	if _, err := r.Reveal(t.Context(), dpo(), RevealRequest{Position: 2, Who: "all", ReasonCode: "breach", Approved: "dpo-2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Lookup(t.Context(), dpo(), Person, zulu, "timeline", Question{Name: "x", Case: "c-1"}); err != nil {
		t.Fatal(err)
	}
	row, err := r.ledger.RowOf(zulu)
	if err != nil {
		t.Fatal(err)
	}
	me := Asker{Token: "aaaaaaaaaaaaaaaa", Name: "me-1", Role: access.RoleSubject, Box: access.Box{Person: row}}
	seen := map[string]string{}
	for _, m := range methods() {
		if !m.own {
			continue
		}
		for range 2 {
			answer, err := m.ask(t.Context(), r.Desk, me, Question{Name: m.name})
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"whiskey74", "employee:", "service:", "dpo-1", "dpo-2", "zulu71", "victor75"} {
				if strings.Contains(string(text), id) {
					t.Errorf("%s names %s: %s", m.name, id, text)
				}
			}
			var masks []string
			for _, part := range strings.Split(string(text), `"mask":"`)[1:] {
				masks = append(masks, part[:strings.IndexByte(part, '"')])
			}
			slices.Sort(masks)
			for _, mask := range slices.Compact(masks) {
				if before := seen[mask]; before != "" {
					t.Errorf("%s has a mask of an answer to %s", m.name, before)
				}
				seen[mask] = m.name
			}
		}
	}
	if len(seen) == 0 {
		t.Error("no masks")
	}
}
