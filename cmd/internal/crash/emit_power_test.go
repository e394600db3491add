package crash_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/imalink/custody/cmd/internal/powercut"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/eventstest"
)

// TestEmitterPower records what an emitter does to its spool, rebuilds that as a power cut at any moment could
// leave it, and opens it again: every event that Emit had accepted arrives, under the number it had, and no number
// that had been sent is given to another.
func TestEmitterPower(t *testing.T) {
	t.Parallel()
	seed, cuts := newSeed(t), int(setting(t, "CUSTODY_CRASH_CUTS", fewCuts))
	run := recordEmitter(t, 400)
	for i := range cuts {
		rng := random(seed, "emitter power", i)
		moments := run.log.Cuts()
		how := powercut.Cut{
			At:    moments[rng.IntN(len(moments))],
			Model: []powercut.Model{powercut.Posix, powercut.Journal}[rng.IntN(2)],
			Seed:  uint64(rng.IntN(1 << 16)),
		}
		if rng.IntN(4) == 0 {
			how.Seed = 0 // all that may be lost is
		}
		t.Run(fmt.Sprintf("%v cut %d seed %d", how.Model, how.At, how.Seed), func(t *testing.T) { run.reopen(t, how) })
	}
}

// An emission is one run of an emitter, from its first start to its end.
type emission struct {
	log      *powercut.Log
	instance string
	numbers  map[string]uint64 // by id, of all events
	accepted map[string]int    // by id: the moment Emit was said to have accepted it
	sent     map[string]int    // by id: the moment it was first sent
}

// recordEmitter runs an emitter under strace until it has accepted n events and the ledger has them.
func recordEmitter(t *testing.T, n int) *emission {
	t.Helper()
	ledger := eventstest.NewLedger()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			if answer, err := ledger.Send(r.Context(), body); err == nil {
				w.Write(answer)
			}
		}
	}))
	defer srv.Close()
	root, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	base := filepath.Join(t.TempDir(), "base")
	if err := os.CopyFS(base, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	cmd := powercut.Command(t.Context(), trace, os.Args[0])
	cmd.Dir = root
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %d %d", emitterVar, filepath.Join(root, "spool"), srv.URL, "none", 1, 150))
	out := &output{}
	cmd.Stderr = out
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	var ended sync.Once
	for i := 0; lines.Scan(); i++ {
		if i == n {
			ended.Do(func() { in.Close() })
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	e := &emission{log: readTrace(t, trace, root, base), numbers: map[string]uint64{}, accepted: map[string]int{}, sent: map[string]int{}}
	for _, ev := range ledger.Events() {
		e.numbers[ev.ID], e.instance = ev.Seq, ev.Instance
	}
	e.mark()
	files, _ := filepath.Glob(filepath.Join(root, "spool", "*.spool"))
	if len(files) != 1 || strings.Contains(files[0], "000000000001.") || len(e.accepted) != len(e.numbers) || len(e.sent) != len(e.numbers) {
		t.Fatalf("%d events, %d accepted, %d sent, files %v: the recording shows too little", len(e.numbers), len(e.accepted), len(e.sent), files)
	}
	t.Logf("recorded %d operations, %d moments, %d events", len(e.log.Ops), len(e.log.Cuts()), len(e.numbers))
	return e
}

var anEmittedID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

// mark finds when each event was said to be accepted, and when it was first sent, be it in part.
func (e *emission) mark() {
	before := map[int]string{} // the end of the last write, as an id may be cut in two
	for _, m := range e.log.Marks {
		if m.FD == 0 || m.FD == 2 {
			continue
		}
		moments := e.sent
		if m.FD == 1 {
			moments = e.accepted
		}
		text := before[m.FD] + string(m.Data)
		for _, id := range anEmittedID.FindAllString(text, -1) {
			if _, known := moments[id]; !known {
				moments[id] = m.At
			}
		}
		before[m.FD] = text[max(0, len(text)-35):]
	}
}

// reopen rebuilds the spool after one cut and goes on with it.
func (e *emission) reopen(t *testing.T, how powercut.Cut) {
	root := filepath.Join(t.TempDir(), "root")
	if err := e.log.Rebuild(root, how); err != nil {
		t.Fatal(err)
	}
	ledger := eventstest.NewLedger()
	em, err := emit.Open(emit.Config{Producer: "ats", Spool: filepath.Join(root, "spool"), SpoolBytes: 16 << 20, Heartbeat: -1, To: ledger, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer em.Close()
	last, err := em.Emit(t.Context(), accessNumbered(1, 1))
	if err == nil {
		err = em.Drain(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	there := map[uint64]bool{}
	arrived := map[string]bool{}
	for i, ev := range ledger.Events() {
		if number, ok := e.numbers[ev.ID]; ok && (number != ev.Seq || ev.Instance != e.instance) {
			t.Errorf("event %d has another number than before", ev.Seq)
		}
		if i > 0 && !there[ev.Seq-1] {
			t.Errorf("number %d follows a hole", ev.Seq)
		}
		there[ev.Seq], arrived[ev.ID] = true, true
	}
	for id, at := range e.accepted {
		if sent, ok := e.sent[id]; at < how.At && !arrived[id] && !(ok && sent < how.At) {
			t.Errorf("number %d was accepted and is lost", e.numbers[id])
		}
	}
	known := map[uint64]bool{}
	for id, at := range e.sent {
		if number := e.numbers[id]; at < how.At {
			if known[number] = true; number >= last.Number {
				t.Errorf("number %d had been sent, and %d is given to a new event", number, last.Number)
			}
		}
	}
	for n := uint64(1); n < last.Number; n++ {
		if !there[n] && !known[n] {
			t.Errorf("number %d is nowhere", n)
		}
	}
}
