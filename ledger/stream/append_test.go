package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"

	"github.com/imalink/custody/ledger/natsd"
	"github.com/imalink/custody/ledger/stream"
)

// Whatever the sizes of the groups, and wherever they are split, what comes back is what went in.
func TestAppendAndReadBack(t *testing.T) {
	srv := server(t, nil)
	cfg := srv.Guard(testConfig)
	cfg.MaxBatch = 7
	s := open(t, srv.Conn(), cfg)
	var want []stream.Message
	rapid.Check(t, func(rt *rapid.T) {
		msgs := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) stream.Message {
			m := stream.Message{Subject: "s." + rapid.StringMatching(`[a-z]{1,8}`).Draw(rt, "subject"), Data: rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(rt, "data")}
			if h := rapid.MapOfN(rapid.StringMatching(`[A-M][a-z-]{0,8}`), rapid.StringMatching(`([!-~]([ -~]{0,8}[!-~])?)?`), 0, 2).Draw(rt, "header"); len(h) > 0 {
				m.Header = h
			}
			return m
		}), 0, 20).Draw(rt, "messages")
		before := s.Last()
		last, err := s.Append(t.Context(), msgs)
		if err != nil || last != before+uint64(len(msgs)) || s.Last() != last {
			rt.Fatalf("last %d after %d and %d messages: %v", last, before, len(msgs), err)
		}
		want = append(want, msgs...)
	})
	i := 0
	for m, err := range s.Replay(t.Context(), 0, 1<<63) {
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(t.Context(), m.Sequence)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(m) || m.Time.Location() != time.UTC || time.Since(m.Time).Abs() > time.Hour {
			t.Fatalf("Get and Replay differ: %v, %v", got, m)
		}
		want[i].Sequence, want[i].Time = uint64(i)+1, m.Time
		if fmt.Sprint(m) != fmt.Sprint(want[i]) {
			t.Fatalf("read %v, wrote %v", m, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Fatalf("%d messages came back of %d", i, len(want))
	}
}

func TestAppendRefusesWithoutSending(t *testing.T) {
	srv := server(t, nil)
	s := open(t, srv.Conn(), srv.Guard(testConfig))
	done, cancel := context.WithCancel(t.Context())
	cancel()
	with := func(k, v string) stream.Message {
		return stream.Message{Subject: "s.a", Header: map[string]string{k: v}}
	}
	for name, c := range map[string]struct {
		ctx context.Context
		bad stream.Message
	}{
		"cancelled":       {done, stream.Message{Subject: "s.a"}},
		"no subject":      {nil, stream.Message{}},
		"wildcard":        {nil, stream.Message{Subject: "s.*"}},
		"elsewhere":       {nil, stream.Message{Subject: "t.a"}},
		"too short":       {nil, stream.Message{Subject: "s"}},
		"empty token":     {nil, stream.Message{Subject: "s.a..b"}},
		"empty last":      {nil, stream.Message{Subject: "s.a."}},
		"space":           {nil, stream.Message{Subject: "s. a"}},
		"too large":       {nil, stream.Message{Subject: "s.a", Data: make([]byte, natsd.MaxPayload)}},
		"reserved":        {nil, with("Nats-Msg-Id", "x")},
		"durable mark":    {nil, with(stream.HeaderDurable, "1")},
		"header name":     {nil, with("A: B", "x")},
		"no header name":  {nil, with("", "x")},
		"header value":    {nil, with("A", "x\r\nB: y")},
		"padded value":    {nil, with("A", " x")},
		"header too long": {nil, with("A", strings.Repeat("x", 1<<16))},
	} {
		ctx := c.ctx
		if ctx == nil {
			ctx = t.Context()
		}
		for _, n := range []int{0, 20} {
			last, err := s.Append(ctx, append(group(n, "good"), c.bad))
			if !errors.Is(err, stream.ErrRejected) || errors.Is(err, stream.ErrUnknown) || last != 0 {
				t.Errorf("%s after %d: last %d, %v", name, n, last, err)
			}
		}
	}
	if last, err := s.Reconcile(t.Context()); last != 0 || err != nil {
		t.Fatalf("the server has %d messages: %v", last, err)
	}
	if _, err := s.Append(t.Context(), group(1, "after")); err != nil {
		t.Fatal(err)
	}
}

// A server that is out of room refuses cleanly, one by one and in batches, in the first chunk of a call and in a later one.
func TestAppendOutOfRoom(t *testing.T) {
	for _, n := range []int{1, 3, 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			srv := server(t, func(c *natsd.Config) { c.MaxStore = 200_000 })
			s := open(t, srv.Conn(), srv.Guard(testConfig))
			var want []string
			for full := false; !full; {
				msgs := group(n, fmt.Sprint(len(want)))
				for i := range msgs {
					msgs[i].Data = append(msgs[i].Data, strings.Repeat("x", 1000)...)
				}
				before := s.Last()
				last, err := s.Append(t.Context(), msgs)
				stored := int(last - before)
				switch full = err != nil; {
				case err == nil && stored == n:
				case errors.Is(err, stream.ErrRejected) && !errors.Is(err, stream.ErrPartial) && stored == 0:
				case errors.Is(err, stream.ErrUnknown) && n == 20 && stored == 0: // the server stops within a batch, and says nothing
					if last, err = s.Reconcile(t.Context()); err != nil {
						t.Fatal(err)
					}
					stored = int(last - before)
					t.Logf("%d of %d stored", stored, n)
				case errors.Is(err, stream.ErrPartial) && !errors.Is(err, stream.ErrRejected) && stored > 0 && stored < n:
				default:
					t.Fatalf("%d of %d stored: %v", stored, n, err)
				}
				for _, m := range msgs[:stored] {
					want = append(want, string(m.Data))
				}
			}
			if got := contents(t, s); !slices.Equal(got, want) || len(got) == 0 {
				t.Fatalf("%d messages are there, %d acknowledged", len(got), len(want))
			}
			if _, err := s.Append(t.Context(), group(1, "again")); err != nil && !errors.Is(err, stream.ErrRejected) {
				t.Fatal(err)
			}
		})
	}
}

// The second chunk of a call is refused: the first is durable, and the error says so.
func TestAppendPartial(t *testing.T) {
	for _, first := range []int{1, 20} {
		srv := server(t, func(c *natsd.Config) { c.MaxStore = 200_000 })
		cfg := srv.Guard(testConfig)
		cfg.MaxBatch = first
		s := open(t, srv.Conn(), cfg)
		msgs := group(first+1, "in")
		msgs[first-1].Data = make([]byte, 250_000) // the server refuses once it has gone over
		last, err := s.Append(t.Context(), msgs)
		if last != uint64(first) || !errors.Is(err, stream.ErrPartial) || errors.Is(err, stream.ErrRejected) || errors.Is(err, stream.ErrUnknown) {
			t.Fatalf("last %d: %v", last, err)
		}
		if last, err := s.Append(t.Context(), group(2, "after")); last != uint64(first) || !errors.Is(err, stream.ErrRejected) {
			t.Fatalf("last %d: %v", last, err)
		}
	}
}

func TestAppendFenced(t *testing.T) {
	for _, n := range []int{1, 20} {
		srv := server(t, nil)
		ours, theirs := open(t, srv.Conn(), srv.Guard(testConfig)), open(t, srv.Conn(), srv.Guard(testConfig))
		if _, err := theirs.Append(t.Context(), group(2, "theirs")); err != nil {
			t.Fatal(err)
		}
		last, err := ours.Append(t.Context(), group(n, "ours"))
		if !errors.Is(err, stream.ErrFenced) || errors.Is(err, stream.ErrRejected) || last != 0 {
			t.Fatalf("last %d: %v", last, err)
		}
		if _, err := ours.Reconcile(t.Context()); !errors.Is(err, stream.ErrFenced) {
			t.Fatal(err)
		}
		if _, err := ours.Append(t.Context(), group(1, "ours")); !errors.Is(err, stream.ErrFenced) {
			t.Fatal(err)
		}
		if got := contents(t, theirs); len(got) != 2 {
			t.Fatal(got)
		}
	}
}

// What another writer adds while our outcome is unknown is more than we can have written.
func TestReconcileFenced(t *testing.T) {
	srv := server(t, nil)
	ours, theirs, net := opened(t, srv)
	net.loseRequests.Store(true)
	appendLost(t, ours, 1)
	net.loseRequests.Store(false)
	if _, err := theirs.Append(t.Context(), group(2, "theirs")); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Reconcile(t.Context()); !errors.Is(err, stream.ErrFenced) {
		t.Fatal(err)
	}
}

// opened gives two writers of one stream, the first over a connection that can lose.
func opened(t *testing.T, srv *natsd.Server) (ours, theirs *stream.Stream, net *lossy) {
	t.Helper()
	net = &lossy{to: srv}
	nc, err := nats.Connect("", nats.InProcessServer(net), nats.NoReconnect(), nats.PingInterval(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return open(t, nc, srv.Guard(testConfig)), open(t, srv.Conn(), srv.Guard(testConfig)), net
}

// appendLost appends n messages over a connection that loses them, or the answer.
func appendLost(t *testing.T, s *stream.Stream, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Append(ctx, group(n, "lost")); !errors.Is(err, stream.ErrUnknown) || errors.Is(err, stream.ErrRejected) {
		t.Fatalf("appending into the void: %v", err)
	}
}

// Both ways: the request is lost and nothing happened, or the answer is lost and everything did. Reconcile tells
// them apart; a retry of what it says is missing stores each message once.
func TestUnknownBothWays(t *testing.T) {
	for _, n := range []int{1, 3, 20} {
		for _, request := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d/request lost %v", n, request), func(t *testing.T) {
				ours, _, net := opened(t, server(t, nil))
				if _, err := ours.Append(t.Context(), group(5, "before")); err != nil {
					t.Fatal(err)
				}
				lose := &net.loseAnswers
				if request {
					lose = &net.loseRequests
				}
				lose.Store(true)
				appendLost(t, ours, n)
				if _, err := ours.Append(t.Context(), group(1, "halted")); !errors.Is(err, stream.ErrHalted) || errors.Is(err, stream.ErrUnknown) {
					t.Fatalf("appending while halted: %v", err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				if last, err := ours.Reconcile(ctx); !errors.Is(err, stream.ErrUnknown) || last != 5 {
					t.Fatalf("reconciling in the void: %d, %v", last, err)
				}
				lose.Store(false)
				want := uint64(5)
				if !request {
					want += uint64(n)
				}
				last, err := ours.Reconcile(t.Context())
				if last != want || err != nil || ours.Last() != want {
					t.Fatalf("last %d, want %d: %v", last, want, err)
				}
				if _, err := ours.Append(t.Context(), group(n, "lost")[want-5:]); err != nil {
					t.Fatal(err)
				}
				all := contents(t, ours)
				for i, m := range group(n, "lost") {
					if got := all[5+i]; got != string(m.Data) {
						t.Fatalf("message %d is %q", i, got)
					}
				}
				if len(all) != 5+n {
					t.Fatalf("%d messages", len(all))
				}
			})
		}
	}
}

// Answers that come after the call has given up are not taken for those to the next.
func TestLateAnswers(t *testing.T) {
	for _, n := range []int{1, 20} {
		ours, _, net := opened(t, server(t, nil))
		for want := uint64(n); want <= uint64(3*n); want += uint64(n) {
			net.holdAnswers.Lock()
			appendLost(t, ours, n)
			net.holdAnswers.Unlock()
			if last, err := ours.Reconcile(t.Context()); last != want || err != nil {
				t.Fatalf("last %d, want %d: %v", last, want, err)
			}
		}
		if last, err := ours.Append(t.Context(), group(n, "intime")); last != uint64(4*n) || err != nil {
			t.Fatal(last, err)
		}
	}
}

func TestUnknownWhenConnectionCloses(t *testing.T) {
	srv := server(t, nil)
	ours, theirs, _ := opened(t, srv)
	nc, err := nats.Connect("", nats.InProcessServer(srv), nats.NoReconnect())
	if err != nil {
		t.Fatal(err)
	}
	gone := open(t, nc, srv.Guard(testConfig))
	nc.Close()
	if _, err := gone.Append(t.Context(), group(3, "gone")); !errors.Is(err, stream.ErrUnknown) || !errors.Is(err, nats.ErrConnectionClosed) {
		t.Fatal(err)
	}
	if last, err := theirs.Reconcile(t.Context()); last != 0 || err != nil {
		t.Fatal(last, err)
	}
	if err := srv.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := ours.Append(ctx, group(3, "stopped")); !errors.Is(err, stream.ErrUnknown) {
		t.Fatal(err)
	}
}

// Stored and acknowledged is not durable while the barrier fails, nor trusted before it is settled.
func TestBarrierAndSettle(t *testing.T) {
	srv := server(t, nil)
	broken := errors.New("broken")
	var barrier, settle error
	cfg := testConfig
	cfg.Barrier, cfg.Settle = func() error { return barrier }, func() error { return settle }
	s := open(t, srv.Conn(), cfg)
	for _, n := range []int{1, 20} {
		before := s.Last()
		barrier, settle = broken, broken
		if last, err := s.Append(t.Context(), group(n, "a")); last != before || !errors.Is(err, stream.ErrUnknown) || !errors.Is(err, broken) {
			t.Fatalf("last %d: %v", last, err)
		}
		for _, err := range s.Replay(t.Context(), before+1, 1<<63) {
			t.Fatalf("something above the durable position was delivered (error %v)", err)
		}
		if _, err := s.Get(t.Context(), before+1); !errors.Is(err, stream.ErrNotFound) {
			t.Fatal(err)
		}
		if last, err := s.Reconcile(t.Context()); last != before || !errors.Is(err, stream.ErrUnknown) || !errors.Is(err, broken) {
			t.Fatalf("last %d: %v", last, err)
		}
		barrier, settle = nil, nil
		if last, err := s.Reconcile(t.Context()); last != before+uint64(n) || err != nil {
			t.Fatalf("last %d: %v", last, err)
		}
	}
}
