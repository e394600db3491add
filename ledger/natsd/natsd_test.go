package natsd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
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
		msgs[i] = stream.Message{Subject: "s.S.a", Data: bytes.Repeat([]byte{byte('a' + i%26)}, size)}
	}
	return msgs
}

// stopped makes a server's folder with groups of messages in it, of these sizes, and stops the server.
func stopped(tb testing.TB, groups ...[]stream.Message) Config {
	tb.Helper()
	cfg := created(tb)
	srv, s, _ := started(tb, cfg)
	for _, msgs := range groups {
		if _, err := s.Append(tb.Context(), msgs); err != nil {
			tb.Fatal(err)
		}
	}
	if err := srv.Stop(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return cfg
}

// killed is stopped, less what only a clean stop leaves.
func killed(tb testing.TB, groups ...[]stream.Message) Config {
	tb.Helper()
	cfg := stopped(tb, groups...)
	for _, path := range []string{filepath.Join(cfg.Dir, markerFile), filepath.Join(messagesDir(cfg.Dir, "S"), indexFile)} {
		if err := os.Remove(path); err != nil {
			tb.Fatal(err)
		}
	}
	return cfg
}

// snapshot copies a folder as it is, links as links.
func snapshot(tb testing.TB, from, to string) {
	tb.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(dst, 0o700)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, dst)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(dst, b, 0o600)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// digest covers the names and contents of everything below dir.
func digest(tb testing.TB, dir string) string {
	tb.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fmt.Fprintln(h, path, d.Type())
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintln(h, len(b))
			h.Write(b)
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func write(tb testing.TB, path string, b []byte) {
	tb.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func read(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// scanned reads a stream's files; it fails the test on any error.
func scanned(tb testing.TB, cfg Config) []stream.Message {
	tb.Helper()
	var all []stream.Message
	for m, err := range Scan(cfg.Dir, "S") {
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// What the files say, read without the server, is what the server says, before and after a stop and after a kill.
func TestScanAgreesWithServer(t *testing.T) {
	cfg := created(t)
	srv, s, report := started(t, cfg)
	if r := report.Streams[0]; !report.CleanStop || r.First != 1 || r.Last != 0 || r.MarkKnown {
		t.Fatalf("%+v", report)
	}
	odd := []stream.Message{
		{Subject: "s.S.a"}, {Subject: "s.S.b", Data: []byte("\r\n\r\nNATS/1.0\r\n")},
		{Subject: "s.S.c", Data: make([]byte, 8<<20), Header: map[string]string{"A": "1", "B-c": "two  words"}},
		{Subject: "s.S.d", Header: map[string]string{"Empty": ""}},
	}
	for _, msgs := range [][]stream.Message{odd, messages(1, 10), messages(300, 50), odd, messages(5, 3<<20)} {
		if _, err := s.Append(t.Context(), msgs); err != nil {
			t.Fatal(err)
		}
	}
	same := func(s *stream.Stream, cfg Config) {
		t.Helper()
		all := scanned(t, cfg)
		i := 0
		for m, err := range s.Replay(t.Context(), 1, 1<<63) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Data == nil {
				m.Data = []byte{}
			}
			if !reflect.DeepEqual(m, all[i]) {
				t.Fatalf("message %d: files %.200v, server %.200v", i, all[i], m)
			}
			i++
		}
		if i != len(all) || uint64(i) != s.Last() {
			t.Fatalf("%d messages in the files, %d at the server", len(all), i)
		}
	}
	same(s, cfg)
	after := cfg
	after.Dir = filepath.Join(t.TempDir(), "nats")
	snapshot(t, cfg.Dir, after.Dir)
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cfg   Config
		clean bool
	}{{cfg, true}, {after, false}} {
		srv, s, report := started(t, c.cfg)
		r := report.Streams[0]
		if report.CleanStop != c.clean || r.Last != 314 || r.Mark != 309 || r.Torn != nil || (r.MarkStop == 314) != c.clean {
			t.Fatalf("%+v", report)
		}
		same(s, c.cfg)
		if last, err := s.Append(t.Context(), messages(2, 10)); last != 316 || err != nil {
			t.Fatal(last, err)
		}
		if err := srv.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(memoryRoot, memoryPrefix+"*", "S"))
	for _, path := range left {
		if target, err := os.Readlink(stagingDir(cfg.Dir, "S")); err == nil && target == path {
			t.Errorf("staging is left in memory: %s", path)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateRefuses(t *testing.T) {
	cfg := created(t)
	if err := Create(t.Context(), cfg, []stream.Config{testStream("S")}); !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	if _, _, err := Start(t.Context(), Config{}); err == nil {
		t.Fatal("started nowhere")
	}
	cfg.Dir = filepath.Join(t.TempDir(), "absent")
	var d *Damage
	if _, _, err := Start(t.Context(), cfg); !errors.As(err, &d) || d.Kind != KindNoStream {
		t.Fatal(err)
	}
	if _, err := os.Stat(cfg.Dir); err == nil {
		t.Fatal("starting made the folder")
	}
}
