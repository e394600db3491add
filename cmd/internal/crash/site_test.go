package crash_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/powercut"
)

// patience is how long a server may take to start or stop, or to answer. Beyond
// it the test calls it a hang.
const patience = time.Minute

// A site is a folder that holds the data and the keys of one ledger.
type site struct{ root string }

func (s site) data() string { return filepath.Join(s.root, "data") }
func (s site) keys() string { return filepath.Join(s.root, "keys") }

// newSite makes a ledger in a new folder.
func newSite(t *testing.T) site {
	t.Helper()
	s := site{t.TempDir()}
	if status, out := s.custody(t, "init"); status != 0 {
		t.Fatalf("init: exit status %d\n%s", status, out)
	}
	return s
}

// copied returns a copy of s.
func (s site) copied(t *testing.T) site {
	t.Helper()
	c := site{filepath.Join(t.TempDir(), "site")}
	if err := os.CopyFS(c.root, os.DirFS(s.root)); err != nil {
		t.Fatal(err)
	}
	return c
}

// custody runs a command that works on files and returns its exit status and
// all it printed.
func (s site) custody(t *testing.T, command string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, custody, command, "--data", s.data(), "--keys", s.keys()).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), string(out)
	} else if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return 0, string(out)
}

// sound demands that `custody check` finds nothing.
func (s site) sound(t *testing.T) {
	t.Helper()
	if status, out := s.custody(t, "check"); status != 0 {
		t.Errorf("check: exit status %d\n%s", status, out)
	}
}

// tree returns the digest of every file, by path.
func (s site) tree(t *testing.T) map[string][sha256.Size]byte {
	t.Helper()
	tree := map[string][sha256.Size]byte{}
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(s.root, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		tree[rel] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// A server is a running `custody serve`.
type server struct {
	cmd  *exec.Cmd
	url  string
	http *http.Client
	out  *output
	done chan struct{} // closed when the process has ended
	err  error         // how it ended; set before done is closed
}

// serve starts the server on s and waits until it is ready.
func (s site) serve(t *testing.T) *server {
	t.Helper()
	srv := s.start(t, nil)
	if !srv.ready(t) {
		t.Fatalf("the server ended instead of starting: %v\n%s", srv.err, srv.out)
	}
	return srv
}

// start starts the server and does not wait. wrap, if given, makes the command
// run under something else.
func (s site) start(t *testing.T, wrap func(ctx context.Context, name string, arg ...string) *exec.Cmd) *server {
	t.Helper()
	if wrap == nil {
		wrap = exec.CommandContext
	}
	address := freeAddress(t)
	cmd := wrap(t.Context(), custody, "serve", "--data", s.data(), "--keys", s.keys(), "--listen", address)
	srv := &server{
		cmd: cmd, url: "http://" + address, out: &output{}, done: make(chan struct{}),
		http: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	}
	cmd.Dir = s.root
	cmd.Stdout, cmd.Stderr = srv.out, srv.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		srv.err = cmd.Wait()
		close(srv.done)
	}()
	t.Cleanup(func() { srv.kill() })
	return srv
}

// traced returns a wrap that records the server's calls in the file.
func traced(file string) func(context.Context, string, ...string) *exec.Cmd {
	return func(ctx context.Context, name string, arg ...string) *exec.Cmd {
		return powercut.Command(ctx, file, name, arg...)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A state is what a server says of itself, or that it is no more.
type state uint8

const (
	ended   state = iota // the process has ended
	opening              // it answers, and is not yet ready
	ready                // it takes events
	halted               // it answers, and takes no events until it is started anew
)

// ready waits until the server takes events. It reports false if it ended.
func (srv *server) ready(t *testing.T) bool {
	t.Helper()
	got := srv.settle(t)
	if got == halted {
		t.Fatalf("the server has halted\n%s", srv.out)
	}
	return got == ready
}

// settle waits until the server has opened its ledger, or has failed to.
func (srv *server) settle(t *testing.T) state {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for limit := time.After(patience); ; {
		if now := srv.state(); now == ready || now == halted {
			return now
		}
		select {
		case <-srv.done:
			return ended
		case <-limit:
			t.Fatalf("the server is neither ready nor ended after %v\n%s", patience, srv.out)
		case <-ticker.C:
		}
	}
}

// state asks /readyz. A server that does not listen yet counts as opening.
func (srv *server) state() state {
	select {
	case <-srv.done:
		return ended
	default:
	}
	resp, err := srv.http.Get(srv.url + "/readyz")
	if err != nil {
		return opening
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil || strings.Contains(string(body), "being opened"):
		return opening
	case resp.StatusCode == http.StatusOK:
		return ready
	}
	return halted
}

// kill ends the server as a crash does.
func (srv *server) kill() {
	srv.cmd.Process.Kill()
	<-srv.done
	srv.http.CloseIdleConnections()
}

// stop ends the server as an operator does, and demands that it ends well.
func (srv *server) stop(t *testing.T) {
	t.Helper()
	srv.http.CloseIdleConnections()
	if err := srv.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-srv.done:
	case <-time.After(patience):
		srv.cmd.Process.Signal(syscall.SIGQUIT)
		<-srv.done
		t.Fatalf("the server does not stop\n%s", srv.out)
	}
	if srv.err != nil {
		t.Errorf("the server stopped with %v\n%s", srv.err, srv.out)
	}
}

// gone waits until the server has ended by itself, and reports whether it did.
func (srv *server) gone(within time.Duration) bool {
	select {
	case <-srv.done:
		return true
	case <-time.After(within):
		return false
	}
}

// An output keeps what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) all() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// String returns the last of it.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := strings.Split(strings.TrimRight(o.buf.String(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
