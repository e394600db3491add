package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/imalink/custody/ledger/access"
)

// A Message is a request to record events that did not come over HTTP. It means
// what the request with this header and body to POST /v1/events would.
type Message struct {
	Producer string      // who speaks; whoever brings the message has made sure of it
	Header   http.Header // names as net/http writes them
	Body     []byte      // whole; not changed
}

// size is what m takes of the budget: no less than a request of HTTP does, so
// that there are only so many at once.
func (m *Message) size() int64 {
	n := len(m.Body)
	for name, values := range m.Header {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return max(firstRead, int64(n))
}

// A Reply is the answer: status, header and body are what HTTP would be sent.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Hold takes m in hand: what it returns answers it, once, and lets go of it. If
// too much is in hand, that is the answer, and nothing is held.
func (a *API) Hold(m Message) (answer func(context.Context) Reply) {
	size, header := m.size(), m.Header
	if !a.bodies.take(size) {
		a.metrics.busy.Inc()
		return func(ctx context.Context) Reply { // which does not keep the body
			return a.reply(ctx, header, func(w http.ResponseWriter, r *http.Request) {
				a.refuse(w, r, problem(busy, "more bytes of bodies than this server holds at once; sending again is safe"))
			})
		}
	}
	return func(ctx context.Context) Reply {
		defer a.bodies.give(size)
		return a.reply(ctx, header, func(w http.ResponseWriter, r *http.Request) { a.recordMessage(w, r, m) })
	}
}

func (a *API) recordMessage(w http.ResponseWriter, r *http.Request, m Message) {
	p, err := a.speaker(m.Producer)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	mode, dry, err := a.wanted(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if len(m.Body) > MaxBody {
		a.refuse(w, r, &http.MaxBytesError{Limit: MaxBody})
		return
	}
	a.recordBody(w, r, p, m.Body, mode, dry)
}

func (a *API) speaker(producer string) (access.Principal, error) {
	l := a.ledger()
	if l == nil {
		return access.Principal{}, problem(notReady, "it is being opened; sending again is safe")
	}
	p, err := l.Access().Speaker(producer)
	if err != nil {
		return p, problem(unauthenticated, "the producer is not registered any more")
	}
	return p, nil
}

// reply collects what serve sends, numbered and observed like a request of HTTP.
func (a *API) reply(ctx context.Context, header http.Header, serve func(http.ResponseWriter, *http.Request)) Reply {
	r := (&http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/v1/events"}, Header: header}).WithContext(ctx)
	w := &sheet{header: http.Header{requestIDHeader: {a.ids.next()}}}
	rec := &recorder{ResponseWriter: w}
	func() {
		start := time.Now()
		defer func() {
			if recover() != nil { // half an answer, which nobody has seen
				rec, w.body = &recorder{ResponseWriter: w}, nil
				p := problem(internal, "the operator's log says more under the id of this request")
				writeProblem(rec, p, p)
			}
		}()
		defer func() { a.finish(a.ingest, rec, r, start, recover()) }()
		serve(rec, r)
	}()
	return Reply{max(rec.status, http.StatusOK), w.header, w.body}
}

// sheet is a response that is kept in memory.
type sheet struct {
	header http.Header
	body   []byte
}

func (s *sheet) Header() http.Header { return s.header }
func (s *sheet) WriteHeader(int)     {} // the recorder remembers it

func (s *sheet) Write(b []byte) (int, error) {
	s.body = append(s.body, b...)
	return len(b), nil
}
