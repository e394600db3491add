package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/imalink/custody/cmd/internal/ingest"
)

// wired is who sends over NATS: a connection speaks for one producer.
const wired = "wired"

// measureNATS records batches over NATS, and beside them as many over HTTP, of
// the same kind of events.
func measureNATS(ctx context.Context, s *server, events int) error {
	seed := filepath.Join(filepath.Dir(s.data), "wired.nk")
	if _, err := s.custody(ctx, s.operator, "producer", "add", wired, "--families", "data", "--nkey", "--out", seed); err != nil {
		return err
	}
	overNATS, err := send(events, func() (func([]byte) error, func(), error) {
		c, err := ingest.Dial(s.nats, wired, seed)
		if err != nil {
			return nil, nil, err
		}
		return func(body []byte) error {
			status, answer, err := c.Send(ctx, "application/x-ndjson", body)
			if err == nil && (status != 200 || bytes.Count(answer, []byte(`"status":"recorded"`)) != batchEvents) {
				err = fmt.Errorf("over NATS: status %d: %.200s", status, answer)
			}
			return err
		}, c.Close, nil
	}, s)
	if err != nil {
		return err
	}
	overHTTP, err := send(events, func() (func([]byte) error, func(), error) {
		c, err := s.sender(ctx, true)
		if err != nil {
			return nil, nil, err
		}
		return func(body []byte) error { return c.post(body, batchEvents) }, c.close, nil
	}, s)
	if err != nil {
		return err
	}
	row(fmt.Sprintf("NATS batches of %d, %d connections, recorded", batchEvents, batchClients), fmt.Sprintf("%.0f/s", overNATS),
		fmt.Sprintf("%.2f of the same over HTTP (%.0f/s)", overNATS/overHTTP, overHTTP))
	return nil
}

// send has several connections send events of the wired producer, and returns
// how many a second were recorded.
func send(events int, connect func() (post func([]byte) error, end func(), err error), s *server) (float64, error) {
	var taken atomic.Int64
	begin := time.Now()
	err := together(batchClients, func() error {
		post, end, err := connect()
		if err != nil {
			return err
		}
		defer end()
		var body []byte
		for taken.Add(batchEvents) <= int64(events) {
			body = body[:0]
			first := s.next.Add(batchEvents) - batchEvents
			for n := first; n < first+batchEvents; n++ {
				e := s.events.at(n)
				e.source, e.seq, e.at = "/"+wired, n+1, begin
				body = append(e.appendJSON(body), '\n')
			}
			if err := post(body); err != nil {
				return err
			}
		}
		return nil
	})
	return rate(events/batchEvents*batchEvents, time.Since(begin)), err
}
