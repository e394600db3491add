package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	batchEvents  = 1000
	batchClients = 4
	soloClients  = 64
)

// A sender keeps one connection and sends one request at a time, with as little
// of this machine's time as it can: what it spends the server lacks.
type sender struct {
	conn  net.Conn
	read  *bufio.Reader
	head  []byte // request line and fixed headers
	frame []byte
}

func (s *server) sender(ctx context.Context, kind string) (*sender, error) {
	address := strings.TrimPrefix(s.url, "http://")
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	head := fmt.Appendf(nil, "POST /v1/events HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: ", address, s.relay, kind)
	return &sender{conn: conn, read: bufio.NewReaderSize(conn, 1<<16), head: head}, nil
}

// post sends one body and checks that every event in it was recorded.
func (s *sender) post(body []byte, events int) error {
	s.frame = strconv.AppendInt(append(s.frame[:0], s.head...), int64(len(body)), 10)
	s.frame = append(append(s.frame, "\r\n\r\n"...), body...)
	if _, err := s.conn.Write(s.frame); err != nil {
		return err
	}
	resp, err := http.ReadResponse(s.read, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := bytes.NewBuffer(s.frame[:0])
	if _, err := answer.ReadFrom(resp.Body); err != nil {
		return err
	}
	s.frame = answer.Bytes()
	if n := bytes.Count(s.frame, []byte(`"status":"recorded"`)); resp.StatusCode != http.StatusOK || n != events {
		return fmt.Errorf("answer %s, %d of %d recorded: %.200s", resp.Status, n, events, s.frame)
	}
	return nil
}

// A source makes accesses with random ids, about one of some people.
type source struct {
	random *mrand.Rand
	people int
}

func (s source) event(dst []byte, now []byte) []byte {
	dst = append(dst, `{"specversion":"1.0","id":"`...)
	dst = appendHex(dst, s.random.Uint64())
	dst = appendHex(dst, s.random.Uint64())
	dst = append(append(dst, `","source":"/ats","type":"eu.custody.data.accessed.v1","time":"`...), now...)
	dst = append(dst, `","datacontenttype":"application/json","data":{"subjects":[{"id":"candidate:`...)
	dst = strconv.AppendInt(dst, int64(1_000_000+s.random.IntN(s.people)), 10)
	dst = append(dst, `","role":"candidate"}],"actor":{"id":"employee:r`...)
	dst = strconv.AppendInt(dst, int64(10+s.random.IntN(40)), 10)
	dst = append(dst, `","role":"recruiter","kind":"human","unit":"recruitment","session":"sess-`...)
	dst = strconv.AppendInt(dst, int64(1000+s.random.IntN(5000)), 10)
	dst = append(dst, `"},"system":"ats","dataset":"career_cv","categories":["contact","career_cv"],"purpose":"service_provision","basis":"A6-1-b","mode":"view","result_count":1,"reference":"vacancy:`...)
	dst = strconv.AppendInt(dst, int64(s.random.IntN(900)), 10)
	return append(dst, `"}}`...)
}

func appendHex(dst []byte, n uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return hex.AppendEncode(dst, b[:])
}

func stamp(now time.Time) []byte { return now.UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z") }

// newSource seeds its generator from the system's randomness: no two runs, and
// no two clients, send the same ids.
func newSource(people int) source {
	var seed [32]byte
	rand.Read(seed[:])
	return source{mrand.New(mrand.NewChaCha8(seed)), people}
}

// fill records n events in batches from several clients at once.
func fill(ctx context.Context, s *server, n, people int) error {
	var left atomic.Int64
	left.Store(int64(n))
	return together(batchClients, func() error {
		c, err := s.sender(ctx, "application/x-ndjson")
		if err != nil {
			return err
		}
		defer c.conn.Close()
		from := newSource(people)
		var body []byte
		for {
			count := int(min(batchEvents, left.Add(-batchEvents)+batchEvents))
			if count <= 0 || ctx.Err() != nil {
				return ctx.Err()
			}
			body = body[:0]
			now := stamp(time.Now())
			for range count {
				body = append(from.event(body, now), '\n')
			}
			if err := c.post(body, count); err != nil {
				return err
			}
		}
	})
}

// solo has 64 clients send one event at a time for a while, and returns how
// long each took, sorted.
func solo(ctx context.Context, s *server, d time.Duration, people int) ([]time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	end := time.Now().Add(d)
	err := together(soloClients, func() error {
		c, err := s.sender(ctx, "application/cloudevents+json")
		if err != nil {
			return err
		}
		defer c.conn.Close()
		from := newSource(people)
		var body []byte
		var took []time.Duration
		for now := time.Now(); now.Before(end); now = time.Now() {
			body = from.event(body[:0], stamp(now))
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
func together(n int, f func() error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
