package api

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imalink/custody/ledger/access"
)

// line is one line of a replay, as the document describes it.
type line struct {
	Position     uint64          `json:"position"`
	Digest       string          `json:"digest"`
	Source       string          `json:"source"`
	ID           string          `json:"id"`
	Type         string          `json:"type"`
	Time         string          `json:"time"`
	RecordedTime string          `json:"recordedtime"`
	Class        string          `json:"class"`
	Event        json.RawMessage `json:"event"`
	End          *struct {
		Position uint64 `json:"position"`
	} `json:"end"`
	Error *Problem `json:"error"`
}

func lines(t *testing.T, body string) []line {
	t.Helper()
	var list []line
	for text := range strings.Lines(body) {
		var l line
		strict(t, text, &l)
		list = append(list, l)
	}
	return list
}

// positions writes what a replay holds: "2 3 end 3".
func positions(list []line) string {
	var b strings.Builder
	for _, l := range list {
		switch {
		case l.End != nil:
			fmt.Fprintf(&b, "end %d ", l.End.Position)
		case l.Error != nil:
			fmt.Fprintf(&b, "error %s ", strings.TrimPrefix(l.Error.Type, problemPrefix))
		default:
			fmt.Fprintf(&b, "%d ", l.Position)
		}
	}
	return strings.TrimSpace(b.String())
}

// withEvents is a rig with n events, recorded a second apart from 09:14:06 on.
func withEvents(t *testing.T, n int) *rig {
	t.Helper()
	r := newRig(t)
	for i := range n {
		parse(t, r.post(structuredType, event("/ats", fmt.Sprintf("e%d", i+1))))
	}
	return r
}

func TestStream(t *testing.T) {
	r := withEvents(t, 3)
	a := r.send(access.RoleAuditor, "GET", "/v1/events/stream", "")
	list := lines(t, a.body)
	if got := positions(list); got != "1 2 3 end 3" || a.StatusCode != 200 || a.Header.Get("Content-Type") != linesType {
		t.Fatalf("%s, %d, %s", got, a.StatusCode, a.Header.Get("Content-Type"))
	}
	for i, l := range list[:3] {
		raw := r.ledger.raws[i]
		sum := sha256.Sum256(raw)
		if string(l.Event) != string(raw) || l.Digest != hex.EncodeToString(sum[:]) {
			t.Errorf("line %d: not the stored bytes and their digest", i+1)
		}
		l.Event, l.Digest = nil, ""
		want := line{Position: uint64(i) + 1, Source: "/ats", ID: fmt.Sprintf("e%d", i+1), Type: "eu.custody.data.accessed.v1",
			Time: "2026-03-02T09:14:05.120Z", RecordedTime: fmt.Sprintf("2026-03-02T09:14:0%d.000Z", i+6), Class: "T0"}
		if fmt.Sprintf("%+v", l) != fmt.Sprintf("%+v", want) {
			t.Errorf("line %d:\n%+v, want\n%+v", i+1, l, want)
		}
	}
}

// TestStreamEnvelope shows what an operator sees: the same lines without events.
func TestStreamEnvelope(t *testing.T) {
	r := withEvents(t, 3)
	all := lines(t, r.send(access.RoleDPO, "GET", "/v1/events/stream", "").body)
	a := r.send(access.RoleOperator, "GET", "/v1/events/stream", "")
	for i, l := range lines(t, a.body) {
		all[i].Event = nil
		got, _ := json.Marshal(l)
		want, _ := json.Marshal(all[i])
		if string(got) != string(want) {
			t.Errorf("line %d: %s, want %s", i+1, got, want)
		}
	}
	if strings.Contains(a.body, "subjects") || strings.Contains(a.body, "actor") {
		t.Error("the operator sees an event")
	}
}

func TestStreamSpan(t *testing.T) {
	r := withEvents(t, 5)
	for query, want := range map[string]string{
		"":                                      "1 2 3 4 5 end 5",
		"from=1":                                "1 2 3 4 5 end 5",
		"from=4":                                "4 5 end 5",
		"to=2":                                  "1 2 end 2",
		"from=2&to=3":                           "2 3 end 3",
		"from=3&to=2":                           "end 2",
		"from=9":                                "end 5",
		"to=9":                                  "1 2 3 4 5 end 5",
		"follow=false":                          "1 2 3 4 5 end 5",
		"since=2026-03-02T09:14:08Z":            "3 4 5 end 5",
		"since=2026-03-02T10:14:08.000%2B01:00": "3 4 5 end 5",
		"since=2026-03-02T09:14:08.000000001Z":  "4 5 end 5",
		"since=2026-03-03T00:00:00Z":            "end 5",
		"until=2026-03-02T09:14:08Z":            "1 2 end 2",
		"until=2026-01-01T00:00:00Z":            "end 0",
		"until=2027-01-01T00:00:00Z":            "1 2 3 4 5 end 5",
		"since=2026-03-02T09:14:07Z&until=2026-03-02T09:14:09Z": "2 3 end 3",
		"since=2026-03-02T09:14:07Z&from=4":                     "4 5 end 5",
		"follow=true&to=3":                                      "1 2 3 end 3",
		"follow=true&until=2026-03-02T09:14:08Z":                "1 2 end 2",
	} {
		a := r.send(access.RoleDPO, "GET", "/v1/events/stream?"+query, "")
		if got := positions(lines(t, a.body)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"from=0", "from=-1", "from=x", "from=", "to=0", "from=18446744073709551616", "from=9223372036854775808", "since=2026-03-02", "until=now", "since=", "follow=yes", "follow="} {
		if a := r.send(access.RoleDPO, "GET", "/v1/events/stream?"+query, ""); a.StatusCode != 400 || !strings.Contains(a.body, "the query parameter "+query[:2]) {
			t.Errorf("%s: %d %s", query, a.StatusCode, a.body)
		}
	}
}

// TestStreamBroken shows that an answer that breaks off does not look whole.
func TestStreamBroken(t *testing.T) {
	r := withEvents(t, 5)
	r.ledger.broken = 3
	a := r.send(access.RoleDPO, "GET", "/v1/events/stream", "")
	if got := positions(lines(t, a.body)); got != "1 2 error internal" || strings.Contains(a.body, "block") {
		t.Errorf("a record that cannot be read: %s: %s", got, a.body)
	}
	if !strings.Contains(r.log.String(), a.Header.Get("X-Request-Id")) || !strings.Contains(r.log.String(), "no block holds it") {
		t.Errorf("the log does not say why: %s", r.log.String())
	}
	r.ledger.broken = 0
	r.ledger.raws[3] = []byte(`{"custodyformat":"2"}`)
	if got := positions(lines(t, r.send(access.RoleDPO, "GET", "/v1/events/stream?from=3", "").body)); got != "3 error internal" {
		t.Errorf("a record that is not one: %s", got)
	}
}

// follower reads a stream that is being followed.
type follower struct {
	t  *testing.T
	in *bufio.Reader
	c  io.Closer
}

func (r *rig) follow(t *testing.T, l *pipes, query string) *follower {
	t.Helper()
	c := l.dial()
	fmt.Fprintf(c, "GET /v1/events/stream?follow=true%s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", query, r.tokens[access.RoleDPO])
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
	return &follower{t, bufio.NewReader(res.Body), c}
}

// next reads one line, "" at the end of the body.
func (f *follower) next() string {
	f.t.Helper()
	text, err := f.in.ReadString('\n')
	if err == io.EOF && text == "" {
		return ""
	}
	if err != nil {
		f.t.Fatalf("%q, %v", text, err)
	}
	return positions(lines(f.t, text))
}

func TestFollow(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(r *rig, s *http.Server)
		want []string
		most time.Duration
	}{
		"revoked": {func(r *rig, _ *http.Server) {
			if err := r.ledger.store.RevokeToken(context.Background(), "", r.tokenOf(access.RoleDPO)); err != nil {
				t.Error(err)
			}
		}, []string{"error unauthenticated", ""}, watchEvery},
		"server closes": {func(_ *rig, s *http.Server) {
			if err := s.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}, []string{"error not-ready", ""}, 2 * time.Second},
		"ledger closes": {func(r *rig, _ *http.Server) { close(r.ledger.ended) }, []string{"error not-ready", ""}, time.Second},
		"nothing comes for long": {func(r *rig, _ *http.Server) {
			time.Sleep(time.Hour)
			parse(t, r.post(structuredType, event("/ats", "late")))
			r.ledger.mu.Lock()
			r.ledger.broken = 5
			r.ledger.mu.Unlock()
			parse(t, r.post(structuredType, event("/ats", "later")))
		}, []string{"4", "error internal", ""}, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := withEvents(t, 2)
				l, s := newPipes(), r.api.Server()
				go s.Serve(l)
				defer s.Close()
				f := r.follow(t, l, "&from=2")
				got := []string{f.next()}
				parse(t, r.post(structuredType, event("/ats", "new")))
				got = append(got, f.next())
				start := time.Now()
				go tt.end(r, s)
				for range tt.want {
					got = append(got, f.next())
				}
				if want := append([]string{"2", "3"}, tt.want...); !slices.Equal(got, want) || time.Since(start) > tt.most {
					t.Errorf("%q after %v, want %q", got, time.Since(start), want)
				}
				f.c.Close()
				time.Sleep(watchEvery + time.Second) // of the bubble: everything that waits sees it
			})
		})
	}
}

// TestStreamSlowReader shows that a client that takes nothing does not hold on
// to the answer for ever, nor does one that left.
func TestStreamSlowReader(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := withEvents(t, 1)
			for range 1000 {
				r.ledger.raws = append(r.ledger.raws, r.ledger.raws[0])
			}
			l, s := newPipes(), r.api.Server()
			done := make(chan struct{})
			inner := s.Handler
			s.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				inner.ServeHTTP(w, req)
				close(done)
			})
			go s.Serve(l)
			defer s.Close()
			c := l.dial()
			fmt.Fprintf(c, "GET /v1/events/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", r.tokens[access.RoleDPO])
			start := time.Now()
			if leaves {
				c.Close()
			}
			<-done
			if took := time.Since(start); took > chunkTime+time.Second || leaves && took > time.Second {
				t.Errorf("it was held for %v", took)
			}
			c.Close()
			time.Sleep(2 * time.Second) // of the bubble: everything that waits sees it
		})
	}
}
