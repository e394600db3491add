package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// transport answers requests without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func clientOf(f transport) *client {
	return &client{base: &url.URL{Scheme: "http", Host: "ledger"}, http: &http.Client{Transport: f}}
}

func answered(status int, mediaType, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {mediaType}}, Body: io.NopCloser(strings.NewReader(body))}
}

// recordAll is a server that records every line it gets.
func recordAll(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	var results []result
	for range bytes.Count(body, []byte("\n")) {
		results = append(results, result{Status: "recorded"})
	}
	answer, _ := json.Marshal(map[string]any{"results": results})
	return answered(200, "application/json", string(answer)), nil
}

func numbered(n int) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for i := range n {
			if !yield(item{line: i + 1, raw: []byte("{}")}, nil) {
				return
			}
		}
	}
}

func TestGatherKeepsOrderAndLimits(t *testing.T) {
	big := make([]byte, eventLimit)
	in := func(yield func(item, error) bool) {
		for i := range 4000 {
			it := item{line: i + 1, raw: []byte("{}")}
			if i >= 3990 {
				it.raw = big
			}
			if !yield(it, nil) {
				return
			}
		}
	}
	next, batches := 1, 0
	for b := range gather(t.Context(), in) {
		batches++
		if len(b.items) == 0 || len(b.items) > batchEvents || b.bytes > batchBytes {
			t.Fatalf("batch of %d items and %d bytes", len(b.items), b.bytes)
		}
		for _, it := range b.items {
			if it.line != next {
				t.Fatalf("line %d, want %d", it.line, next)
			}
			next++
		}
	}
	if next != 4001 || batches < 4+2 {
		t.Errorf("%d items in %d batches", next-1, batches)
	}
}

// A line goes at once when no other follows it, and what came meanwhile goes
// together.
func TestGatherSendsWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := make(chan int)
		in := func(yield func(item, error) bool) {
			for line := range feed {
				if !yield(item{line: line, raw: []byte("{}")}, nil) {
					return
				}
			}
		}
		out := gather(t.Context(), in)
		feed <- 1
		if b := <-out; len(b.items) != 1 {
			t.Errorf("%d items, want the one that came", len(b.items))
		}
		for line := 2; line <= 6; line++ {
			feed <- line
		}
		synctest.Wait()
		if b := <-out; len(b.items) != 5 {
			t.Errorf("%d items, want the 5 that came meanwhile", len(b.items))
		}
		close(feed)
		if _, more := <-out; more {
			t.Error("a batch after the last")
		}
	})
}

func TestGatherGivesTheErrorLast(t *testing.T) {
	broken := errors.New("broken")
	in := func(yield func(item, error) bool) {
		for it := range numbered(3) {
			yield(it, nil)
		}
		yield(item{}, broken)
	}
	var n int
	var last batch
	for last = range gather(t.Context(), in) {
		n += len(last.items)
	}
	if n != 3 || !errors.Is(last.err, broken) {
		t.Errorf("%d items, then %v", n, last.err)
	}
}

func TestGatherEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		out := gather(ctx, numbered(1<<30))
		<-out
		cancel() // nobody receives any more
	}) // fails if a goroutine is left
}

// A batch is tried again while that may help, and each try is the same.
func TestPostRetries(t *testing.T) {
	unavailable := func(*http.Request) (*http.Response, error) {
		r := answered(503, "application/problem+json", `{"detail":"starting"}`)
		r.Header.Set("Retry-After", "2")
		return r, nil
	}
	cut := func(*http.Request) (*http.Response, error) {
		r := answered(200, "application/json", "")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"results":[{"st`), iotest.ErrReader(io.ErrUnexpectedEOF)))
		return r, nil
	}
	refusedConnection := func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }
	for name, failing := range map[string]transport{"503": unavailable, "cut short": cut, "no connection": refusedConnection} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var bodies []string
				s := &sender{retryFor: time.Minute, waiting: func(error, time.Duration) {}}
				s.client = clientOf(func(r *http.Request) (*http.Response, error) {
					body, _ := r.GetBody()
					content, _ := io.ReadAll(body)
					bodies = append(bodies, string(content))
					if len(bodies) < 4 {
						return failing(r)
					}
					return recordAll(r)
				})
				b := batch{items: []item{{line: 7, raw: []byte(`{"a":1}`)}, {line: 8, flaw: tooLong}, {line: 9, raw: []byte(`{}`)}}}
				began := time.Now()
				results, err := s.post(t.Context(), b)
				if err != nil || len(results) != 3 || results[0].Line != 7 || results[1].Line != 8 || results[2].Line != 9 || results[1].Status != refused {
					t.Errorf("%+v, %v", results, err)
				}
				for _, body := range bodies {
					if body != "{\"a\":1}\n{}\n" {
						t.Errorf("sent %q", body)
					}
				}
				if took := time.Since(began); name == "503" && took < 6*time.Second {
					t.Errorf("3 waits took %v; the server asked for 2 s each", took)
				}
			})
		})
	}
}

func TestPostGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		s := &sender{retryFor: 10 * time.Second, waiting: func(error, time.Duration) {}}
		s.client = clientOf(func(*http.Request) (*http.Response, error) {
			tries++
			return answered(503, "text/plain", ""), nil
		})
		began := time.Now()
		_, err := s.post(t.Context(), batch{items: []item{{line: 1, raw: []byte("{}")}}})
		if took := time.Since(began); err == nil || took > s.retryFor || tries < 5 {
			t.Errorf("%d tries in %v: %v", tries, took, err)
		}
	})
}

func TestPostDoesNotRepeatWhatCannotHelp(t *testing.T) {
	for _, code := range []int{307, 400, 401, 403, 413, 500} {
		tries := 0
		s := &sender{retryFor: time.Minute}
		s.client = clientOf(func(*http.Request) (*http.Response, error) {
			tries++
			return answered(code, "text/plain", ""), nil
		})
		_, err := s.post(t.Context(), batch{items: []item{{line: 1, raw: []byte("{}")}}})
		if p, ok := errors.AsType[*problem](err); !ok || p.Status != code || tries != 1 {
			t.Errorf("%d: %d tries, %v", code, tries, err)
		}
	}
}

func TestPostDoesNotRepeatForAForeignServer(t *testing.T) {
	tries := 0
	s := &sender{retryFor: time.Minute}
	s.client = clientOf(func(*http.Request) (*http.Response, error) {
		tries++
		return answered(200, "text/html", "<html>"), nil
	})
	_, err := s.post(t.Context(), batch{items: []item{{line: 1, raw: []byte("{}")}}})
	if !errors.Is(err, errForeign) || tries != 1 {
		t.Errorf("%d tries, %v", tries, err)
	}
}

func TestMergeCountsResults(t *testing.T) {
	b := batch{items: []item{{line: 1, raw: []byte("{}")}, {line: 2, raw: []byte("{}")}}}
	for _, n := range []int{0, 1, 3} {
		if _, err := merge(b, make([]result, n)); !errors.Is(err, errMiscounted) {
			t.Errorf("%d results for 2 events: %v", n, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	for attempt := range 40 {
		if pause := backoff(attempt, nil); pause < 50*time.Millisecond || pause > 5*time.Second {
			t.Errorf("attempt %d waits %v", attempt, pause)
		}
	}
}
