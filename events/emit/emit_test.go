package emit_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
)

// TestEveryFaultBothWays has the ledger fail before and after it recorded, with and without a spool: each event
// is recorded once, in order.
func TestEveryFaultBothWays(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{notDone, lost, halfDone, foreign, gateway, few} {
		for _, spooled := range []bool{false, true} {
			t.Run(strings.ReplaceAll(string(f), " ", "-")+map[bool]string{true: "/spool", false: "/direct"}[spooled], func(t *testing.T) {
				t.Parallel()
				l := newLedger(t, f, "", f)
				c := l.config()
				if spooled {
					c.Spool = filepath.Join(t.TempDir(), "spool")
				}
				e := open(t, c)
				for i := range 3 {
					if r := mustEmit(t, e, access()); r.Number != uint64(i+1) || (r.Position == 0) != spooled {
						t.Errorf("receipt %+v", r)
					}
				}
				drain(t, e)
				inOrder(t, l.Events(), 3)
				if s := e.Stats(); s.Accepted != 3 || s.Recorded+s.Duplicates != 3 || s.Failures < 1 || s.Waiting != 0 || s.Trouble != nil {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func TestConcurrentEmitsShareBatchesInOrder(t *testing.T) {
	t.Parallel()
	l := newLedger(t, notDone)
	e := open(t, l.config())
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if _, err := e.Emit(t.Context(), access()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	inOrder(t, l.Events(), 200)
	if n, _ := l.requests(); n >= 200 {
		t.Errorf("%d requests for 200 events", n)
	}
}

func TestInvalidActNamesFieldAndLimitAndNoValue(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	e := open(t, l.config())
	for _, test := range []struct {
		act        emit.Act
		options    []emit.Option
		path, word string
	}{
		{emit.Accessed{Processing: processing()}, nil, "/data/mode", events.MissingField},
		{emit.Accessed{Processing: processing(), Mode: "glance"}, nil, "/data/mode", events.NotInVocabulary},
		{emit.Used{}, nil, "/data/actor", events.MissingField},
		{emit.Accessed{Processing: emit.Processing{Subjects: processing().Subjects, Actor: processing().Actor}, Mode: emit.ModeView}, nil, "/data/system", events.MissingField},
		{access(), []emit.Option{emit.Correlation("someone@example.org")}, "/correlationid", events.BadFormat},
		{access(), []emit.Option{emit.At(time.Now().Add(time.Hour))}, "/time", events.TimeAhead},
		{access(), []emit.Option{emit.As("", time.Now())}, "/id", events.MissingField},
		{emit.Other{Of: events.DataAltered, Data: []byte(`{}},"producerseq":"7","x":{"`)}, nil, "/data", events.NotJSON},
		{emit.Accessed{Processing: emit.Processing{Subjects: processing().Subjects, Actor: processing().Actor, Activity: "placement", Reference: "candidate:10412"}, Mode: emit.ModeView}, nil, "", ""},
	} {
		_, err := e.Emit(t.Context(), test.act, test.options...)
		if test.word == "" {
			continue
		}
		fault, ok := errors.AsType[*events.Error](err)
		if !ok || fault.Path != test.path || fault.Type != test.word {
			t.Errorf("%v: got %v, want %s at %s", test.act, err, test.word, test.path)
		}
		if err != nil && (strings.Contains(err.Error(), "someone") || strings.Contains(err.Error(), "glance") || strings.Contains(err.Error(), "10412")) {
			t.Errorf("the error repeats the value: %v", err)
		}
	}
	if s := e.Stats(); s.Invalid != 8 {
		t.Errorf("%d invalid", s.Invalid)
	}
}

func TestRefusedWithoutSpoolIsTheCallersError(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.Refuse(events.DataUsed)
	e := open(t, l.config())
	_, err := e.Emit(t.Context(), emit.Used{Processing: processing()})
	if fault, ok := errors.AsType[*events.Error](err); !ok || fault.Type != events.WrongFamily {
		t.Errorf("got %v", err)
	}
	mustEmit(t, e, access())
}

func TestRevokedTokenIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t, forbidden)
	e := open(t, l.config())
	_, err := e.Emit(t.Context(), access())
	if p, ok := errors.AsType[*emit.Problem](err); !ok || p.Word != "unauthenticated" {
		t.Errorf("got %v", err)
	}
	if s := e.Stats(); s.Trouble == nil {
		t.Error("no trouble is known")
	}
	mustEmit(t, e, access())
}

// TestProxyRefusesNoEvent sends one event through a proxy that finds it too large: that is no word on the event.
func TestProxyRefusesNoEvent(t *testing.T) {
	t.Parallel()
	e := open(t, quiet(narrow{}))
	_, err := e.Emit(t.Context(), access())
	if _, refused := errors.AsType[*events.Error](err); refused {
		t.Errorf("a proxy refused it: %v", err)
	}
	if p, ok := errors.AsType[*emit.Problem](err); !ok || p.Word != "" || p.Status != 413 {
		t.Errorf("got %v", err)
	}
}

// narrow is a way to the ledger on which everything is too large.
type narrow struct{}

func (narrow) MaxBytes() int { return 1 }
func (narrow) Send(context.Context, []byte) ([]byte, error) {
	return nil, emit.ReadProblem(413, []byte("<html>too large</html>"), "")
}

func TestTokenFileIsReadAnew(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.token = "second"
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := open(t, quiet(&emit.HTTP{URL: l.URL, TokenFile: file}))
	if _, err := e.Emit(t.Context(), access()); err == nil {
		t.Fatal("a wrong token was taken")
	}
	if err := os.WriteFile(file, []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustEmit(t, e, access())
}

// TestContextBeforeAndAfterSending ends an Emit before its event was sent, and after.
func TestContextBeforeAndAfterSending(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.Fail("busy", 503)
	e := open(t, l.config())
	first, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.Emit(first, access()); !errors.Is(err, emit.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after sending: %v", err)
	}
	second, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.Emit(second, access()); errors.Is(err, emit.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before sending: %v", err)
	}
	l.Fail("", 0)
	mustEmit(t, e, access())
	inOrder(t, l.Events(), 2) // the first was still being tried, the second leaves no hole
}

func TestRepeatableFactIsOneEvent(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	at := time.Now().Add(-time.Hour)
	for range 2 { // as a consumer does that was restarted
		e := open(t, l.config())
		if r := mustEmit(t, e, access(), emit.As("message-77", at)); r.Position != 1 || r.Number != 0 || r.ID != "message-77" {
			t.Errorf("%+v", r)
		}
	}
	if got := l.Events(); len(got) != 1 || got[0].Instance != "" {
		t.Errorf("%d events", len(got))
	}
}

func TestIDsThatHoldAnIdentifierAreNotUsed(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	e := open(t, l.config())
	for i := range 300 { // of three hex digits each: one in 150 ids holds one of them
		act := access()
		act.Subjects = emit.Subjects(emit.RoleOther, "7"+string("0123456789abcdef"[i%16])+string("0123456789abcdef"[i/16%16]))
		mustEmit(t, e, act)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	ok := &emit.HTTP{URL: "http://127.0.0.1:1"}
	for name, c := range map[string]emit.Config{
		"no transport":    {Producer: "ats"},
		"no producer":     {To: ok},
		"producer's name": {Producer: "The ATS", To: ok},
		"small spool":     {Producer: "ats", To: ok, SpoolBytes: 1},
		"plain http":      {Producer: "ats", To: &emit.HTTP{URL: "http://ledger.example:8420"}},
		"no URL":          {Producer: "ats", To: &emit.HTTP{URL: "ledger.example"}},
		"two tokens":      {Producer: "ats", To: &emit.HTTP{URL: "https://ledger.example", Token: "a", TokenFile: "b"}},
	} {
		if e, err := emit.Open(c); err == nil {
			e.Close()
			t.Errorf("%s: opened", name)
		}
	}
}

func TestClosedTakesNothing(t *testing.T) {
	t.Parallel()
	for _, spool := range []string{"", filepath.Join(t.TempDir(), "spool")} {
		l := newLedger(t)
		c := l.config()
		c.Spool = spool
		e := open(t, c)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Emit(t.Context(), access()); !errors.Is(err, emit.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}
