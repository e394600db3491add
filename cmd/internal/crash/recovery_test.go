package crash_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// recoveryFailures are calls on the streams' own files that the embedded server makes while it recovers. It removes what
// it cannot read.
var recoveryFailures = []struct{ call, errno string }{
	{"pread64", "EIO"},
	{"read", "EIO"},
	{"openat", "EMFILE"},
	{"fstat", "EIO"},
}

// TestUnreadable lets calls on the files of the streams fail while a ledger is opened: none after the fault may find
// less than there was.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	fails := int(setting(t, "CUSTODY_CRASH_FAILS", fewFails))
	s := newSite(t)
	srv := s.serve(t)
	tok, b := srv.setUp(t, s), newBook()
	l := &load{srv: srv, token: tok.relay, book: b, clients: 2, most: 20}
	enough := b.after(50)
	l.start()
	<-enough
	l.end()
	b.verify(t, srv, tok.reader)
	srv.stop(t)
	refused := 0
	for i := range fails {
		f := recoveryFailures[i%len(recoveryFailures)]
		when := fmt.Sprint(1 + i/len(recoveryFailures)/2)
		if i/len(recoveryFailures)%2 == 0 {
			when += "+"
		}
		t.Run(fmt.Sprintf("%s %s at %s", f.call, f.errno, when), func(t *testing.T) {
			s := s.copied(t)
			if i%3 == 0 { // as after a kill: the server reads every block
				remove(t, s, "clean-stop.json")
			}
			srv := s.start(t, blind(s, f.call, f.errno, when))
			if srv.settle(t) != ready {
				refused++
			}
			srv.kill()
			srv = s.serve(t)
			b.verify(t, srv, tok.reader)
			srv.stop(t)
			s.sound(t)
		})
	}
	t.Logf("%d of %d starts were refused", refused, fails)
	if refused == 0 {
		t.Error("no fault was felt: the test tries nothing")
	}
}

// blind returns a wrap that lets calls on the streams' files fail.
func blind(s site, call, errno, when string) func(context.Context, string, ...string) *exec.Cmd {
	return func(ctx context.Context, name string, arg ...string) *exec.Cmd {
		args := []string{"-D", "-f", "-e", "signal=none", "-e", "trace=" + call, "-o", "/dev/null",
			"-e", fmt.Sprintf("inject=%s:error=%s:when=%s", call, errno, when)}
		files, _ := filepath.Glob(filepath.Join(s.data(), "nats/jetstream/$G/streams/*/msgs/*.blk"))
		for _, file := range files {
			args = append(args, "-P", file)
		}
		return exec.CommandContext(ctx, "strace", append(append(args, "--", name), arg...)...)
	}
}
