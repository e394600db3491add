package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/imalink/custody/ledger/access"
)

// requestIDHeader carries, in every answer, what the log calls the request.
const requestIDHeader = "X-Request-Id"

// bodyTime is how long the body of a request may take, unless its handler knows
// better. It also bounds how long an unwanted body is drained.
const bodyTime = 10 * time.Second

// A route is one method and path: who may ask, and with which parameters.
type route struct {
	pattern  string          // "GET /v1/status"
	actions  []access.Action // any of them is enough
	open     bool            // to everyone, without a token
	local    bool            // to everyone on this machine, without a token
	query    []string        // parameters there are
	handler  handler
	observer *routeObserver
}

// handler answers a request of p, the zero Principal on an open route.
type handler func(w http.ResponseWriter, r *http.Request, p access.Principal)

// guard says on the operation who may use it. An operation without one is
// refused when it is registered.
func guard(op huma.Operation, actions ...access.Action) huma.Operation {
	op.Metadata = map[string]any{"actions": actions}
	op.Security = []map[string][]string{{"token": {}}}
	var roles []access.Role
	for _, role := range access.Roles() {
		if slices.ContainsFunc(actions, func(a access.Action) bool { return slices.Contains(access.RolesOf(a), role) }) {
			roles = append(roles, role)
		}
	}
	op.Extensions = map[string]any{"x-custody-roles": roles}
	return op
}

// unguarded says that everyone may use the operation, from anywhere.
func unguarded(op huma.Operation) huma.Operation {
	op.Metadata = map[string]any{"open": true}
	op.Security = []map[string][]string{}
	return op
}

// Handle registers an operation of huma's: it makes API an adapter of huma.
func (t *table) Handle(op *huma.Operation, h func(huma.Context)) {
	t.add(op, func(w http.ResponseWriter, r *http.Request, p access.Principal) {
		asked := request{p, w.Header().Get(requestIDHeader)}
		h(huma.WithValue(answering{humago.NewContext(op, r, w)}, requestKey{}, asked))
	})
}

// answering is a request to huma in which two things are settled: a problem has
// one status, so 400 is sent where huma sends 422; and the answer is JSON,
// whatever Accept says, which huma does not always understand.
type answering struct{ humaContext }

type humaContext = huma.Context // its method Context would hide a field of that name

func (c answering) SetStatus(status int) {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	c.humaContext.SetStatus(status)
}

func (c answering) Header(name string) string {
	if name == "Accept" {
		return jsonType
	}
	return c.humaContext.Header(name)
}

// ServeHTTP is not used: requests come in through API.
func (t *table) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.mux.ServeHTTP(w, r) }

// request is what an operation of huma's is told of whoever asks.
type request struct {
	principal access.Principal
	id        string
}

type requestKey struct{}

func requestOf(ctx context.Context) request {
	r, _ := ctx.Value(requestKey{}).(request)
	return r
}

// table is the routes by pattern, filled once by New.
type table struct {
	api *API
	mux *http.ServeMux
	err error // why an operation could not be registered
}

// add registers op's route. It refuses one that does not say who may use it.
func (t *table) add(op *huma.Operation, h handler) {
	actions, _ := op.Metadata["actions"].([]access.Action)
	open, _ := op.Metadata["open"].(bool)
	if len(actions) == 0 && !open {
		t.err = errors.Join(t.err, fmt.Errorf("nobody may %s %s", op.Method, op.Path))
		return
	}
	rt := &route{pattern: op.Method + " " + op.Path, actions: actions, open: open, handler: h}
	rt.local, _ = op.Metadata["local"].(bool)
	for _, p := range op.Parameters {
		if p.In == "query" {
			rt.query = append(rt.query, p.Name)
		}
	}
	rt.observer = t.api.metrics.route(rt.pattern)
	pattern := rt.pattern
	if rest, _ := op.Metadata["rest"].(bool); rest {
		pattern = strings.TrimSuffix(pattern, "}") + "...}"
		stem := path.Dir(op.Path)
		t.api.stems = append(t.api.stems, stem)
		t.mux.HandleFunc(op.Method+" "+stem, t.api.missing) // else the mux redirects to it with a slash
	}
	t.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { t.api.serve(rt, w, r) })
}

// serve is what happens to every request of a route before its handler.
func (a *API) serve(rt *route, w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w}
	start := time.Now()
	defer func() { a.finish(rt, rec, r, start, recover()) }()
	w.Header().Set(requestIDHeader, a.ids.next())
	if r.ContentLength != 0 {
		// Not every writer has deadlines; those of net/http do.
		_ = http.NewResponseController(w).SetReadDeadline(start.Add(bodyTime))
	}
	p, err := a.admit(rt, r)
	if err != nil {
		a.refuse(rec, r, err)
		return
	}
	rt.handler(rec, r, p)
}

// finish observes a request, and answers it if its handler panicked. What it
// panicked with is not logged: it may hold anything.
func (a *API) finish(rt *route, rec *recorder, r *http.Request, start time.Time, panicked any) {
	if panicked != nil {
		if err, ok := panicked.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(panicked)
		}
		a.log.LogAttrs(r.Context(), slog.LevelError, "handler panicked",
			slog.String("request", rec.Header().Get(requestIDHeader)), slog.String("stack", string(debug.Stack())))
		if rec.status != 0 {
			panic(http.ErrAbortHandler) // half an answer must not look whole
		}
		p := problem(internal, "the operator's log says more under the id of this request")
		writeProblem(rec, p, p)
	}
	rt.observer.observe(rec.status, time.Since(start))
}

// admit says who asks, or why not.
func (a *API) admit(rt *route, r *http.Request) (access.Principal, error) {
	var p access.Principal
	if !rt.open && !(rt.local && isLocal(r)) {
		l := a.ledger()
		if l == nil {
			return p, problem(notReady, "it is being opened; sending again is safe")
		}
		var err error
		if p, err = l.Access().Authenticate(bearer(r)); err != nil {
			return p, err
		}
		if !slices.ContainsFunc(rt.actions, p.Can) {
			return p, problem(forbidden, "it is of role "+string(p.Role))
		}
	}
	return p, checkQuery(rt, r)
}

// checkQuery refuses a parameter that the route does not have, or has twice.
func checkQuery(rt *route, r *http.Request) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem(invalidRequest, "the query is not written as queries are")
	}
	for name, values := range parameters {
		if !slices.Contains(rt.query, name) {
			if len(rt.query) == 0 {
				return problem(invalidRequest, "there are no query parameters here")
			}
			return problem(invalidRequest, "the query parameters here are "+strings.Join(rt.query, ", "))
		}
		if len(values) > 1 {
			return problem(invalidRequest, "the query parameter "+name+" is given twice")
		}
	}
	return nil
}

// bearer returns the token of a request, "" if there is none (RFC 6750, 2.1).
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if len(r.Header["Authorization"]) != 1 || !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return token
}

// isLocal reports whether a request comes from this machine, and not through
// something that forwards others' requests and says so.
func isLocal(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

// missing answers what no route answers: 405 with the methods there are, or 404.
func (a *API) missing(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(requestIDHeader, a.ids.next())
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // as in serve
	}
	var methods []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPost} {
		if !clean(r.URL.Path) || slices.Contains(a.stems, r.URL.Path) {
			break
		}
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); pattern != "" && pattern != "/" {
			methods = append(methods, method)
		}
	}
	if len(methods) > 0 {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		a.refuse(w, r, problem(methodNotAllowed, "the methods here are "+strings.Join(methods, ", ")))
		return
	}
	a.refuse(w, r, problem(notFound, "no such path; /openapi.json lists them"))
}

// clean reports whether a path is written in its one form, so that the mux has
// no reason to redirect.
func clean(p string) bool { return p != "" && p[0] == '/' && path.Clean(p) == p }

// recorder remembers the status that was sent.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// requestIDs numbers requests: a random prefix for the process and a count.
type requestIDs struct {
	prefix string
	count  atomic.Uint64
}

func newRequestIDs() *requestIDs {
	var b [6]byte
	rand.Read(b[:]) // never fails
	return &requestIDs{prefix: hex.EncodeToString(b[:]) + "-"}
}

func (ids *requestIDs) next() string {
	return ids.prefix + strconv.FormatUint(ids.count.Add(1), 10)
}
