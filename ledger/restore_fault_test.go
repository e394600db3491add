package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// restoreSteps are the steps of a restore: up to "complete" it begins anew, after
// that it is finished.
func restoreSteps() []string {
	return []string{
		"streams", "filled", "root", "named", "opened", "complete",
		"moved root", "moved durable", "moved nats", "moved views", "moved quarantine", "moved ledger.json", "removed keys", "removed data",
	}
}

// lost is a site that has lost its data, and what a restore of it must give.
type lost struct {
	site
	escrow bool // else the root at the keys is taken
	config func(t testing.TB) RestoreConfig
	want   RestoreReport
}

// newLost makes two: one that lost its keys as well, one that has them.
func newLost(t *testing.T) []lost {
	t.Helper()
	s := newSite(t)
	l := s.open(t)
	people(t, l, "kept", 5)
	made := mustBackup(t, l, s.ship.Backup)
	people(t, l, "lost", 2)
	lastVault := l.vaults.Last()
	mustClose(t, l)
	want := RestoreReport{Name: "ledger", ID: made.ID, Made: made.Made, Root: 1, Events: 5}
	known := want
	known.Known, known.Gap = true, 6
	known.Lost = Lost{Events: Span{6, 7}, Vault: Span{made.Vault.Last + 1, lastVault}}
	return []lost{
		{s, true, func(t testing.TB) RestoreConfig { return s.restore(elsewhere(t)) }, want},
		{s, false, func(t testing.TB) RestoreConfig {
			cfg := s.restore(elsewhere(t))
			cfg.Escrow = ""
			copyMark(t, s.cfg.Keys, cfg.Keys)
			root, err := os.ReadFile(filepath.Join(s.cfg.Keys, "root"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(cfg.Keys, "root"), string(root))
			return cfg
		}, known},
	}
}

// killedAt runs a restore that dies after a step: nothing of it runs any more but
// what the system does, which lets go of the lock.
func killedAt(t *testing.T, cfg RestoreConfig, step string) {
	t.Helper()
	died := make(chan bool)
	go func() {
		done := false
		defer func() { died <- !done }()
		if _, err := restoreWith(t.Context(), cfg, nil, func(s string) error {
			if s == step {
				runtime.Goexit()
			}
			return nil
		}); err != nil {
			t.Errorf("before it died: %v", err)
		}
		done = true
	}()
	if !<-died {
		t.Fatalf("there is no step %q", step)
	}
}

// mustEnd wants a restore to end as it must, however often it was tried before.
func (x lost) mustEnd(t *testing.T, cfg RestoreConfig, ended bool) {
	t.Helper()
	r, err := Restore(t.Context(), cfg, nil)
	if ended { // the last step was done: it is a ledger like any other
		if !errors.Is(err, ErrExists) {
			t.Errorf("restoring once more: %v", err)
		}
	} else if err != nil || r != x.want {
		t.Errorf("report %+v, want %+v: %v", r, x.want, err)
	}
	ledger := Config{Data: cfg.Data, Keys: cfg.Keys, Index: newMemoryIndex().at}
	held, _ := heldIn(t, x.ship.Backup)
	mustBegin(t, "restored", held, messagesAt(t, ledger))
	if rep := mustBeSound(t, ledger); rep != nil && (x.want.Gap == 0) != (rep.Events == 5) {
		t.Errorf("%d events", rep.Events)
	}
	for path := range tree(t, cfg.Data, cfg.Keys) {
		if strings.Contains(path, restoringDir) {
			t.Errorf("%s is left", path)
		}
	}
	mustClose(t, mustOpen(t, ledger))
}

func mustOpen(t testing.TB, cfg Config) *Ledger {
	t.Helper()
	l, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestRestoreKilled kills a restore after every step, and again while it is
// finished.
func TestRestoreKilled(t *testing.T) {
	for _, x := range newLost(t) {
		for i, step := range restoreSteps() {
			t.Run(fmt.Sprintf("escrow %t, %s", x.escrow, step), func(t *testing.T) {
				t.Parallel()
				cfg := x.config(t)
				killedAt(t, cfg, step)
				last := i == len(restoreSteps())-1
				if i < slices.Index(restoreSteps(), "moved ledger.json") {
					if _, err := Open(t.Context(), Config{Data: cfg.Data, Keys: cfg.Keys, Index: newMemoryIndex().at}); !errors.Is(err, ErrNoLedger) {
						t.Errorf("half a restore opens: %v", err)
					}
				}
				if i >= slices.Index(restoreSteps(), "complete") && !last {
					killedAt(t, cfg, restoreSteps()[i+1])
					last = i+1 == len(restoreSteps())-1
				}
				x.mustEnd(t, cfg, last)
			})
		}
	}
}

// TestRestoreFails fails a restore after every step: until it is complete nothing
// is left behind, and from then on the same call ends it.
func TestRestoreFails(t *testing.T) {
	fault := errors.New("injected")
	for _, x := range newLost(t) {
		for i, step := range restoreSteps() {
			t.Run(fmt.Sprintf("escrow %t, %s", x.escrow, step), func(t *testing.T) {
				t.Parallel()
				cfg := x.config(t)
				before := tree(t, cfg.Data, cfg.Keys)
				_, err := restoreWith(t.Context(), cfg, nil, func(s string) error {
					if s == step {
						return fault
					}
					return nil
				})
				if !errors.Is(err, fault) {
					t.Fatalf("%v", err)
				}
				begun := i <= slices.Index(restoreSteps(), "complete")
				if after := tree(t, cfg.Data, cfg.Keys); begun && !maps.Equal(before, after) {
					t.Errorf("something is left behind: %d files, %d before", len(after), len(before))
				}
				if begun == strings.Contains(err.Error(), "call it again") {
					t.Errorf("the error does not say what to do: %v", err)
				}
				x.mustEnd(t, cfg, step == "removed data")
			})
		}
	}
}

// TestRestoreFromRubbish clears whatever an unfinished restore may have left.
func TestRestoreFromRubbish(t *testing.T) {
	for _, x := range newLost(t) {
		cfg := x.config(t)
		for _, name := range []string{"nats/a", "ledger.json", "complete.json.tmp", "views/b"} {
			write(t, filepath.Join(cfg.Data, restoringDir, name), "rubbish")
		}
		write(t, filepath.Join(cfg.Keys, restoringDir, "root"), "half a root")
		write(t, filepath.Join(cfg.Keys, restoringDir, "durable"), "")
		x.mustEnd(t, cfg, false)
	}
}

// TestRestoreDestroysRoot: a root that a killed restore wrote is overwritten before
// its file is let go, and one that was only given a second name is not.
func TestRestoreDestroysRoot(t *testing.T) {
	for _, x := range newLost(t) {
		cfg := x.config(t)
		killedAt(t, cfg, "root")
		watched, err := os.Open(filepath.Join(cfg.Keys, restoringDir, "root")) // what a file holds outlives its name
		if err != nil {
			t.Fatal(err)
		}
		defer watched.Close()
		x.mustEnd(t, cfg, false)
		b := make([]byte, 8192)
		if _, err := watched.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		if gone := len(strings.Trim(string(b), "\x00")) == 0; gone != x.escrow {
			t.Errorf("escrow %t: the root of a killed restore is overwritten: %t", x.escrow, gone)
		}
	}
}
