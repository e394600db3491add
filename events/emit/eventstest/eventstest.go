// Package eventstest lets a service test what it emits, without a ledger or a network.
//
//	rec := eventstest.New(t, "ats")
//	serve(rec.Emitter)                                          // what is tested
//	if got := rec.About("candidate:10412"); len(got) != 1 { … } // what it emitted
//
// A [Ledger] judges events as the ledger does, by the same code, and knows a repeat from a conflict. Its events
// hold identifiers, which do not print themselves: a test that fails shows kinds, not people.
package eventstest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
)

// A Recorder is a ledger in memory and an emitter that emits to it.
type Recorder struct {
	*Ledger
	Emitter *emit.Emitter
}

// A Ledger is one in memory: a transport for emitters that judges as the real one does. Its methods may be called
// concurrently.
type Ledger struct {
	mu     sync.Mutex
	events []*events.Event // in order
	raw    map[string][]byte
	at     map[string]int
	fails  error
	loses  bool
	except []events.Kind
}

// New makes a recorder for a producer. The emitter has no spool and no heartbeats, and is closed when the test
// ends.
func New(t testing.TB, producer string) *Recorder {
	t.Helper()
	l := NewLedger()
	e, err := emit.Open(emit.Config{Producer: producer, To: l, Heartbeat: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return &Recorder{Ledger: l, Emitter: e}
}

// NewLedger makes a ledger for emitters that the test opens itself.
func NewLedger() *Ledger { return &Ledger{raw: map[string][]byte{}, at: map[string]int{}} }

// Fail has the ledger answer with a problem of this word and status from now on, such as "busy" and 503, or
// "unauthenticated" and 401; an empty word ends it. A passing problem keeps Emit waiting until its context ends.
func (l *Ledger) Fail(word string, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails = nil
	if word != "" {
		l.fails = &emit.Problem{Word: word, Status: status}
	}
}

// LoseAnswer has the next batch recorded and its answer lost.
func (l *Ledger) LoseAnswer() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loses = true
}

// Refuse has the ledger refuse these kinds, as one does that the producer was not added for.
func (l *Ledger) Refuse(kinds ...events.Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.except = kinds
}

// Events are those recorded, in order. They must not be changed.
func (l *Ledger) Events() []*events.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// Of are those of a kind.
func (l *Ledger) Of(kind events.Kind) []*events.Event {
	return slices.DeleteFunc(l.Events(), func(e *events.Event) bool { return e.Kind != kind })
}

// About are those that list a person as a subject.
func (l *Ledger) About(id string) []*events.Event {
	return slices.DeleteFunc(l.Events(), func(e *events.Event) bool {
		return !slices.ContainsFunc(e.Data.Get("subjects").List(), func(s events.Value) bool {
			return s.Object().Get("id").Text() == id
		})
	})
}

// By are those that a person or service did.
func (l *Ledger) By(id string) []*events.Event {
	return slices.DeleteFunc(l.Events(), func(e *events.Event) bool {
		return e.Data.Get("actor").Object().Get("id").Text() != id
	})
}

// Want fails the test unless exactly these kinds were recorded, in this order.
func (l *Ledger) Want(t testing.TB, kinds ...events.Kind) {
	t.Helper()
	var got []events.Kind
	for _, e := range l.Events() {
		got = append(got, e.Kind)
	}
	if !slices.Equal(got, kinds) {
		t.Errorf("recorded %v, want %v", got, kinds)
	}
}

// Text is a field of an event's data by the names that lead to it, separated by dots, such as recipient.party;
// "" if it is not there or no text.
func Text(e *events.Event, field string) string {
	o := e.Data
	names := strings.Split(field, ".")
	for _, name := range names[:len(names)-1] {
		o = o.Get(name).Object()
	}
	return o.Get(names[len(names)-1]).Text()
}

// MaxBytes is that of HTTP.
func (l *Ledger) MaxBytes() int { return (&emit.HTTP{}).MaxBytes() }

var errLost = errors.New("eventstest: the answer was lost")

// Send is what the emitter calls.
func (l *Ledger) Send(_ context.Context, batch []byte) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails != nil {
		return nil, l.fails
	}
	var results []result
	for raw, err := range events.SplitBatch(batch) {
		if err != nil {
			return nil, &emit.Problem{Word: "invalid-request", Status: 400}
		}
		results = append(results, l.record(raw))
	}
	if l.loses {
		l.loses = false
		return nil, errLost
	}
	return json.Marshal(struct {
		Results []result `json:"results"`
	}{results})
}

type result struct {
	Status   emit.Status `json:"status"`
	Position int         `json:"position,omitempty"`
	Error    *fault      `json:"error,omitempty"`
}

type fault struct {
	Type   string `json:"type"`
	Path   string `json:"path"`
	Detail string `json:"detail"`
}

func (l *Ledger) record(raw []byte) result {
	e, err := events.Decode(raw)
	if refusal, ok := errors.AsType[*events.Error](err); ok {
		return result{Status: emit.Refused, Error: &fault{refusal.Type, refusal.Path, refusal.Detail}}
	}
	if slices.Contains(l.except, e.Kind) {
		return result{Status: emit.Refused, Error: &fault{events.WrongFamily, "/type", "this producer may not send it"}}
	}
	key := e.Source + " " + e.ID
	canonical := e.AppendJSON(nil)
	if at := l.at[key]; at > 0 {
		if !bytes.Equal(l.raw[key], canonical) {
			return result{Status: emit.Refused, Error: &fault{events.Conflict, "/id", "this source has recorded another event under this id"}}
		}
		return result{Status: emit.Duplicate, Position: at}
	}
	l.events = append(l.events, e)
	l.raw[key], l.at[key] = canonical, len(l.events)
	return result{Status: emit.Recorded, Position: len(l.events)}
}
