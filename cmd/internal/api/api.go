// Package api is the HTTP side of a ledger.
//
// What is always true:
//
//  1. Who may do what is decided before anything of the request but its header
//     is read, by the table of package access, on every route but the open
//     ones. A route that does not say who may use it cannot be registered.
//  2. An answer that says recorded or duplicate is sent only after the event is
//     durable. A body of which not all has arrived records nothing.
//  3. No answer, log line or metric repeats a value that was sent, but for the
//     source and id of an event, where they have the form of one.
//  4. What is held in memory for requests is bounded: bodies in all by
//     [Config].Bodies, connections by [MaxConns], answers by what is written.
//  5. The document at /openapi.json is made from the routes that are served.
package api

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/projections"
)

// Limits of requests. Each refusal names its limit.
const (
	MaxBody       = 32 << 20 // bytes of a body of events
	MaxEvents     = 5_000    // events of a request
	maxSmallBody  = 64 << 10 // bytes of any other body
	defaultBodies = 64 << 20
)

// Ledger is what is served. *ledger.Ledger is the one that is used; the tests
// have another, which fails on demand.
type Ledger interface {
	Record(ctx context.Context, subs []ledger.Submission) ([]ledger.Result, error)
	ReplayTo(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
	RecordedSince(ctx context.Context, t time.Time) (position uint64, err error)
	Wait(ctx context.Context, after uint64) (ledger.Head, error)
	CountRefusal(producer, reason string, n int64)
	Head() ledger.Head
	State() ledger.State
	Halted() error
	Access() *access.Store
	RowOf(identifier string) (row string, err error)
}

var _ Ledger = (*ledger.Ledger)(nil)

// Config is how to serve. The zero value of each field is its default.
type Config struct {
	Version string       // of the program, for the document and the status
	Log     *slog.Logger // nil discards
	Bodies  int64        // bytes of all bodies in hand; default 64 MiB. Beyond, requests get 503
}

// API answers the requests. Its methods may be called concurrently.
type API struct {
	log      *slog.Logger
	version  string
	started  time.Time
	mux      *http.ServeMux
	metrics  *metrics
	ids      *requestIDs
	ingest   *route // of what comes in by Ingest
	bodies   budget
	spec     []byte   // what /openapi.json answers
	stems    []string // paths below which, and not at which, something is served
	current  atomic.Pointer[Ledger]
	answers  atomic.Pointer[answers]
	office   atomic.Pointer[forget.Office]
	backups  atomic.Pointer[backups]
	evidence atomic.Pointer[Evidence]

	noSniff, noStore []string // header values of every answer, never modified

	turns chan struct{} // of heavy answers; as many as there is room for

	closing context.Context // done when the server shuts down
	close   context.CancelFunc
}

// New makes the routes. Until [API.Attach] every one that needs a ledger
// answers 503.
func New(cfg Config) (*API, error) {
	a := &API{log: cfg.Log, version: cfg.Version, started: time.Now(), mux: http.NewServeMux(), ids: newRequestIDs(),
		noSniff: []string{"nosniff"}, noStore: []string{"no-store"}}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.version == "" {
		a.version = "development"
	}
	a.bodies.left.Store(defaultBodies)
	if cfg.Bodies > 0 {
		a.bodies.left.Store(cfg.Bodies)
	}
	a.turns = make(chan struct{}, heavyAtOnce)
	a.metrics = newMetrics(a)
	a.ingest = &route{pattern: "NATS custody.ingest"}
	a.ingest.observer = a.metrics.route(a.ingest.pattern)
	a.closing, a.close = context.WithCancel(context.Background())
	if err := a.routes(); err != nil {
		return nil, fmt.Errorf("making the routes: %w", err)
	}
	return a, nil
}

// routes registers every route, and the document that lists them.
func (a *API) routes() error {
	t := &table{api: a, mux: a.mux}
	doc := newDocument(a.version)
	h := huma.NewAPI(doc.config, t)
	a.manageProducers(h)
	a.manageTokens(h)
	a.showStatus(h)
	a.askPeople(h)
	a.askEvents(h)
	a.askParties(h)
	a.manageViews(h)
	a.forgetPeople(h)
	a.backUp(h)
	a.showEvidence(h)
	a.prove(h)
	a.state(h)
	a.manageKeys(h)
	plain := func(op huma.Operation, serve handler) {
		h.OpenAPI().AddOperation(&op)
		t.add(&op, serve)
	}
	plain(doc.postEvents(), a.postEvents)
	plain(doc.streamEvents(), a.streamEvents)
	plain(doc.checkpoint(), a.serveCheckpoint)
	plain(doc.tiles(), a.serveTile)
	plain(doc.entries(), a.serveEntries)
	plain(doc.healthz(), a.healthz)
	plain(doc.readyz(), a.readyz)
	plain(doc.metrics(), a.serveMetrics)
	plain(doc.openapi(), a.openapi)
	if t.err != nil {
		return t.err
	}
	a.mux.HandleFunc("/", a.missing)
	var err error
	a.spec, err = json.Marshal(doc.finish(h.OpenAPI()))
	return err
}

// Attach makes l what is served, from now on.
func (a *API) Attach(l Ledger) { a.current.Store(&l) }

// answers is what questions are answered from.
type answers struct {
	desk  *ask.Desk
	views *projections.Set
}

// AttachViews has questions answered, from now on.
func (a *API) AttachViews(desk *ask.Desk, views *projections.Set) {
	a.answers.Store(&answers{desk, views})
}

// AttachOffice has people forgotten and identities shown, from now on.
func (a *API) AttachOffice(o *forget.Office) { a.office.Store(o) }

// ready is what questions are answered from, or the problem that says not yet.
func (a *API) ready() (*answers, error) {
	if ready := a.answers.Load(); ready != nil {
		return ready, nil
	}
	return nil, problem(notReady, "its views are being opened; asking again is safe")
}

// ledger is what is served, or nil.
func (a *API) ledger() Ledger {
	if l := a.current.Load(); l != nil {
		return *l
	}
	return nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["X-Content-Type-Options"] = a.noSniff
	h["Cache-Control"] = a.noStore
	if !clean(r.URL.Path) {
		a.missing(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}
