package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/stream"
	"github.com/imalink/custody/projections"
)

// A Problem is an answer that says why there is none (RFC 9457), as
// application/problem+json. It never holds a value that was sent.
type Problem struct {
	Type   string `json:"type" doc:"urn:custody:problem: and one word; stable" example:"urn:custody:problem:invalid-request"`
	Title  string `json:"title" doc:"the same for every problem of this type"`
	Status int    `json:"status" doc:"the HTTP status"`
	Detail string `json:"detail,omitempty" doc:"what was expected, or the limit"`
	Path   string `json:"path,omitempty" doc:"JSON pointer (RFC 6901) into what was sent"`

	Candidates []string         `json:"candidates,omitempty" doc:"of an ambiguous identifier, those it could be"`
	Approval   *forget.Approval `json:"approval,omitempty" doc:"what waits for a second person"`
	Holds      []ask.Hold       `json:"holds,omitempty" doc:"legal holds that are in the way"`
	Blocking   []ask.Blocking   `json:"blocking,omitempty" doc:"what is in the way of a retention"`
	Erasure    uint64           `json:"erasure,omitempty" doc:"number of the erasure that is open"`

	retry int // seconds for Retry-After; 0 is none
}

// Error is the text that clients see as well.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus makes a Problem what huma sends for an error.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes huma send a Problem as what it is.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders has the headers that go with the problem.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="custody"`)
	}
	return h
}

const (
	problemType   = "application/problem+json"
	problemPrefix = "urn:custody:problem:"
)

// word is a type of problem. A word is part of the outside contract
// (docs/API.md): never renamed, always with the same status and title.
type word string

const (
	invalidRequest   word = "invalid-request"
	invalidEvent     word = "invalid-event"
	unauthenticated  word = "unauthenticated"
	forbidden        word = "forbidden"
	notAllowed       word = "not-allowed"
	notFound         word = "not-found"
	methodNotAllowed word = "method-not-allowed"
	tooSlow          word = "too-slow"
	conflict         word = "conflict"
	limitReached     word = "limit-reached"
	tooLarge         word = "too-large"
	unsupported      word = "unsupported-media-type"
	internal         word = "internal"
	notReady         word = "not-ready"
	busy             word = "busy"
	halted           word = "halted"
	notRecorded      word = "not-recorded"
	unknownOutcome   word = "unknown-outcome"
	notKnown         word = "not-known"
	ambiguous        word = "ambiguous"
	handleExpired    word = "handle-expired"
	outsideBox       word = "outside-box"
	viewBehind       word = "view-behind"
	readNotRecorded  word = "read-not-recorded"
	held             word = "held"
	erasureOpen      word = "erasure-open"
	erasureEnded     word = "erasure-ended"
	secondPerson     word = "second-person"
	nothingOlder     word = "nothing-older"
	notProven        word = "not-proven"
	unsigned         word = "unsigned"
	refuted          word = "refuted"
)

type meaning struct {
	status int
	title  string
	retry  int // seconds
}

// meanings has the status and title of every type of problem.
func meanings() map[word]meaning {
	return map[word]meaning{
		invalidRequest:   {http.StatusBadRequest, "The request is not as it should be", 0},
		invalidEvent:     {http.StatusBadRequest, "The event is not as it should be", 0},
		unauthenticated:  {http.StatusUnauthorized, "No valid token was given", 0},
		forbidden:        {http.StatusForbidden, "The role of this token may not do that", 0},
		notAllowed:       {http.StatusForbidden, "This event may not be sent by this token", 0},
		notFound:         {http.StatusNotFound, "There is no such thing", 0},
		methodNotAllowed: {http.StatusMethodNotAllowed, "This method does not apply here", 0},
		tooSlow:          {http.StatusRequestTimeout, "The body came too slowly", 0},
		conflict:         {http.StatusConflict, "In conflict with what there is", 0},
		limitReached:     {http.StatusConflict, "A limit is reached", 0},
		tooLarge:         {http.StatusRequestEntityTooLarge, "The request is too large", 0},
		unsupported:      {http.StatusUnsupportedMediaType, "The body is of a type that is not read here", 0},
		internal:         {http.StatusInternalServerError, "Something went wrong here", 0},
		notReady:         {http.StatusServiceUnavailable, "The ledger is not open", 2},
		busy:             {http.StatusServiceUnavailable, "Too much is in hand", 1},
		halted:           {http.StatusServiceUnavailable, "Recording has stopped", 10},
		notRecorded:      {http.StatusServiceUnavailable, "Not everything was recorded", 1},
		notKnown:         {http.StatusNotFound, "Nobody is known by this identifier", 0},
		ambiguous:        {http.StatusConflict, "The identifier could be several", 0},
		handleExpired:    {http.StatusGone, "The handle or cursor is no longer good", 0},
		outsideBox:       {http.StatusForbidden, "Outside what this token is for", 0},
		viewBehind:       {http.StatusServiceUnavailable, "A view has not come so far yet", 1},
		readNotRecorded:  {http.StatusServiceUnavailable, "The question could not be recorded", 1},
		unknownOutcome:   {http.StatusServiceUnavailable, "The outcome is not known", 2},
		held:             {http.StatusConflict, "Something keeps it from being forgotten", 0},
		erasureOpen:      {http.StatusConflict, "An erasure of this person is open", 0},
		erasureEnded:     {http.StatusConflict, "The erasure has ended, or is to be decided again", 0},
		secondPerson:     {http.StatusConflict, "A second person must agree", 0},
		nothingOlder:     {http.StatusConflict, "Nothing of this class is older", 0},
		notProven:        {http.StatusServiceUnavailable, "Evidence has not come so far yet", 1},
		unsigned:         {http.StatusServiceUnavailable, "The ledger does not sign checkpoints", 60},
		refuted:          {http.StatusConflict, "What was to be proven is not so", 0},
	}
}

// problem makes a Problem of a type.
func problem(w word, detail string) *Problem {
	m := meanings()[w]
	return &Problem{Type: problemPrefix + string(w), Title: m.title, Status: m.status, Detail: detail, retry: m.retry}
}

// at says where in the request the problem is.
func (p *Problem) at(path string) *Problem {
	p.Path = path
	return p
}

// problemOf is the one place that turns an error into an answer. Of an error
// that is not listed here no text is sent: only that there was one.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*events.Error](err); ok {
		return problem(invalidRequest, e.Detail).at(strings.TrimPrefix(e.Path, "/data")) // of the ledger's own event of what was sent
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem(tooLarge, fmt.Sprintf("a body here has at most %d bytes", e.Limit))
	}
	if e, ok := errors.AsType[*ask.Ambiguous](err); ok {
		p := problem(ambiguous, "say which of the candidates")
		p.Candidates = e.Candidates
		return p
	}
	if p := forgettingProblem(err); p != nil {
		return p
	}
	if p := proofProblem(err); p != nil {
		return p
	}
	if p := questionProblem(err); p != nil {
		return p
	}
	if errors.Is(err, ask.ErrQuestion) {
		return problem(invalidRequest, strings.TrimPrefix(err.Error(), ask.ErrQuestion.Error()+": "))
	}
	for _, known := range []struct {
		err    error
		word   word
		detail string
	}{
		{forget.ErrDestroyed, unknownOutcome, "the keys are destroyed; the event that says so is there, or comes when the ledger is opened again"},
		{access.ErrUnauthenticated, unauthenticated, "send Authorization: Bearer and a token that is neither revoked nor expired"},
		{access.ErrNotFound, notFound, "nothing has this name or id"},
		{access.ErrConflict, conflict, "the present state does not allow it: the last operator's token cannot be revoked"},
		{access.ErrLimit, limitReached, fmt.Sprintf("at most %d producers and %d valid tokens", access.MaxProducers, access.MaxTokens)},
		{access.ErrUnknown, unknownOutcome, "the change may or may not have been made; making it again is safe"},
		{ask.ErrNotRecorded, readNotRecorded, "so there is no answer; asking again is safe"},
		{ask.ErrNotKnown, notKnown, "nothing about it is kept: neither here nor in the ledger"},
		{ask.ErrHandle, handleExpired, "look it up again: handles and cursors are good for an hour, for the token that made them, until the server restarts"},
		{ask.ErrCursor, invalidRequest, "the cursor goes on with another question: send it with all else as it was"},
		{ask.ErrBox, outsideBox, "an investigator's token holds for its case and window, a subject's for the own record"},
		{forget.ErrDecideAgain, erasureEnded, "identifiers were linked or unlinked since: cancel it and open another"},
		{forget.ErrEnded, erasureEnded, "it was carried out or cancelled"},
		{forget.ErrTooRecent, invalidRequest, "the first month that stays is the one before this month at the latest"},
		{forget.ErrNothing, nothingOlder, "so nothing was changed"},
		{forget.ErrNoApproval, notFound, "it was never asked for, has expired, or was used"},
		{forget.ErrSamePerson, secondPerson, "whoever asks cannot approve"},
		{forget.ErrOtherAct, secondPerson, "what was approved is another act, or somebody else's"},
		{forget.ErrOtherTerms, secondPerson, "it would reach more, or less, than what was approved: have it approved again, as it is now"},
		{forget.ErrTooMany, limitReached, "too much waits for a second person"},
		{ledger.ErrNobody, notKnown, "nothing about it is kept: neither here nor in the ledger"},
		{ledger.ErrChanged, notRecorded, "something was recorded about the person meanwhile, again and again; asking again is safe"},
		{ledger.ErrNoEvent, notFound, "nothing was recorded there"},
		{projections.ErrBehind, viewBehind, "asking again is safe; GET /v1/views says how far it is"},
		{projections.ErrFailed, viewBehind, "it is being made again; GET /v1/views says how far it is"},
		{projections.ErrUnknown, notFound, "GET /v1/views lists the views"},
		{projections.ErrRebuilding, conflict, "the view is being made already; GET /v1/views says how far it is"},
		{projections.ErrViewsClosed, notReady, "it is closing; asking again is safe"},
		{ledger.ErrHalted, halted, "until an operator has looked; nothing acknowledged is lost, and sending again is safe"},
		{ledger.ErrClosed, notReady, "it is closing; sending again is safe"},
		{ledger.ErrNotRecorded, notRecorded, "sending all of it again is safe"},
		{stream.ErrRejected, notRecorded, "nothing was changed; sending it again is safe"},
		{stream.ErrHalted, notRecorded, "nothing was changed; sending it again is safe"},
		{os.ErrDeadlineExceeded, tooSlow, "nothing of it was recorded"},
		{io.ErrUnexpectedEOF, invalidRequest, "the body ended before its end; nothing of it was recorded"},
		{context.Canceled, notRecorded, "the request was given up; sending it again is safe"},
		{context.DeadlineExceeded, notRecorded, "it took too long; sending it again is safe"},
	} {
		if errors.Is(err, known.err) {
			return problem(known.word, known.detail)
		}
	}
	return problem(internal, "the operator's log says more under the id of this request")
}

// forgettingProblem is the problem of an error that says what is in the way of
// forgetting; nil for any other.
func forgettingProblem(err error) *Problem {
	switch {
	case errors.Is(err, forget.ErrGround):
		return problem(invalidRequest, "a ground is given for erasing what somebody did as an actor, and for nothing else").at("/ground")
	case errors.Is(err, forget.ErrDue):
		return problem(invalidRequest, "an erasure is due after it is opened, and within three months (GDPR Art. 12(3))").at("/due")
	}
	if w, ok := errors.AsType[*forget.Waiting](err); ok {
		p := problem(secondPerson, "have it approved by POST /v1/approvals/"+w.ID+", and send it again with this approval")
		p.Approval = &w.Approval
		return p
	}
	if w, ok := errors.AsType[*forget.Held](err); ok {
		p := problem(held, "legal holds are in force: wait for their release, or keep the classes they need on their ground")
		p.Holds = w.Holds
		return p
	}
	if w, ok := errors.AsType[*forget.Blocked](err); ok {
		p := problem(held, "each is named, with the reason")
		p.Blocking = w.By
		return p
	}
	if w, ok := errors.AsType[*forget.AlreadyOpen](err); ok {
		p := problem(erasureOpen, fmt.Sprintf("it is number %d: show it, carry it out, or cancel it", w.Position))
		p.Erasure = w.Position
		return p
	}
	return nil
}

// refuse answers a request with what err means. What is not a client's doing is
// logged under the request's id.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	a.logProblem(r.Context(), w.Header().Get(requestIDHeader), p, err)
	writeProblem(w, p, p)
}

func (a *API) logProblem(ctx context.Context, id string, p *Problem, err error) {
	if p.Status == http.StatusInternalServerError {
		a.log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("request", id), slog.String("error", err.Error()))
	}
}

// writeProblem sends p; body is p or something that holds it.
func writeProblem(w http.ResponseWriter, p *Problem, body any) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // the client is gone; the status says what there was to say
}
