package crash_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Who can open the escrow, and what opens it: the identity of docs/FORMAT.md, which
// protects nothing.
const (
	escrowTo   = "age1jzas5x333e59u7y8tspkr5q8sstt7q36tck7s7jhdhfnmsdsgcnszzhywr"
	escrowOpen = "AGE-SECRET-KEY-1PNAS4WKXES3GY0RF4YYPRGDA8XHTW6Z5HZ378JCYJ8DVEJT26DMSTM9TAU"
)

// TestErasureKilled ends the server with SIGKILL while people are erased and months
// are forgotten, beside events about them and about others, views that are being
// filled and a backup that is being made. Whatever was answered is so afterwards;
// whatever was not is done as a whole or not at all, and can be done again.
func TestErasureKilled(t *testing.T) {
	t.Parallel()
	seed, rounds := newSeed(t), int(setting(t, "CUSTODY_CRASH_ROUNDS", fewErasures))
	const perLedger = 20
	for first := 0; first < rounds; first += perLedger {
		k := newKilling(t, seed, first)
		for round := first; round < min(first+perLedger, rounds); round++ {
			if k.round(t, round); t.Failed() {
				t.Fatalf("in round %d", round)
			}
		}
		k.finished(t)
		t.Logf("%d rounds: %d events acknowledged, %d of %d people were to be erased: %d tries were answered; of those that were not, %d were done and %d were not",
			min(first+perLedger, rounds), len(k.promises), len(k.everybody(true)), len(k.all), k.answered, k.done, k.undone)
	}
}

// killing is a ledger whose server is killed.
type killing struct {
	site
	*people
	tok      tokens
	seed     uint64
	answered int // erasures and retentions
}

func newKilling(t *testing.T, seed uint64, first int) *killing {
	t.Helper()
	s := newSite(t)
	must(t, os.WriteFile(s.identity(), []byte(escrowOpen+"\n"), 0o600))
	srv := s.serve(t)
	k := &killing{site: s, people: newPeople(newBook(), seed, first), tok: srv.setUp(t, s), seed: seed}
	if !k.record(srv, k.tok.relay, []event{crowded(random(seed, "crowd", first), k.name)}) {
		t.Fatalf("nothing is recorded\n%s", srv.out)
	}
	srv.stop(t)
	return k
}

func (s site) backup() string   { return filepath.Join(s.root, "backup") }
func (s site) escrow() string   { return filepath.Join(s.root, "escrow") }
func (s site) identity() string { return filepath.Join(s.root, "identity") }

// served starts the server, with a backup or without, and waits until it is ready.
func (k *killing) served(t *testing.T, backup bool) *server {
	t.Helper()
	srv := k.begun(t, backup)
	if !srv.ready(t) {
		t.Fatalf("the server ended instead of starting: %v\n%s", srv.err, srv.out)
	}
	return srv
}

func (k *killing) begun(t *testing.T, backup bool) *server {
	t.Helper()
	if !backup {
		return k.start(t, nil)
	}
	return k.start(t, func(ctx context.Context, name string, arg ...string) *exec.Cmd {
		return exec.CommandContext(ctx, name, append(arg, "--backup", k.backup(), "--escrow", k.escrow(), "--escrow-to", escrowTo)...)
	})
}

// round lets everything go on at once, kills the server at some moment, and demands
// that the next one keeps what was promised.
func (k *killing) round(t *testing.T, round int) {
	t.Helper()
	rng := random(k.seed, "erasure", round)
	backup, rebuild, files := round%2 == 0, round%3 != 1, round%3 == 0
	srv := k.served(t, backup)
	e := &erasing{killing: k, srv: srv, round: round, answers: make(chan struct{}, 1000)}
	l := &load{srv: srv, token: k.tok.relay, book: k.book, seed: k.seed, round: round, clients: 2, most: 1 + rng.IntN(20)}
	l.start()
	e.start(backup, rebuild)
	e.moment(t, rng)
	srv.kill()
	e.wg.Wait()
	l.end()
	k.answered += int(e.answered.Load())
	k.silent(t, srv)
	if round%4 == 0 {
		k.lost(t)
	}
	if files {
		k.loseView(t, rng)
	}
	if rng.IntN(3) == 0 { // once more while it recovers, and finishes what was begun
		again := k.begun(t, backup)
		again.gone(time.Duration(rng.IntN(300)) * time.Millisecond)
		again.kill()
	}
	k.settle(t, k.served(t, round%4 > 1))
}

// settle verifies everything, has everything done that was not answered, and stops
// the server.
func (k *killing) settle(t *testing.T, srv *server) {
	t.Helper()
	k.book.verify(t, srv, k.tok.reader)
	k.people.verify(t, srv, k.tok.officer)
	k.again(func() { k.retry(t, srv, k.tok.relay) })
	k.finish(t, srv, k.tok)
	if open := srv.openErasures(t, k.tok.officer); len(open) > 0 {
		t.Errorf("erasures %v are open", open)
	}
	k.book.verify(t, srv, k.tok.reader)
	k.notKnown(t, srv)
	srv.stop(t)
	k.silent(t, srv)
	k.sound(t)
}

// notKnown demands that the program says of somebody who was erased that nobody is
// known.
func (k *killing) notKnown(t *testing.T, srv *server) {
	t.Helper()
	erased := k.everybody(true)
	if len(erased) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, custody, "person", erased[len(erased)-1].ids[0], "--url", srv.url)
	cmd.Env = append(os.Environ(), "CUSTODY_TOKEN="+k.tok.officer)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "not known") {
		t.Errorf("custody person says of somebody who was erased: %v\n%s", err, out)
	}
}

// silent demands that nobody's identifier is in any file, or in what the server said.
func (k *killing) silent(t *testing.T, srv *server) {
	t.Helper()
	if strings.Contains(srv.out.all(), k.name) {
		t.Error("an identifier is in what the server printed")
	}
	must(t, filepath.WalkDir(k.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() { // a link leads to batches in memory
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(k.name)) {
			t.Errorf("an identifier is in %s", path)
		}
		return err
	}))
}

// loseView removes a view, which is filled anew when the server starts.
func (k *killing) loseView(t *testing.T, rng *rand.Rand) {
	t.Helper()
	views, err := filepath.Glob(filepath.Join(k.data(), "views/*.db"))
	if err != nil || len(views) == 0 {
		t.Fatalf("no views: %v", err)
	}
	must(t, os.Remove(views[rng.IntN(len(views))]))
}

// restored makes the ledger again from its backup and escrow alone.
func (k *killing) restored(t *testing.T) *killing {
	t.Helper()
	again := &killing{site: site{t.TempDir()}, people: k.people, tok: k.tok, seed: k.seed}
	cmd := exec.CommandContext(t.Context(), custody, "restore", "--from", k.backup(), "--escrow", k.escrow(), "--identity", k.identity(), "--data", again.data(), "--keys", again.keys())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("restoring: %v\n%s", err, out)
	}
	return again
}

// lost restores what a killed server left in backup and escrow, as if the machine
// were lost. Events may be; but nobody comes back whose erasure was answered.
func (k *killing) lost(t *testing.T) {
	t.Helper()
	again := k.restored(t)
	again.sound(t)
	srv := again.serve(t)
	for _, p := range k.everybody(true) {
		if !p.mayBeKnown() && srv.timeline(t, k.tok.officer, p).known {
			t.Error("somebody who was erased is known in what was restored")
		}
	}
	srv.kill()
}

// finished brings the backup up to date, and demands of what is restored from it all
// that is demanded of the ledger.
func (k *killing) finished(t *testing.T) {
	t.Helper()
	k.served(t, true).stop(t) // a start brings the backup up to date
	again := k.restored(t)
	again.settle(t, again.serve(t))
}
