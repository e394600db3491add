package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/backup/escrow"
	"github.com/imalink/custody/ledger/vault"
)

// TestShip: with every change of keys backup and escrow have what opens the ledger,
// before the change; the root before is nowhere any more.
func TestShip(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	for version := uint64(1); version < 5; version++ {
		people(t, l, fmt.Sprint("v", version), 4)
		if _, held, err := escrow.Held(s.ship.Escrow); err != nil || held != version {
			t.Fatalf("root %d is in escrow, want %d: %v", held, version, err)
		}
		former := revealed(t, s)
		if err := rekey(t, l); err != nil {
			t.Fatal(err)
		}
		if _, state := heldIn(t, s.ship.Backup); state.Head(backup.Vault).Last != l.vaults.Last() || state.Head(backup.Events).Last != l.Head().Position {
			t.Errorf("the backup is behind a change of keys")
		}
		if bytes.Equal(former, revealed(t, s)) {
			t.Error("the former root is still in escrow")
		}
	}
	mustClose(t, l)
	restored := restoreEscrow(t, s)
	mustBeSound(t, restored)
	mustBegin(t, "restored", messagesAt(t, s.cfg), messagesAt(t, restored))
}

// TestShipFails: a change of keys whose rows or root do not get away does not
// happen, the ledger goes on, backup and escrow open it as it is; and the next
// change succeeds.
func TestShipFails(t *testing.T) {
	for name, block := range map[string]func(t *testing.T, s site) (unblock func()){
		"a backup is being made": func(t *testing.T, s site) func() {
			a, err := backup.Open(s.ship.Backup, ledgerOf(t, s))
			if err != nil {
				t.Fatal(err)
			}
			return func() { a.Close() }
		},
		"the escrow's folder is gone": func(t *testing.T, s site) func() {
			away := filepath.Dir(s.ship.Escrow) + "-away"
			mustRename(t, filepath.Dir(s.ship.Escrow), away)
			return func() { mustRename(t, away, filepath.Dir(s.ship.Escrow)) }
		},
		"the backup is damaged": func(t *testing.T, s site) func() {
			file := filepath.Join(s.ship.Backup, "vault-000001")
			mustRename(t, file, file+"-away")
			return func() { mustRename(t, file+"-away", file) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			vaultFolder := filepath.Join(filepath.Dir(s.ship.Escrow), "safe")
			if err := os.Mkdir(vaultFolder, 0o700); err != nil {
				t.Fatal(err)
			}
			s.ship.Escrow = filepath.Join(vaultFolder, "escrow")
			l := s.open(t)
			people(t, l, "before", 3)
			unblock := block(t, s)
			if err := rekey(t, l); !errors.Is(err, vault.ErrAbandoned) {
				t.Fatalf("a change that did not get away: %v", err)
			}
			people(t, l, "meanwhile", 3)
			ship, err := l.shipper(s.ship)
			if err != nil {
				t.Fatal(err)
			}
			// No root is put in escrow whose rows are not in the backup.
			if err := ship(t.Context(), vault.EscrowedRoot{Version: 7, Last: l.vaults.Last()}); err == nil {
				t.Error("it got away")
			}
			unblock()
			mustBackup(t, l, s.ship.Backup)
			if _, held, err := escrow.Held(s.ship.Escrow); err != nil || held != 1 {
				t.Errorf("root %d is in escrow: %v", held, err)
			}
			mustBeSound(t, restoreEscrow(t, s))
			if err := rekey(t, l); err != nil {
				t.Fatalf("the next change: %v", err)
			}
			people(t, l, "after", 3)
			mustBackup(t, l, s.ship.Backup)
			mustClose(t, l)
			mustBeSound(t, s.cfg)
			mustBeSound(t, restoreEscrow(t, s))
		})
	}
}
