package natsd

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// serverLog is the server's logger: its notices become debug lines, its warnings are kept to explain a failed
// start, and a fatal line, which would end the process with the server's own logger, fails the server instead.
type serverLog struct {
	log  *slog.Logger
	fail func(error)

	mu   sync.Mutex
	kept []string // warnings and worse, the first keepLines
}

const keepLines = 20

func (l *serverLog) Noticef(format string, v ...any) { l.debug(format, v) }
func (l *serverLog) Debugf(format string, v ...any)  { l.debug(format, v) }
func (l *serverLog) Tracef(format string, v ...any)  { l.debug(format, v) }

func (l *serverLog) debug(format string, v []any) {
	l.log.Debug("server", "line", fmt.Sprintf(format, v...))
}

func (l *serverLog) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, "Maximum payloads over") {
		l.debug(format, v) // chosen: MaxPayload has room for the largest event
		return
	}
	line := l.keep(format, v)
	l.log.Warn("server", "line", line)
	if strings.Contains(line, "disabling JetStream") {
		l.fail(errors.New("server: " + line))
	}
}

// Errorf also learns at once of a store that can no longer write: the server answers no publisher then.
func (l *serverLog) Errorf(format string, v ...any) {
	line := l.keep(format, v)
	l.log.Error("server", "line", line)
	if strings.Contains(line, "ritical write error") || strings.Contains(line, "failed to store a msg") {
		l.fail(errors.New("server: " + line))
	}
}

func (l *serverLog) Fatalf(format string, v ...any) {
	line := l.keep(format, v)
	l.log.Error("server", "line", line, "fatal", true)
	l.fail(errors.New("server: " + line))
}

func (l *serverLog) keep(format string, v []any) string {
	line := fmt.Sprintf(format, v...)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) < keepLines {
		l.kept = append(l.kept, line)
	}
	return line
}

// said is what the server complained of, as an error; nil if nothing.
func (l *serverLog) said() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) == 0 {
		return nil
	}
	return errors.New("server: " + strings.Join(l.kept, "; "))
}

// fail makes err the server's failure, unless it has one.
func (s *Server) fail(err error) {
	s.failOnce.Do(func() {
		s.failure = err
		close(s.failed)
	})
}

// Failed is closed once the server can no longer store. Health then says why.
func (s *Server) Failed() <-chan struct{} { return s.failed }

// Health is nil until the server can no longer store; from then on the reason. It costs nothing.
func (s *Server) Health() error {
	select {
	case <-s.failed:
		return s.failure
	default:
		return nil
	}
}

// Healthy is Health after asking the server anew. The server also answers "not ready" when it could not look at its
// own state within a millisecond, as happens under load; that says nothing of its store, and is no failure.
func (s *Server) Healthy() error {
	st := s.srv.Healthz(nil)
	if st != nil && st.Status != "ok" && !strings.HasPrefix(st.Error, notReadyYet) {
		s.fail(fmt.Errorf("server: status %s: %s", st.Status, st.Error))
	}
	return s.Health()
}

// notReadyYet begins what the server says when that millisecond was too short.
const notReadyYet = "failed to be ready for connections after"

// watch asks for the server's health until it stops or fails.
func (s *Server) watch() {
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	for s.Healthy() == nil {
		select {
		case <-tick.C:
		case <-s.stopping:
			return
		}
	}
}
