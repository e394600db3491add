package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/imalink/custody/ledger/access"
)

// status is the state of the ledger. It names no person.
type status struct {
	Ledger   string     `json:"ledger" doc:"name of the ledger"`
	ID       string     `json:"id" doc:"tells it from others of the same name"`
	Version  string     `json:"version" doc:"of the program that serves it"`
	Started  time.Time  `json:"started" doc:"when it began to serve"`
	Position uint64     `json:"position" doc:"of the last durable event, 0 if there is none"`
	Digest   string     `json:"digest,omitempty" doc:"SHA-256 of that event as stored, in hexadecimal"`
	Recorded *time.Time `json:"recordedtime,omitempty" doc:"of that event"`
	Halted   bool       `json:"halted" doc:"recording has stopped; the operator's log says why"`
	MarkedAt *time.Time `json:"markedtime,omitempty" doc:"when the durable mark was last written"`
	Waiting  int        `json:"waiting" doc:"requests waiting to be recorded"`
	Events   counts     `json:"events" doc:"since it was opened"`
	Groups   groups     `json:"groups" doc:"commits since it was opened"`
	Holders  holders    `json:"access"`
	Evidence *witnessed `json:"evidence,omitempty" doc:"how far evidence has come; absent if none is kept"`
}

// witnessed is how far evidence has come, in short.
type witnessed struct {
	Records   uint64 `json:"records" doc:"in the record log"`
	Committed uint64 `json:"committed" doc:"covered by the last commit"`
	Signed    uint64 `json:"signed" doc:"covered by the last checkpoint"`
	Cosigned  uint64 `json:"cosigned" doc:"covered by the last checkpoint that a witness and an auditor cosigned"`
	Unsigned  string `json:"unsigned,omitempty" doc:"why it does not sign"`
	Failing   string `json:"failing,omitempty" doc:"what went wrong last, if it has not gone right since"`
}

type counts struct {
	Recorded   uint64 `json:"recorded"`
	Duplicates uint64 `json:"duplicates"`
	Refused    uint64 `json:"refused" doc:"by the ledger itself, not counting what was refused before it came there"`
}

type groups struct {
	Committed uint64 `json:"committed"`
	Events    uint64 `json:"events"`
	Bytes     uint64 `json:"bytes" doc:"as stored"`
}

type holders struct {
	Producers int `json:"producers"`
	Tokens    int `json:"tokens" doc:"neither revoked nor expired"`
}

type statusOutput struct{ Body status }

// showStatus registers the operation that shows the state.
func (a *API) showStatus(h huma.API) {
	op := operation(http.MethodGet, "/v1/status", "status", "Show the state of the ledger")
	huma.Register(h, guard(op, access.Status), func(context.Context, *struct{}) (*statusOutput, error) {
		return &statusOutput{a.status(a.ledger())}, nil
	})
}

func (a *API) status(l Ledger) status {
	s := l.State()
	out := status{
		Ledger: s.Name, ID: s.ID, Version: a.version, Started: a.started.UTC().Truncate(time.Millisecond),
		Position: s.Head.Position, Halted: s.Halted != nil, Waiting: s.Waiting,
		Events: counts{s.Recorded, s.Duplicates, s.Refusals},
		Groups: groups{s.Groups, s.Events, s.Bytes},
	}
	if s.Head.Position > 0 {
		recorded := s.Head.Recorded.UTC()
		out.Digest, out.Recorded = hex.EncodeToString(s.Head.Digest[:]), &recorded
	}
	if !s.MarkedAt.IsZero() {
		marked := s.MarkedAt.UTC().Truncate(time.Millisecond)
		out.MarkedAt = &marked
	}
	if _, n, err := a.notary(); err == nil {
		e := n.Status()
		out.Evidence = &witnessed{e.Size, e.Committed, e.Signed, e.Cosigned, e.Unsigned, e.Failing}
	}
	out.Holders.Producers = len(l.Access().Producers())
	now := time.Now()
	for _, t := range l.Access().Tokens() {
		if t.Revoked.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires)) {
			out.Holders.Tokens++
		}
	}
	return out
}

// healthz says that the program answers.
func (a *API) healthz(w http.ResponseWriter, _ *http.Request, _ access.Principal) {
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write([]byte(`{"status":"ok"}` + "\n")) // the client is gone
}

// readyz says whether events can be recorded now.
func (a *API) readyz(w http.ResponseWriter, r *http.Request, _ access.Principal) {
	l := a.ledger()
	if l == nil {
		a.refuse(w, r, problem(notReady, "it is being opened"))
		return
	}
	if err := l.Halted(); err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write([]byte(`{"status":"ready"}` + "\n")) // the client is gone
}

// serveMetrics shows the metrics.
func (a *API) serveMetrics(w http.ResponseWriter, r *http.Request, _ access.Principal) {
	a.metrics.handler.ServeHTTP(w, r)
}

// openapi shows the document.
func (a *API) openapi(w http.ResponseWriter, _ *http.Request, _ access.Principal) {
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(a.spec) // the client is gone
}
