package ingest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/imalink/custody/cmd/internal/api"
)

// TestFlood has a producer send far more than can be held, without waiting for
// answers. Some messages are told to come again and some may get no answer;
// others are served, and when all are sent again each event has one place.
func TestFlood(t *testing.T) {
	const messages, events = 60, 200
	r := newRig(t, api.Config{Bodies: 256 << 10})
	bodies := make([]string, messages)
	for i := range bodies {
		var b strings.Builder
		for j := range events {
			fmt.Fprintln(&b, event("/ats", fmt.Sprintf("%d-%d", i, j)))
		}
		bodies[i] = b.String()
	}
	var all sync.WaitGroup
	for part := range 4 {
		s := r.dial("ats")
		all.Go(func() {
			for i := part; i < messages; i += 4 {
				m := &nats.Msg{Subject: Subject("ats"), Reply: Inbox("ats") + ".unread", Header: nats.Header{"Content-Type": {lines}}, Data: []byte(bodies[i])}
				if err := s.conn.PublishMsg(m); err != nil {
					t.Error(err)
				}
			}
			if err := s.conn.FlushTimeout(patience); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	r.dial("crm").insist(t, structured, event("/crm", "a"))
	ats := r.dial("ats")
	for _, body := range bodies {
		ats.insist(t, lines, body)
	}
	if p := r.ledger.Head().Position; p != messages*events+1 {
		t.Errorf("%d events", p)
	}
}

// insist sends a body until it is answered with 200, as a client does that wants
// its events recorded.
func (s *Sender) insist(t *testing.T, contentType, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		status, answer, err := s.Send(ctx, contentType, []byte(body))
		switch {
		case err != nil:
			t.Fatal(err)
		case status == 200:
			return
		case status != 503:
			t.Fatalf("%d %.200s", status, answer)
		}
	}
}
