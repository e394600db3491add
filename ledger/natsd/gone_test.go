package natsd

import (
	"os"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// TestEmptyBlockGone: after a kill with nothing recorded the server, whose index
// is removed, removes the block that has stayed empty too, and goes on with the
// next number. Nothing is missing then.
func TestEmptyBlockGone(t *testing.T) {
	cfg := created(t)
	for range 2 { // a kill leaves no marker of a clean stop
		srv, _, _ := started(t, cfg)
		if err := srv.shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := srv.unstage(); err != nil {
			t.Fatal(err)
		}
	}
	srv, s, _ := started(t, cfg)
	if _, err := s.Append(t.Context(), []stream.Message{{Subject: "s.S.x", Data: []byte("one")}}); err != nil {
		t.Fatal(err)
	}
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(blockPath(messagesDir(cfg.Dir, "S"), 1)); err == nil {
		t.Fatal("block 1 is there: this test no longer tests what it says")
	}
	srv, s, _ = started(t, cfg)
	defer srv.Stop(t.Context())
	if got := scanned(t, cfg); s.Last() != 1 || len(got) != 1 {
		t.Fatalf("last %d, %d scanned", s.Last(), len(got))
	}
}

// TestProbeLeft: a power cut may keep the file by which the server found out
// that it may write.
func TestProbeLeft(t *testing.T) {
	cfg := created(t)
	for _, dir := range []string{cfg.Dir + "/jetstream", streamDir(cfg.Dir, "S")} {
		if err := os.WriteFile(dir+"/_test_370384984", nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	srv, _, _ := started(t, cfg)
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}
