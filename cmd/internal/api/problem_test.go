package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/ask"
	"github.com/imalink/custody/cmd/internal/forget"
	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/projections"
)

// TestProblemOf holds what each error means to a client. The text of one that
// is not listed is not sent.
func TestProblemOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("a: %w", ledger.ErrHalted), "503 halted 10"},
		{fmt.Errorf("a: %w: %w", ledger.ErrNotRecorded, errors.New("jane@example.org")), "503 not-recorded 1"},
		{ledger.ErrClosed, "503 not-ready 2"},
		{context.Canceled, "503 not-recorded 1"},
		{fmt.Errorf("a: %w", access.ErrUnknown), "503 unknown-outcome 2"},
		{access.ErrNotFound, "404 not-found "},
		{access.ErrConflict, "409 conflict "},
		{access.ErrLimit, "409 limit-reached "},
		{access.ErrUnauthenticated, "401 unauthenticated "},
		{&events.Error{Path: "/name", Type: "x", Detail: "y"}, "400 invalid-request "},
		{&http.MaxBytesError{Limit: 5}, "413 too-large "},
		{errors.New("jane@example.org"), "500 internal "},
		{access.ErrCorrupt, "500 internal "},
		{fmt.Errorf("%w: from is not before to", ask.ErrQuestion), "400 invalid-request "},
		{ask.ErrCursor, "400 invalid-request "},
		{ask.ErrBox, "403 outside-box "},
		{ask.ErrNotKnown, "404 not-known "},
		{&ask.Ambiguous{Candidates: []string{"a", "b"}}, "409 ambiguous "},
		{ask.ErrHandle, "410 handle-expired "},
		{errors.Join(ask.ErrNotRecorded, ledger.ErrHalted), "503 read-not-recorded 1"},
		{errors.Join(ask.ErrNotKnown, ask.ErrNotRecorded), "503 read-not-recorded 1"},
		{ledger.ErrNoEvent, "404 not-found "},
		{fmt.Errorf("waiting: %w", projections.ErrBehind), "503 view-behind 1"},
		{projections.ErrFailed, "503 view-behind 1"},
		{projections.ErrUnknown, "404 not-found "},
		{projections.ErrRebuilding, "409 conflict "},
		{projections.ErrViewsClosed, "503 not-ready 2"},
		{&forget.Held{}, "409 held "},
		{&forget.Blocked{}, "409 held "},
		{&forget.AlreadyOpen{Position: 7}, "409 erasure-open "},
		{&forget.Waiting{}, "409 second-person "},
		{forget.ErrSamePerson, "409 second-person "},
		{forget.ErrOtherAct, "409 second-person "},
		{forget.ErrNoApproval, "404 not-found "},
		{forget.ErrTooMany, "409 limit-reached "},
		{forget.ErrEnded, "409 erasure-ended "},
		{forget.ErrDecideAgain, "409 erasure-ended "},
		{forget.ErrGround, "400 invalid-request "},
		{forget.ErrDue, "400 invalid-request "},
		{forget.ErrTooRecent, "400 invalid-request "},
		{forget.ErrNothing, "409 nothing-older "},
		{fmt.Errorf("%w: %w", forget.ErrDestroyed, ledger.ErrNotRecorded), "503 unknown-outcome 2"},
		{ledger.ErrNobody, "404 not-known "},
		{fmt.Errorf("destroying keys: %w", ledger.ErrChanged), "503 not-recorded 1"},
	} {
		p := problemOf(tt.err)
		got := fmt.Sprint(p.Status, " ", strings.TrimPrefix(p.Type, problemPrefix), " ", p.GetHeaders().Get("Retry-After"))
		if got != tt.want || strings.Contains(p.Detail+p.Title+p.Path, "jane") {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
	for w, m := range meanings() {
		if m.title == "" || http.StatusText(m.status) == "" || (m.status == 503) != (m.retry > 0) {
			t.Errorf("%s: %+v", w, m)
		}
	}
}

// TestFaults fails the ledger, having recorded and not, and sends again.
func TestFaults(t *testing.T) {
	for _, fault := range []error{ledger.ErrHalted, ledger.ErrNotRecorded, ledger.ErrClosed, context.Canceled, errors.New("jane@example.org")} {
		for _, kept := range []bool{false, true} {
			r := newRig(t)
			r.ledger.fail, r.ledger.keep = fmt.Errorf("committing: %w", fault), kept
			a := r.post(structuredType, event("/ats", "a"))
			if a.StatusCode < 500 || strings.Contains(a.body, "results") || strings.Contains(a.body, "jane") {
				t.Errorf("%v, kept=%t: %d %s", fault, kept, a.StatusCode, a.body)
			}
			if a.StatusCode == 503 && a.Header.Get("Retry-After") == "" {
				t.Errorf("%v: 503 without Retry-After", fault)
			}
			if id := a.Header.Get("X-Request-Id"); a.StatusCode == 500 && !strings.Contains(r.log.String(), id) {
				t.Errorf("%v is not logged under %s", fault, id)
			}
			want := map[bool]string{false: "recorded", true: "duplicate"}[kept]
			if got := brief(parse(t, r.post(structuredType, event("/ats", "a")))); got != "0 /ats a "+want+" 1\n" {
				t.Errorf("%v, kept=%t: again: %s", fault, kept, got)
			}
		}
	}
}

// TestNotReady asks before there is a ledger, and after it has halted.
func TestNotReady(t *testing.T) {
	r := newRig(t)
	early, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	whole := r.api
	r.api = early
	for target, want := range map[string]int{"GET /healthz": 200, "GET /openapi.json": 200, "GET /readyz": 503, "POST /v1/events": 503, "GET /v1/status": 503, "GET /metrics": 503} {
		method, path, _ := strings.Cut(target, " ")
		if a := r.send(access.RoleOperator, method, path, ""); a.StatusCode != want || want == 503 && a.Header.Get("Retry-After") == "" {
			t.Errorf("before: %s: %d, want %d", target, a.StatusCode, want)
		}
	}
	r.api, r.ledger.halted = whole, ledger.ErrHalted
	for target, want := range map[string]int{"GET /healthz": 200, "GET /readyz": 503, "GET /v1/status": 200, "GET /metrics": 200} {
		method, path, _ := strings.Cut(target, " ")
		a := r.send(access.RoleOperator, method, path, "")
		if a.StatusCode != want {
			t.Errorf("halted: %s: %d, want %d", target, a.StatusCode, want)
		}
		if path == "/v1/status" && !strings.Contains(a.body, `"halted":true`) || path == "/metrics" && !strings.Contains(a.body, "custody_halted 1") {
			t.Errorf("halted: %s does not say so", target)
		}
	}
	if a := r.post(structuredType, event("/ats", "a")); a.StatusCode != 503 || r.ledger.calls != 0 {
		t.Errorf("halted: an event: %d", a.StatusCode)
	}
	r.ledger.halted = nil
	if a := r.send("", "GET", "/readyz", ""); a.StatusCode != 200 {
		t.Errorf("ready: %d", a.StatusCode)
	}
}

// TestPanic shows that a handler that panics says nothing of why.
func TestPanic(t *testing.T) {
	r := newRig(t)
	tab := &table{api: r.api, mux: http.NewServeMux()}
	for _, half := range []bool{false, true} {
		op := unguarded(operation(http.MethodGet, fmt.Sprintf("/panic-%t", half), "panic", "Panics"))
		tab.add(&op, func(w http.ResponseWriter, _ *http.Request, _ access.Principal) {
			if half {
				w.WriteHeader(200)
			}
			panic("jane@example.org")
		})
	}
	r.api.mux = tab.mux
	a := r.send("", "GET", "/panic-false", "")
	if a.StatusCode != 500 || strings.Contains(a.body, "jane") || !strings.Contains(r.log.String(), a.Header.Get("X-Request-Id")) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	func() {
		defer func() {
			if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				t.Error("half an answer was not broken off")
			}
		}()
		r.send("", "GET", "/panic-true", "")
	}()
	if strings.Contains(r.log.String(), "jane") {
		t.Error("the log says what it panicked with")
	}
}

// TestNothingComesBack puts values that must not be repeated wherever a request
// has a place for one, and looks for them in the answer, the log, the metrics.
func TestNothingComesBack(t *testing.T) {
	canaries := []string{"jane.doe@example.org", "85073003328", "Zq7x%20Canary"}
	r := newRig(t)
	seen := func(what string, a answer) {
		t.Helper()
		headers := fmt.Sprint(a.Header)
		for _, c := range canaries {
			if strings.Contains(a.body, c) || strings.Contains(headers, c) {
				t.Errorf("%s: the answer repeats %q: %d %s", what, c, a.StatusCode, a.body)
			}
		}
	}
	template := event("/ats", "ID")
	for _, c := range canaries {
		places := []string{`"specversion":"1.0"`, `"/ats"`, `"ID"`, "eu.custody.data.accessed.v1", "2026-03-02T09:14:05.120Z", "application/json", "candidate:10412",
			`"candidate"`, "employee:jdp", "recruiter", "human", "recruitment", `"ats"`, "career_cv", "contact", "service_provision", "A6-1-b", "view", `"result_count"`, `1}}`}
		for _, place := range places {
			for _, value := range []string{c, `"` + c + `"`, `"/` + c + `"`, `{"` + c + `":1}`} {
				body := strings.Replace(template, place, value, 1)
				seen(place, r.post(structuredType, body))
				seen(place, r.post(linesType, body+"\n"+body))
				seen(place, r.post(batchType, "["+body+"]"))
			}
		}
		for _, target := range []string{
			"GET /" + c, "GET /v1/" + c, strings.NewReplacer("@", "", ".", "", "%", "").Replace(c) + " /v1/events", "GET /v1/status?" + c + "=1", "GET /v1/events/stream?from=" + c, "GET /v1/events/stream?since=" + c,
			"GET /v1/events/stream?follow=" + c, "GET /v1/producers?cursor=" + c, "GET /v1/producers?limit=" + c, "DELETE /v1/producers/" + c, "DELETE /v1/tokens/" + c,
			"GET /v1/tokens?limit=" + c, "POST /v1/events?dry_run=" + c,
		} {
			method, path, _ := strings.Cut(target, " ")
			for _, role := range []access.Role{access.RoleOperator, access.RoleDPO, access.RoleRelay, ""} {
				seen(target, r.send(role, method, path, "", "Content-Type", structuredType))
			}
		}
		for _, body := range []string{`"` + c + `"`, `{"` + c + `":1}`, `{"name":"` + c + `"}`, `{"name":"a","families":["` + c + `"]}`, `{"name":"a","families":"` + c + `"}`,
			`{"name":"a","families":["data"],"except":["` + c + `"]}`, `{"name":"a","families":["data"],"except":{"` + c + `":1}}`, `{"role":"` + c + `","name":"a"}`,
			`{"role":"dpo","name":"` + strings.ToUpper(c) + `_"}`, `{"role":"dpo","name":"a","expires":"` + c + `"}`, `{"role":"producer","name":"a","producer":"` + c + `"}`, c, "{" + c} {
			for _, path := range []string{"/v1/producers", "/v1/tokens"} {
				a := r.send(access.RoleOperator, "POST", path, body, "Content-Type", "application/json")
				seen(path+" "+body, a)
			}
		}
		for _, header := range []string{"Content-Type", "Accept", "Content-Encoding", "Authorization", "X-Request-Id", "Ce-Id", "Ce-Type", "Ce-" + strings.ReplaceAll(c, "%", ""), "User-Agent", "Host"} {
			seen(header, r.send(access.RoleRelay, "POST", "/v1/events", template, header, c))
			seen(header, r.send(access.RoleRelay, "POST", "/v1/events", `{}`, "Content-Type", "application/json", "Ce-Specversion", "1.0", header, c))
		}
	}
	seen("/metrics", r.send(access.RoleOperator, "GET", "/metrics", ""))
	seen("/v1/status", r.send(access.RoleOperator, "GET", "/v1/status", ""))
	seen("the log", answer{&http.Response{}, r.log.String()})
}

// TestIdentityIsRepeatable shows what of a refused event's identity comes back.
func TestIdentityIsRepeatable(t *testing.T) {
	for raw, want := range map[string][2]string{
		`{"source":"/ats","id":"a-1"}`:                             {"/ats", "a-1"},
		`{"source":"/ats","id":"85073003328"}`:                     {"/ats", ""}, // a national number
		`{"source":"/ats","id":"a b"}`:                             {"/ats", ""},
		`{"source":"/85073003328","id":"a"}`:                       {"", "a"},
		`{"source":"/ATS","id":"a"}`:                               {"", "a"},
		`{"source":["/ats"],"id":{"a":1}}`:                         {"", ""},
		`{"source":"/ats","id":"` + strings.Repeat("a", 65) + `"}`: {"/ats", ""},
		`{"id":7}`:        {"", ""},
		`{"id":null}`:     {"", ""},
		`[]`:              {"", ""},
		`{"id":"a"`:       {"", ""},
		`{"id":"\u0061"}`: {"", "a"},
	} {
		source, id := identity([]byte(raw))
		if got := [2]string{source, id}; !slices.Equal(got[:], want[:]) {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
