package events

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func anOpening() Opening {
	return Opening{
		Who: Who{Role: "dpo", Token: "desk", Approved: "second"}, Reason: "request", Request: "req:2026/33",
		Due: time.Date(2026, 4, 2, 9, 14, 5, 0, time.UTC), Actor: true, Ground: "left-long-ago",
		Keep: []Keeping{{Disclosure, "A17-3-e"}}, Subjects: []string{"candidate:10412", "employee:r9"},
	}
}

// TestForgottenEvents spells each of the ledger's own events about forgetting.
func TestForgottenEvents(t *testing.T) {
	who := Who{Role: "dpo", Token: "desk"}
	at, _ := time.Parse(time.RFC3339, askedAt)
	for _, c := range []struct {
		event func(id, source string, at time.Time) (*Event, error)
		kind  Kind
		want  string
	}{
		{anOpening().Event, LedgerErasureOpened, `{"role":"dpo","token":"desk","approved_by":"second","reason_code":"request","request":"req:2026/33",` +
			`"due":"2026-04-02T09:14:05.000Z","actor_too":true,"ground":"left-long-ago","keep":[{"class":"disclosure","ground":"A17-3-e"}],` +
			`"subjects":[{"id":"candidate:10412"},{"id":"employee:r9"}]}`},
		{Opening{Who: who, Reason: "child", Due: at, Subjects: []string{"candidate:1"}}.Event, LedgerErasureOpened,
			`{"role":"dpo","token":"desk","reason_code":"child","due":"` + askedAt + `","subjects":[{"id":"candidate:1"}]}`},
		{Cancelling{Who: who, Erasure: 7, Reason: "withdrawn"}.Event, LedgerErasureCancelled,
			`{"role":"dpo","token":"desk","erasure":7,"reason_code":"withdrawn"}`},
		{Shredding{Who: who, Erasure: 7, Former: 1, Root: 2}.Event, LedgerKeyShredded, `{"role":"dpo","token":"desk","what":"person","erasure":7,"former":1,"root":2}`},
		{Shredding{Who: who, Class: Access, Before: "2025-07", Former: 2, Root: 3}.Event, LedgerKeyShredded,
			`{"role":"dpo","token":"desk","what":"cells","class":"access","before":"2025-07","former":2,"root":3}`},
		{Shredding{Who: who, Former: 3, Root: 4}.Event, LedgerKeyShredded, `{"role":"dpo","token":"desk","what":"root","former":3,"root":4}`},
		{Gap{Cause: "restore", From: 12, To: 20}.Event, LedgerGapFound, `{"cause":"restore","from":12,"to":20}`},
	} {
		e, err := c.event("id-1", "/custody", at)
		if got := string(made(t, e, err).AppendJSON(nil)); !strings.HasSuffix(got, `"data":`+c.want+"}") || e.Kind != c.kind {
			t.Errorf("%v\n got %s\nwant %s", e.Kind, got, c.want)
		}
		st := storable(e)
		if again, err := DecodeStored(st.Append(nil)); err != nil || string(again.Append(nil)) != string(st.Append(nil)) {
			t.Errorf("%v: stored and not readable: %v", e.Kind, err)
		}
	}
}

// TestForgottenRefuses names the field of what cannot be said, and never its value.
func TestForgottenRefuses(t *testing.T) {
	at, _ := time.Parse(time.RFC3339, askedAt)
	opening := func(change func(*Opening)) func(string, string, time.Time) (*Event, error) {
		o := anOpening()
		change(&o)
		return o.Event
	}
	for path, event := range map[string]func(string, string, time.Time) (*Event, error){
		"/data/reason_code":   opening(func(o *Opening) { o.Reason = "because" }),
		"/data/request":       opening(func(o *Opening) { o.Request = "candidate:10412" }),
		"/data/ground":        opening(func(o *Opening) { o.Ground = "0475 12 34 56" }),
		"/data/keep/0/ground": opening(func(o *Opening) { o.Keep[0].Ground = "A17-1-a" }),
		"/data/keep/0/class":  opening(func(o *Opening) { o.Keep[0].Class = 99 }),
		"/data/subjects":      opening(func(o *Opening) { o.Subjects = []string{"candidate:1", "candidate:1"} }),
		"/data/token":         opening(func(o *Opening) { o.Token = "A b" }),
		"/data/before":        Shredding{Who: Who{Role: "dpo", Token: "d"}, Class: Access, Before: "2025-13", Former: 1, Root: 2}.Event,
		"/data/root":          Shredding{Who: Who{Role: "dpo", Token: "d"}, Erasure: 1, Former: 1}.Event,
		"/data/from":          Gap{Cause: "restore", To: 1}.Event,
		"/data/erasure":       Cancelling{Who: Who{Role: "dpo", Token: "d"}, Reason: "no"}.Event,
	} {
		_, err := event("id-1", "/custody", at)
		refused, ok := errors.AsType[*Error](err)
		if !ok || refused.Path != path {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, secret := range []string{"10412", "0475", "because"} {
			if strings.Contains(refused.Error(), secret) {
				t.Errorf("%s echoes the value", path)
			}
		}
	}
}

// TestMonths holds the form of a month against its regular expression's meaning.
func TestMonths(t *testing.T) {
	for text, want := range map[string]bool{"2025-01": true, "2025-12": true, "0000-10": true, "2025-00": false, "2025-13": false, "2025-1": false,
		"2025-011": false, "2025/01": false, "a025-01": false, "2025-0a": false, "": false} {
		if isMonth([]byte(text)) != want {
			t.Errorf("%q: not %t", text, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 9999*12+11).Draw(t, "n")
		if text := fmt.Sprintf("%04d-%02d", n/12, n%12+1); !isMonth([]byte(text)) {
			t.Fatalf("%s is no month", text)
		}
	})
}

// TestOpeningSaysNothing of whom it is about.
func TestOpeningSaysNothing(t *testing.T) {
	o := anOpening()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if text := fmt.Sprintf(verb, o); strings.Contains(text, "candidate") || strings.Contains(text, "10412") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}
