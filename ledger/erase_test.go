package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/ledger/vault"
)

func officer() events.Who { return events.Who{Role: "dpo", Token: "desk"} }

// rowsOf is every row of a person, of which nothing stays.
func rowsOf(t *testing.T, l *Ledger, id vault.Identifier) map[vault.PersonID][]vault.Chain {
	t.Helper()
	rows, _, err := l.vault.RowsOf(id)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	all := map[vault.PersonID][]vault.Chain{}
	for _, row := range rows {
		all[row] = nil
	}
	return all
}

// opened opens an erasure and returns how to carry it out.
func opened(t *testing.T, l *Ledger, ids ...string) Erasing {
	t.Helper()
	position, err := l.RecordOpening(t.Context(), events.Opening{Who: officer(), Reason: "request", Due: time.Now().AddDate(0, 1, 0), Subjects: ids})
	if err != nil {
		t.Fatal(err)
	}
	return Erasing{Who: officer(), Opening: position, Rows: rowsOf(t, l, vault.Identifier(ids[0])), AsOf: l.Head().Position}
}

func erase(t *testing.T, l *Ledger, ids ...string) Shredded {
	t.Helper()
	done, err := l.Erase(t.Context(), opened(t, l, ids...))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// together is an access to the data of several people.
func together(t testing.TB, id string, people ...string) *events.Event {
	text := string(view(t, id, people[0]).AppendJSON(nil))
	var more strings.Builder
	for _, p := range people[1:] {
		fmt.Fprintf(&more, `{"id":%q,"role":"candidate"},`, p)
	}
	return decode(t, []byte(strings.Replace(text, `"subjects":[`, `"subjects":[`+more.String(), 1)))
}

// raw is every stored event, by position.
func raw(t *testing.T, l *Ledger) (all [][]byte) {
	t.Helper()
	for m, err := range l.events.Replay(t.Context(), 1, l.events.Last()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.Clone(m.Data))
	}
	return all
}

// TestErase: the person is nobody, what is shared stays for the others, and no
// stored byte has moved; nor after a start.
func TestErase(t *testing.T) {
	cfg := newConfig(t)
	l := open(t, cfg)
	record(t, l, view(t, "a", "candidate:10001"), together(t, "ab", "candidate:10001", "candidate:10002"), view(t, "b", "candidate:10002"),
		linkOf(t, "link", "candidate:10001", "candidate:10003"))
	before := raw(t, l)
	done := erase(t, l, "candidate:10001", "candidate:10003")
	if done.Root != 2 || done.Former != 1 || done.Position != 6 || done.Shards == 0 {
		t.Errorf("%+v", done)
	}
	check := func(l *Ledger) {
		t.Helper()
		for id, known := range map[vault.Identifier]bool{"candidate:10001": false, "candidate:10003": false, "candidate:10002": true} {
			mustKnow(t, l, id, known)
		}
		for i, b := range before {
			if rec, err := l.Event(t.Context(), uint64(i+1)); err != nil || !bytes.Equal(rec.Raw, b) {
				t.Errorf("position %d moved: %v", i+1, err)
			}
		}
		shared := storedAt(t, l, 2)
		cell := cellOf(shared.Event, vault.Subject)
		if _, err := l.vault.Open(cell, shared.Salt, []vault.Identifier{"candidate:10002"}, shared.Sealed); err != nil {
			t.Errorf("what is shared does not open for the other: %v", err)
		}
		own := storedAt(t, l, 1)
		if _, err := l.vault.Open(cell, own.Salt, []vault.Identifier{"candidate:10001", "candidate:10002"}, own.Sealed); !errors.Is(err, vault.ErrGone) {
			t.Errorf("what was sealed opens: %v", err)
		}
		said := storedAt(t, l, done.Position).Event
		if said.Kind != events.LedgerKeyShredded || said.Data.Get("erasure").Int() != 5 || said.Data.Get("root").Int() != 2 {
			t.Errorf("recorded as %s", said.Data.Get("erasure").Text())
		}
	}
	check(l)
	closeLedger(t, l)
	again := open(t, cfg)
	check(again)
	if again.Head().Position != 6 {
		t.Errorf("head is %d: it was recorded twice", again.Head().Position)
	}
}

// TestRepeatsOfTheErased: a repeat of an event about somebody erased is a
// duplicate, whether or not they were met again since; other content is not.
func TestRepeatsOfTheErased(t *testing.T) {
	l := open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:10001"), together(t, "ab", "candidate:10001", "candidate:10002"), view(t, "b", "candidate:10002"))
	erase(t, l, "candidate:10001")
	for round := range 2 {
		r := record(t, l, view(t, "a", "candidate:10001"), together(t, "ab", "candidate:10001", "candidate:10002"))
		for i := range r {
			if r[i].Status != Duplicate || r[i].Position != uint64(i+1) {
				t.Errorf("round %d: repeat %d is %s at %d", round, i, r[i].Status, r[i].Position)
			}
		}
		mustKnow(t, l, "candidate:10001", round > 0)
		for name, other := range map[string]*events.Event{
			"another person": view(t, "b", "candidate:10003"),
			"one of two":     together(t, "ab", "candidate:10001", "candidate:10003"),
			"fewer people":   view(t, "ab", "candidate:10002"),
		} {
			if r := record(t, l, other)[0]; r.Status != Refused || r.Err.Type != events.Conflict {
				t.Errorf("round %d: %s: %s", round, name, r.Status)
			}
		}
		mustKnow(t, l, "candidate:10003", false)
		record(t, l, view(t, fmt.Sprint("new", round), "candidate:10001"))
	}
}

// TestEraseAsDecided: nothing happens if the person acted, was held or was linked
// since it was decided, or is no more.
func TestEraseAsDecided(t *testing.T) {
	hold := `{"specversion":"1.0","id":"h","source":"/register","type":"eu.custody.governance.hold-placed.v1","time":"2026-01-01T00:00:00Z",` +
		`"data":{"actor":{"id":"employee:x02","role":"dpo"},"hold":"claim:1","ground":"A17-3-e","subjects":[{"id":"candidate:10001","role":"candidate"}]}}`
	acted := strings.Replace(string(view(t, "acted", "candidate:10002").AppendJSON(nil)), "employee:x01", "candidate:10001", 1)
	for name, meanwhile := range map[string]*events.Event{
		"held": decode(t, []byte(hold)), "acted": decode(t, []byte(acted)), "linked": linkOf(t, "l", "candidate:10001", "candidate:10002"),
	} {
		l := open(t, newConfig(t))
		record(t, l, view(t, "a", "candidate:10001"), view(t, "b", "candidate:10002"))
		e := opened(t, l, "candidate:10001")
		record(t, l, meanwhile)
		head := l.Head().Position
		if _, err := l.Erase(t.Context(), e); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
		mustKnow(t, l, "candidate:10001", true)
		if l.Head().Position != head {
			t.Errorf("%s: something was recorded", name)
		}
	}
	l := open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:10001"))
	e := opened(t, l, "candidate:10001")
	for row := range e.Rows { // who stays known for such acts may go on acting
		stays := Erasing{Who: officer(), Opening: e.Opening, AsOf: e.AsOf, Rows: map[vault.PersonID][]vault.Chain{
			row: {{Class: uint8(events.Access), Role: vault.Actor}}}}
		record(t, l, decode(t, []byte(acted)))
		if _, err := l.Erase(t.Context(), stays); err != nil {
			t.Errorf("who stays as an actor, and acted: %v", err)
		}
	}
	l = open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:10001"))
	e = opened(t, l, "candidate:10001")
	if _, err := l.RecordQuery(t.Context(), question("candidate:10001")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Erase(t.Context(), e); err != nil {
		t.Errorf("somebody who was asked about: %v", err)
	}
	if _, err := l.Erase(t.Context(), e); !errors.Is(err, ErrNobody) {
		t.Errorf("twice: %v", err)
	}
}

// TestErasureOutlivesItsAnswer: once keys are destroyed that is recorded, exactly
// once, whatever becomes of the event at first.
func TestErasureOutlivesItsAnswer(t *testing.T) {
	for name, fail := range map[string]func(log, context.Context, []stream.Message) (uint64, error){"rejected": rejected, "not done": notDone, "done but lost": doneButLost} {
		cfg := newConfig(t)
		l, f := withFaults(t, cfg)
		record(t, l, view(t, "a", "candidate:10001"))
		e := opened(t, l, "candidate:10001")
		f.once(fail)
		if _, err := l.Erase(t.Context(), e); err == nil {
			t.Fatalf("%s: no error", name)
		}
		closeLedger(t, l)
		again := open(t, cfg)
		mustKnow(t, again, "candidate:10001", false)
		if st := storedAt(t, again, again.Head().Position); again.Head().Position != 3 || st.Event.Kind != events.LedgerKeyShredded {
			t.Errorf("%s: head is %d, %s", name, again.Head().Position, st.Event.Kind)
		}
	}
}

// TestErasuresEachSayIt: an erasure whose event was refused is recorded before the
// next one takes its place.
func TestErasuresEachSayIt(t *testing.T) {
	l, f := withFaults(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:10001"), view(t, "b", "candidate:10002"))
	one, two := opened(t, l, "candidate:10001"), opened(t, l, "candidate:10002")
	f.once(rejected)
	if done, err := l.Erase(t.Context(), one); err == nil || done.Root == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := l.Erase(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint64{one.Opening, two.Opening} {
		said := storedAt(t, l, uint64(5+i)).Event
		if said.Kind != events.LedgerKeyShredded || said.Data.Get("erasure").Int() != int64(want) {
			t.Errorf("at %d: %s of %d, want %d", 5+i, said.Kind, said.Data.Get("erasure").Int(), want)
		}
	}
	closeLedger(t, l)
}

// TestForget: tags of the months that went resolve to nobody but whom a hold
// keeps, and what comes late of them is of nobody.
func TestForget(t *testing.T) {
	l := open(t, newConfig(t))
	record(t, l, view(t, "a", "candidate:10001"), view(t, "b", "candidate:10002"))
	st := storedAt(t, l, 1)
	month := vault.MonthOf(st.Event.At)
	rows, _, _ := l.vault.RowsOf("candidate:10002")
	f := Forgetting{Who: officer(), Class: events.Access, Before: month + 1, Held: rows, AsOf: l.Head().Position}
	done, err := l.Forget(t.Context(), f)
	if err != nil || done.Cells != 2 || done.Root != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	cell := cellOf(st.Event, vault.Subject)
	if _, err := l.vault.Open(cell, st.Salt, []vault.Identifier{"candidate:10001"}, st.Sealed); !errors.Is(err, vault.ErrGone) {
		t.Errorf("forgotten, it opens: %v", err)
	}
	held := storedAt(t, l, 2)
	if _, err := l.vault.Open(cell, held.Salt, []vault.Identifier{"candidate:10002"}, held.Sealed); err != nil {
		t.Errorf("held, it does not open: %v", err)
	}
	if r := record(t, l, view(t, "late", "candidate:10001"))[0]; r.Status != Recorded || !storedAt(t, l, r.Position).Facts.Forgotten {
		t.Errorf("what came late: %s", r.Status)
	}
	if r := record(t, l, view(t, "a", "candidate:10001"))[0]; r.Status != Duplicate {
		t.Errorf("a repeat: %s", r.Status)
	}
	head := l.Head().Position
	f.AsOf = head
	if again, err := l.Forget(t.Context(), f); err != nil || again.Root != 0 || l.Head().Position != head {
		t.Errorf("twice: %+v, %v", again, err)
	}
}

// TestOldRoot: a copy of the root key from before an erasure opens nothing.
func TestOldRoot(t *testing.T) {
	cfg := newConfig(t)
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	record(t, l, view(t, "a", "candidate:10001"))
	file := filepath.Join(cfg.Keys, "root")
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	erase(t, l, "candidate:10001")
	closeLedger(t, l)
	now, _ := os.ReadFile(file)
	if err := os.WriteFile(file, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), cfg); !errors.Is(err, ErrDamaged) || !errors.Is(err, vault.ErrRetiredRoot) {
		t.Errorf("with the old root: %v", err)
	}
	if err := os.WriteFile(file, now, 0o600); err != nil {
		t.Fatal(err)
	}
	mustBeSound(t, cfg)
}

// TestOldVault: nor does a copy of the root key together with the vault's stream.
func TestOldVault(t *testing.T) {
	cfg := newConfig(t)
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	record(t, l, view(t, "a", "candidate:10001"))
	closeLedger(t, l)
	copies, _ := filepath.Glob(filepath.Join(cfg.Data, "nats", "jetstream", "*", "streams", l.manifest.vault()))
	if len(copies) != 1 {
		t.Fatalf("%d folders of the vault", len(copies))
	}
	old := t.TempDir()
	copyFolder(t, copies[0], filepath.Join(old, "vault"))
	root, err := os.ReadFile(filepath.Join(cfg.Keys, "root"))
	if err != nil {
		t.Fatal(err)
	}
	if l, err = Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	erase(t, l, "candidate:10001")
	closeLedger(t, l)
	known := []string{filepath.Join(cfg.Keys, "durable"), filepath.Join(cfg.Data, "nats", "clean-stop.json")} // what else says how far it was
	for _, gone := range append(known, copies[0], filepath.Join(cfg.Data, "views", "vault.db")) {
		if _, err := os.Stat(gone); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(gone); err != nil {
			t.Fatal(err)
		}
	}
	copyFolder(t, filepath.Join(old, "vault"), copies[0])
	if err := os.WriteFile(filepath.Join(cfg.Keys, "root"), root, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), cfg); !errors.Is(err, ErrDamaged) || !errors.Is(err, vault.ErrRetiredRoot) || strings.Count(err.Error(), "opening the vault") != 1 {
		t.Errorf("with the old vault: %v", err)
	}
	if r, err := Check(t.Context(), cfg, nil); err != nil || r.Sound() {
		t.Errorf("check finds it sound, %v", err)
	}
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestEraseUnderIngest erases a person again and again while others send events
// about that very person: each event is of the one before or of a new one.
func TestEraseUnderIngest(t *testing.T) {
	l := open(t, newConfig(t))
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	for sender := range 4 {
		sending.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if r, err := l.Record(context.Background(), []Submission{{Event: view(t, fmt.Sprintf("%d-%d", sender, i), "candidate:10001")}}); err != nil || r[0].Status != Recorded {
					t.Errorf("record: %v", err)
					return
				}
			}
		})
	}
	for erased := 0; erased < 10; {
		rows, _, err := l.vault.RowsOf("candidate:10001")
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			continue // not met again yet
		}
		_, err = l.Erase(ctx, Erasing{Who: officer(), Opening: 1, Rows: map[vault.PersonID][]vault.Chain{rows[0]: nil}, AsOf: l.Head().Position})
		if err != nil && !errors.Is(err, ErrNobody) {
			t.Fatal(err)
		}
		erased++
	}
	stop()
	sending.Wait()
}
