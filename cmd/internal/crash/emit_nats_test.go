package crash_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/emitnats"
)

// TestEmitOverNATS emits over NATS with an NKEY, with and without a spool, while the server is killed and started
// again: everything arrives once, in order, and the heartbeats with it.
func TestEmitOverNATS(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	address := freeAddress(t)
	withNATS := func(ctx context.Context, name string, arg ...string) *exec.Cmd {
		return exec.CommandContext(ctx, name, append(arg, "--nats", address)...)
	}
	serve := func() *server {
		srv := s.start(t, withNATS)
		if !srv.ready(t) {
			t.Fatalf("the server ended: %v\n%s", srv.err, srv.out)
		}
		return srv
	}
	srv := serve()
	tok := srv.setUp(t, s)
	seed := filepath.Join(t.TempDir(), "seed")
	add := exec.CommandContext(t.Context(), custody, "producer", "add", "ats", "--families", "data,subject,ledger", "--nkey", "--out", seed,
		"--url", srv.url, "--token-file", filepath.Join(s.data(), "operator.token"))
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	spool := filepath.Join(t.TempDir(), "spool")
	instances := map[string]bool{}
	for round, dir := range []string{"", spool, spool} {
		conn, err := emitnats.Connect(emitnats.Config{URL: "nats://" + address, Producer: "ats", SeedFile: seed})
		if err != nil {
			t.Fatal(err)
		}
		e, err := emit.Open(emit.Config{Producer: "ats", To: conn, Spool: dir, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		instances[e.Instance()] = true
		for i := range 20 {
			if i == 10 {
				srv.kill()
				if dir == "" {
					srv = serve()
				}
			}
			if _, err := e.Emit(t.Context(), accessNumbered(100*round+i, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if dir != "" {
			srv = serve()
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := e.Drain(ctx); err != nil {
			t.Fatalf("%v: %+v\n%s", err, e.Stats(), srv.out)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	next, beats := map[string]int{}, 0
	for l, err := range srv.replay(tok.reader) {
		if err != nil {
			t.Fatal(err)
		}
		if l.Source != "/ats" {
			continue
		}
		var n numbering
		n.read(t, l)
		if next[n.Instance]++; !instances[n.Instance] || n.Number != fmt.Sprint(next[n.Instance]) {
			t.Errorf("position %d has number %s of %s", l.Position, n.Number, n.Instance)
		}
		if strings.HasSuffix(l.Type, "heartbeat.v1") {
			beats++
		}
	}
	total := 0
	for _, n := range next {
		total += n
	}
	if total-beats != 60 || beats != 6 || len(next) != 2 {
		t.Errorf("%d events and %d heartbeats of %d instances", total-beats, beats, len(next))
	}
	srv.stop(t)
	s.sound(t)
	if _, err := os.Stat(filepath.Join(spool, "refused.ndjson")); err == nil {
		t.Error("something was refused")
	}
}
