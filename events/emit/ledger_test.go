package emit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/eventstest"
)

// A ledger is one in memory behind a real HTTP server, which fails as told.
type ledger struct {
	*eventstest.Recorder
	*httptest.Server

	mu     sync.Mutex
	faults []fault // of the next requests
	seen   []int   // events of each request
	calls  int
	token  string        // demanded, if not ""
	poison string        // a batch that holds this is refused as a whole
	asked  chan struct{} // closed, and replaced, after each request
}

// fault is how a request fails; "" is that it does not.
type fault string

const (
	notDone   fault = "503 before anything was done"
	lost      fault = "done, and the connection breaks"
	halfDone  fault = "done, and the answer is cut short"
	foreign   fault = "a page of some other server"
	proxyFull fault = "413 of a proxy"
	gateway   fault = "502 of a proxy"
	forbidden fault = "401"
	few       fault = "too few results"
)

func newLedger(t testing.TB, faults ...fault) *ledger {
	l := &ledger{Recorder: eventstest.New(t, "ats"), faults: faults, asked: make(chan struct{})}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			close(l.asked)
			l.asked = make(chan struct{})
		}()
		l.serve(w, r)
	}))
	t.Cleanup(l.Server.Close)
	return l
}

// until waits until something is so, which requests make it.
func (l *ledger) until(t testing.TB, so func() bool) {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		l.mu.Lock()
		asked := l.asked
		l.mu.Unlock()
		if so() {
			return
		}
		select {
		case <-asked:
		case <-time.After(20 * time.Millisecond): // the answer has yet to arrive
		case <-limit:
			t.Fatal("waited for a minute")
		}
	}
}

func (l *ledger) requests() (n int, events []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls, append([]int(nil), l.seen...)
}

func (l *ledger) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var list []json.RawMessage
	if r.URL.Path != "/v1/events" || r.Header.Get("Content-Type") != "application/cloudevents-batch+json" || json.Unmarshal(body, &list) != nil {
		http.Error(w, "not a batch", http.StatusNotFound)
		return
	}
	l.mu.Lock()
	l.calls++
	l.seen = append(l.seen, len(list))
	var f fault
	if len(l.faults) > 0 {
		f, l.faults = l.faults[0], l.faults[1:]
	}
	token, poison := l.token, l.poison
	l.mu.Unlock()
	if poison != "" && bytes.Contains(body, []byte(poison)) {
		problem(w, "invalid-request", 400)
		return
	}
	if f == proxyFull && len(list) == 1 {
		f = ""
	}
	switch {
	case f == notDone:
		problem(w, "busy", 503)
		return
	case f == foreign:
		io.WriteString(w, "<html>Welcome</html>")
		return
	case f == gateway:
		http.Error(w, "bad gateway", http.StatusBadGateway)
		return
	case f == proxyFull:
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	case f == forbidden || token != "" && r.Header.Get("Authorization") != "Bearer "+token:
		problem(w, "unauthenticated", 401)
		return
	}
	answer, err := l.Recorder.Send(r.Context(), body)
	p, _ := errors.AsType[*emit.Problem](err)
	switch {
	case p != nil:
		problem(w, p.Word, p.Status)
	case f == lost:
		panic(http.ErrAbortHandler)
	case f == halfDone:
		w.Header().Set("Content-Length", "9999")
		w.Write(answer[:len(answer)/2])
	case f == few:
		io.WriteString(w, `{"results":[]}`)
	default:
		w.Write(answer)
	}
}

func problem(w http.ResponseWriter, word string, status int) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"type": "urn:custody:problem:" + word, "status": status, "detail": "as told"})
}

// quiet is a configuration that logs nothing and sends no heartbeats.
func quiet(to emit.Transport) emit.Config {
	c := emit.Config{Producer: "ats", To: to, Heartbeat: -1, Log: slog.New(slog.DiscardHandler)}
	emit.Hasty(&c, 50*time.Millisecond)
	return c
}

func open(t testing.TB, c emit.Config) *emit.Emitter {
	t.Helper()
	e, err := emit.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func (l *ledger) config() emit.Config { return quiet(&emit.HTTP{URL: l.URL, Token: l.token}) }

// access is an act that is as it should be.
func access() emit.Accessed {
	return emit.Accessed{Processing: processing(), Mode: emit.ModeView}
}

func processing() emit.Processing {
	return emit.Processing{
		Subjects: emit.Subjects(emit.RoleCandidate, "candidate:10412"),
		Actor:    emit.Staff("employee:jdp", "recruiter"),
		Activity: "placement",
	}
}

func mustEmit(t testing.TB, e *emit.Emitter, act emit.Act, options ...emit.Option) emit.Receipt {
	t.Helper()
	r, err := e.Emit(t.Context(), act, options...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func drain(t testing.TB, e *emit.Emitter) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := e.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

// inOrder demands that exactly n events were recorded, numbered from 1 on, of one instance.
func inOrder(t testing.TB, got []*events.Event, n int) {
	t.Helper()
	if len(got) != n {
		t.Errorf("%d events were recorded, want %d", len(got), n)
	}
	for i, e := range got {
		if e.Seq != uint64(i+1) || e.Instance != got[0].Instance || e.Instance == "" {
			t.Fatalf("event %d has number %d of %q", i+1, e.Seq, e.Instance)
		}
	}
}
