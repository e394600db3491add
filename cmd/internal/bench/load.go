package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	batchEvents  = 1000
	batchClients = 4
	soloClients  = 64
)

func client() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: soloClients, MaxConnsPerHost: soloClients}}
}

// event is one access with a random id, about one of some people.
func event(dst []byte, r *mrand.Rand, people int, now time.Time) []byte {
	var id [16]byte
	rand.Read(id[:])
	return fmt.Appendf(dst, `{"specversion":"1.0","id":"%x","source":"/ats","type":"eu.custody.data.accessed.v1","time":"%s","datacontenttype":"application/json",`+
		`"data":{"subjects":[{"id":"candidate:%d","role":"candidate"}],"actor":{"id":"employee:r%02d","role":"recruiter","kind":"human","unit":"recruitment","session":"sess-%04d"},`+
		`"system":"ats","dataset":"career_cv","categories":["contact","career_cv"],"purpose":"service_provision","basis":"A6-1-b","mode":"view","result_count":1,"reference":"vacancy:%d"}}`,
		id, now.UTC().Format("2006-01-02T15:04:05.000Z"), 1_000_000+r.IntN(people), r.IntN(40), r.IntN(5000), r.IntN(900))
}

type answer struct {
	Results []struct {
		Status   string `json:"status"`
		Position uint64 `json:"position"`
	} `json:"results"`
}

// post sends one body and checks that every event in it was recorded.
func (s *server) post(ctx context.Context, c *http.Client, kind string, body []byte, events int) error {
	req, err := http.NewRequestWithContext(ctx, "POST", s.url+"/v1/events", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+s.relay)
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var a answer
	if resp.StatusCode != http.StatusOK || json.Unmarshal(b, &a) != nil || len(a.Results) != events {
		return fmt.Errorf("answer %s: %.200s", resp.Status, b)
	}
	for _, r := range a.Results {
		if r.Status != "recorded" {
			return fmt.Errorf("an event was %s", r.Status)
		}
	}
	return nil
}

// fill records n events in batches from several clients at once.
func fill(ctx context.Context, s *server, n, people int) error {
	var left atomic.Int64
	left.Store(int64(n))
	c := client()
	return together(batchClients, func(i int) error {
		r := mrand.New(mrand.NewPCG(uint64(i), uint64(n)))
		var body []byte
		for {
			count := min(batchEvents, left.Add(-batchEvents)+batchEvents)
			if count <= 0 {
				return nil
			}
			body = body[:0]
			now := time.Now()
			for range count {
				body = append(event(body, r, people, now), '\n')
			}
			if err := s.post(ctx, c, "application/x-ndjson", body, int(count)); err != nil {
				return err
			}
		}
	})
}

// solo has 64 clients send one event at a time for a while, and returns how
// long each took, sorted.
func solo(ctx context.Context, s *server, d time.Duration, people int) ([]time.Duration, error) {
	c := client()
	var mu sync.Mutex
	var all []time.Duration
	end := time.Now().Add(d)
	err := together(soloClients, func(i int) error {
		r := mrand.New(mrand.NewPCG(uint64(i), 7))
		var body []byte
		var took []time.Duration
		for now := time.Now(); now.Before(end); now = time.Now() {
			body = event(body[:0], r, people, now)
			if err := s.post(ctx, c, "application/cloudevents+json", body, 1); err != nil {
				return err
			}
			took = append(took, time.Since(now))
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, took...)
		return nil
	})
	slices.Sort(all)
	return all, err
}

// replay reads the whole stream and counts the events.
func replay(ctx context.Context, s *server) (events int, err error) {
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/events/stream", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+s.reader)
	resp, err := client().Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewReaderSize(resp.Body, 1<<20)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return events, errors.New("the replay ended without its last line")
		case err != nil:
			return events, err
		case bytes.HasPrefix(line, []byte(`{"end"`)):
			return events, nil
		case bytes.HasPrefix(line, []byte(`{"error"`)):
			return events, fmt.Errorf("replay: %.200s", line)
		}
		events++
	}
}

// together runs f n times at once and joins the errors.
func together(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
