package natsd

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// Whatever becomes of the index and of the marker, the stream is the same: they only decide how it is read.
func TestIndexAndMarker(t *testing.T) {
	cfg := stopped(t, messages(1, 20), messages(5, 20))
	older := read(t, filepath.Join(messagesDir(cfg.Dir, "S"), indexFile))
	srv, s, _ := started(t, cfg)
	if _, err := s.Append(t.Context(), messages(9, 20)); err != nil {
		t.Fatal(err)
	}
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	flip := func(t *testing.T, path string) {
		b := read(t, path)
		b[len(b)/2] ^= 1
		write(t, path, b)
	}
	for name, c := range map[string]struct {
		do    func(t *testing.T, index, mark string)
		clean bool
	}{
		"untouched":      {func(*testing.T, string, string) {}, true},
		"index stale":    {func(t *testing.T, index, _ string) { write(t, index, older) }, false},
		"index garbage":  {func(t *testing.T, index, _ string) { write(t, index, []byte("garbage")) }, false},
		"index flipped":  {func(t *testing.T, index, _ string) { flip(t, index) }, false},
		"index removed":  {func(_ *testing.T, index, _ string) { os.Remove(index) }, false},
		"marker flipped": {func(t *testing.T, _, mark string) { flip(t, mark) }, false},
		"marker garbage": {func(t *testing.T, _, mark string) { write(t, mark, []byte("{}")) }, false},
		"marker removed": {func(_ *testing.T, _, mark string) { os.Remove(mark) }, false},
		"both removed":   {func(_ *testing.T, index, mark string) { os.Remove(index); os.Remove(mark) }, false},
		"temporary left": {func(t *testing.T, index, mark string) { os.Remove(mark); write(t, index+".tmp", older) }, false},
		"stale, no mark": {func(t *testing.T, index, mark string) { os.Remove(mark); write(t, index, older) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			changed := cfg
			changed.Dir = filepath.Join(t.TempDir(), "nats")
			snapshot(t, cfg.Dir, changed.Dir)
			mark := filepath.Join(changed.Dir, markerFile)
			c.do(t, filepath.Join(messagesDir(changed.Dir, "S"), indexFile), mark)
			srv, s, report := started(t, changed)
			if report.CleanStop != c.clean || s.Last() != 15 {
				t.Fatalf("last %d: %+v", s.Last(), report)
			}
			if _, err := os.Stat(mark); err == nil {
				t.Fatal("the marker is there while the server runs")
			}
			if err := srv.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := scanned(t, changed); len(got) != 15 {
				t.Fatal(len(got))
			}
		})
	}
}

// What prepare leaves for the server: nothing that is torn, and an index only after a clean stop.
func TestPrepare(t *testing.T) {
	for _, clean := range []bool{true, false} {
		cfg := stopped(t, messages(1, 20), messages(5, 20))
		path, index := blockPath(messagesDir(cfg.Dir, "S"), 1), filepath.Join(messagesDir(cfg.Dir, "S"), indexFile)
		good := read(t, path)
		want := good
		if !clean {
			if err := os.Remove(filepath.Join(cfg.Dir, markerFile)); err != nil {
				t.Fatal(err)
			}
			all := places(t, 1, good)
			want = good[:all[5].offset]
			write(t, path, good[:all[5].offset+5])
		}
		full, err := cfg.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		report, found, err := preflight(t.Context(), full)
		if err != nil {
			t.Fatal(err)
		}
		if err := prepare(full, report, found); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(read(t, path), want) {
			t.Fatalf("the block has %d bytes, want %d", len(read(t, path)), len(want))
		}
		if _, err := os.Stat(index); (err == nil) != clean {
			t.Fatalf("clean %v, index: %v", clean, err)
		}
		if _, err := os.Stat(filepath.Join(cfg.Dir, markerFile)); err == nil {
			t.Fatal("the marker is still there")
		}
		again, _, err := preflight(t.Context(), full)
		if err != nil || again.Streams[0].Torn != nil || again.Streams[0].Last != report.Streams[0].Last {
			t.Fatalf("%+v: %v", again, err)
		}
	}
}

// Batches that a kill left staged, on the disk or in memory, go to quarantine and are never completed.
func TestStagedBatches(t *testing.T) {
	for _, memory := range []bool{false, true} {
		cfg := killed(t, messages(5, 20))
		folder := stagingDir(cfg.Dir, "S")
		var root string
		if memory {
			var owner *os.File
			if root, owner = memoryFolder(cfg.Dir); root == "" {
				continue // nothing to stage in
			}
			owner.Close()
			folder = filepath.Join(root, "S")
			if err := os.Symlink(folder, stagingDir(cfg.Dir, "S")); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.MkdirAll(filepath.Join(folder, "abc", "msgs"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, "abc", "msgs", "1.blk"), []byte("staged"))
		srv, s, report := started(t, cfg)
		r := report.Streams[0]
		if s.Last() != 5 || r.Torn != nil || len(r.Quarantined) != 1 {
			t.Fatalf("%+v", r)
		}
		if got := read(t, filepath.Join(r.Quarantined[0], "batches", "abc", "msgs", "1.blk")); string(got) != "staged" {
			t.Fatalf("%q", got)
		}
		if memory {
			if _, err := os.Stat(root); err == nil {
				t.Fatal("what was staged in memory is still there")
			}
		}
		if last, err := s.Append(t.Context(), messages(9, 20)); last != 14 || err != nil {
			t.Fatal(last, err)
		}
		if err := srv.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if isLink(stagingDir(cfg.Dir, "S")) {
			t.Fatal("the link is left after a stop")
		}
	}
	// A copy leaves alone what the original stages.
	cfg := killed(t, messages(5, 20))
	if root, owner := memoryFolder(cfg.Dir); root != "" {
		defer os.RemoveAll(root)
		defer owner.Close()
		if err := os.MkdirAll(filepath.Join(root, "S", "abc"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(root, "S"), stagingDir(cfg.Dir, "S")); err != nil {
			t.Fatal(err)
		}
		copied := cfg
		copied.Dir = filepath.Join(t.TempDir(), "nats")
		snapshot(t, cfg.Dir, copied.Dir)
		srv, _, report := started(t, copied)
		if r := report.Streams[0]; len(r.Quarantined) != 0 {
			t.Fatalf("%+v", r)
		}
		if err := srv.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(root, "S", "abc")); err != nil {
			t.Fatal("the copy took away what the original stages")
		}
	}
	// After a power cut the link leads nowhere.
	cfg = killed(t, messages(5, 20))
	if err := os.Symlink(filepath.Join(memoryRoot, memoryPrefix+"gone", "S"), stagingDir(cfg.Dir, "S")); err != nil {
		t.Fatal(err)
	}
	srv, _, report := started(t, cfg)
	defer srv.Stop(t.Context())
	if r := report.Streams[0]; len(r.Quarantined) != 0 {
		t.Fatalf("%+v", r)
	}
}

// A folder in memory goes with whoever finds that its server has ended and its server's folder is gone; not before.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	root, owner := memoryFolder(filepath.Join(dir, "gone"))
	if root == "" {
		return // nothing to sweep
	}
	defer os.RemoveAll(root)
	kept, other := memoryFolder(dir)
	defer os.RemoveAll(kept)
	other.Close()
	for _, left := range []bool{true, false} {
		sweep()
		if _, err := os.Stat(root); (err == nil) != left {
			t.Fatalf("left %v: %v", left, err)
		}
		if _, err := os.Stat(kept); err != nil {
			t.Fatal("what will be asked for at the next start is gone")
		}
		owner.Close()
	}
}

// Writes fail: the append is not acknowledged and does not hang, the server is known to have failed, nothing can be
// appended or reconciled, the stop leaves no marker; and what was acknowledged is there at the next start.
func TestWritesFail(t *testing.T) {
	const child = "NATSD_TEST_WRITES_FAIL"
	if os.Getenv(child) == "" { // the limit is the whole process's
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWritesFail$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS: TestWritesFail")) {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	for _, n := range []int{1, 20} {
		cfg := created(t)
		srv, s, _ := started(t, cfg)
		if _, err := s.Append(t.Context(), messages(5, 1000)); err != nil {
			t.Fatal(err)
		}
		var unlimited syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 64 << 10, Max: unlimited.Max}); err != nil {
			t.Fatal(err)
		}
		var err error
		for err == nil {
			_, err = s.Append(t.Context(), messages(n, 1000))
		}
		acked := s.Last()
		rerr := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &unlimited)
		if rerr != nil {
			t.Fatal(rerr)
		}
		if n == 1 && !errors.Is(err, stream.ErrUnknown) {
			t.Fatal(err)
		}
		if errors.Is(err, stream.ErrRejected) && n > 1 { // it is the staging that could not be written
			srv.Stop(t.Context())
			continue
		}
		<-srv.Failed()
		if srv.Health() == nil {
			t.Fatal("failed and healthy")
		}
		if _, err := s.Append(t.Context(), messages(1, 10)); err == nil {
			t.Fatal("appended to a server that has failed")
		}
		if _, err := s.Reconcile(t.Context()); !errors.Is(err, stream.ErrUnknown) {
			t.Fatalf("reconciled with a server that has failed: %v", err)
		}
		if err := srv.Stop(t.Context()); err == nil {
			t.Fatal("stopped as if nothing had happened")
		}
		if _, err := os.Stat(filepath.Join(cfg.Dir, markerFile)); err == nil {
			t.Fatal("marked as stopped cleanly")
		}
		cfg.Durable = map[string]uint64{"S": acked}
		srv, s, _ = started(t, cfg)
		if s.Last() < acked {
			t.Fatalf("%d acknowledged, %d there", acked, s.Last())
		}
		if err := srv.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// The barrier syncs a folder that has a new block, once, and fails for good when it cannot.
func TestBarrier(t *testing.T) {
	cfg := created(t)
	srv, s, _ := started(t, cfg)
	g := srv.guards[0]
	for want := uint32(1); want <= 3; want++ {
		if _, err := s.Append(t.Context(), messages(1, 7<<20)); err != nil {
			t.Fatal(err)
		}
		if g.newest != want {
			t.Fatalf("block %d is not covered: %d", want, g.newest)
		}
	}
	g.dir = filepath.Join(blockPath(g.dir, 1), "not a folder")
	if _, err := s.Append(t.Context(), messages(1, 10)); !errors.Is(err, stream.ErrUnknown) {
		t.Fatal(err)
	}
	if srv.Health() == nil {
		t.Fatal("healthy without a barrier")
	}
	if err := srv.Barrier("T")(); err == nil {
		t.Fatal("a barrier for no stream")
	}
	if err := srv.Stop(context.Background()); err == nil {
		t.Fatal("stopped cleanly")
	}
}

// The server's fatal lines do not end the process, and fail the start.
func TestFatal(t *testing.T) {
	cfg := testConfig(t.TempDir())
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(cfg.Dir, "jetstream"), []byte("not a folder"))
	cfg.MaxStore = 1 << 20
	full, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := launch(t.Context(), full); err == nil || !strings.Contains(err.Error(), "JetStream") {
		t.Fatalf("launched: %v", err)
	}
}

// What the server does not take is an error that says what it complained of.
func TestServerSeesLess(t *testing.T) {
	cfg := killed(t, messages(5, 20))
	full, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	report, found, err := preflight(t.Context(), full)
	if err != nil {
		t.Fatal(err)
	}
	if err := prepare(full, report, found); err != nil {
		t.Fatal(err)
	}
	// Something happens to a file between the preflight and the server's own reading.
	path := blockPath(messagesDir(cfg.Dir, "S"), 1)
	b := bytes.Clone(read(t, path))
	b[len(b)-1] ^= 1
	write(t, path, b)
	s, err := launch(t.Context(), full)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.confirm(report); err == nil || !strings.Contains(err.Error(), "4 messages") {
		t.Fatal(err)
	}
	if err := s.shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}
