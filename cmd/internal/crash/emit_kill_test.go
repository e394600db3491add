package crash_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestEmitterKilled kills an emitter with a spool at random while the ledger is down, up, and killed. Every event
// that Emit accepted arrives exactly once, in order, without holes.
func TestEmitterKilled(t *testing.T) {
	t.Parallel()
	seed, rounds := newSeed(t), int(setting(t, "CUSTODY_CRASH_ROUNDS", fewRounds))
	s := newSite(t)
	srv := s.serve(t)
	tok := srv.setUp(t, s)
	address := strings.TrimPrefix(srv.url, "http://")
	front := newFront(t)
	front.point(address)
	spool := filepath.Join(t.TempDir(), "spool")
	b := &accepted{ids: map[uint64]string{}, counts: map[uint64]int{}}
	up := true
	for round := range rounds {
		rng := random(seed, "emitter", round)
		if up && rng.IntN(3) == 0 {
			srv.kill()
			up = false
		}
		e := startEmitter(t, spool, front.url(), tok.relay, b)
		e.await(t, rng.IntN(300))
		if rng.IntN(2) == 0 { // the ledger comes, goes, or does both, while the emitter runs
			if up {
				srv.kill()
				up = false
			}
			if rng.IntN(3) > 0 {
				srv = s.serve(t)
				front.point(strings.TrimPrefix(srv.url, "http://"))
				up = true
			}
			e.await(t, rng.IntN(300))
		}
		e.kill()
		if !up && rng.IntN(2) == 0 {
			srv = s.serve(t)
			front.point(strings.TrimPrefix(srv.url, "http://"))
			up = true
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	if !up {
		srv = s.serve(t)
		front.point(strings.TrimPrefix(srv.url, "http://"))
	}
	e := startEmitter(t, spool, front.url(), tok.relay, b)
	e.await(t, 10)
	e.finish(t)
	b.verify(t, srv, tok.reader)
	srv.stop(t)
	s.sound(t)
	if left, err := os.ReadFile(filepath.Join(spool, "refused.ndjson")); err == nil {
		t.Errorf("%d bytes were refused", len(left))
	}
}

// A front is an address that stays the same while the server behind it changes.
type front struct {
	mu   sync.Mutex
	to   string
	addr string
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{addr: freeAddress(t)}
	listen(t, f.addr, func(in io.ReadWriteCloser) {
		f.mu.Lock()
		to := f.to
		f.mu.Unlock()
		join(in, to)
	})
	return f
}

func (f *front) url() string { return "http://" + f.addr }

func (f *front) point(to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.to = to
}

// accepted is what the emitters said that Emit accepted.
type accepted struct {
	mu     sync.Mutex
	ids    map[uint64]string // by number
	counts map[uint64]int
	last   int // the highest count ever begun is at most this and those in flight
}

func (b *accepted) note(t *testing.T, line string) {
	var number uint64
	var id string
	var count int
	if _, err := fmt.Sscan(line, &number, &id, &count); err != nil {
		t.Errorf("the emitter said %q", line)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if other, ok := b.ids[number]; ok {
		t.Errorf("number %d was given to %s and to %s", number, other, id)
	}
	b.ids[number], b.counts[number] = id, count
	b.last = max(b.last, count)
}

// verify reads everything the ledger has: numbers 1, 2, 3 … in order of position, each once, and each that was
// accepted with its id and content. What was being accepted when the emitter was killed may be there, too.
func (b *accepted) verify(t *testing.T, srv *server, token string) {
	t.Helper()
	next, instance := uint64(1), ""
	for l, err := range srv.replay(token) {
		if err != nil {
			t.Fatal(err)
		}
		if l.Source != "/ats" {
			continue
		}
		var n numbering
		n.read(t, l)
		if instance == "" {
			instance = n.Instance
		}
		if n.Number != fmt.Sprint(next) || n.Instance != instance {
			t.Fatalf("position %d has number %s of %s, want %d of %s", l.Position, n.Number, n.Instance, next, instance)
		}
		if id, ok := b.ids[next]; ok && (id != l.ID || b.counts[next] != l.Data.Count) {
			t.Fatalf("number %d is another event than was accepted", next)
		}
		delete(b.ids, next)
		next++
	}
	for number := range b.ids {
		t.Errorf("number %d was accepted and is not there", number)
	}
	t.Logf("%d events, %d of them accepted before a kill or a stop", next-1, len(b.counts))
}

// An emitter is a running process that emits.
type emitter struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *output
	said  chan struct{} // one for each event
	ended chan struct{}
	err   error
}

func startEmitter(t *testing.T, spool, url, token string, b *accepted) *emitter {
	t.Helper()
	e := &emitter{cmd: exec.CommandContext(t.Context(), os.Args[0]), out: &output{}, said: make(chan struct{}, 1<<20), ended: make(chan struct{})}
	b.mu.Lock()
	first := b.last + 1000 // those in flight when the last one was killed have other counts
	b.mu.Unlock()
	e.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %d %d", emitterVar, spool, url, token, first, 1))
	e.cmd.Stderr = e.out
	in, err := e.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := e.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	e.in = in
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewReader(stdout)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			b.note(t, line)
			e.said <- struct{}{}
		}
		e.err = e.cmd.Wait()
		close(e.ended)
	}()
	t.Cleanup(e.kill)
	return e
}

// await waits until the emitter has accepted n more events.
func (e *emitter) await(t *testing.T, n int) {
	t.Helper()
	limit := time.After(patience)
	for range n {
		select {
		case <-e.said:
		case <-e.ended:
			t.Fatalf("the emitter ended: %v\n%s", e.err, e.out)
		case <-limit:
			t.Fatalf("the emitter accepts nothing\n%s", e.out)
		}
	}
}

func (e *emitter) kill() {
	e.cmd.Process.Kill()
	<-e.ended
}

// finish has the emitter stop once the ledger has everything.
func (e *emitter) finish(t *testing.T) {
	t.Helper()
	e.in.Close()
	select {
	case <-e.ended:
	case <-time.After(patience):
		t.Fatalf("the emitter does not stop\n%s", e.out)
	}
	if e.err != nil {
		t.Fatalf("the emitter ended with %v\n%s", e.err, e.out)
	}
}
