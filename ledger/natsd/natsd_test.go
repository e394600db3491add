package natsd

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

func testConfig(dir string) Config {
	return Config{Dir: filepath.Join(dir, "nats"), Streams: []string{"S"}, Quarantine: filepath.Join(dir, "quarantine"), Log: slog.New(slog.DiscardHandler)}
}

func testStream(name string) stream.Config {
	return stream.Config{Name: name, Subjects: []string{"s." + name + ".>"}}
}

// created makes a server's folder with one empty stream, S.
func created(tb testing.TB) Config {
	tb.Helper()
	cfg := testConfig(tb.TempDir())
	if err := Create(tb.Context(), cfg, []stream.Config{testStream("S")}); err != nil {
		tb.Fatal(err)
	}
	return cfg
}

func started(tb testing.TB, cfg Config) (*Server, *stream.Stream, *Report) {
	tb.Helper()
	srv, report, err := Start(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := stream.Open(tb.Context(), srv.Conn(), srv.Guard(testStream("S")))
	if err != nil {
		tb.Fatal(err)
	}
	return srv, s, report
}

func messages(n, size int) []stream.Message {
	msgs := make([]stream.Message, n)
	for i := range msgs {
		msgs[i] = stream.Message{Subject: "s.S.a", Data: fmt.Appendf(nil, "%0*d", size, i)}
	}
	return msgs
}

func TestSmoke(t *testing.T) {
	cfg := created(t)
	srv, s, report := started(t, cfg)
	t.Logf("%+v", report)
	for _, n := range []int{1, 5, 6, 100, 5000, 5001} {
		before := s.Last()
		last, err := s.Append(t.Context(), messages(n, 450))
		if err != nil || last != before+uint64(n) {
			t.Fatal(n, last, err)
		}
	}
	i := uint64(0)
	for m, err := range s.Replay(t.Context(), 1, 1<<60) {
		if err != nil {
			t.Fatal(err)
		}
		if i++; m.Sequence != i {
			t.Fatal(i)
		}
	}
	if i != s.Last() {
		t.Fatal(i)
	}
	last, err := s.Reconcile(t.Context())
	t.Log(last, err)
	m, err := s.Get(t.Context(), 7)
	t.Logf("%+v %v", m.Sequence, err)
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range Scan(cfg.Dir, "S") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	t.Log(n)
	srv, s, report = started(t, cfg)
	t.Logf("%+v", report)
	srv.Stop(t.Context())
}
