package ingest

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/imalink/custody/cmd/internal/api"
)

// BenchmarkRecord records events over NATS and over HTTP, into ledgers on files:
// batches from 4 clients, and single events from 64. It is one process, clients
// included.
func BenchmarkRecord(b *testing.B) {
	for _, size := range []struct{ clients, events int }{{4, 1000}, {64, 1}} {
		for _, way := range []string{"NATS", "HTTP"} {
			b.Run(fmt.Sprintf("%s/%dx%d", way, size.clients, size.events), func(b *testing.B) {
				r := newRig(b, api.Config{})
				send := make([]func(body []byte), size.clients)
				token := r.token("ats")
				for i := range send {
					if way == "NATS" {
						s := r.dial("ats")
						send[i] = func(body []byte) {
							if status, answer, err := s.Send(b.Context(), lines, body); err != nil || status != 200 || bytes.Count(answer, []byte("recorded")) != size.events {
								b.Errorf("%d %v %.200s", status, err, answer)
							}
						}
						continue
					}
					send[i] = func(body []byte) {
						if res, answer := r.post(token, http.Header{"Content-Type": {lines}}, string(body)); res.StatusCode != 200 || bytes.Count([]byte(answer), []byte("recorded")) != size.events {
							b.Errorf("%d %.200s", res.StatusCode, answer)
						}
					}
				}
				http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = size.clients
				var next, batches atomic.Int64
				b.ResetTimer()
				var all sync.WaitGroup
				for _, s := range send {
					all.Go(func() {
						for batches.Add(1) <= int64(b.N) && !b.Failed() {
							var body []byte
							for range size.events {
								body = append(append(body, event("/ats", fmt.Sprint("e", next.Add(1)))...), '\n')
							}
							s(body)
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(b.N*size.events)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}
