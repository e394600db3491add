package emit_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/eventstest"
)

// accesses records what requests with a candidate see.
func accesses(e *emit.Emitter, policy emit.Policy, failed func(*http.Request, error)) emit.AccessLog {
	return emit.AccessLog{Emitter: e, Policy: policy, Failed: failed, Act: func(r *http.Request, status int) (emit.Act, error) {
		if status != http.StatusOK {
			return nil, nil
		}
		if r.PathValue("id") == "" {
			return nil, errors.New("whose is not known")
		}
		act := access()
		act.Subjects = emit.Subjects(emit.RoleCandidate, "candidate:"+r.PathValue("id"))
		return act, nil
	}}
}

// site is a server whose pages are recorded; h answers for a candidate.
func site(t *testing.T, log emit.AccessLog, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	wrapped, err := log.Wrap(h)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/candidates/{id}", wrapped)
	mux.Handle("/nobody", wrapped)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func get(t *testing.T, url string) (int, string, http.Header) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), resp.Header
}

// page answers in one of the ways in which a handler may.
func page(way string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Candidate", "Secret")
		switch way {
		case "write":
			io.WriteString(w, "Secret")
		case "header":
			w.WriteHeader(http.StatusOK)
			io.WriteString(w, "Secret")
		case "flush":
			w.(http.Flusher).Flush()
			io.WriteString(w, "Secret")
		case "controller":
			http.NewResponseController(w).Flush()
			io.WriteString(w, "Secret")
		case "copy":
			io.Copy(w, strings.NewReader("Secret"))
		case "early hints":
			w.WriteHeader(http.StatusEarlyHints)
			io.WriteString(w, "Secret")
		case "nothing":
		case "not found":
			http.NotFound(w, r)
		case "hijack":
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nSecret")
				c.Close()
			}
		}
	}
}

func ways() []string {
	return []string{"write", "header", "flush", "controller", "copy", "early hints", "nothing"}
}

func TestAccessIsRecordedBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for _, way := range ways() {
		rec := eventstest.New(t, "ats")
		srv := site(t, accesses(rec.Emitter, emit.FailClosed, nil), page(way))
		if status, body, _ := get(t, srv.URL+"/candidates/7"); status != 200 || way != "nothing" && body != "Secret" {
			t.Errorf("%s: %d %q", way, status, body)
		}
		rec.Want(t, events.DataAccessed)
		if len(rec.About("candidate:7")) != 1 || len(rec.By("employee:jdp")) != 1 {
			t.Errorf("%s: not about whom it is", way)
		}
	}
}

func TestFailClosedLetsNothingOut(t *testing.T) {
	t.Parallel()
	for _, way := range append(ways(), "hijack") {
		rec := eventstest.New(t, "ats")
		rec.Fail("unauthenticated", 401)
		var failed error
		srv := site(t, accesses(rec.Emitter, emit.FailClosed, func(_ *http.Request, err error) { failed = err }), page(way))
		log := accesses(rec.Emitter, emit.FailClosed, func(_ *http.Request, err error) { failed = err })
		if way == "hijack" {
			log.Act = func(*http.Request, int) (emit.Act, error) { return access(), nil }
			srv = site(t, log, page(way))
		}
		status, body, header := get(t, srv.URL+"/candidates/7")
		if status != http.StatusServiceUnavailable || strings.Contains(body, "Secret") || header.Get("X-Candidate") != "" {
			t.Errorf("%s: %d %q %v", way, status, body, header)
		}
		if p, ok := errors.AsType[*emit.Problem](failed); !ok || p.Word != "unauthenticated" {
			t.Errorf("%s: told %v", way, failed)
		}
		if status, body, _ := get(t, srv.URL+"/nobody"); way != "hijack" && (status != 503 || strings.Contains(body, "Secret")) {
			t.Errorf("%s: an access nobody could describe: %d %q", way, status, body)
		}
		rec.Want(t)
	}
}

func TestFailOpenAnswersAndTells(t *testing.T) {
	t.Parallel()
	rec := eventstest.New(t, "ats")
	rec.Fail("unauthenticated", 401)
	told := 0
	srv := site(t, accesses(rec.Emitter, emit.FailOpen, func(*http.Request, error) { told++ }), page("write"))
	if status, body, _ := get(t, srv.URL+"/candidates/7"); status != 200 || body != "Secret" || told != 1 {
		t.Errorf("%d %q, told %d times", status, body, told)
	}
}

func TestWhatDisclosesNothingIsNotRecorded(t *testing.T) {
	t.Parallel()
	rec := eventstest.New(t, "ats")
	srv := site(t, accesses(rec.Emitter, emit.FailClosed, nil), page("not found"))
	if status, _, _ := get(t, srv.URL+"/candidates/7"); status != http.StatusNotFound {
		t.Error(status)
	}
	rec.Want(t)
}

func TestPolicyHasNoDefault(t *testing.T) {
	t.Parallel()
	rec := eventstest.New(t, "ats")
	failed := func(*http.Request, error) {}
	for i, log := range []emit.AccessLog{
		accesses(rec.Emitter, 0, failed), accesses(rec.Emitter, 3, failed), accesses(rec.Emitter, emit.FailOpen, nil), accesses(nil, emit.FailClosed, nil), {Emitter: rec.Emitter, Policy: emit.FailClosed},
	} {
		if _, err := log.Wrap(page("write")); err == nil {
			t.Errorf("%d: taken", i)
		}
	}
}
