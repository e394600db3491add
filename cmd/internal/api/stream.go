package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/access"
)

const (
	chunkSize  = 64 << 10         // bytes gathered before they are sent
	chunkTime  = 30 * time.Second // in which a client must take a chunk
	watchEvery = 5 * time.Second  // how often a waiting answer looks whether its token is still valid
)

// span is what of the ledger is asked for.
type span struct {
	from, to uint64    // positions, both included
	since    time.Time // recorded then or later; zero is from the first
	until    time.Time // recorded before; zero is to the last
	follow   bool      // go on with what comes
}

// streamEvents replays the ledger as NDJSON. The last line is {"end":...} if and
// only if nothing that was asked for is missing; else it is {"error":...}, or
// the answer breaks off.
func (a *API) streamEvents(w http.ResponseWriter, r *http.Request, p access.Principal) {
	l := a.ledger()
	s, err := spanOf(r)
	if err == nil && !s.since.IsZero() {
		var first uint64
		first, err = l.RecordedSince(r.Context(), s.since)
		s.from = max(s.from, first)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", linesType)
	if r.Method == http.MethodHead {
		return
	}
	// Closing the server ends the answer, though not as a whole one.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(a.closing, cancel)()
	out := &chunks{w: w, deadline: http.NewResponseController(w), envelope: !p.Can(access.Replay)}
	end, err := a.replay(ctx, l, p, s, out)
	switch {
	case errors.Is(err, errGone):
		return
	case err != nil:
		if a.closing.Err() != nil {
			err = problem(notReady, "the server is closing; go on from the position after the last")
		}
		failure := problemOf(err)
		a.logProblem(ctx, w.Header().Get(requestIDHeader), failure, err)
		out.line = append(appendJSON(append(out.line, `{"error":`...), failure), "}\n"...)
	default:
		out.line = append(strconv.AppendUint(append(out.line, `{"end":{"position":`...), end, 10), "}}\n"...)
	}
	_ = out.flush() // the client is gone
}

// errGone reports that the client takes no more.
var errGone = errors.New("client is gone")

// replay writes what s asks for and returns the last position that the answer
// covers.
func (a *API) replay(ctx context.Context, l Ledger, p access.Principal, s span, out *chunks) (end uint64, err error) {
	next := s.from
	head := l.Head().Position
	for {
		end = min(s.to, head)
		for rec, err := range l.ReplayTo(ctx, next, end) {
			if err != nil {
				return 0, fmt.Errorf("replaying after position %d: %w", next-1, err)
			}
			st, err := events.DecodeStored(rec.Raw)
			if err != nil {
				// Not wrapped: it is about what is stored, not about the request.
				return 0, fmt.Errorf("decoding stored position %d: %v", rec.Position, err)
			}
			if !s.until.IsZero() && !st.Recorded.Before(s.until) {
				return rec.Position - 1, nil // times never go back
			}
			if err := out.record(rec, st); err != nil {
				return 0, err
			}
			next = rec.Position + 1
		}
		if !s.follow || end == s.to {
			return end, nil
		}
		if err := out.flush(); err != nil {
			return 0, err
		}
		if head, err = a.await(ctx, l, p, head); err != nil {
			return 0, err
		}
	}
}

// await returns the head once it is beyond after. It ends with an error when
// the token of p is no longer valid.
func (a *API) await(ctx context.Context, l Ledger, p access.Principal, after uint64) (uint64, error) {
	for {
		watch, cancel := context.WithTimeout(ctx, watchEvery)
		head, err := l.Wait(watch, after)
		cancel()
		if !l.Access().Valid(p) {
			return 0, access.ErrUnauthenticated
		}
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return head.Position, err
		}
	}
}

// spanOf reads the query of a request.
func spanOf(r *http.Request) (s span, err error) {
	q := r.URL.Query()
	s = span{from: 1, to: math.MaxUint64}
	for name, position := range map[string]*uint64{"from": &s.from, "to": &s.to} {
		if !q.Has(name) {
			continue
		}
		if *position, err = strconv.ParseUint(q.Get(name), 10, 63); err != nil || *position == 0 {
			return s, problem(invalidRequest, "the query parameter "+name+" is a position: a number from 1")
		}
	}
	for name, instant := range map[string]*time.Time{"since": &s.since, "until": &s.until} {
		if !q.Has(name) {
			continue
		}
		if *instant, err = time.Parse(time.RFC3339Nano, q.Get(name)); err != nil {
			return s, problem(invalidRequest, "the query parameter "+name+" is an RFC 3339 instant, such as 2026-03-02T09:14:05Z")
		}
	}
	s.follow, err = flag(r, "follow")
	return s, err
}

// chunks writes lines to a client, some at a time.
type chunks struct {
	w        io.Writer
	deadline *http.ResponseController
	envelope bool // leave out the event itself
	line     []byte
}

// record adds the line of one event.
func (c *chunks) record(rec events.Record, st *events.Stored) error {
	e, b := st.Event, c.line
	b = strconv.AppendUint(append(b, `{"position":`...), rec.Position, 10)
	b = hex.AppendEncode(append(b, `,"digest":"`...), rec.Digest[:])
	b = append(append(b, `","source":"`...), e.Source...) // these four have
	b = append(append(b, `","id":"`...), e.ID...)         // nothing to escape
	b = append(append(b, `","type":"`...), e.Kind.Type()...)
	b = append(append(b, `","time":"`...), e.Time...)
	b = append(st.Recorded.AppendFormat(append(b, `","recordedtime":"`...), "2006-01-02T15:04:05.000Z"), '"')
	if class := st.Facts.Class; class != "" {
		b = append(append(append(b, `,"class":"`...), class...), '"')
	}
	if !c.envelope {
		b = append(append(b, `,"event":`...), rec.Raw...)
	}
	c.line = append(b, "}\n"...)
	if len(c.line) < chunkSize {
		return nil
	}
	return c.flush()
}

// flush sends what was gathered. A client that does not take it in time is gone.
func (c *chunks) flush() error {
	// Only net/http's own writers have deadlines and can flush.
	_ = c.deadline.SetWriteDeadline(time.Now().Add(chunkTime))
	_, err := c.w.Write(c.line)
	c.line = c.line[:0]
	if err != nil {
		return errors.Join(errGone, err)
	}
	if err := c.deadline.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errors.Join(errGone, err)
	}
	_ = c.deadline.SetWriteDeadline(time.Time{}) // nothing may come for long: HTTP/2 would end the stream
	return nil
}
