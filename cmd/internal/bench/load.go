package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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

// A sender sends events, one request at a time.
type sender struct {
	*client
	kind string // of the bodies
}

// post sends one body and checks that every event in it was recorded.
func (s *sender) post(body []byte, events int) error {
	answer, err := s.do("POST", "/v1/events", s.kind, body)
	if err != nil {
		return err
	}
	if n := bytes.Count(answer, []byte(`"status":"recorded"`)); n != events {
		return fmt.Errorf("%d of %d recorded: %.200s", n, events, answer)
	}
	return nil
}

// sender connects to send single events, or batches.
func (s *server) sender(ctx context.Context, batches bool) (*sender, error) {
	c, err := s.client(ctx, s.relay)
	if err != nil {
		return nil, err
	}
	if batches {
		return &sender{c, "application/x-ndjson"}, nil
	}
	return &sender{c, "application/cloudevents+json"}, nil
}

// register records the parties, a span before the events.
func (s *server) register(ctx context.Context, at time.Time) error {
	c, err := s.sender(ctx, true)
	if err != nil {
		return err
	}
	defer c.close()
	var body []byte
	for _, p := range parties {
		var id [16]byte
		rand.Read(id[:])
		body = append(p.appendJSON(body, id, at), '\n')
	}
	return c.post(body, len(parties))
}

// fill records the next n events in batches from several clients at once.
func fill(ctx context.Context, s *server, n uint64) error {
	first := s.next.Add(n) - n
	var taken atomic.Uint64
	return together(batchClients, func() error {
		c, err := s.sender(ctx, true)
		if err != nil {
			return err
		}
		defer c.close()
		var body []byte
		for ctx.Err() == nil {
			end := taken.Add(batchEvents)
			begin := end - batchEvents
			if begin >= n {
				return nil
			}
			end = min(end, n)
			body = s.events.lines(body[:0], first+begin, first+end, time.Time{})
			if err := c.post(body, int(end-begin)); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// lines writes the events of some numbers, all at one time unless that is zero.
func (s *stream) lines(dst []byte, begin, end uint64, at time.Time) []byte {
	for n := begin; n < end; n++ {
		e := s.at(n)
		if !at.IsZero() {
			e.at = at
		}
		dst = append(e.appendJSON(dst), '\n')
	}
	return dst
}

// solo has 64 clients send one event at a time for a while, and returns how
// long each took, sorted.
func solo(ctx context.Context, s *server, d time.Duration) (times, error) {
	var mu sync.Mutex
	var all times
	end := time.Now().Add(d)
	err := together(soloClients, func() error {
		c, err := s.sender(ctx, false)
		if err != nil {
			return err
		}
		defer c.close()
		var body []byte
		var took []time.Duration
		for now := time.Now(); now.Before(end); now = time.Now() {
			e := s.events.at(s.next.Add(1) - 1)
			e.at = now
			body = e.appendJSON(body[:0])
			if err := c.post(body, 1); err != nil {
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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewReaderSize(resp.Body, 1<<20)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case err != nil:
			return events, fmt.Errorf("the replay ended without its last line: %w", err)
		case bytes.HasPrefix(line, []byte(`{"end"`)):
			return events, nil
		case bytes.HasPrefix(line, []byte(`{"error"`)):
			return events, fmt.Errorf("replay: %.200s", line)
		}
		events++
	}
}

// together runs f n times at once and joins the errors.
func together(n int, f func() error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
