package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/backup/escrow"
	"github.com/imalink/custody/ledger/vault"
)

// A badRestore is a way in which a restore must not be made.
type badRestore struct {
	name  string
	spoil func(t *testing.T, s site, cfg *RestoreConfig)
	want  error
}

func badRestores() []badRestore {
	return []badRestore{
		{"data in use", func(t *testing.T, s site, cfg *RestoreConfig) {
			write(t, filepath.Join(cfg.Data, "letter"), "dear")
		}, ErrExists},
		{"a root at the keys", func(t *testing.T, s site, cfg *RestoreConfig) { write(t, filepath.Join(cfg.Keys, "root"), "root") }, ErrExists},
		{"no root at the keys", func(t *testing.T, s site, cfg *RestoreConfig) { cfg.Escrow = "" }, vault.ErrMissingRoot},
		{"keys in data", func(t *testing.T, s site, cfg *RestoreConfig) { cfg.Keys = filepath.Join(cfg.Data, "keys") }, ErrConfig},
		{"data in the backup", func(t *testing.T, s site, cfg *RestoreConfig) { cfg.Data = filepath.Join(cfg.Backup, "data") }, ErrConfig},
		{"no backup", func(t *testing.T, s site, cfg *RestoreConfig) { cfg.Backup += "-none" }, backup.ErrNone},
		{"no escrow", func(t *testing.T, s site, cfg *RestoreConfig) { cfg.Escrow += "-none" }, escrow.ErrNone},
		{"another identity", func(t *testing.T, s site, cfg *RestoreConfig) { cfg.Identities = newSite(t).idFiles }, escrow.ErrIdentity},
		{"no identity", func(t *testing.T, s site, cfg *RestoreConfig) { cfg.Identities = nil }, ErrConfig},
		{"another ledger's escrow", func(t *testing.T, s site, cfg *RestoreConfig) {
			other := newSite(t)
			mustClose(t, other.open(t))
			cfg.Escrow, cfg.Identities = other.ship.Escrow, other.idFiles
		}, ErrConfig},
		{"another ledger's mark", func(t *testing.T, s site, cfg *RestoreConfig) { copyMark(t, newSite(t).cfg.Keys, cfg.Keys) }, ErrConfig},
		{"a damaged mark", func(t *testing.T, s site, cfg *RestoreConfig) {
			write(t, filepath.Join(cfg.Keys, "durable"), "mark")
		}, ErrDamaged},
		{"another history's mark", func(t *testing.T, s site, cfg *RestoreConfig) {
			m, _, err := readMark(filepath.Join(s.cfg.Keys, "durable"))
			if err != nil {
				t.Fatal(err)
			}
			m.Events, m.Digest[0] = m.Events-2, m.Digest[0]^1
			if err := os.MkdirAll(cfg.Keys, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := m.write(filepath.Join(cfg.Keys, "durable")); err != nil {
				t.Fatal(err)
			}
		}, ErrDamaged},
		{"a damaged backup", func(t *testing.T, s site, cfg *RestoreConfig) {
			flip(t, filepath.Join(cfg.Backup, "events-000001"), 300)
		}, ErrDamaged},
		{"a damaged escrow", func(t *testing.T, s site, cfg *RestoreConfig) { flip(t, cfg.Escrow, 300) }, escrow.ErrDamaged},
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyMark(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(from, "durable"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(to, "durable"), string(b))
}

func flip(t testing.TB, path string, at int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 1
	write(t, path, string(b))
}

// TestRestoreRefused: each badRestore is named, and leaves everything as it was.
func TestRestoreRefused(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	people(t, l, "kept", 5)
	mustBackup(t, l, s.ship.Backup)
	mustClose(t, l)
	for _, c := range badRestores() {
		t.Run(c.name, func(t *testing.T) {
			mustRefuse(t, s, c)
		})
	}
}

// mustRefuse wants a restore of a copy of what a site has shipped to be refused.
func mustRefuse(t *testing.T, s site, c badRestore) {
	t.Helper()
	cfg := s.restore(elsewhere(t))
	own := t.TempDir()
	if err := os.CopyFS(filepath.Join(own, "backup"), os.DirFS(cfg.Backup)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(cfg.Escrow)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Backup, cfg.Escrow = filepath.Join(own, "backup"), filepath.Join(own, "escrow")
	write(t, cfg.Escrow, string(b))
	c.spoil(t, s, &cfg)
	before := tree(t, cfg.Data, cfg.Keys, own)
	if _, err := Restore(t.Context(), cfg, nil); !errors.Is(err, c.want) {
		t.Errorf("%v, want %v", err, c.want)
	}
	after := tree(t, cfg.Data, cfg.Keys, own)
	for path := range after {
		if before[path] != after[path] {
			t.Errorf("%s is left behind, or changed", path)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d files before, %d after", len(before), len(after))
	}
}

// TestRestoreKeysOfThen tries backups and roots of different days: only those of
// one day belong together, and every other pair is refused by its name.
func TestRestoreKeysOfThen(t *testing.T) {
	s := newSite(t)
	type day struct{ backup, escrow string }
	var days []day
	keep := func() {
		dir := t.TempDir()
		d := day{filepath.Join(dir, "backup"), filepath.Join(dir, "escrow")}
		b, err := os.ReadFile(s.ship.Escrow)
		if err == nil {
			err = os.CopyFS(d.backup, os.DirFS(s.ship.Backup))
		}
		if err != nil {
			t.Fatal(err)
		}
		write(t, d.escrow, string(b))
		days = append(days, d)
	}
	l := s.open(t)
	for i := range 3 {
		people(t, l, fmt.Sprint("day", i), 3)
		mustBackup(t, l, s.ship.Backup)
		keep()
		if err := rekey(t, l); err != nil {
			t.Fatal(err)
		}
		recordShredded(t, l)
	}
	mustClose(t, l)
	for i, rows := range days {
		for j, root := range days {
			cfg := s.restore(elsewhere(t))
			cfg.Backup, cfg.Escrow = rows.backup, root.escrow
			_, err := Restore(t.Context(), cfg, nil)
			switch {
			case i == j && err != nil:
				t.Errorf("rows and root of day %d: %v", i, err)
			case i > j && (!errors.Is(err, vault.ErrRetiredRoot) || !errors.Is(err, ErrDamaged)):
				t.Errorf("rows of day %d, root of day %d: %v, want retired", i, j, err)
			case i < j && (!errors.Is(err, vault.ErrOldStream) || !errors.Is(err, ErrDamaged)):
				t.Errorf("rows of day %d, root of day %d: %v, want an old stream", i, j, err)
			}
			if i != j && len(tree(t, cfg.Data, cfg.Keys)) != 0 {
				t.Errorf("rows of day %d, root of day %d: something is left behind", i, j)
			}
		}
	}
}

// recordShredded records that keys were destroyed, as an erasure does.
func recordShredded(t testing.TB, l *Ledger) {
	t.Helper()
	says := events.Shredding{Who: events.Who{Role: "operator", Token: "test"}, Former: l.vault.Next() - 2, Root: l.vault.Next() - 1}
	if _, err := l.recordOwn(t.Context(), "shredding", nil, says.Event); err != nil {
		t.Fatal(err)
	}
}

// TestRestoreAbandonedRoot: a root that was put in escrow and never came into
// force opens only a part of what was recorded since. It is refused.
func TestRestoreAbandonedRoot(t *testing.T) {
	s := newSite(t)
	kept := s.ship.Escrow + "-kept"
	l, err := openWith(t.Context(), s.cfg, func(l *Ledger) {
		ship, err := l.shipper(s.ship)
		if err != nil {
			t.Fatal(err)
		}
		reopenVault(t, l, func(ctx context.Context, r vault.EscrowedRoot) error {
			if err := ship(ctx, r); err != nil || r.Version == 1 {
				return err
			}
			b, err := os.ReadFile(s.ship.Escrow)
			write(t, kept, string(b))
			return errors.Join(err, errors.New("injected"))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	people(t, l, "before", 3)
	if err := rekey(t, l); !errors.Is(err, vault.ErrAbandoned) {
		t.Fatal(err)
	}
	mustBackup(t, l, s.ship.Backup)
	atOnce := s.restore(elsewhere(t)) // nothing came after it: it opens what it was made for
	atOnce.Escrow = kept
	if _, err := Restore(t.Context(), atOnce, nil); err != nil {
		t.Errorf("the next root before anything came after: %v", err)
	}
	people(t, l, "after", 3)
	mustBackup(t, l, s.ship.Backup)
	mustClose(t, l)
	if err := os.Remove(filepath.Join(s.cfg.Keys, "root")); err != nil {
		t.Fatal(err)
	}
	alone := s.restore(s.cfg)
	alone.Escrow = kept
	if _, err := RestoreKeys(alone); !errors.Is(err, ErrDamaged) {
		t.Errorf("its root alone: %v", err)
	}
	later := s.restore(elsewhere(t))
	later.Escrow = kept
	if _, err := Restore(t.Context(), later, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("a root that never came into force: %v", err)
	}
	mustBeSound(t, restoreEscrow(t, s))
}

// reopenVault opens the vault of a ledger that has not begun again, to ship as told.
func reopenVault(t testing.TB, l *Ledger, ship func(context.Context, vault.EscrowedRoot) error) {
	t.Helper()
	if err := l.vault.Close(); err != nil {
		t.Fatal(err)
	}
	root, err := vault.OpenRoot(l.paths.root(), nil)
	if err == nil {
		l.vault, err = vault.Open(context.Background(), vault.Options{
			Log: l.vaults, Subject: "vault." + l.manifest.Name, Root: root, Shredded: l.register.Shredded,
			IndexPath: filepath.Join(l.paths.views(), "vault.db"), Confirm: l.confirmLink, Escrow: ship,
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}
