package api

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
)

// instantLedger records nothing and answers at once: what is left is this
// package and the decoding.
type instantLedger struct{ *fakeLedger }

func (instantLedger) Record(_ context.Context, subs []ledger.Submission) ([]ledger.Result, error) {
	results := make([]ledger.Result, len(subs))
	for i := range results {
		results[i] = ledger.Result{Status: ledger.Recorded, Position: uint64(i) + 1}
	}
	return results, nil
}

// nowhere is a response that is thrown away.
type nowhere struct {
	h      http.Header
	status int
}

func (w *nowhere) Header() http.Header         { return w.h }
func (w *nowhere) WriteHeader(status int)      { w.status = status }
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }

func benchmarkPost(b *testing.B, contentType, body string, n int) {
	r := newRig(b)
	r.api.Attach(instantLedger{r.ledger})
	b.ReportAllocs()
	for b.Loop() {
		req := &http.Request{Method: "POST", URL: mustURL("/v1/events"), Header: http.Header{
			"Content-Type": {contentType}, "Authorization": {"Bearer " + r.tokens[access.RoleRelay]},
		}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), RemoteAddr: "127.0.0.1:1"}
		w := &nowhere{h: http.Header{}}
		r.api.ServeHTTP(w, req)
		if w.status != 0 && w.status != 200 {
			b.Fatal(w.status)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
}

func BenchmarkPostOne(b *testing.B) { benchmarkPost(b, structuredType, event("/ats", "a"), 1) }

func BenchmarkPostThousand(b *testing.B) {
	benchmarkPost(b, linesType, strings.Repeat(event("/ats", "a")+"\n", 1000), 1000)
}

// BenchmarkStream replays 1,000 events to a client that takes them at once.
func BenchmarkStream(b *testing.B) {
	r := newRig(b)
	for i := range 1000 {
		r.post(structuredType, event("/ats", fmt.Sprint("e", i)))
	}
	p, err := r.ledger.store.Authenticate(r.tokens[access.RoleDPO])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		w := &nowhere{h: http.Header{}}
		out := &chunks{w: w, deadline: http.NewResponseController(w)}
		if _, err := r.api.replay(b.Context(), r.ledger, p, span{from: 1, to: math.MaxUint64}, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/event")
}

func mustURL(path string) *url.URL { return httptest.NewRequest("GET", path, nil).URL }
