package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/vault"
)

// TestBackup makes backups of a ledger that grows: each holds everything, adds
// what is new, and says so.
func TestBackup(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	for run, n := range []int{0, 30, 1, 0} {
		if n > 0 {
			people(t, l, fmt.Sprint("run", run), n)
		}
		if run == 1 {
			if _, err := l.Access().PutProducer(t.Context(), "00000000000000ff", access.Producer{Name: "ats", Families: []string{"data"}}); err != nil {
				t.Fatal(err)
			}
		}
		r := mustBackup(t, l, s.ship.Backup)
		head := l.Head().Position
		if r.Events.Last != head || r.Vault.Last != l.vaults.Last() || r.Access.Last != l.access.Position() || r.ID != l.ID() {
			t.Errorf("run %d: %+v, the ledger is at %d, %d, %d", run, r, head, l.vaults.Last(), l.access.Position())
		}
		if r.Events.Added != uint64(n) {
			t.Errorf("run %d: %d events added of %d", run, r.Events.Added, n)
		}
	}
	mustClose(t, l)
	held, _ := heldIn(t, s.ship.Backup)
	stored := messagesAt(t, s.cfg)
	mustBegin(t, "backup", held, stored)
	mustBegin(t, "ledger", stored, held)
}

// TestBackupApart: a backup is refused beside what it is a backup of, an escrow
// beside rows or keys.
func TestBackupApart(t *testing.T) {
	s := newSite(t)
	l := open(t, s.cfg)
	data, keys := s.cfg.Data, s.cfg.Keys
	link := filepath.Join(filepath.Dir(data), "link")
	if err := os.Symlink(data, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", data, keys, filepath.Join(data, "backup"), filepath.Join(keys, "a", "b"), filepath.Dir(data), filepath.Join(link, "backup")} {
		if _, err := l.Backup(t.Context(), dir, nil); !errors.Is(err, ErrConfig) {
			t.Errorf("backup in %q: %v", dir, err)
		}
	}
	for _, ship := range []Shipper{
		{Escrow: filepath.Join(data, "escrow"), Recipients: s.ship.Recipients},
		{Escrow: filepath.Join(keys, "escrow"), Recipients: s.ship.Recipients},
		{Escrow: filepath.Join(link, "escrow"), Recipients: s.ship.Recipients},
		{Escrow: filepath.Join(s.ship.Backup, "escrow"), Backup: s.ship.Backup, Recipients: s.ship.Recipients},
		{Escrow: s.ship.Escrow},
		{Escrow: s.ship.Escrow, Recipients: []string{"age1nobody"}},
		{Backup: filepath.Join(data, "backup")},
	} {
		if _, err := l.shipper(ship); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", ship, err)
		}
	}
	if ship, err := l.shipper(Shipper{}); ship != nil || err != nil {
		t.Errorf("nothing to ship to: %v", err)
	}
}

// TestBackupOfAnother: the backup of another ledger, or of another history of the
// same one, is refused and left as it is.
func TestBackupOfAnother(t *testing.T) {
	one, two := newSite(t), newSite(t)
	l := open(t, one.cfg)
	people(t, l, "one", 3)
	mustBackup(t, l, one.ship.Backup)
	other := open(t, two.cfg)
	if _, err := other.Backup(t.Context(), one.ship.Backup, nil); !errors.Is(err, backup.ErrForeign) || !errors.Is(err, ErrDamaged) {
		t.Errorf("another ledger's: %v", err)
	}
	// The same ledger, put back to before the backup, and then on another way.
	old := newSite(t)
	fork := open(t, old.cfg)
	mustBackup(t, fork, old.ship.Backup)
	before := filepath.Join(t.TempDir(), "before")
	if err := os.CopyFS(before, os.DirFS(old.ship.Backup)); err != nil {
		t.Fatal(err)
	}
	people(t, fork, "lost", 5)
	mustBackup(t, fork, old.ship.Backup)
	again := restoreFrom(t, old, before)
	l2 := open(t, again)
	for i := range 7 {
		if _, err := l2.Backup(t.Context(), old.ship.Backup, nil); !errors.Is(err, backup.ErrForeign) {
			t.Errorf("another history, %d events: %v", i, err)
		}
		people(t, l2, fmt.Sprint("new", i), 1)
	}
}

// TestBackupWhileRecording backs up again and again while people are recorded,
// linked and asked for, and keys are changed: every state of the backup that ever
// was opens, whole and sound, with the root of that moment.
func TestBackupWhileRecording(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for c := range 3 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := fmt.Sprint("c", c, "-", i)
				subs := []Submission{{Event: view(t, id, "candidate:"+id)}, {Event: linked(t, "link-"+id, "candidate:"+id, "alias:"+id)}}
				if _, err := l.Record(context.Background(), subs); err != nil {
					t.Errorf("record: %v", err)
					return
				}
			}
		})
	}
	busy := 0
	for i := range 8 {
		r, err := l.Backup(t.Context(), s.ship.Backup, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 2 {
			if err := rekey(t, l); err != nil {
				t.Fatal(err)
			}
			busy++
		}
		moment := filepath.Join(t.TempDir(), "moment")
		if err := os.CopyFS(moment, os.DirFS(s.ship.Backup)); err != nil {
			t.Fatal(err)
		}
		restored := restoreFrom(t, s, moment)
		held, _ := heldIn(t, moment)
		mustBegin(t, "restored", held, messagesAt(t, restored))
		rep := mustBeSound(t, restored)
		if rep == nil || rep.Events < r.Events.Last {
			t.Fatalf("%d events were backed up, restored: %+v", r.Events.Last, rep)
		}
		for _, note := range rep.Notes {
			if strings.HasPrefix(note, "no keys of checkpoints") {
				continue // they are in no backup
			}
			t.Errorf("moment %d: %s", i, note) // such as a tag whose row is missing
		}
		if most := vouched(t, held[1]); most > uint64(len(held[0])) {
			t.Errorf("moment %d: the vault vouches for %d events, %d are there", i, most, len(held[0]))
		}
	}
	stop()
	wg.Wait()
	mustClose(t, l)
	mustBeSound(t, s.cfg)
}

// TestBackupDuringErasures makes backups and changes of keys at once: either waits
// for the other or is refused, and whatever is in backup and escrow in the end
// opens the ledger.
func TestBackupDuringErasures(t *testing.T) {
	s := newSite(t)
	l := s.open(t)
	var wg sync.WaitGroup
	done := make(chan struct{})
	changes, backups := 0, 0
	wg.Go(func() {
		defer close(done)
		for i := range 12 {
			people(t, l, fmt.Sprint("e", i), 2)
			switch err := rekey(t, l); {
			case err == nil:
				changes++
			case !errors.Is(err, vault.ErrAbandoned) || !errors.Is(err, ErrLocked):
				t.Errorf("change of keys: %v", err)
			}
		}
	})
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		switch _, err := l.Backup(t.Context(), s.ship.Backup, nil); {
		case err == nil:
			backups++
		case !errors.Is(err, ErrLocked):
			t.Errorf("backup: %v", err)
		}
	}
	wg.Wait()
	if err := rekey(t, l); err != nil || backups == 0 {
		t.Errorf("the last change: %v; %d changes, %d backups", err, changes, backups)
	}
	mustClose(t, l)
	mustBeSound(t, s.cfg)
	restored := restoreEscrow(t, s)
	mustBeSound(t, restored)
	mustBegin(t, "restored", messagesAt(t, s.cfg), messagesAt(t, restored))
}

// TestBackupGivenUp: a backup that is cancelled, or whose ledger is closed, leaves
// the one before, and the next goes on from there.
func TestBackupGivenUp(t *testing.T) {
	s := newSite(t)
	l := mustOpen(t, s.cfg)
	first := mustBackup(t, l, s.ship.Backup)
	for i := range 3 {
		people(t, l, fmt.Sprint("many", i), 3000)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := l.Backup(ctx, s.ship.Backup, func(uint64, uint64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	closed := make(chan error, 1)
	var once sync.Once
	_, err := l.Backup(t.Context(), s.ship.Backup, func(uint64, uint64) {
		once.Do(func() { closed <- l.Close(context.Background()) })
	})
	if cerr := <-closed; cerr != nil || !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v; close: %v", err, cerr)
	}
	if _, err := l.Backup(t.Context(), s.ship.Backup, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("after the close: %v", err)
	}
	if _, state := heldIn(t, s.ship.Backup); state.Made != first.Made || state.Head(backup.Events).Last != 0 {
		t.Errorf("what was given up counts: %+v", state)
	}
	l = mustOpen(t, s.cfg)
	if r := mustBackup(t, l, s.ship.Backup); r.Events.Added != 9000 {
		t.Errorf("%d events added", r.Events.Added)
	}
	mustClose(t, l)
}

// TestBackupOfHalted: a ledger that does not know what it recorded can be backed
// up to where it knows; what the next start finds out comes with the next backup.
func TestBackupOfHalted(t *testing.T) {
	s := newSite(t)
	l, f := withFaults(t, s.cfg)
	people(t, l, "known", 4)
	f.once(doneButLost)
	if _, err := l.Record(t.Context(), []Submission{{Event: view(t, "unknown", "candidate:unknown")}}); !errors.Is(err, ErrHalted) {
		t.Fatal(err)
	}
	if r := mustBackup(t, l, s.ship.Backup); r.Events.Last < 4 {
		t.Errorf("%d events", r.Events.Last)
	}
	closeLedger(t, l)
	mustBeSound(t, restoreFrom(t, s, s.ship.Backup))
	l = mustOpen(t, s.cfg)
	if r := mustBackup(t, l, s.ship.Backup); r.Events.Last != 5 {
		t.Errorf("%d events after the start", r.Events.Last)
	}
	mustClose(t, l)
	mustBeSound(t, restoreFrom(t, s, s.ship.Backup))
}
