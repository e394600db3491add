package emitnats_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/emitnats"
	"github.com/imalink/custody/events/emit/eventstest"
)

func connect(t *testing.T, url string) *emitnats.Conn {
	t.Helper()
	c, err := emitnats.Connect(emitnats.Config{URL: url, Producer: "ats"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func open(t *testing.T, c *emitnats.Conn) *emit.Emitter {
	t.Helper()
	e, err := emit.Open(emit.Config{Producer: "ats", To: c, Heartbeat: -1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func act() emit.Act {
	return emit.Accessed{Mode: emit.ModeView, Processing: emit.Processing{
		Subjects: emit.Subjects(emit.RoleCandidate, "candidate:10412"), Actor: emit.Staff("employee:jdp", "recruiter"), Activity: "placement",
	}}
}

// TestRequest sends to the producer's own subject and is answered on its own inbox.
func TestRequest(t *testing.T) {
	t.Parallel()
	l := eventstest.NewLedger()
	var seen atomic.Pointer[message]
	srv := newServer(t, func(m message) reply {
		seen.Store(&m)
		return through(l.Send)(m)
	})
	e := open(t, connect(t, srv.url()))
	if r, err := e.Emit(t.Context(), act()); err != nil || r.Position != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	m := seen.Load()
	if m.subject != "custody.ingest.ats" || !strings.HasPrefix(m.inbox, "_INBOX_ats.") || !strings.Contains(m.header, "Content-Type: application/cloudevents-batch+json") {
		t.Errorf("subject %s, inbox %s, header %q", m.subject, m.inbox, m.header)
	}
}

// TestEveryFault has the connection break before and after the events were recorded, and problems be answered.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	l := eventstest.NewLedger()
	var n atomic.Int32
	srv := newServer(t, func(m message) reply {
		switch n.Add(1) {
		case 1:
			return reply{hangup: true}
		case 2:
			l.Send(t.Context(), []byte(m.data))
			return reply{hangup: true}
		case 3:
			return reply{header: []string{"Nats-Service-Error-Code: 503", "Nats-Service-Error: busy"}, body: `{"type":"urn:custody:problem:busy","status":503}`}
		case 4:
			return reply{header: []string{"Nats-Service-Error-Code: what"}}
		case 5:
			return reply{body: "no JSON"}
		}
		return through(l.Send)(m)
	})
	e := open(t, connect(t, srv.url()))
	for i := range 3 {
		if r, err := e.Emit(t.Context(), act()); err != nil || r.Position != uint64(i+1) {
			t.Errorf("event %d: %+v, %v", i, r, err)
		}
	}
	if got := l.Events(); len(got) != 3 {
		t.Errorf("%d events", len(got))
	}
}

func TestProblemIsTheLedgers(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(message) reply {
		return reply{header: []string{"Nats-Service-Error-Code: 401", "Nats-Service-Error: no"}, body: `{"type":"urn:custody:problem:unauthenticated","status":401,"detail":"as told"}`}
	})
	e := open(t, connect(t, srv.url()))
	_, err := e.Emit(t.Context(), act())
	if p, ok := errors.AsType[*emit.Problem](err); !ok || p.Word != "unauthenticated" || p.Status != 401 || p.Detail != "as told" {
		t.Errorf("got %v", err)
	}
}

// TestServerNeedNotBeThere connects to nobody, and does not hold up whoever opens.
func TestServerNeedNotBeThere(t *testing.T) {
	t.Parallel()
	srv := newServer(t, nil)
	srv.Close()
	c := connect(t, srv.url())
	if _, err := c.Send(t.Context(), []byte("[]")); err == nil {
		t.Error("somebody answered")
	}
	if c.MaxBytes() < 1<<19 {
		t.Errorf("at most %d bytes", c.MaxBytes())
	}
}

func TestSeedThatIsNone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "seed")
	if err := os.WriteFile(file, []byte("no seed at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := emitnats.Connect(emitnats.Config{URL: "nats://127.0.0.1:1", Producer: "ats", SeedFile: file}); err == nil || strings.Contains(err.Error(), "no seed at all") {
		t.Errorf("got %v", err)
	}
}
