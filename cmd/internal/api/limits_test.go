package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imalink/custody/ledger/access"
)

// pipes is a listener whose connections are in memory, so that time in a test
// is not the clock's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return pipeAddr{} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// serve runs the server of r over pipes until the test ends.
func (r *rig) serve() *pipes {
	l, s := newPipes(), r.api.Server()
	go s.Serve(l)
	r.t.Cleanup(func() { s.Close() })
	return l
}

// head is the header of a request with events.
func (r *rig) head(length string) string {
	return "POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: " + linesType + "\r\nAuthorization: Bearer " + r.tokens[access.RoleRelay] + "\r\n" + length + "\r\n\r\n"
}

// TestSlowClients shows that every way to be slow ends, that nothing is
// recorded, and that what the body took of the budget is given back.
func TestSlowClients(t *testing.T) {
	ev := event("/ats", "a") + "\n"
	for name, tt := range map[string]struct {
		send   func(r *rig, w io.Writer)
		status string // of the answer, "" for none
		most   time.Duration
	}{
		"silence":       {func(*rig, io.Writer) {}, "", 6 * time.Second},
		"half a header": {func(r *rig, w io.Writer) { io.WriteString(w, r.head("X: y")[:40]) }, "400", 6 * time.Second},
		"no body":       {func(r *rig, w io.Writer) { io.WriteString(w, r.head("Content-Length: 1000")) }, "408", 11 * time.Second},
		"half a body":   {func(r *rig, w io.Writer) { io.WriteString(w, r.head("Content-Length: 10000")+ev) }, "408", 11 * time.Second},
		"half a chunk":  {func(r *rig, w io.Writer) { io.WriteString(w, r.head("Transfer-Encoding: chunked")+"1000\r\n"+ev) }, "408", 11 * time.Second},
		"no last chunk": {func(r *rig, w io.Writer) {
			fmt.Fprintf(w, "%s%x\r\n%s\r\n", r.head("Transfer-Encoding: chunked"), len(ev), ev)
		}, "408", 11 * time.Second},
		"an unwanted body": {func(r *rig, w io.Writer) {
			io.WriteString(w, strings.Replace(r.head("Content-Length: 1000"), "Bearer", "Basic", 1))
		}, "401", 11 * time.Second},
		"a body for nowhere": {func(r *rig, w io.Writer) {
			io.WriteString(w, strings.Replace(r.head("Content-Length: 1000"), "/v1/", "/v2/", 1))
		}, "404", 11 * time.Second},
		"a body for a token":  {func(r *rig, w io.Writer) { io.WriteString(w, r.operatorHead("/v1/tokens")) }, "408", 11 * time.Second},
		"a body at a trickle": {trickle, "408", 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				before := r.api.bodies.left.Load()
				c := r.serve().dial()
				start := time.Now()
				go tt.send(r, c)
				res, err := http.ReadResponse(bufio.NewReader(c), nil)
				status := ""
				if err == nil {
					status = fmt.Sprint(res.StatusCode)
				}
				if status != tt.status || time.Since(start) > tt.most {
					t.Errorf("status %q after %v, want %q within %v", status, time.Since(start), tt.status, tt.most)
				}
				c.Close()
				time.Sleep(2 * time.Second) // of the bubble: everything that waits sees it
				if left := r.api.bodies.left.Load(); left != before || r.ledger.calls != 0 {
					t.Errorf("%d of the budget are left, want %d; %d calls of Record", left, before, r.ledger.calls)
				}
			})
		})
	}
}

func (r *rig) operatorHead(path string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer " + r.tokens[access.RoleOperator] + "\r\nContent-Length: 1000\r\n\r\n"
}

// trickle sends a large body at two kilobytes a second.
func trickle(r *rig, w io.Writer) {
	io.WriteString(w, r.head("Content-Length: 30000000"))
	line := strings.Repeat(" ", 2047) + "\n"
	for {
		if _, err := io.WriteString(w, line); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// TestHalfSent shows that a body that ends before its end records nothing,
// whatever complete events it begins with.
func TestHalfSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		l := r.serve()
		ev := event("/ats", "a") + "\n"
		for _, sent := range []string{
			r.head("Content-Length: 100000") + ev,
			r.head("Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n%s\r\n", len(ev), ev),
			r.head("Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n%s\r\nzz", len(ev), ev),
		} {
			c := l.dial()
			io.WriteString(c, sent)
			c.Close()
			synctest.Wait()
		}
		if r.ledger.calls != 0 {
			t.Errorf("%d calls of Record", r.ledger.calls)
		}
	})
}

// TestCommitOutlastsDeadline shows that the deadline of the body does not end a
// request that waits for the disk.
func TestCommitOutlastsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		slow := &slowLedger{fakeLedger: r.ledger, wait: 2 * bodyTime}
		r.api.Attach(slow)
		c := r.serve().dial()
		defer c.Close()
		ev := event("/ats", "a")
		go io.WriteString(c, r.head(fmt.Sprint("Content-Length: ", len(ev)))+ev)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != 200 || slow.cancelled {
			t.Errorf("%v, %v, cancelled %t", res, err, slow.cancelled)
		}
	})
}

func TestSizes(t *testing.T) {
	r := newRig(t)
	big := strings.Repeat(" ", MaxBody)
	many := strings.Repeat("{}\n", MaxEvents)
	for name, tt := range map[string]struct {
		contentType, body string
		length            int64
		want              string
	}{
		"exactly the limit":        {linesType, big, MaxBody, "200"},
		"one byte over, announced": {linesType, big + " ", MaxBody + 1, "413 33554432 bytes"},
		"one byte over, chunked":   {linesType, big + " ", -1, "413 33554432 bytes"},
		"a lie":                    {linesType, "", 1 << 60, "413 33554432 bytes"},
		"5,000 lines":              {linesType, many, -1, "200"},
		"5,001 lines":              {linesType, many + "{}", -1, "413 5000 events"},
		"5,000 elements":           {batchType, "[" + strings.Repeat("{},", MaxEvents-1) + "{}]", -1, "200"},
		"5,001 elements":           {batchType, "[" + strings.Repeat("{},", MaxEvents) + "{}]", -1, "413 5000 events"},
		"a deep event":             {structuredType, strings.Repeat(`{"data":`, 1000) + "1" + strings.Repeat("}", 1000), -1, "400"},
		"a deep batch":             {batchType, strings.Repeat("[", 100000), -1, "400"},
		"a large event":            {structuredType, strings.Replace(event("/ats", "a"), "candidate:", "candidate:"+strings.Repeat("1", 1<<20), 1), -1, "413 1 MiB"},
		"a large line":             {linesType, strings.Repeat("1", 1<<20+1) + "\n" + event("/ats", "b"), -1, "200"},
	} {
		req := httptest.NewRequest("POST", "/v1/events", io.NopCloser(strings.NewReader(tt.body)))
		req.ContentLength = tt.length
		req.Header.Set("Authorization", "Bearer "+r.tokens[access.RoleRelay])
		req.Header.Set("Content-Type", tt.contentType)
		a := r.do(req)
		code, limit, _ := strings.Cut(tt.want, " ")
		if fmt.Sprint(a.StatusCode) != code || !strings.Contains(a.body, limit) {
			t.Errorf("%s: %d, want %s: %.200s", name, a.StatusCode, tt.want, a.body)
		}
		if left := r.api.bodies.left.Load(); left != defaultBodies {
			t.Fatalf("%s: %d of the budget are left", name, left)
		}
	}
	if a := r.send(access.RoleOperator, "POST", "/v1/tokens", `{"name":"`+strings.Repeat("a", maxSmallBody)+`"}`, "Content-Type", "application/json"); a.StatusCode != 413 || !strings.Contains(a.body, problemPrefix+"too-large") {
		t.Errorf("a large body for a token: %d %s", a.StatusCode, a.body)
	}
}

func TestMediaTypes(t *testing.T) {
	r := newRig(t)
	for contentType, want := range map[string]int{
		structuredType: 200, structuredType + "; charset=utf-8": 200, structuredType + "; charset=UTF-8": 200, "APPLICATION/CLOUDEVENTS+JSON": 200,
		structuredType + "; charset=latin1": 415, "text/plain": 415, "": 415, "application/cloudevents+avro": 415, "a/b/c": 415, structuredType + ";": 200,
	} {
		if a := r.post(contentType, event("/ats", "a")); a.StatusCode != want {
			t.Errorf("%q: %d, want %d", contentType, a.StatusCode, want)
		}
	}
	if a := r.post(structuredType, event("/ats", "a"), "Content-Encoding", "gzip"); a.StatusCode != 415 {
		t.Errorf("gzip: %d", a.StatusCode)
	}
}

func TestWantsLines(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": false, linesType: true, "application/json, application/x-ndjson": false, "application/x-ndjson, */*;q=0.1": true,
		"application/x-ndjson;q=0.5, application/json;q=0.4": true, "application/x-ndjson;q=0": false, "application/x-ndjson;q=x": false, "text/html, application/x-ndjson": true, ";": false,
	} {
		if got := wantsLines([]string{accept}); got != want {
			t.Errorf("%q: %t, want %t", accept, got, want)
		}
	}
}

// TestBusy fills the budget with a body that does not end: others are told to
// come again, those that need no more than is left are served.
func TestBusy(t *testing.T) {
	r := newRig(t)
	api, err := New(Config{Bodies: 40 << 10})
	if err != nil {
		t.Fatal(err)
	}
	api.Attach(r.ledger)
	r.api = api
	in, out := io.Pipe()
	done := make(chan answer)
	go func() {
		req := httptest.NewRequest("POST", "/v1/events", in)
		req.Header.Set("Authorization", "Bearer "+r.tokens[access.RoleRelay])
		req.Header.Set("Content-Type", linesType)
		done <- r.do(req)
	}()
	if _, err := io.WriteString(out, strings.Repeat(" ", firstRead+1)); err != nil { // it holds twice firstRead now
		t.Fatal(err)
	}
	big := r.post(linesType, strings.Repeat("\n", 20<<10))
	if big.StatusCode != 503 || big.Header.Get("Retry-After") == "" || !strings.Contains(big.body, problemPrefix+"busy") {
		t.Errorf("beyond the budget: %d %s", big.StatusCode, big.body)
	}
	if small := r.post(structuredType, event("/ats", "a")); small.StatusCode != 200 {
		t.Errorf("within the budget: %d %s", small.StatusCode, small.body)
	}
	out.CloseWithError(io.ErrUnexpectedEOF)
	if a := <-done; a.StatusCode != 400 {
		t.Errorf("the body that broke off: %d %s", a.StatusCode, a.body)
	}
	if big := r.post(linesType, strings.Repeat("\n", 20<<10)); big.StatusCode != 200 {
		t.Errorf("after it: %d %s", big.StatusCode, big.body)
	}
	if left := api.bodies.left.Load(); left != 40<<10 {
		t.Errorf("%d of the budget are left", left)
	}
}

func TestCheckListen(t *testing.T) {
	for addr, want := range map[string][2]bool{ // without TLS, with
		"127.0.0.1:8420": {true, true}, "127.8.9.1:1": {true, true}, "[::1]:8420": {true, true}, "localhost:8420": {true, true},
		"0.0.0.0:8420": {false, true}, ":8420": {false, true}, "[::]:8420": {false, true}, "192.0.2.1:8420": {false, true}, "example.org:80": {false, true},
		"127.0.0.1": {false, false}, "": {false, false}, "localhost.example.org:1": {false, true}, "[::ffff:127.0.0.1]:1": {true, true}, "0:80": {false, true},
	} {
		for i, tls := range []bool{false, true} {
			if err := CheckListen(addr, tls); (err == nil) != want[i] {
				t.Errorf("%q with TLS %t: %v", addr, tls, err)
			}
		}
	}
	if _, err := Listen("0.0.0.0:0", false, newRig(t).api.Server()); !errors.Is(err, errBeyondLoopback) {
		t.Errorf("Listen: %v", err)
	}
}

// TestLimiter opens more connections than are held: the one idle for longest
// goes, one that is busy never does.
func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 3
		release := make(chan struct{})
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/busy" {
				<-release
			}
		})}
		p := newPipes()
		go s.Serve(limit(p, s, most))
		defer s.Close()
		ask := func(c net.Conn, path string) { io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n") }
		answered := func(c net.Conn) bool {
			c.SetReadDeadline(time.Now().Add(time.Second))
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			return err == nil && res.StatusCode == 200
		}
		busy := p.dial()
		ask(busy, "/busy")
		idle := p.dial()
		ask(idle, "/")
		if !answered(idle) {
			t.Fatal("an idle connection is not answered")
		}
		silent := p.dial()
		synctest.Wait()
		one := p.dial() // takes the place of idle
		ask(one, "/")
		if !answered(one) {
			t.Error("one more than is held is not answered")
		}
		ask(one, "/busy")
		two := p.dial() // takes the place of silent
		ask(two, "/busy")
		synctest.Wait()
		for name, c := range map[string]net.Conn{"idle": idle, "silent": silent} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v, want it closed", name, err)
			}
		}
		go func() { // all are busy now: it waits
			three := p.dial()
			ask(three, "/")
			if !answered(three) {
				t.Error("the one that waited is not answered")
			}
			three.Close()
		}()
		synctest.Wait()
		close(release)
		for name, c := range map[string]net.Conn{"busy": busy, "one": one, "two": two} {
			if !answered(c) {
				t.Errorf("%s was not answered", name)
			}
		}
		synctest.Wait()
	})
}
