package ingest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/imalink/custody/cmd/internal/api"
	"github.com/imalink/custody/ledger"
)

// TestSameAsHTTP sends each body both ways and compares what is said of it.
func TestSameAsHTTP(t *testing.T) {
	r := newRig(t, api.Config{})
	token, sender := r.token("ats"), r.dial("ats")
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	binary := header("Content-Type", "application/json", "ce-specversion", "1.0", "ce-id", "ID-b", "ce-source", "/ats",
		"ce-type", "eu.custody.data.accessed.v1", "ce-time", "2026-03-02T09:14:05.120Z")
	for name, tt := range map[string]struct {
		header http.Header
		body   string
		want   int
	}{
		"structured":            {header("Content-Type", structured), event("/ats", "ID-a"), 200},
		"binary":                {binary, data, 200},
		"binary without an id":  {header("Content-Type", "application/json", "ce-specversion", "1.0"), data, 400},
		"batch":                 {header("Content-Type", batch), "[" + event("/ats", "ID-c") + "," + event("/ats", "ID-d") + "]", 200},
		"lines":                 {header("Content-Type", lines), event("/ats", "ID-e") + "\n\n" + event("/ats", "ID-e") + "\n{}\n" + event("/crm", "ID-f"), 200},
		"answered in lines":     {header("Content-Type", lines, "Accept", lines), event("/ats", "ID-g") + "\nx\n", 200},
		"of another source":     {header("Content-Type", structured), event("/crm", "ID-h"), 403},
		"of another family":     {header("Content-Type", structured), strings.Replace(event("/ats", "ID-i"), "data.accessed", "breach.detected", 1), 400},
		"with an unknown field": {header("Content-Type", structured), strings.Replace(event("/ats", "ID-j"), `"mode"`, `"comment":"x","mode"`, 1), 400},
		"not JSON":              {header("Content-Type", structured), "{", 400},
		"nothing":               {header("Content-Type", structured), "", 400},
		"of no type":            {header(), event("/ats", "ID-k"), 415},
		"of another type":       {header("Content-Type", "text/plain"), event("/ats", "ID-k"), 415},
		"packed":                {header("Content-Type", structured, "Content-Encoding", "gzip"), event("/ats", "ID-k"), 415},
		"a batch cut off":       {header("Content-Type", batch), "[" + event("/ats", "ID-l"), 400},
		"too many lines":        {header("Content-Type", lines), strings.Repeat("{}\n", api.MaxEvents+1), 413},
		"too large an event":    {header("Content-Type", structured), strings.Replace(event("/ats", "ID-m"), "10412", strings.Repeat("1", 1<<20), 1), 413},
	} {
		asked := func(h http.Header, way string) http.Header {
			h = h.Clone()
			if id := h.Get("ce-id"); id != "" {
				h.Set("ce-id", strings.ReplaceAll(id, "ID", way))
			}
			return h
		}
		res, want := r.post(token, asked(tt.header, "http"), strings.ReplaceAll(tt.body, "ID", "http"))
		m := &nats.Msg{Subject: sender.subject, Header: nats.Header{}, Data: []byte(strings.ReplaceAll(tt.body, "ID", "nats"))}
		for name, values := range asked(tt.header, "nats") {
			m.Header[strings.ToLower(name)] = values // as CloudEvents writes them; NATS does not care
		}
		answer, err := sender.conn.RequestMsg(m, patience)
		r.must(err)
		code := answer.Header.Get(micro.ErrorCodeHeader)
		if res.StatusCode != tt.want || code != strconv.Itoa(tt.want) && (code != "" || tt.want != 200) {
			t.Errorf("%s: HTTP %d, NATS %q, want %d", name, res.StatusCode, code, tt.want)
		}
		if got, want := same(string(answer.Data)), same(want); got != want {
			t.Errorf("%s: NATS says\n%.300s\nHTTP\n%.300s", name, got, want)
		}
		if got, want := answer.Header.Get("Content-Type"), res.Header.Get("Content-Type"); got != want || answer.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: NATS says %q, HTTP %q", name, got, want)
		}
		if title := answer.Header.Get(micro.ErrorHeader); (title != "") != (tt.want != 200) || !strings.Contains(string(answer.Data), title) {
			t.Errorf("%s: %s is %q", name, micro.ErrorHeader, title)
		}
	}
}

// same is an answer without what must differ.
func same(answer string) string {
	answer = regexp.MustCompile(`"position":\d+`).ReplaceAllString(answer, `"position":N`)
	return strings.ReplaceAll(strings.ReplaceAll(answer, "http-", "ID-"), "nats-", "ID-")
}

// TestRepeats shows that an event has one place, whichever way it came.
func TestRepeats(t *testing.T) {
	r := newRig(t, api.Config{})
	token, sender := r.token("ats"), r.dial("ats")
	first := sender.send(t, 200, event("/ats", "a"))
	if _, second := r.post(token, http.Header{"Content-Type": {structured}}, event("/ats", "a")); second != strings.Replace(first, "recorded", "duplicate", 1) {
		t.Errorf("%s, then %s", first, second)
	}
	conflict := sender.send(t, 409, strings.Replace(event("/ats", "a"), "career_cv", "contacts", 1))
	if !strings.Contains(conflict, `"urn:custody:problem:conflict"`) {
		t.Error(conflict)
	}
}

// TestRepliesGoHome shows that a message whose answer would go elsewhere than to
// its sender's inbox is not looked at, and one without a reply subject is.
func TestRepliesGoHome(t *testing.T) {
	r := newRig(t, api.Config{})
	ats, crm := r.dial("ats"), r.dial("crm")
	inbox, err := crm.conn.SubscribeSync(Inbox("crm") + ".>")
	r.must(err)
	r.must(crm.conn.Flush())
	for i, reply := range []string{Inbox("crm") + ".x", Subject("crm"), Subject("ats"), "_INBOX.x", Inbox("ats"), Inbox("ats") + "x.y", "$JS.API.INFO", "$SRV.PING"} {
		m := &nats.Msg{Subject: Subject("ats"), Reply: reply, Header: nats.Header{"Content-Type": {structured}}, Data: []byte(event("/ats", fmt.Sprint("astray-", i)))}
		r.must(ats.conn.PublishMsg(m))
	}
	quiet := &nats.Msg{Subject: Subject("ats"), Header: nats.Header{"Content-Type": {structured}}, Data: []byte(event("/ats", "quiet"))}
	r.must(ats.conn.PublishMsg(quiet))
	ats.send(t, 200, event("/ats", "last")) // the messages of a connection come one after the other
	crm.send(t, 200, event("/crm", "last"))
	if n, _, err := inbox.Pending(); err != nil || n != 1 { // the answer to crm itself
		t.Errorf("%d messages in the inbox of another, %v", n, err)
	}
	again := ats.send(t, 200, event("/ats", "quiet"))
	if p := r.ledger.Head().Position; p != 3 || !strings.Contains(again, "duplicate") {
		t.Errorf("%d events; what was sent without a reply subject: %s", p, again)
	}
}

// TestEnds shows that a key is disconnected before whoever ended it is answered.
func TestEnds(t *testing.T) {
	r := newRig(t, api.Config{})
	seed, made := r.key("ats")
	first, second, other, crm := r.dialWith("ats", seed), r.dialWith("ats", seed), r.dial("ats"), r.dial("crm")
	r.must(r.ledger.Access().RevokeToken(t.Context(), "", made.ID))
	for _, s := range []*Sender{first, second} {
		if err := s.conn.FlushTimeout(patience); err == nil {
			t.Error("a connection of a revoked key answers")
		}
	}
	if _, err := Dial(r.url(), "ats", seed, quiet()...); err == nil {
		t.Error("a revoked key is let in")
	}
	other.send(t, 200, event("/ats", "a"))
	r.must(r.ledger.Access().RemoveProducer(t.Context(), "", "ats"))
	if err := other.conn.FlushTimeout(patience); err == nil {
		t.Error("a connection of a removed producer answers")
	}
	r.put("ats")
	if _, err := Dial(r.url(), "ats", seed, quiet()...); err == nil {
		t.Error("the key of a removed producer is let in when there is another of its name")
	}
	crm.send(t, 200, event("/crm", "a"))
	r.dial("ats").send(t, 200, event("/ats", "b"))
}

// TestBusy takes all there is in hand.
func TestBusy(t *testing.T) {
	r := newRig(t, api.Config{Bodies: 64 << 10})
	ats := r.dial("ats")
	letGo := r.api.Hold(api.Message{Producer: "nobody", Body: make([]byte, 60<<10)})
	m, err := ats.conn.RequestMsg(&nats.Msg{Subject: Subject("ats"), Header: nats.Header{"Content-Type": {structured}}, Data: []byte(event("/ats", "a"))}, patience)
	r.must(err)
	if m.Header.Get(micro.ErrorCodeHeader) != "503" || m.Header.Get("Retry-After") != "1" || !strings.Contains(string(m.Data), "problem:busy") {
		t.Errorf("beyond the budget: %v %s", m.Header, m.Data)
	}
	if reply := letGo(t.Context()); reply.Status != 401 {
		t.Errorf("for nobody: %d", reply.Status)
	}
	for i := range 10 { // what each takes is given back
		ats.send(t, 200, event("/ats", fmt.Sprint(i)))
	}
}

// TestMetrics shows that what comes over NATS is counted like the rest.
func TestMetrics(t *testing.T) {
	r := newRig(t, api.Config{})
	ats := r.dial("ats")
	ats.send(t, 200, event("/ats", "a"))
	ats.send(t, 200, event("/ats", "a"))
	ats.send(t, 403, event("/crm", "a"))
	res, err := http.Get(r.http.URL + "/metrics")
	r.must(err)
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	r.must(err)
	for _, want := range []string{
		`custody_events_recorded_total{producer="ats"} 1`, `custody_events_duplicates_total{producer="ats"} 1`, `custody_events_refusals_total{producer="crm",type="source"} 1`,
		`custody_http_request_seconds_count{route="NATS custody.ingest",status="200"} 2`, `custody_http_request_seconds_count{route="NATS custody.ingest",status="403"} 1`,
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %s", want)
		}
	}
}

// slowLedger records when it is let.
type slowLedger struct {
	*ledger.Ledger
	begun chan struct{}
	let   chan struct{}
}

func (l slowLedger) Record(ctx context.Context, subs []ledger.Submission) ([]ledger.Result, error) {
	l.begun <- struct{}{}
	select {
	case <-l.let:
		return l.Ledger.Record(ctx, subs)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestStop stops while messages are in hand: each is answered, and nothing more
// is taken.
func TestStop(t *testing.T) {
	const n = 50
	r := newRig(t, api.Config{})
	slow := slowLedger{r.ledger, make(chan struct{}), make(chan struct{})}
	r.api.Attach(slow)
	address := r.service.Addr().String()
	seed, _ := r.key("ats")
	ats, err := Dial(r.url(), "ats", seed) // one that does not give up what it waits for when it is disconnected
	r.must(err)
	defer ats.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if status, answer, err := ats.Send(ctx, structured, []byte(event("/ats", fmt.Sprint(i)))); err != nil || status != 200 {
				t.Errorf("%d: %d %s %v", i, status, answer, err)
			}
		})
	}
	for range n {
		<-slow.begun
	}
	stopped := make(chan error)
	go func() { stopped <- r.service.Stop(t.Context()) }()
	close(slow.let)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	all.Wait()
	if p := r.ledger.Head().Position; p != n {
		t.Errorf("%d events", p)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("still listening")
	}
	r.service = nil
}

// TestStopGivesUp stops while nothing will ever be answered.
func TestStopGivesUp(t *testing.T) {
	r := newRig(t, api.Config{})
	slow := slowLedger{r.ledger, make(chan struct{}), make(chan struct{})}
	r.api.Attach(slow)
	ats := r.dial("ats")
	sent := make(chan error)
	go func() {
		_, _, err := ats.Send(t.Context(), structured, []byte(event("/ats", "a")))
		sent <- err
	}()
	<-slow.begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.service.Stop(ctx); err == nil {
		t.Error("stopped as if all had been answered")
	}
	if err := <-sent; err == nil {
		t.Error("answered")
	}
	r.service.work.Wait() // what was in hand has been let go
	r.service = nil
}
