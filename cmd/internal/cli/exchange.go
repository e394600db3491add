package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
)

// exchange is what a command needs to ask the server something and to pass the
// answer on.
type exchange struct {
	*client
	*answer
	zone *time.Location // in which a table shows times
	note func(format string, args ...any)
}

// begin makes ready to ask. It asks nothing yet; after it the answer must be
// closed.
func (s *session) begin() (*exchange, error) {
	zone, err := s.location()
	if err != nil {
		return nil, err
	}
	c, err := s.client()
	if err != nil {
		return nil, err
	}
	a, err := s.answer()
	if err != nil {
		return nil, err
	}
	return &exchange{client: c, answer: a, zone: zone, note: s.note}, nil
}

// readTime is how long a question is asked again while the server says that it
// will soon be able to answer.
const readTime = 30 * time.Second

// ask is call for a question: it waits for a server that says it will soon be
// able to answer, for one because its views are catching up. After an error the
// question may have been recorded as asked.
func (e *exchange) ask(ctx context.Context, method, path string, query url.Values, in, out any) error {
	return patiently(ctx, e.note, func() error { return e.call(ctx, method, path, query, in, out) })
}

// patiently tries again while the server says that it will soon be able to answer.
func patiently(ctx context.Context, note func(format string, args ...any), try func() error) error {
	deadline := time.Now().Add(readTime)
	for attempt := 0; ; attempt++ {
		err := try()
		if err == nil || !soon(err) {
			return err
		}
		pause := backoff(attempt, err)
		if time.Now().Add(pause).After(deadline) {
			return err
		}
		if attempt == 0 {
			note("%v; waiting for it", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// soon reports whether the server said that it will be able to answer.
func soon(err error) bool {
	p, ok := errors.AsType[*problem](err)
	if !ok || p.retryAfter == 0 {
		return false
	}
	switch p.word() {
	case "view-behind", "not-ready", "busy", "not-proven":
		return true
	}
	return false
}

// object asks for one object, and says as of when it is an answer. The JSON is
// the server's own.
func (e *exchange) object(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	var raw json.RawMessage
	if err := e.ask(ctx, "GET", path, query, nil, &raw); err != nil {
		return nil, err
	}
	var p preamble
	if err := understand(raw, &p); err != nil {
		return nil, err
	}
	return raw, e.remark(p)
}

// understand decodes what a command shows of an answer that is JSON.
func understand(raw []byte, out any) error {
	if err := json.Unmarshal(raw, out); err != nil {
		return errForeign
	}
	return nil
}

// preamble is what every answer says about itself.
type preamble struct {
	AsOf   json.RawMessage `json:"as_of"`
	Window json.RawMessage `json:"window"`
}

// asOf is the position up to which an answer is complete.
type asOf struct {
	Position uint64 `json:"position"`
	Recorded string `json:"recordedtime"`
}

// remark says on standard error as of when an answer is complete, and what its
// times were taken to mean.
func (e *exchange) remark(p preamble) error {
	if len(p.AsOf) > 0 {
		var as asOf
		if err := understand(p.AsOf, &as); err != nil {
			return err
		}
		if as.Position == 0 {
			e.note("as of position 0, before anything was recorded")
		} else {
			e.note("as of position %d, recorded %s", as.Position, as.Recorded)
		}
	}
	if len(p.Window) == 0 {
		return nil
	}
	var w struct{ From, To time.Time }
	if err := understand(p.Window, &w); err != nil {
		return err
	}
	if span := (period{w.From, w.To}); span != (period{}) {
		e.note("event time %v (days of %v)", span, e.zone)
	}
	return nil
}

// pathTo is the path of what has these names below each other.
func pathTo(parts ...string) string {
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/v1/" + strings.Join(parts, "/")
}
