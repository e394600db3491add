package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/stream"
)

// fakeLedger is a Ledger in memory that fails on demand. What it stores has the
// form of what a ledger stores, with tags in place of people.
type fakeLedger struct {
	store *access.Store
	log   *memoryLog // under store

	mu       sync.Mutex
	moved    chan struct{}
	raws     [][]byte
	first    map[string]int // by source and id, index of raws
	halted   error
	fail     error // of the next Record
	keep     bool  // whether that Record records all the same
	broken   uint64
	now      time.Time
	refusals map[string]int64
	ended    chan struct{}
	calls    int
}

func newFakeLedger(t testing.TB) *fakeLedger {
	log := &memoryLog{}
	store, err := access.Open(t.Context(), access.Config{Log: log, Ledger: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return &fakeLedger{store: store, log: log, moved: make(chan struct{}), first: map[string]int{}, now: time.Date(2026, 3, 2, 9, 14, 5, 0, time.UTC),
		refusals: map[string]int64{}, ended: make(chan struct{})}
}

func (l *fakeLedger) Record(_ context.Context, subs []ledger.Submission) ([]ledger.Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	fail, keep := l.fail, l.keep
	l.fail, l.keep = nil, false
	if fail != nil && !keep {
		return nil, fail
	}
	results := make([]ledger.Result, len(subs))
	for i, sub := range subs {
		results[i] = l.record(sub)
	}
	close(l.moved)
	l.moved = make(chan struct{})
	if fail != nil {
		return nil, fail
	}
	return results, nil
}

func (l *fakeLedger) record(sub ledger.Submission) ledger.Result {
	key := sub.Event.Source + " " + sub.Event.ID
	tagged := sub.Event.Rewrite(func(_ string, s events.Secrecy, v events.Value) events.Value {
		if s == events.Sealed {
			return events.Value{}
		}
		sum := sha256.Sum256([]byte(v.Text()))
		return events.TextOf(fmt.Sprintf("%x", sum[:16]))
	})
	if i, ok := l.first[key]; ok {
		st, err := events.DecodeStored(l.raws[i])
		if err != nil || st.Event.Time != sub.Event.Time {
			return ledger.Result{Status: ledger.Refused, Err: &events.Error{Path: "/id", Type: events.Conflict, Detail: "recorded already, with other content"}}
		}
		return ledger.Result{Status: ledger.Duplicate, Position: uint64(i) + 1}
	}
	l.first[key] = len(l.raws)
	l.now = l.now.Add(time.Second)
	st := events.Stored{Event: tagged, Recorded: l.now, Relay: sub.Relay, Facts: events.Facts{Class: "T0", Tables: "1"}}
	l.raws = append(l.raws, st.Append(nil))
	return ledger.Result{Status: ledger.Recorded, Position: uint64(len(l.raws)), Warnings: sub.Event.Warnings}
}

func (l *fakeLedger) ReplayTo(_ context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for p := max(from, 1); p <= min(to, l.Head().Position); p++ {
			l.mu.Lock()
			raw, broken := l.raws[p-1], l.broken == p
			l.mu.Unlock()
			if broken {
				yield(events.Record{}, errors.New("no block holds it"))
				return
			}
			if !yield(events.Record{Position: p, Digest: sha256.Sum256(raw), Raw: raw}, nil) {
				return
			}
		}
	}
}

func (l *fakeLedger) RecordedSince(_ context.Context, t time.Time) (uint64, error) {
	for i, raw := range l.raws {
		st, err := events.DecodeStored(raw)
		if err != nil || !st.Recorded.Before(t) {
			return uint64(i) + 1, err
		}
	}
	return uint64(len(l.raws)) + 1, nil
}

func (l *fakeLedger) Wait(ctx context.Context, after uint64) (ledger.Head, error) {
	for {
		l.mu.Lock()
		moved := l.moved
		l.mu.Unlock()
		if head := l.Head(); head.Position > after {
			return head, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ledger.Head{}, ctx.Err()
		case <-l.ended:
			return ledger.Head{}, ledger.ErrClosed
		}
	}
}

func (l *fakeLedger) Head() ledger.Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return ledger.Head{Position: uint64(len(l.raws)), Recorded: l.now}
}

func (l *fakeLedger) CountRefusal(producer, reason string, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusals[producer+" "+reason] += n
}

func (l *fakeLedger) State() ledger.State {
	return ledger.State{Name: "test", ID: "0123", Head: l.Head(), Halted: l.Halted(), MarkedAt: time.Now()}
}

func (l *fakeLedger) Halted() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.halted
}

func (l *fakeLedger) Access() *access.Store { return l.store }

// RowOf knows one person.
func (l *fakeLedger) RowOf(identifier string) (string, error) {
	if identifier != "candidate:10412" {
		return "", ledger.ErrNobody
	}
	return fakeRow, nil
}

const fakeRow = "000102030405060708090a0b0c0d0e0f"

// memoryLog is the access stream of a fake ledger. It can fail the next append.
type memoryLog struct {
	msgs []stream.Message
	fail error
}

func (m *memoryLog) Append(_ context.Context, msgs []stream.Message) (uint64, error) {
	if err := m.fail; err != nil {
		m.fail = nil
		return m.Last(), err
	}
	for _, msg := range msgs {
		msg.Sequence = m.Last() + 1
		m.msgs = append(m.msgs, msg)
	}
	return m.Last(), nil
}

func (m *memoryLog) Last() uint64                              { return uint64(len(m.msgs)) }
func (m *memoryLog) Reconcile(context.Context) (uint64, error) { return m.Last(), nil }

func (m *memoryLog) Replay(_ context.Context, from, to uint64) iter.Seq2[stream.Message, error] {
	return func(yield func(stream.Message, error) bool) {
		for _, msg := range m.msgs[from-1 : to] {
			if !yield(msg, nil) {
				return
			}
		}
	}
}

// rig is an API over a fake ledger, with a token of each role.
type rig struct {
	t      testing.TB
	api    *API
	ledger *fakeLedger
	tokens map[access.Role]string
	log    *lockedBuffer
}

// lockedBuffer is a log that can be read meanwhile.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, ledger: newFakeLedger(t), tokens: map[access.Role]string{}, log: &lockedBuffer{}}
	var err error
	if r.api, err = New(Config{Version: "test", Log: slog.New(slog.NewTextHandler(r.log, nil))}); err != nil {
		t.Fatal(err)
	}
	r.api.Attach(r.ledger)
	for _, p := range []access.Producer{{Name: "ats", Families: []string{"data", "ledger"}}, {Name: "register", Families: []string{"governance"}}} {
		if _, err := r.ledger.store.PutProducer(t.Context(), "", p); err != nil {
			t.Fatal(err)
		}
	}
	for _, role := range access.Roles() {
		n := access.NewToken{Role: role, Name: "test-" + string(role)}
		switch role {
		case access.RoleProducer:
			n.Producer = "ats"
		case access.RoleSubject:
			n.Person = fakeRow
		}
		secret, _, err := r.ledger.store.CreateToken(t.Context(), "", n)
		if err != nil {
			t.Fatal(err)
		}
		r.tokens[role] = secret.Reveal()
	}
	return r
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

// send makes a request with a token of role (none if ""). Headers are pairs.
func (r *rig) send(role access.Role, method, target, body string, headers ...string) answer {
	r.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, target, reader)
	req.RemoteAddr = "192.0.2.1:1234"
	if role != "" {
		req.Header.Set("Authorization", "Bearer "+r.tokens[role])
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return r.do(req)
}

func (r *rig) do(req *http.Request) answer {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, req)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{res, string(b)}
}

// post sends events of one content type.
func (r *rig) post(contentType, body string, headers ...string) answer {
	r.t.Helper()
	return r.send(access.RoleRelay, "POST", "/v1/events", body, append(headers, "Content-Type", contentType)...)
}

// event is a small event of a source.
func event(source, id string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"eu.custody.data.accessed.v1","time":"2026-03-02T09:14:05.120Z","datacontenttype":"application/json",`+
		`"data":{"subjects":[{"id":"candidate:10412","role":"candidate"}],"actor":{"id":"employee:jdp","role":"recruiter","kind":"human","unit":"recruitment"},`+
		`"system":"ats","dataset":"career_cv","categories":["contact"],"purpose":"service_provision","basis":"A6-1-b","mode":"view","result_count":1}}`, id, source)
}
