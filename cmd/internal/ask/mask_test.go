package ask

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// masksOf are the actors' masks, by identifiers that stand for events.
func masksOf(page Page) map[string]string {
	masks := map[string]string{}
	for _, item := range page.Items {
		if item.Actor != nil {
			masks[item.ID] = item.Actor.Mask
		}
	}
	return masks
}

// TestMasks holds that somebody has one mask throughout the pages of an answer,
// under any of the own identifiers and in any month, and another in the next.
func TestMasks(t *testing.T) {
	r := newRig(t)
	r.send(looked("a1", january, "employee:1", "sess-1", "candidate:1"), looked("a2", march, "employee:1", "sess-1", "candidate:2"),
		looked("b1", january, "employee:2", "sess-1", "candidate:1"), gave("b2", february, "employee:2", "sess-1", "candidate:1", "firm"),
		looked("c1", january, "login:1", "sess-1", "candidate:1"), linked("link", "employee:1", "login:1"))
	ask := func() map[string]string {
		q := Question{Name: "events", Limit: 1, KnownAt: "6"}
		page, err := r.all(q, func(q Question) (Page, error) { return r.Events(t.Context(), dpo(), q) })
		if err != nil {
			t.Fatal(err)
		}
		return masksOf(page)
	}
	one, two := ask(), ask()
	for _, m := range []map[string]string{one, two} {
		if m["a1"] != m["a2"] || m["a1"] != m["c1"] || m["b1"] != m["b2"] || m["a1"] == m["b1"] || m["link"] == m["a1"] || m["link"] == m["b1"] {
			t.Errorf("masks %v", m)
		}
	}
	for _, mask := range one {
		for _, later := range two {
			if mask == later || !strings.HasPrefix(mask, "actor-") {
				t.Errorf("%s in both answers", mask)
			}
		}
	}
	full, err := r.Event(t.Context(), dpo(), 6, "")
	if err != nil || len(full.Persons) != 2 || full.Persons[0].Mask != full.Persons[1].Mask || !strings.HasPrefix(full.Persons[0].Mask, "person-") ||
		r.last().Persons != 1 {
		t.Errorf("linked identifiers have the masks %v: %v", full.Persons, err)
	}
}

// TestUnresolved resolves tags in the vault of another ledger: they are nobody's,
// as after keys are destroyed.
func TestUnresolved(t *testing.T) {
	r, other := small(t), newRig(t)
	other.send(looked("x", january, "employee:5", "sess-1", "candidate:5"))
	own := r.vault
	position := r.ledger.Head().Position
	r.vault = other.vault
	defer func() { r.vault = own }()
	q := Question{Name: "events", KnownAt: fmt.Sprint(position)}
	page, err := r.Events(t.Context(), dpo(), q)
	if err != nil {
		t.Fatal(err)
	}
	for id, mask := range masksOf(page) {
		if mask != unresolved {
			t.Errorf("the actor of %s is %s", id, mask)
		}
	}
	if page.Total != 10 || r.last().Persons != 0 {
		t.Errorf("%d events, %d persons", page.Total, r.last().Persons)
	}
	sum, err := r.Search(t.Context(), dpo(), "summary", q, Counting{})
	// zulu in January and March, each as access and disclosure, in February as
	// disclosure; linked in January with the alias; the alias and yankee in February.
	if err != nil || sum.Summary.Persons != 0 || sum.Summary.Unresolved != 9 || sum.Summary.Events != 10 {
		t.Errorf("%+v, %v", sum.Summary, err)
	}
	full, err := r.Event(t.Context(), dpo(), 2, "")
	if err != nil || len(full.Persons) != 1 || full.Persons[0].Mask != unresolved || full.Persons[0].Role != "candidate" {
		t.Errorf("%v, %v", full.Persons, err)
	}
	all, err := r.Parties(t.Context(), dpo(), q)
	for _, p := range all.Items {
		if err != nil || *p.Persons != 0 || *p.Unresolved != 1 {
			t.Errorf("%s: %d persons, %d unresolved, %v", p.Party, *p.Persons, *p.Unresolved, err)
		}
	}
}

// TestCounted: linked identifiers are one person, whatever the cell.
func TestCounted(t *testing.T) {
	r := small(t)
	found, err := r.Lookup(t.Context(), dpo(), Session, session, "summary", Question{Name: "session.lookup"})
	if err != nil || found.Summary.Persons != 1 || found.Summary.Unresolved != 0 || found.Summary.Events != 7-1 {
		t.Errorf("%+v, %v", found.Summary, err)
	}
	if _, err := r.Lookup(t.Context(), dpo(), Session, session, "", Question{Name: "session.lookup"}); err != nil || r.last().Persons != 0 {
		t.Errorf("a session that is looked up is no person: %d, %v", r.last().Persons, err)
	}
}

// TestMore: the people of an answer are counted in its first events, and that it
// had more is recorded.
func TestMore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	lines := make([]string, 0, countedEvents+1)
	for i := range countedEvents + 1 {
		lines = append(lines, looked(fmt.Sprintf("e-%d", i), january, "employee:1", "sess-1", fmt.Sprintf("candidate:%d", min(i, countedEvents)/(countedEvents/4))))
	}
	for batch := range slices.Chunk(lines, 2500) {
		r.send(batch...)
	}
	for _, known := range []int{countedEvents, countedEvents + 1} {
		page, err := r.Events(t.Context(), dpo(), Question{Name: "events", KnownAt: fmt.Sprint(known), From: time.Unix(1, 0)})
		got := r.last()
		want := []string{"from", "known_at"}
		if known > countedEvents {
			want = []string{"from", "known_at", "more"}
		}
		if err != nil || page.Total != uint64(known) || got.Persons != 4 || !slices.Equal(got.Filters, want) {
			t.Errorf("%d events: %d persons, %v, %v", page.Total, got.Persons, got.Filters, err)
		}
	}
}
