package natsd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// TestEmptyBlockGone: after a kill with nothing recorded the server, whose index
// is removed, removes the block that has stayed empty too, and goes on with the
// next number. Nothing is missing then, and the barrier covers that block too.
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
	blocks, err := blockNumbers(messagesDir(cfg.Dir, "S"))
	if g := srv.guards[0]; err != nil || g.newest != slices.Max(blocks) {
		t.Fatalf("blocks %v, the entry of %d is durable: %v", blocks, g.newest, err)
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

// What Start cuts, across blocks: a hole, and everything after it, above every mark.
func TestTornAcrossBlocks(t *testing.T) {
	cfg := killed(t, messages(1, 20), messages(7, 3<<20)) // one group over four blocks: its mark is 1
	messages := messagesDir(cfg.Dir, "S")
	if err := os.Remove(blockPath(messages, 3)); err != nil {
		t.Fatal(err)
	}
	second, fourth := read(t, blockPath(messages, 2)), read(t, blockPath(messages, 4))
	srv, s, report := started(t, cfg)
	defer srv.Stop(t.Context())
	r := report.Streams[0]
	if r.Torn == nil || r.Torn.Kind != KindMissing || s.Last() != r.Last || r.Last != uint64(len(places(t, 1, read(t, blockPath(messages, 1)))))+uint64(len(places(t, 2, second))) {
		t.Fatalf("%+v", r)
	}
	if !bytes.Equal(read(t, filepath.Join(r.Quarantined[0], "4.blk")), fourth) || !bytes.Equal(read(t, blockPath(messages, 2)), second) {
		t.Fatal("the copy, or what stays, is not what it was")
	}
	if _, err := os.Stat(blockPath(messages, 4)); err == nil {
		t.Fatal("the block after the hole is still there")
	}
	if _, err := s.Append(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), []stream.Message{{Subject: "s.S.x", Data: make([]byte, 8<<20)}}); err != nil {
		t.Fatal(err)
	}
	if got := scanned(t, cfg); uint64(len(got)) != r.Last+1 {
		t.Fatal(len(got))
	}
	if fmt.Sprint(s.Last()) != fmt.Sprint(r.Last+1) {
		t.Fatal(s.Last())
	}
}
