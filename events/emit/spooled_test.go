package emit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
)

func spooled(t testing.TB, l *ledger) emit.Config {
	c := l.config()
	c.Spool = filepath.Join(t.TempDir(), "spool")
	return c
}

func TestNumbersGoOnAcrossRestarts(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.Fail("not-ready", 503)
	c := spooled(t, l)
	for i := range 5 {
		e := open(t, c)
		if r := mustEmit(t, e, access()); r.Number != uint64(i+1) {
			t.Errorf("number %d", r.Number)
		}
		if i == 2 {
			l.Fail("", 0)
			drain(t, e)
		}
		if e.Spool() != c.Spool {
			t.Error("it does not say where it lives")
		}
		if i < 4 {
			stop(t, e)
		} else {
			drain(t, e)
		}
	}
	inOrder(t, l.Events(), 5)
}

// stop closes an emitter whose ledger may not answer.
func stop(t testing.TB, e *emit.Emitter) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPoisonIsSetAside has the ledger refuse events among others, one by one and as whole requests.
func TestPoisonIsSetAside(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.Refuse(events.DataUsed)
	l.Fail("busy", 503)
	c := spooled(t, l)
	var mu sync.Mutex
	var told []emit.Rejection
	c.Rejected = func(r emit.Rejection) { mu.Lock(); told = append(told, r); mu.Unlock() }
	var log bytes.Buffer
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	e := open(t, c)
	var poison []string
	for i := range 20 {
		if i%5 == 2 {
			poison = append(poison, mustEmit(t, e, emit.Used{Processing: processing()}).ID)
		} else {
			mustEmit(t, e, access())
		}
	}
	l.Fail("", 0)
	drain(t, e)
	if got := len(l.Events()); got != 16 {
		t.Errorf("%d of 16 events", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 4 || told[1].ID != poison[1] || told[1].Number != 8 || told[1].Kind != events.DataUsed || told[1].Err.Type != events.WrongFamily {
		t.Errorf("told %+v", told)
	}
	if s := e.Stats(); s.Refused != 4 || s.Recorded != 16 {
		t.Errorf("%+v", s)
	}
	stop(t, e)
	if strings.Contains(log.String(), "10412") || strings.Contains(log.String(), "jdp") || !strings.Contains(log.String(), "family") {
		t.Errorf("logged: %s", log.String())
	}
	b, err := os.ReadFile(e.Refused())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(e.Refused()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	var ids []string
	for line := range bytes.Lines(b) {
		var read struct {
			Error events.Error
			Event json.RawMessage
		}
		if err := json.Unmarshal(line, &read); err != nil {
			t.Fatal(err)
		}
		ev, err := events.Decode(read.Event)
		if err != nil || read.Error.Type != events.WrongFamily || read.Error.Path != "/type" {
			t.Fatalf("%v, %+v", err, read.Error)
		}
		ids = append(ids, ev.ID)
	}
	if strings.Join(ids, " ") != strings.Join(poison, " ") {
		t.Errorf("set aside %v, want %v", ids, poison)
	}

	// A crash before the cursor was written: everything is sent and refused again, and no line is there twice.
	if err := os.Remove(filepath.Join(c.Spool, "cursor")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e.Refused(), append(b, `{"refused":"2026-`...), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Rejected = nil
	again := open(t, c)
	drain(t, again)
	if s := again.Stats(); s.Duplicates != 16 || s.Refused != 4 {
		t.Errorf("%+v", s)
	}
	if now, err := os.ReadFile(e.Refused()); err != nil || !bytes.Equal(now, b) {
		t.Errorf("lines were added: %v", err)
	}
}

// TestRequestThatIsRefusedAsAWholeIsSplit finds the event that a request is refused for.
func TestRequestThatIsRefusedAsAWholeIsSplit(t *testing.T) {
	t.Parallel()
	l := newLedger(t, notDone, proxyFull, proxyFull, proxyFull)
	e := open(t, spooled(t, l))
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { mustEmit(t, e, access()) })
	}
	wg.Wait()
	drain(t, e)
	inOrder(t, l.Events(), 10)
	if s := e.Stats(); s.Refused != 0 {
		t.Errorf("a proxy refused %d events", s.Refused)
	}
}

// TestPoisonOfAWholeRequestIsFound has the ledger refuse every request that holds one of two events, without
// saying which.
func TestPoisonOfAWholeRequestIsFound(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.Fail("busy", 503)
	l.poison = "vacancy:13"
	c := spooled(t, l)
	var mu sync.Mutex
	var told []uint64
	c.Rejected = func(r emit.Rejection) { mu.Lock(); told = append(told, r.Number); mu.Unlock() }
	e := open(t, c)
	for i := range 20 {
		act := access()
		if i == 6 || i == 17 {
			act.Reference = "vacancy:13"
		}
		mustEmit(t, e, act)
	}
	l.Fail("", 0)
	drain(t, e)
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 2 || told[0] != 7 || told[1] != 18 || len(l.Events()) != 18 {
		t.Errorf("refused %v, %d recorded", told, len(l.Events()))
	}
}

func TestFullSpoolSaysSoAndLosesNothing(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.Fail("halted", 503)
	c := spooled(t, l)
	c.SpoolBytes = 16 << 20
	e := open(t, c)
	act := access()
	act.Subjects = nil
	for i := range 5000 {
		act.Subjects = append(act.Subjects, emit.Subjects(emit.RoleCandidate, "candidate:a-rather-long-identifier-that-takes-room-"+strings.Repeat("x", 20)+string(rune('a'+i%26))+"-"+strings.Repeat("y", i/26))...)
		if len(act.Subjects) == 2000 {
			break
		}
	}
	n := 0
	for ; ; n++ {
		if _, err := e.Emit(t.Context(), act); errors.Is(err, emit.ErrSpoolFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if s := e.Stats(); s.Waiting != n || s.SpoolBytes > s.SpoolLimit || n == 0 {
		t.Errorf("%d events, %+v", n, s)
	}
	l.Fail("", 0)
	drain(t, e)
	mustEmit(t, e, act)
	drain(t, e)
	inOrder(t, l.Events(), n+1)
}

func TestSpoolIsNotShared(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	c := spooled(t, l)
	open(t, c)
	if _, err := emit.Open(c); !errors.Is(err, emit.ErrSpoolLocked) {
		t.Errorf("got %v", err)
	}
}

func TestRevokedTokenKeepsTheSpoolWaiting(t *testing.T) {
	t.Parallel()
	l := newLedger(t, forbidden)
	e := open(t, spooled(t, l))
	mustEmit(t, e, access())
	l.until(t, func() bool { return e.Stats().Trouble != nil })
	if n, _ := l.requests(); n != 1 {
		t.Error("it was asked again at once")
	}
	if s := e.Stats(); s.Refused != 0 || s.Waiting != 1 {
		t.Errorf("%+v", s)
	}
}
