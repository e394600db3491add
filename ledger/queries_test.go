package ledger

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

func question(about ...string) events.Query {
	return events.Query{Role: "dpo", Token: "dpo-1", Case: "c-7", Query: "person.accesses", Filters: []string{"kind"}, AsOf: 1, Persons: 1, Subjects: about}
}

func storedAt(t *testing.T, l *Ledger, position uint64) *events.Stored {
	t.Helper()
	rec, err := l.Event(t.Context(), position)
	if err != nil {
		t.Fatal(err)
	}
	st, err := events.DecodeStored(rec.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// mustKnow says whether the vault is to know somebody.
func mustKnow(t *testing.T, l *Ledger, id vault.Identifier, want bool) {
	t.Helper()
	if _, known, err := l.vault.Lookup(id); err != nil || known != want {
		t.Errorf("known: %t, %v, want %t", known, err, want)
	}
}

// TestRecordQuery: a question stands where it was asked, with the tags of whom it
// was about in the cell of accesses, and is found again after a start.
func TestRecordQuery(t *testing.T) {
	cfg := newConfig(t)
	l := open(t, cfg)
	record(t, l, view(t, "a", "candidate:10001"))
	q := question("candidate:10001")
	q.Actors = []string{"employee:x01"}
	position, err := l.RecordQuery(t.Context(), q)
	if err != nil || position != 2 || l.Head().Position != 2 {
		t.Fatalf("position %d, head %d, %v", position, l.Head().Position, err)
	}
	st := storedAt(t, l, position)
	if st.Event.Source != OwnSource || st.Event.Kind != events.LedgerQueried || st.Event.Data.Get("query").Text() != "person.accesses" {
		t.Errorf("recorded %v", st.Event)
	}
	tags := map[vault.Role]string{
		vault.Subject: st.Event.Data.Get("subjects").List()[0].Object().Get("id").Text(),
		vault.Actor:   st.Event.Data.Get("handlers").List()[0].Text(),
	}
	for role, id := range map[vault.Role]vault.Identifier{vault.Subject: "candidate:10001", vault.Actor: "employee:x01"} {
		cell := vault.CellID{Class: uint8(events.Access), Role: role, Month: vault.MonthOf(st.Event.At)}
		tag, ok, err := l.vault.TagOf(cell, id)
		if err != nil || !ok || tag.String() != tags[role] {
			t.Errorf("%v: not the tag of whom was asked about: %t, %v", role, ok, err)
		}
		var stored vault.Tag
		hex.Decode(stored[:], []byte(tags[role]))
		who, err := l.vault.Who(cell, []vault.Tag{stored})
		self, _, _ := l.vault.People(id)
		if err != nil || who[0] != self || self.IsZero() {
			t.Errorf("%v: the tag leads to %v, %v", role, who, err)
		}
	}
}

// TestRecordQueryOfNobody: who asks about somebody unknown makes nobody known,
// and what cannot be stored is not.
func TestRecordQueryOfNobody(t *testing.T) {
	l := open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:10001"))
	for name, q := range map[string]events.Query{
		"subject": question("candidate:10001", "candidate:404"),
		"actor":   {Role: "dpo", Token: "d", Query: "actor", Actors: []string{"candidate:404"}},
	} {
		if _, err := l.RecordQuery(t.Context(), q); !errors.Is(err, ErrNobody) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := l.RecordReveal(t.Context(), events.Reveal{Role: "dpo", Token: "d", ReasonCode: "c", Actors: []string{"candidate:404"}}); !errors.Is(err, ErrNobody) {
		t.Errorf("reveal: %v", err)
	}
	mustKnow(t, l, "candidate:404", false)
	bad := question("candidate:10001")
	bad.Case = "candidate:10001"
	if _, err := l.RecordQuery(t.Context(), bad); err == nil {
		t.Error("a case that is no code was recorded")
	} else if refused, ok := errors.AsType[*events.Error](err); !ok || refused.Path != "/data/case" {
		t.Errorf("a case that is no code: %v", err)
	}
	if head := l.Head().Position; head != 1 {
		t.Errorf("head is %d", head)
	}
}

// TestRecordReveal: why identifiers were shown is sealed, and opens.
func TestRecordReveal(t *testing.T) {
	l := open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:10001"), view(t, "b", "candidate:10002"))
	position, err := l.RecordReveal(t.Context(), events.Reveal{Role: "investigator", Token: "i", Case: "c-7", ReasonCode: "art-34", Reason: "to notify them",
		Subjects: []string{"candidate:10001", "candidate:10002"}})
	if err != nil {
		t.Fatal(err)
	}
	st := storedAt(t, l, position)
	plain, err := l.vault.Open(cellOf(st.Event, vault.Subject), st.Salt, []vault.Identifier{"candidate:10002"}, st.Sealed)
	if err != nil || string(plain) != `{"/data/reason":"to notify them"}` {
		t.Errorf("%s, %v", plain, err)
	}
}

// TestRecordQueryFaults: no error hides that a question was recorded, and it can
// be asked again; when nobody can know, nothing is answered any more.
func TestRecordQueryFaults(t *testing.T) {
	cfg := newConfig(t)
	l, f := withFaults(t, cfg)
	record(t, l, view(t, "a", "candidate:10001"))
	f.once(rejected)
	if position, err := l.RecordQuery(t.Context(), question("candidate:10001")); !errors.Is(err, ErrNotRecorded) || errors.Is(err, ErrHalted) || position != 0 {
		t.Errorf("rejected: %d, %v", position, err)
	}
	if position, err := l.RecordQuery(t.Context(), question("candidate:10001")); err != nil || position != 2 {
		t.Errorf("again: %d, %v", position, err)
	}
	f.once(doneButLost)
	for range 2 {
		if _, err := l.RecordQuery(t.Context(), question("candidate:10001")); !errors.Is(err, ErrHalted) {
			t.Errorf("outcome unknown: %v", err)
		}
	}
	closeLedger(t, l)
	if _, err := l.RecordQuery(t.Context(), question()); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	again := open(t, cfg)
	if head := again.Head().Position; head != 3 {
		t.Errorf("head is %d: what was recorded unseen is there after a start", head)
	}
	if position, err := again.RecordQuery(t.Context(), question("candidate:10001")); err != nil || position != 4 {
		t.Errorf("after a start: %d, %v", position, err)
	}
}

// TestOwnEventsInOrder: the ledger's own events take their place among others'.
func TestOwnEventsInOrder(t *testing.T) {
	l := open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:10001"))
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := l.RecordQuery(t.Context(), question("candidate:10001"))
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	var before time.Time
	for p := uint64(1); p <= 9; p++ {
		st := storedAt(t, l, p)
		if st.Recorded.Before(before) {
			t.Errorf("position %d was recorded before the one that precedes it", p)
		}
		before = st.Recorded
	}
}
