package access

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/stream"
)

// memoryLog is a Log that fails on demand, both ways: with and without having
// stored what it was given.
type memoryLog struct {
	msgs []stream.Message

	fail    error // of the next Append
	store   bool  // whether that Append stores all the same
	unknown bool  // an append's fate is unknown: only Reconcile goes on
	lost    error // of every Reconcile
	appends int
}

func (l *memoryLog) Append(_ context.Context, msgs []stream.Message) (uint64, error) {
	l.appends++
	if l.unknown {
		return l.Last(), fmt.Errorf("appending: %w", stream.ErrHalted)
	}
	before, err := l.Last(), l.fail
	if err == nil || l.store {
		for _, m := range msgs {
			m.Sequence = uint64(len(l.msgs)) + 1
			l.msgs = append(l.msgs, m)
		}
	}
	l.fail, l.store = nil, false
	if err != nil {
		l.unknown = err == stream.ErrUnknown
		return before, fmt.Errorf("appending: %w", err)
	}
	return l.Last(), nil
}

func (l *memoryLog) Last() uint64 { return uint64(len(l.msgs)) }

func (l *memoryLog) Reconcile(context.Context) (uint64, error) {
	if l.lost != nil {
		return 0, l.lost
	}
	l.unknown = false
	return l.Last(), nil
}

func (l *memoryLog) Replay(_ context.Context, from, to uint64) iter.Seq2[stream.Message, error] {
	return func(yield func(stream.Message, error) bool) {
		for seq := from; seq <= min(to, l.Last()); seq++ {
			if !yield(l.msgs[seq-1], nil) {
				return
			}
		}
	}
}

// clock is a time that tests move.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2026, 3, 2, 9, 14, 5, 0, time.UTC)} }

const byTest = "00000000000000ff"

// open opens a store over log and, when the test ends, folds log once more: the
// state must be that fold.
func open(t testing.TB, log *memoryLog, c *clock) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Log: log, Ledger: "test", Now: c.Now})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { sameFold(t, s, log, c) })
	return s
}

// sameFold compares s with a fold of the whole log, unless a change of unknown
// fate is not yet settled.
func sameFold(t testing.TB, s *Store, log *memoryLog, c *clock) {
	t.Helper()
	again, err := Open(context.Background(), Config{Log: log, Ledger: "test", Now: c.Now})
	if err != nil {
		t.Errorf("the log does not fold: %v", err)
		return
	}
	if s.unknown {
		return
	}
	got, want := describe(s), describe(again)
	if got != want {
		t.Errorf("state is not the fold of the log:\n got %s\nwant %s", got, want)
	}
}

func describe(s *Store) string {
	return fmt.Sprintf("%d %v %+v", s.Position(), s.Producers(), s.Tokens())
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (s *Store) mustPut(t testing.TB, name string, families ...string) {
	t.Helper()
	must[Outcome](t)(s.PutProducer(t.Context(), byTest, Producer{Name: name, Families: families}))
}

func (s *Store) mustToken(t testing.TB, n NewToken) (string, Token) {
	t.Helper()
	secret, tok, err := s.CreateToken(t.Context(), byTest, n)
	if err != nil {
		t.Fatalf("CreateToken: %v", err)
	}
	return secret.Reveal(), tok
}
