package ledger

import (
	"errors"
	"testing"

	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/vault"
)

// TestEraseDuringBackup: while a backup is being made nobody is erased, and nothing
// says that somebody was, in the ledger or in what is restored; recording goes on,
// and asked again it is done. Then it is done in what is restored, too.
func TestEraseDuringBackup(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	record(t, l, view(t, "a", "candidate:10001"), view(t, "b", "candidate:10002"))
	e := opened(t, l, "candidate:10001")
	mustBackup(t, l, s.ship.Backup)
	making, err := backup.Open(s.ship.Backup, ledgerOf(t, s))
	if err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		done, err := l.Erase(t.Context(), e)
		if !errors.Is(err, ErrNotRecorded) || !errors.Is(err, ErrLocked) || !errors.Is(err, vault.ErrAbandoned) || done != (Shredded{}) {
			t.Errorf("while a backup is being made: %+v, %v", done, err)
		}
		if head := l.Head().Position; head != uint64(3+round) {
			t.Errorf("the head is %d: something was recorded", head)
		}
		mustKnow(t, l, "candidate:10001", true)
		record(t, l, view(t, []string{"c", "d"}[round], "candidate:10001"))
	}
	if err := making.Close(); err != nil {
		t.Fatal(err)
	}
	mustBackup(t, l, s.ship.Backup)
	knownIn(t, s, "candidate:10001", true)
	if _, err := l.Erase(t.Context(), e); err != nil {
		t.Fatalf("once the backup is made: %v", err)
	}
	mustKnow(t, l, "candidate:10001", false)
	knownIn(t, s, "candidate:10001", false)
	mustClose(t, l)
	mustBeSound(t, s.cfg)
}

// knownIn says whether somebody is to be known in what backup and escrow restore.
func knownIn(t *testing.T, s site, id vault.Identifier, want bool) {
	t.Helper()
	cfg := restoreEscrow(t, s)
	l := mustOpen(t, cfg)
	mustKnow(t, l, id, want)
	mustClose(t, l)
	mustBeSound(t, cfg)
}
