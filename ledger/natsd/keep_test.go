package natsd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// recovering is killed, and goes as far as Start does before the server runs.
func recovering(t *testing.T, groups ...[]stream.Message) (Config, *Report) {
	t.Helper()
	cfg, err := killed(t, groups...).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	report, found, err := preflight(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := prepare(cfg, report, found); err != nil {
		t.Fatal(err)
	}
	if err := keep(cfg); err != nil {
		t.Fatal(err)
	}
	return cfg, report
}

// A block that cannot be read while the server recovers makes it remove the stream's folder. Nothing is lost.
func TestServerRemovesStream(t *testing.T) {
	cfg, report := recovering(t, messages(1, 20), messages(7, 3<<20))
	block, folder := blockPath(messagesDir(cfg.Dir, "S"), 2), streamDir(cfg.Dir, "S")
	want := digest(t, messagesDir(cfg.Dir, "S"))
	if err := os.Remove(block); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(block, 0o700); err != nil { // it opens, and every read of it fails
		t.Fatal(err)
	}
	s, err := launch(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.settleIn(report); err == nil || !strings.Contains(err.Error(), "did not take it") || !strings.Contains(err.Error(), "the server removed S/") {
		t.Fatalf("settled in: %v", err)
	}
	if err := s.shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Fatal("the server removes nothing: this test no longer tests what it says")
	}
	if err := putBack(cfg); err != nil {
		t.Fatal(err)
	}
	if got := digest(t, messagesDir(cfg.Dir, "S")); got != want {
		t.Fatal("what was put back is not what was there")
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, keptFolder)); err == nil {
		t.Fatal("it is kept for ever")
	}
	if got := scanned(t, cfg); len(got) != 8 {
		t.Fatal(len(got))
	}
}

// A start that was killed after the server had removed something: the check says so and touches nothing, and the next
// start puts it back.
func TestStartKilled(t *testing.T) {
	for name, lost := range map[string]func(dir string) string{
		"nothing":     func(string) string { return "" },
		"description": func(dir string) string { return filepath.Join(streamDir(dir, "S"), "meta.inf") },
		"block":       func(dir string) string { return blockPath(messagesDir(dir, "S"), 1) },
		"stream":      func(dir string) string { return streamDir(dir, "S") },
		"everything":  func(dir string) string { return filepath.Join(dir, "jetstream") },
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := recovering(t, messages(1, 20), messages(7, 3<<20))
			if path := lost(cfg.Dir); path != "" {
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
			}
			before := digest(t, cfg.Dir)
			if _, err := Preflight(t.Context(), cfg); (err == nil) != (name == "nothing") {
				t.Fatalf("preflight: %v", err)
			}
			if digest(t, cfg.Dir) != before {
				t.Fatal("the preflight changed something")
			}
			srv, s, _ := started(t, cfg)
			if s.Last() != 8 {
				t.Fatal(s.Last())
			}
			if _, err := os.Stat(filepath.Join(cfg.Dir, keptFolder)); err == nil {
				t.Fatal("it is kept while the server runs")
			}
			if err := srv.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := scanned(t, cfg); len(got) != 8 {
				t.Fatal(len(got))
			}
		})
	}
}

// A start that was killed while it gave the files their second names has lost nothing, and what it left is no hindrance.
func TestKeepKilled(t *testing.T) {
	cfg, _ := recovering(t, messages(5, 20))
	kept := filepath.Join(cfg.Dir, keptFolder, "S")
	for _, path := range []string{filepath.Join(kept, "meta.sum"), filepath.Join(kept, "msgs"), kept} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		srv, s, _ := started(t, cfg)
		if s.Last() != 5 {
			t.Fatal(s.Last())
		}
		if err := srv.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := keep(cfg); err != nil {
			t.Fatal(err)
		}
	}
}
