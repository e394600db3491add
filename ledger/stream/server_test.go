package stream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/stream"
)

var testConfig = stream.Config{Name: "S", Subjects: []string{"s.>"}}

// server starts an embedded server that has one empty stream, S; change may change its configuration.
func server(tb testing.TB, change func(*natsd.Config)) *natsd.Server {
	tb.Helper()
	dir := tb.TempDir()
	cfg := natsd.Config{Dir: filepath.Join(dir, "nats"), Streams: []string{"S"}, Quarantine: filepath.Join(dir, "q"), Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	if err := natsd.Create(tb.Context(), cfg, []stream.Config{testConfig}); err != nil {
		tb.Fatal(err)
	}
	srv, _, err := natsd.Start(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { srv.Stop(context.Background()) })
	return srv
}

func open(tb testing.TB, nc *nats.Conn, cfg stream.Config) *stream.Stream {
	tb.Helper()
	s, err := stream.Open(tb.Context(), nc, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// api asks the server's API as an administrator would, and fails the test if it refuses.
func api(tb testing.TB, nc *nats.Conn, subject string, body any) map[string]any {
	tb.Helper()
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			tb.Fatal(err)
		}
	}
	msg, err := nc.RequestWithContext(tb.Context(), "$JS.API."+subject, b)
	if err != nil {
		tb.Fatal(err)
	}
	var r map[string]any
	if err := json.Unmarshal(msg.Data, &r); err != nil {
		tb.Fatal(err)
	}
	if r["error"] != nil {
		tb.Fatalf("%s: %v", subject, r["error"])
	}
	return r
}

// update changes the stream's configuration.
func update(tb testing.TB, nc *nats.Conn, change map[string]any) {
	tb.Helper()
	cfg := api(tb, nc, "STREAM.INFO.S", nil)["config"].(map[string]any)
	maps.Copy(cfg, change)
	api(tb, nc, "STREAM.UPDATE.S", cfg)
}

func group(n int, tag string) []stream.Message {
	msgs := make([]stream.Message, n)
	for i := range msgs {
		msgs[i] = stream.Message{Subject: "s." + tag, Data: fmt.Appendf(nil, "%s %d", tag, i)}
	}
	return msgs
}

// contents replays everything.
func contents(tb testing.TB, s *stream.Stream) []string {
	tb.Helper()
	var all []string
	for m, err := range s.Replay(tb.Context(), 1, 1<<63) {
		if err != nil {
			tb.Fatal(err)
		}
		if m.Sequence != uint64(len(all))+1 {
			tb.Fatalf("sequence %d came after %d messages", m.Sequence, len(all))
		}
		all = append(all, string(m.Data))
	}
	return all
}

// lossy connects to a server over a connection that, while told to, loses what is sent to the server or what it
// answers, or holds the answers back.
type lossy struct {
	to                        nats.InProcessConnProvider
	loseRequests, loseAnswers atomic.Bool
	holdAnswers               sync.RWMutex // locked: held back
}

func (l *lossy) InProcessConn() (net.Conn, error) {
	c, err := l.to.InProcessConn()
	return &lossyConn{c, l}, err
}

type lossyConn struct {
	net.Conn
	*lossy
}

func (c *lossyConn) Write(b []byte) (int, error) {
	if c.loseRequests.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// wait returns once no test holds the answers.
func (c *lossyConn) wait() {
	c.holdAnswers.RLock()
	defer c.holdAnswers.RUnlock()
}

func (c *lossyConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		c.wait()
		if err != nil || !c.loseAnswers.Load() {
			return n, err
		}
	}
}
