package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// front stands between clients and the server of a script, and fails on demand.
// Its address stays when the server is started anew.
type front struct {
	mu     sync.Mutex
	server string   // URL of the server started last
	faults []string // of the next requests
}

type frontKey struct{}

func frontOf(ts *testscript.TestScript) *front { return ts.Value(frontKey{}).(*front) }

// flaky [FAULT...] points CUSTODY_URL at a front whose next requests fail: 503;
// none, where neither request nor answer arrives; lost, where the answer does
// not; cut, where half of it does. Those after them pass.
func flaky(ts *testscript.TestScript, neg bool, args []string) {
	f := frontOf(ts)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = args
	s := httptest.NewServer(f)
	ts.Defer(s.Close)
	ts.Setenv("CUSTODY_URL", s.URL)
}

func (f *front) next() (server, fault string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.faults) > 0 {
		fault, f.faults = f.faults[0], f.faults[1:]
	}
	return f.server, fault
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	server, fault := f.next()
	switch fault {
	case "503":
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case "none":
		panic(http.ErrAbortHandler)
	}
	answer, status, err := pass(server, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	switch fault {
	case "lost":
		panic(http.ErrAbortHandler)
	case "cut":
		w.Write(answer[:len(answer)/2])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	w.Write(answer)
}

// pass asks the server what the front was asked.
func pass(server string, r *http.Request) (answer []byte, status int, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, 0, err
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, server+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return answer, response.StatusCode, err
}
