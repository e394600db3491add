package emit_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/eventstest"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// recording is a notarised ledger that takes events. It stores them as alter has it.
func recording(t testing.TB, alter func(*events.Event) *events.Event) (*notarised, *emit.HTTP) {
	l, rec := newNotarised(t), eventstest.New(t, "ats")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/events" {
			l.serve(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		before := len(rec.Events())
		answer, err := rec.Send(r.Context(), body)
		if err != nil {
			problem(w, "busy", 503)
			return
		}
		for _, e := range rec.Events()[before:] {
			l.record(alter(e))
		}
		w.Write(answer)
	}))
	t.Cleanup(srv.Close)
	return l, &emit.HTTP{URL: srv.URL, Token: "secret"}
}

func asSent(e *events.Event) *events.Event { return e }

// until waits until something is so.
func until(t testing.TB, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !so() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("waited for a minute")
		}
	}
}

// TestReceiptsOfAnEmitter: with a spool and without, each event that was recorded has its receipt kept.
func TestReceiptsOfAnEmitter(t *testing.T) {
	t.Parallel()
	for _, spooled := range []bool{false, true} {
		l, to := recording(t, asSent)
		dir := t.TempDir()
		c := quiet(to)
		c.Receipts = l.receipts(t, filepath.Join(dir, "receipts"), evidencetest.Trust())
		if spooled {
			c.Spool = filepath.Join(dir, "spool")
		}
		e := open(t, c)
		for range 25 {
			mustEmit(t, e, access())
		}
		until(t, func() bool { return e.Stats().Receipts == 25 })
		kept, err := c.Receipts.Positions()
		if err != nil || len(kept) != 25 || e.Stats().Disputed != 0 {
			t.Errorf("kept %v, %v, %+v", kept, err, e.Stats())
		}
		if names := files(t, filepath.Join(dir, "receipts")); len(names) != 25 {
			t.Errorf("files %q", names)
		}
	}
}

// TestReceiptsAreAwaitedAgain: what was recorded while no receipts were given has them after the next start.
func TestReceiptsAreAwaitedAgain(t *testing.T) {
	t.Parallel()
	l, to := recording(t, asSent)
	l.refuses["/v1/receipts?from=1&to=1"] = "not-found" // it keeps no evidence
	dir := t.TempDir()
	c := quiet(to)
	c.Spool, c.Receipts = filepath.Join(dir, "spool"), l.receipts(t, filepath.Join(dir, "receipts"), nil)
	e, err := emit.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	mustEmit(t, e, access())
	drain(t, e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if kept, err := c.Receipts.Positions(); err != nil || len(kept) > 0 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	l.change(func() { clear(l.refuses) })
	e = open(t, c)
	until(t, func() bool { return e.Stats().Receipts == 1 })
}

// TestDisputed: a ledger that records something else than was sent is found out while it is used.
func TestDisputed(t *testing.T) {
	t.Parallel()
	n := 0
	l, to := recording(t, func(e *events.Event) *events.Event {
		if n++; n == 2 {
			data, _ := e.Data.With("mode", events.TextOf("print"))
			other := *e
			other.Data = data
			return &other
		}
		return e
	})
	disputed := make(chan error, 10)
	c := quiet(to)
	c.Receipts = l.receipts(t, t.TempDir(), evidencetest.Trust())
	c.Disputed = func(position uint64, err error) {
		if position != 2 {
			t.Errorf("position %d", position)
		}
		disputed <- err
	}
	e := open(t, c)
	for range 3 {
		mustEmit(t, e, access())
	}
	until(t, func() bool { return len(disputed) > 0 })
	d, ok := errors.AsType[*emit.Difference](<-disputed)
	if !ok || !slices.Equal(d.Paths, []string{"/data/mode"}) {
		t.Errorf("disputed %v", d)
	}
	until(t, func() bool { return e.Stats().Receipts == 2 })
	if s := e.Stats(); s.Disputed != 1 {
		t.Errorf("%+v", s)
	}
}

// TestReceiptsLost: without a spool an event that is recorded stays recorded, and the log says what is missing.
func TestReceiptsLost(t *testing.T) {
	t.Parallel()
	l, to := recording(t, asSent)
	folder := filepath.Join(t.TempDir(), "receipts")
	var said bytes.Buffer
	c := quiet(to)
	c.Log, c.Receipts = slog.New(slog.NewTextHandler(&said, nil)), l.receipts(t, folder, nil)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	e, err := emit.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if r := mustEmit(t, e, access()); r.Position != 1 {
		t.Errorf("%+v", r)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(said.Bytes(), []byte("receipts of recorded events will be missing")) || bytes.Contains(said.Bytes(), []byte("10412")) {
		t.Error("the log does not say so, or names somebody")
	}
}

// TestReceiptsThatCannotBeNoted: with a spool the event stays in it, and is sent again; nothing is recorded twice.
func TestReceiptsThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	l, to := recording(t, asSent)
	dir := t.TempDir()
	folder := filepath.Join(dir, "receipts")
	c := quiet(to)
	c.Spool, c.Receipts = filepath.Join(dir, "spool"), l.receipts(t, folder, nil)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	e, err := emit.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	mustEmit(t, e, access())
	until(t, func() bool { return e.Stats().Trouble != nil })
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	c.Receipts = l.receipts(t, folder, nil)
	e = open(t, c)
	until(t, func() bool { return e.Stats().Receipts == 1 })
	if l.log.Size() != 1 {
		t.Errorf("%d are recorded", l.log.Size())
	}
}
