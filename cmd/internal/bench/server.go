package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A server is the measured process.
type server struct {
	binary, data, keys string
	flags              []string // of serve
	url, nats          string   // where it listens

	relay, reader, operator string // tokens
	cmd                     *exec.Cmd
	log                     bytes.Buffer

	events *stream       // what is recorded
	next   atomic.Uint64 // number of the next event
}

// newServer makes a ledger with one producer and starts it.
func newServer(ctx context.Context, cfg config, flags ...string) (*server, error) {
	binary, err := filepath.Abs(cfg.binary)
	if err != nil {
		return nil, err
	}
	s := &server{binary: binary, data: filepath.Join(cfg.dir, "data"), keys: filepath.Join(cfg.dir, "keys"), flags: flags}
	if out, err := exec.CommandContext(ctx, s.binary, "init", "--data", s.data, "--keys", s.keys).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("init: %w: %s", err, out)
	}
	if _, err := s.start(ctx); err != nil {
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(s.data, "operator.token"))
	if err != nil {
		return nil, err
	}
	s.operator = strings.TrimSpace(string(token))
	if _, err := s.custody(ctx, s.operator, "producer", "add", "ats", "crm", "hr", "register", "--families", "data,subject,governance,ledger"); err != nil {
		return nil, err
	}
	if s.relay, err = s.custody(ctx, s.operator, "token", "create", "--role", "relay", "--name", "bench"); err != nil {
		return nil, err
	}
	if s.reader, err = s.custody(ctx, s.operator, "token", "create", "--role", "dpo", "--name", "bench-reader"); err != nil {
		return nil, err
	}
	s.events = newStream(cfg.events, 0, time.Now().Add(-2*span))
	return s, s.register(ctx, s.events.begin.Add(-span))
}

// custody runs one command against the server and returns what it printed.
func (s *server) custody(ctx context.Context, token string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Env = append(os.Environ(), "CUSTODY_URL="+s.url, "CUSTODY_TOKEN="+token)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return "", fmt.Errorf("custody %s: %w: %s", args[0], err, exit.Stderr)
		}
		return "", err
	}
	return strings.TrimSpace(string(out)), nil
}

var listening = regexp.MustCompile(`(https?|nats)://\S+`)

// start runs the server and returns how long it took until it listened.
func (s *server) start(ctx context.Context) (time.Duration, error) {
	args := append([]string{"serve", "--data", s.data, "--keys", s.keys, "--listen", "127.0.0.1:0", "--nats", "127.0.0.1:0"}, s.flags...)
	s.cmd = exec.CommandContext(ctx, s.binary, args...)
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch url := strings.TrimRight(listening.FindString(lines.Text()), "/."); {
		case strings.HasPrefix(url, "http"):
			s.url = url
		case url != "": // the second line
			s.nats = url
			took := time.Since(begin)
			go func() {
				for lines.Scan() {
				}
			}()
			return took, nil
		}
	}
	return 0, fmt.Errorf("the server ended before it listened: %s", s.log.String())
}

// stop ends the server cleanly; kill does not ask.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
	}
}

// cpu is the processor time the server has used.
func (s *server) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// size is how many bytes lie under dir.
func size(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
