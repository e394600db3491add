package crash_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// failures are calls that a full or dying disk makes fail. Only calls that the
// program makes on files alone are listed: a write that fails on a socket, or
// on the runtime's own event descriptor, is another fault.
var failures = []struct {
	calls, errno string
	often        int // calls of one thread among which the first to fail is chosen
}{
	{"pwrite64", "ENOSPC", 60},
	{"pwrite64", "EIO", 60},
	{"fsync", "EIO", 40},
	{"fdatasync", "EIO", 20},
	{"ftruncate", "ENOSPC", 6},
	{"mkdirat", "ENOSPC", 6},
	{"renameat", "EIO", 6},
	{"unlinkat", "EIO", 6},
	{"pread64", "EIO", 20},
	{"openat", "EMFILE", 60},
	{"fsync,fdatasync", "ENOSPC", 40},
	{"pwrite64,ftruncate,mkdirat,renameat", "ENOSPC", 80},
}

// failing returns a wrap that lets the n-th and, if lasting, every later call
// of each thread fail.
func failing(calls, errno string, n int, lasting bool) func(context.Context, string, ...string) *exec.Cmd {
	when := fmt.Sprint(n)
	if lasting {
		when += "+"
	}
	return func(ctx context.Context, name string, arg ...string) *exec.Cmd {
		args := []string{"-D", "-f", "-e", "signal=none", "-e", "trace=" + calls, "-o", "/dev/null",
			"-e", fmt.Sprintf("inject=%s:error=%s:when=%s", calls, errno, when), "--", name}
		return exec.CommandContext(ctx, "strace", append(args, arg...)...)
	}
}

// TestFailing lets calls fail at some step. Nothing is acknowledged that is not
// there afterwards, nothing hangs, and the server says what state it is in: it
// has ended, or is not ready and refuses, or goes on and records.
func TestFailing(t *testing.T) {
	t.Parallel()
	seed, fails := newSeed(t), int(setting(t, "CUSTODY_CRASH_FAILS", fewFails))
	s := newSite(t)
	srv := s.serve(t)
	tok, first := srv.setUp(t, s), newBook()
	l := &load{srv: srv, token: tok.relay, book: first, seed: seed, clients: 2, most: 20, large: 500}
	enough := first.after(200)
	l.start()
	<-enough
	l.end()
	first.verify(t, srv, tok.reader)
	srv.stop(t)
	struck := 0
	for i := range fails {
		rng := random(seed, "fail", i)
		f := failures[i%len(failures)]
		n, lasting := 1+rng.IntN(f.often), rng.IntN(2) == 0
		name := fmt.Sprintf("%s %s at %d", f.calls, f.errno, n)
		if lasting {
			name += " and on"
		}
		t.Run(name, func(t *testing.T) {
			if s := s.copied(t); fail(t, s, tok, first, seed, i, failing(f.calls, f.errno, n, lasting)) {
				struck++
			}
		})
	}
	t.Logf("%d of %d faults were felt", struck, fails)
	if struck == 0 {
		t.Error("no fault was felt: the test tries nothing")
	}
}

// fail runs a load under faults, then restarts without. It reports whether
// anything failed.
func fail(t *testing.T, s site, tok tokens, first *book, seed uint64, i int, wrap func(context.Context, string, ...string) *exec.Cmd) (felt bool) {
	b := first.before(func(string) bool { return true })
	srv := s.start(t, wrap)
	switch srv.settle(t) {
	case ready:
		l := &load{srv: srv, token: tok.relay, book: b, seed: seed, round: 1000 + i, clients: 4, most: 50, large: 500}
		enough := b.after(300)
		l.start()
		select {
		case <-enough:
		case <-time.After(patience):
			t.Errorf("nothing was acknowledged, nothing failed\n%s", srv.out)
		}
		l.end()
		felt = b.failed > 0
		if b.hangs > 0 {
			t.Errorf("%d requests got no answer in %v\n%s", b.hangs, patience, srv.out)
		}
	case ended:
		felt = true
		if text := srv.out.String(); srv.err == nil || text == "" {
			t.Errorf("the server ended with %v and says %q", srv.err, text)
		}
	}
	felt = srv.consistent(t, tok, b, seed, i) || felt
	srv.kill()
	srv = s.serve(t)
	b.verify(t, srv, tok.reader)
	b.retry(t, srv, tok.relay)
	b.verify(t, srv, tok.reader)
	srv.stop(t)
	s.sound(t)
	return felt
}

// consistent demands that what the server says of itself is so: ready means
// that an event is recorded, halted that one is refused for now. It reports
// whether the server takes no events any more.
func (srv *server) consistent(t *testing.T, tok tokens, b *book, seed uint64, i int) bool {
	t.Helper()
	if strings.Contains(srv.out.String(), "panic:") {
		t.Errorf("a panic\n%s", srv.out)
	}
	said := srv.state()
	if said == ended {
		return true
	}
	m := &maker{rng: random(seed, "after", i), name: fmt.Sprintf("z%dn", i)}
	evs := []event{m.next()}
	results, err := srv.send(tok.relay, evs)
	b.answer(evs, results, err)
	var status errStatus
	switch {
	case srv.gone(time.Second):
		return true
	case said == ready && err != nil && srv.state() == ready: // asked again: the fault may strike between two questions
		t.Errorf("it says that it is ready, and recording says %v\n%s", err, srv.out)
	case said == halted && (!errors.As(err, &status) || status != http.StatusServiceUnavailable):
		t.Errorf("it says that it has halted, and recording says %v\n%s", err, srv.out)
	case said == opening:
		t.Errorf("it does not say what state it is in\n%s", srv.out)
	}
	return err != nil
}
