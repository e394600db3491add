package emit

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Policy is what becomes of an answer whose access could not be recorded.
type Policy uint8

const (
	FailClosed Policy = iota + 1 // 503 instead of the answer: nothing is seen that is not recorded
	FailOpen                     // the answer all the same; AccessLog.Failed must see to it
)

// An AccessLog records the accesses that a handler's answers are.
type AccessLog struct {
	Emitter *Emitter

	// Act says what the answer to a request discloses; nil for nothing. It is called when the handler begins to
	// answer, with the status it will have, before a byte has left: whose data it is may have been put by the
	// handler where r's context leads to. An error counts as not recorded.
	Act func(r *http.Request, status int) (Act, error)

	// Options, if given, are those of the event.
	Options func(r *http.Request) []Option

	// Policy has no default. With a spool FailClosed fails only when that is full or broken.
	Policy Policy

	// Failed is told of every access that was not recorded. FailOpen requires it.
	Failed func(r *http.Request, err error)
}

// Wrap gives a handler whose accesses are recorded: no byte of an answer leaves before. Answers can still be
// streamed, flushed and hijacked; informational ones (1xx) pass.
func (l AccessLog) Wrap(next http.Handler) (http.Handler, error) {
	switch {
	case l.Emitter == nil || l.Act == nil:
		return nil, errors.New("emit: AccessLog needs Emitter and Act")
	case l.Policy != FailClosed && l.Policy != FailOpen:
		return nil, errors.New("emit: AccessLog needs a Policy: FailClosed or FailOpen")
	case l.Policy == FailOpen && l.Failed == nil:
		return nil, errors.New("emit: AccessLog with FailOpen needs Failed")
	}
	if l.Failed == nil {
		l.Failed = func(*http.Request, error) {}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := &gate{ResponseWriter: w, log: &l, request: r}
		next.ServeHTTP(g, r)
		g.WriteHeader(http.StatusOK) // what net/http says for a handler that says nothing
	}), nil
}

// A gate lets an answer out once its access is recorded.
type gate struct {
	http.ResponseWriter
	log     *AccessLog
	request *http.Request
	decided bool
	shut    error // why nothing goes out
}

func (g *gate) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		g.ResponseWriter.WriteHeader(status)
		return
	}
	if g.decided {
		return
	}
	if g.open(status) {
		g.ResponseWriter.WriteHeader(status)
		return
	}
	g.refuse()
}

// refuse answers that there is no answer.
func (g *gate) refuse() {
	h := g.Header()
	clear(h) // what the handler said of its answer says something of the data
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Retry-After", "5")
	g.ResponseWriter.WriteHeader(http.StatusServiceUnavailable)
	_, _ = g.ResponseWriter.Write([]byte("This access cannot be recorded now, so there is no answer. Please try again.\n"))
}

// open records the access, once, and reports whether the answer may go out.
func (g *gate) open(status int) bool {
	g.decided = true
	err := g.record(status)
	if err == nil {
		return true
	}
	g.log.Failed(g.request, err)
	if g.log.Policy == FailOpen {
		return true
	}
	g.shut = fmt.Errorf("emit: the access was not recorded: %w", err)
	return false
}

func (g *gate) record(status int) error {
	act, err := g.log.Act(g.request, status)
	if err != nil || act == nil {
		return err
	}
	var options []Option
	if g.log.Options != nil {
		options = g.log.Options(g.request)
	}
	_, err = g.log.Emitter.Emit(g.request.Context(), act, options...)
	return err
}

func (g *gate) Write(b []byte) (int, error) {
	g.WriteHeader(http.StatusOK)
	if g.shut != nil {
		return 0, g.shut
	}
	return g.ResponseWriter.Write(b)
}

// FlushError records what is about to be sent.
func (g *gate) FlushError() error {
	g.WriteHeader(http.StatusOK)
	if g.shut != nil {
		return g.shut
	}
	return http.NewResponseController(g.ResponseWriter).Flush()
}

// Flush is FlushError for those who ask for an http.Flusher.
func (g *gate) Flush() { _ = g.FlushError() }

// Hijack records the access with status 101 before it gives the connection away.
func (g *gate) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !g.decided && !g.open(http.StatusSwitchingProtocols) {
		g.refuse()
	}
	if g.shut != nil {
		return nil, nil, g.shut
	}
	return http.NewResponseController(g.ResponseWriter).Hijack()
}

// SetReadDeadline, SetWriteDeadline and EnableFullDuplex are those of http.ResponseController. There is no
// Unwrap: it would lead around the gate.
func (g *gate) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(g.ResponseWriter).SetReadDeadline(t)
}

func (g *gate) SetWriteDeadline(t time.Time) error {
	return http.NewResponseController(g.ResponseWriter).SetWriteDeadline(t)
}

func (g *gate) EnableFullDuplex() error {
	return http.NewResponseController(g.ResponseWriter).EnableFullDuplex()
}
