package ledger

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/vault"
)

// TestRestoreLostData loses the data directory and keeps the keys: what came after
// the backup is lost, the report says exactly what, the ledger records it, and
// all else is there byte for byte.
func TestRestoreLostData(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	people(t, l, "kept", 20)
	token, _, err := l.Access().CreateToken(t.Context(), "00000000000000ff", newDPO())
	if err != nil {
		t.Fatal(err)
	}
	made := mustBackup(t, l, s.ship.Backup)
	people(t, l, "lost", 7)
	if _, _, err := l.Access().CreateToken(t.Context(), "00000000000000ff", newDPO()); err != nil {
		t.Fatal(err)
	}
	vaultLast, id := l.vaults.Last(), l.ID()
	mustClose(t, l)
	s.lose(t)
	cfg := s.restore(s.cfg)
	cfg.Escrow = ""
	r, err := Restore(t.Context(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := RestoreReport{
		Name: "ledger", ID: id, Made: made.Made, Root: 1, Events: 20, Known: true, Gap: 21,
		Lost: Lost{Events: Span{21, 27}, Vault: Span{made.Vault.Last + 1, vaultLast}, Access: Span{made.Access.Last + 1, made.Access.Last + 1}},
	}
	if r != want {
		t.Errorf("report\n got %+v\nwant %+v", r, want)
	}
	held, _ := heldIn(t, s.ship.Backup)
	mustBegin(t, "restored", held, messagesAt(t, s.cfg))
	mustBeSound(t, s.cfg)
	l = s.open(t)
	rec, err := l.Event(t.Context(), r.Gap)
	if err != nil {
		t.Fatal(err)
	}
	st, err := events.DecodeStored(rec.Raw)
	if err != nil || st.Event.Kind != events.LedgerGapFound || st.Event.Data.Get("from").Int() != 21 || st.Event.Data.Get("to").Int() != 27 {
		t.Errorf("the first event is %s: %v", rec.Raw, err)
	}
	if _, err := l.Access().Authenticate(token.Reveal()); err != nil {
		t.Errorf("a token of the backup: %v", err)
	}
	people(t, l, "lost", 7)                                        // sent again: recorded anew
	if r := mustBackup(t, l, s.ship.Backup); r.Events.Added != 7 { // opening the ledger took the gap there

		t.Errorf("the backup went on with %d events", r.Events.Added)
	}
	mustClose(t, l)
	mustBeSound(t, s.cfg)
}

// TestRestoreLostAll loses data and keys: the escrow opens what is in the backup.
// Nobody knows what is lost.
func TestRestoreLostAll(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	people(t, l, "kept", 20)
	if err := rekey(t, l); err != nil {
		t.Fatal(err)
	}
	people(t, l, "later", 5)
	mustBackup(t, l, s.ship.Backup)
	mustClose(t, l)
	before := messagesAt(t, s.cfg)
	s.lose(t)
	if err := os.RemoveAll(s.cfg.Keys); err != nil {
		t.Fatal(err)
	}
	var calls int
	r, err := Restore(t.Context(), s.restore(s.cfg), func(done, all uint64) {
		if calls++; done > all {
			t.Errorf("%d of %d", done, all)
		}
	})
	if err != nil || r.Known || r.Lost != (Lost{}) || r.Gap != 0 || r.Events != 25 || r.Root != 2 || calls == 0 {
		t.Errorf("%+v: %v", r, err)
	}
	mustBegin(t, "restored", before, messagesAt(t, s.cfg))
	mustBeSound(t, s.cfg)
	l = s.open(t)
	if _, known, err := l.vault.Lookup("candidate:kept7"); err != nil || !known {
		t.Errorf("somebody of the backup is not known: %v", err)
	}
	mustClose(t, l)
}

// TestRestoreKeys loses the keys alone: the escrow brings the root back to data
// that are whole, and nothing else.
func TestRestoreKeys(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	people(t, l, "kept", 5)
	if err := rekey(t, l); err != nil {
		t.Fatal(err)
	}
	people(t, l, "later", 5)
	cfg := s.restore(s.cfg)
	if _, err := RestoreKeys(cfg); !errors.Is(err, ErrLocked) {
		t.Errorf("while it is open: %v", err)
	}
	mustClose(t, l)
	if _, err := RestoreKeys(cfg); !errors.Is(err, ErrExists) {
		t.Errorf("where a root is: %v", err)
	}
	if err := os.RemoveAll(s.cfg.Keys); err != nil {
		t.Fatal(err)
	}
	other := newSite(t)
	mustClose(t, other.open(t))
	for name, c := range map[string]struct {
		cfg  RestoreConfig
		want error
	}{
		"no escrow":        {RestoreConfig{Data: cfg.Data, Keys: cfg.Keys}, ErrConfig},
		"another ledger's": {RestoreConfig{Data: cfg.Data, Keys: cfg.Keys, Escrow: other.ship.Escrow, Identities: other.idFiles}, ErrConfig},
		"no ledger":        {RestoreConfig{Data: cfg.Data + "-none", Keys: cfg.Keys, Escrow: cfg.Escrow, Identities: cfg.Identities}, ErrNoLedger},
	} {
		if _, err := RestoreKeys(c.cfg); !errors.Is(err, c.want) || len(tree(t, s.cfg.Keys)) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if version, err := RestoreKeys(cfg); err != nil || version != 2 {
		t.Errorf("root %d: %v", version, err)
	}
	mustClose(t, s.open(t))
	if rep := mustBeSound(t, s.cfg); rep != nil && rep.Events != 10 {
		t.Errorf("%d events", rep.Events)
	}
}

// TestRestoreErased: of somebody who was erased nothing comes back, whatever the
// backup holds from before.
func TestRestoreErased(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	people(t, l, "x", 20)
	mustBackup(t, l, s.ship.Backup)
	rows, _, err := l.vault.RowsOf("candidate:x7")
	if err != nil {
		t.Fatal(err)
	}
	e := Erasing{Who: events.Who{Role: "dpo", Token: "test"}, Opening: 7, AsOf: l.Head().Position, Rows: map[vault.PersonID][]vault.Chain{rows[0]: nil}}
	done, err := l.Erase(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	restored := restoreEscrow(t, s)
	again := open(t, restored)
	for id, want := range map[vault.Identifier]bool{"candidate:x7": false, "candidate:x8": true, "candidate:x6": true} {
		if _, known, err := again.vault.Lookup(id); err != nil || known != want {
			t.Errorf("known %t, want %t: %v", known, want, err)
		}
	}
	// The event that says so came after the keys were shipped: the vault had it.
	rec, err := again.Event(t.Context(), done.Position)
	if err != nil || !bytes.Contains(rec.Raw, []byte("ledger.key-shredded")) {
		t.Errorf("the erasure is not recorded: %s, %v", rec.Raw, err)
	}
}
