package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/backup/escrow"
	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/stream"
)

// A site is a ledger, and where its backup and escrow go.
type site struct {
	cfg     Config
	ship    Shipper
	id      *age.X25519Identity
	idFiles []string
}

func newSite(t testing.TB) site {
	t.Helper()
	dir := t.TempDir()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	idFile := filepath.Join(dir, "identity")
	if err := os.WriteFile(idFile, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := site{
		cfg:     Config{Data: filepath.Join(dir, "data"), Keys: filepath.Join(dir, "keys"), Index: newMemoryIndex().at},
		ship:    Shipper{Backup: filepath.Join(dir, "backup"), Escrow: filepath.Join(dir, "escrow"), Recipients: []string{id.Recipient().String()}},
		id:      id,
		idFiles: []string{idFile},
	}
	if err := Create(t.Context(), s.cfg); err != nil {
		t.Fatalf("create: %v", err)
	}
	return s
}

// open opens the ledger, whose vault ships its roots.
func (s site) open(t testing.TB) *Ledger {
	t.Helper()
	cfg := s.cfg
	cfg.Ship = s.ship
	return mustOpen(t, cfg)
}

// rekey changes keys, as an erasure does.
func rekey(t testing.TB, l *Ledger) error {
	t.Helper()
	var err error
	if aerr := l.alone(t.Context(), func() { err = l.vault.Rekey(t.Context(), []uint8{1, 2, 3}) }); aerr != nil {
		t.Fatal(aerr)
	}
	return err
}

// people records one event for each of n people, named after when.
func people(t testing.TB, l *Ledger, when string, n int) {
	t.Helper()
	var subs []Submission
	for i := range n {
		subs = append(subs, Submission{Event: view(t, fmt.Sprint(when, "-", i), fmt.Sprint("candidate:", when, i))})
	}
	results, err := l.Record(t.Context(), subs)
	if err != nil {
		t.Fatalf("record: %v", err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatalf("refused: %v", r.Err)
		}
	}
}

func mustBackup(t testing.TB, l *Ledger, dir string) BackupReport {
	t.Helper()
	r, err := l.Backup(t.Context(), dir, nil)
	if err != nil {
		t.Fatalf("backup: %v", err)
	}
	return r
}

// heldIn gives every message of a backup, verified.
func heldIn(t testing.TB, dir string) (all [3][]stream.Message, made backup.State) {
	t.Helper()
	r, err := backup.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range backup.Parts() {
		for m, err := range r.Messages(p) {
			if err != nil {
				t.Fatal(err)
			}
			all[i] = append(all[i], m)
		}
	}
	return all, r.State()
}

// messagesAt gives every message of a closed ledger's streams.
func messagesAt(t testing.TB, cfg Config) (all [3][]stream.Message) {
	t.Helper()
	m, err := readManifest(filepath.Join(cfg.Data, "ledger.json"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range m.streams() {
		for m, err := range natsd.Scan(filepath.Join(cfg.Data, "nats"), name) {
			if err != nil {
				t.Fatal(err)
			}
			all[i] = append(all[i], m)
		}
	}
	return all
}

// mustBegin wants the messages of one to be the first of the other's.
func mustBegin(t testing.TB, what string, part, whole [3][]stream.Message) {
	t.Helper()
	for i, p := range backup.Parts() {
		if len(part[i]) > len(whole[i]) {
			t.Fatalf("%s: %s has %d messages, of %d", what, p, len(part[i]), len(whole[i]))
		}
		for j := range part[i] {
			a, b := part[i][j], whole[i][j]
			if a.Sequence != b.Sequence || a.Subject != b.Subject || !bytes.Equal(a.Data, b.Data) {
				t.Fatalf("%s: %s at %d is another", what, p, a.Sequence)
			}
		}
	}
}

// mustClose closes a ledger of a test or benchmark.
func mustClose(t testing.TB, l *Ledger) {
	t.Helper()
	if err := l.Close(context.Background()); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// restoreFrom restores a site's backup beside it, with the root that is at its
// keys, without its mark.
func restoreFrom(t testing.TB, s site, dir string) Config {
	t.Helper()
	base := t.TempDir()
	keys := filepath.Join(base, "keys")
	root, err := os.ReadFile(filepath.Join(s.cfg.Keys, "root"))
	if err == nil {
		err = os.Mkdir(keys, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(keys, "root"), root, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Data: filepath.Join(base, "data"), Keys: keys, Index: newMemoryIndex().at}
	if _, err := Restore(context.Background(), RestoreConfig{Backup: dir, Data: cfg.Data, Keys: keys, Index: cfg.Index}, nil); err != nil {
		t.Fatalf("restore: %v", err)
	}
	return cfg
}

// vouched is up to which position messages of the vault say that events are durable.
func vouched(t testing.TB, messages []stream.Message) uint64 {
	t.Helper()
	return binary.BigEndian.Uint64(messages[len(messages)-1].Data[10:])
}

func linked(t testing.TB, id string, people ...string) *events.Event {
	return decode(t, fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":"/ats","type":"eu.custody.subject.identifiers-linked.v1","time":"2026-03-02T09:14:05Z",`+
		`"data":{"subjects":[{"id":%q,"role":"candidate"},{"id":%q,"role":"candidate"}],"actor":{"id":"employee:x01","role":"recruiter"}}}`, id, people[0], people[1]))
}

// revealed gives what is in a site's escrow.
func revealed(t testing.TB, s site) []byte {
	t.Helper()
	r, err := escrow.Read(s.ship.Escrow, []age.Identity{s.id})
	if err != nil {
		t.Fatal(err)
	}
	return r.Reveal()
}

// restoreEscrow restores a site's backup from its escrow, into new folders.
func restoreEscrow(t testing.TB, s site) Config {
	t.Helper()
	base := t.TempDir()
	cfg := Config{Data: filepath.Join(base, "data"), Keys: filepath.Join(base, "keys"), Index: newMemoryIndex().at}
	if _, err := Restore(context.Background(), s.restore(cfg), nil); err != nil {
		t.Fatalf("restore: %v", err)
	}
	return cfg
}

// restore says how to restore a site to where cfg says.
func (s site) restore(cfg Config) RestoreConfig {
	return RestoreConfig{Backup: s.ship.Backup, Escrow: s.ship.Escrow, Identities: s.idFiles, Data: cfg.Data, Keys: cfg.Keys, Index: cfg.Index}
}

func ledgerOf(t testing.TB, s site) backup.Ledger {
	t.Helper()
	m, err := readManifest(filepath.Join(s.cfg.Data, "ledger.json"))
	if err != nil {
		t.Fatal(err)
	}
	return backup.Ledger{Name: m.Name, ID: m.ID}
}

func mustRename(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// lose removes a site's data directory, as a disk does that dies.
func (s site) lose(t testing.TB) {
	t.Helper()
	if err := os.RemoveAll(s.cfg.Data); err != nil {
		t.Fatal(err)
	}
}

// tree gives every file below some folders, by path; locks are left out.
func tree(t testing.TB, dirs ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			switch {
			case errors.Is(err, os.ErrNotExist):
				return nil
			case err != nil || d.Name() == "lock":
				return err
			case d.IsDir():
				all[path] = "folder"
				return nil
			}
			b, err := os.ReadFile(path)
			all[path] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// elsewhere gives new folders to restore to.
func elsewhere(t testing.TB) Config {
	t.Helper()
	base := t.TempDir()
	return Config{Data: filepath.Join(base, "data"), Keys: filepath.Join(base, "keys"), Index: newMemoryIndex().at}
}

func newDPO() access.NewToken { return access.NewToken{Role: access.RoleDPO, Name: "dpo"} }
