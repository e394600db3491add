package stream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/stream"
)

func TestReplayBounds(t *testing.T) {
	srv := server(t, nil)
	s := open(t, srv.Conn(), srv.Guard(testConfig))
	const n = 25
	if _, err := s.Append(t.Context(), group(n, "a")); err != nil {
		t.Fatal(err)
	}
	for from := uint64(0); from <= n+2; from++ {
		for _, to := range []uint64{0, 1, from, from + 1, n - 1, n, n + 1, 1 << 63} {
			next := max(from, 1)
			for m, err := range s.Replay(t.Context(), from, to) {
				if err != nil || m.Sequence != next || m.Sequence > to || string(m.Data) != fmt.Sprint("a ", next-1) {
					t.Fatalf("%d..%d: got %d (%s), want %d: %v", from, to, m.Sequence, m.Data, next, err)
				}
				next++
			}
			if want := max(from, 1, min(to, n)+1); next != want {
				t.Fatalf("%d..%d ended at %d, want %d", from, to, next, want)
			}
		}
	}
}

// More than one request's messages, then more than one request's bytes, in messages of the largest size too.
func TestReplayAcrossRequests(t *testing.T) {
	srv := server(t, nil)
	s := open(t, srv.Conn(), srv.Guard(testConfig))
	big := bytes.Repeat([]byte("x"), 8<<20)
	msgs := group(4500, "small")
	for range 5 {
		msgs = append(msgs, stream.Message{Subject: "s.big", Data: big})
	}
	msgs = append(msgs, group(10, "after")...)
	if _, err := s.Append(t.Context(), msgs); err != nil {
		t.Fatal(err)
	}
	i := 0
	for m, err := range s.Replay(t.Context(), 1, 1<<63) {
		if err != nil || !bytes.Equal(m.Data, msgs[i].Data) || m.Subject != msgs[i].Subject {
			t.Fatalf("message %d: %s: %v", i, m.Subject, err)
		}
		i++
	}
	if i != len(msgs) {
		t.Fatalf("%d messages of %d", i, len(msgs))
	}
}

// Breaking out of a loop, at whatever point, leaves no consumer at the server and no goroutine here.
func TestReplayLeavesNothing(t *testing.T) {
	srv := server(t, nil)
	s := open(t, srv.Conn(), srv.Guard(testConfig))
	if _, err := s.Append(t.Context(), group(3000, "a")); err != nil {
		t.Fatal(err)
	}
	contents(t, s)
	before := runtime.NumGoroutine()
	for i := range 50 {
		n := 0
		for range s.Replay(t.Context(), 1, 1<<63) {
			if n++; n > i*50 {
				break
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		left := api(t, srv.Conn(), "STREAM.INFO.S", nil)["state"].(map[string]any)["consumer_count"]
		if left == 0.0 && runtime.NumGoroutine() <= before+2 {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%v consumers are left, %d goroutines instead of %d", left, runtime.NumGoroutine(), before)
		}
	}
}

// The server forgets the consumer in the middle: the replay goes on where it was.
func TestReplaySurvivesConsumer(t *testing.T) {
	srv := server(t, nil)
	s := open(t, srv.Conn(), srv.Guard(testConfig))
	const n = 10_000 // more than is under way at once
	for range 2 {
		if _, err := s.Append(t.Context(), group(n/2, "a")); err != nil {
			t.Fatal(err)
		}
	}
	next := uint64(1)
	for m, err := range s.Replay(t.Context(), 1, n) {
		if err != nil || m.Sequence != next {
			t.Fatalf("got %d, want %d: %v", m.Sequence, next, err)
		}
		if next++; next == 100 {
			names := api(t, srv.Conn(), "CONSUMER.NAMES.S", nil)["consumers"].([]any)
			api(t, srv.Conn(), "CONSUMER.DELETE.S."+names[0].(string), nil)
		}
	}
	if next != n+1 {
		t.Fatalf("ended at %d", next)
	}
}

func TestReplayCancelled(t *testing.T) {
	srv := server(t, nil)
	s := open(t, srv.Conn(), srv.Guard(testConfig))
	if _, err := s.Append(t.Context(), group(100, "a")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []error
	for _, err := range s.Replay(ctx, 1, 100) {
		got = append(got, err)
		if len(got) == 10 {
			cancel()
		}
	}
	if len(got) != 11 || !errors.Is(got[10], context.Canceled) {
		t.Fatal(len(got), got[len(got)-1])
	}
}

// What is durable is gone from the server, at the end: the replay does not wait for it for ever.
func TestReplayNamesMissingEnd(t *testing.T) {
	srv := server(t, nil)
	s := open(t, srv.Conn(), srv.Guard(testConfig))
	if _, err := s.Append(t.Context(), append(group(10, "a"), group(10, "b")...)); err != nil {
		t.Fatal(err)
	}
	// No setting makes the server delete the newest messages only; an age does away with all of them.
	update(t, srv.Conn(), map[string]any{"max_age": int64(100 * time.Millisecond), "duplicate_window": int64(100 * time.Millisecond)})
	for api(t, srv.Conn(), "STREAM.INFO.S", nil)["state"].(map[string]any)["messages"] != 0.0 {
	}
	var gap *stream.GapError
	for _, err := range s.Replay(t.Context(), 5, 20) {
		if !errors.As(err, &gap) || gap.Missing != 5 || gap.Got != 0 {
			t.Fatal(err)
		}
	}
	if gap == nil {
		t.Fatal("nothing was said")
	}
}

func TestWait(t *testing.T) {
	srv := server(t, nil)
	s := open(t, srv.Conn(), srv.Guard(testConfig))
	type result struct {
		last uint64
		err  error
	}
	results := make(chan result, 3)
	for _, after := range []uint64{0, 0, 4} {
		go func() {
			last, err := s.Wait(t.Context(), after)
			results <- result{last, err}
		}()
	}
	if _, err := s.Append(t.Context(), group(4, "a")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if r := <-results; r.err != nil || r.last != 4 {
			t.Fatal(r)
		}
	}
	if _, err := s.Append(t.Context(), group(1, "a")); err != nil {
		t.Fatal(err)
	}
	if r := <-results; r.err != nil || r.last != 5 {
		t.Fatal(r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if last, err := s.Wait(ctx, 5); !errors.Is(err, context.Canceled) || last != 5 {
		t.Fatal(last, err)
	}
}
