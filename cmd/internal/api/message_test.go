package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger"
)

func structuredMessage(producer, body string) Message {
	return Message{Producer: producer, Header: http.Header{"Content-Type": {structuredType}}, Body: []byte(body)}
}

// TestMessage answers messages, and looks at what is left of the budget.
func TestMessage(t *testing.T) {
	r := newRig(t)
	for name, tt := range map[string]struct {
		m    Message
		want int
		say  string
	}{
		"recorded":             {structuredMessage("ats", event("/ats", "a")), 200, `"recorded"`},
		"of another source":    {structuredMessage("ats", event("/crm", "a")), 403, "not-allowed"},
		"of nobody":            {structuredMessage("nobody", event("/nobody", "a")), 401, "not registered any more"},
		"without a header":     {Message{Producer: "ats", Body: []byte(event("/ats", "a"))}, 415, "unsupported-media-type"},
		"larger than all":      {structuredMessage("ats", strings.Repeat(" ", MaxBody+1)), 413, "too-large"},
		"larger than budgeted": {structuredMessage("ats", strings.Repeat(" ", defaultBodies+1)), 503, "busy"},
	} {
		reply := r.api.Hold(tt.m)(t.Context())
		if reply.Status != tt.want || !strings.Contains(string(reply.Body), tt.say) || reply.Header.Get(requestIDHeader) == "" || !json.Valid(reply.Body) {
			t.Errorf("%s: %d %s", name, reply.Status, reply.Body)
		}
		if left := r.api.bodies.left.Load(); left != defaultBodies {
			t.Fatalf("%s: %d of the budget are left", name, left)
		}
	}
}

// TestMessageSize shows that headers count, and that there are only so many
// messages at once however small they are.
func TestMessageSize(t *testing.T) {
	r := newRig(t)
	large := structuredMessage("ats", "{}")
	large.Header.Set("X", strings.Repeat("x", defaultBodies))
	if reply := r.api.Hold(large)(t.Context()); reply.Status != 503 {
		t.Errorf("a header as large as the budget: %d", reply.Status)
	}
	var held []func(context.Context) Reply
	for range defaultBodies / firstRead {
		held = append(held, r.api.Hold(Message{Producer: "nobody"}))
	}
	if reply := r.api.Hold(Message{Producer: "nobody"})(t.Context()); reply.Status != 503 || reply.Header.Get("Retry-After") != "1" {
		t.Errorf("one message too many: %d", reply.Status)
	}
	for _, letGo := range held {
		letGo(t.Context())
	}
	if left := r.api.bodies.left.Load(); left != defaultBodies {
		t.Errorf("%d of the budget are left", left)
	}
}

// panickingLedger panics with what must not be repeated.
type panickingLedger struct{ *fakeLedger }

func (panickingLedger) Record(context.Context, []ledger.Submission) ([]ledger.Result, error) {
	panic("candidate:10412")
}

// TestMessageGoesWrong shows that a message is answered whatever happens.
func TestMessageGoesWrong(t *testing.T) {
	r := newRig(t)
	r.api.Attach(panickingLedger{r.ledger})
	if reply := r.api.Hold(structuredMessage("ats", event("/ats", "a")))(t.Context()); reply.Status != 500 || strings.Contains(string(reply.Body), "10412") {
		t.Errorf("a panic: %d %s", reply.Status, reply.Body)
	}
	half := r.api.reply(t.Context(), nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"results":[`))
		panic("candidate:10412")
	})
	if half.Status != 500 || !json.Valid(half.Body) || strings.Contains(string(half.Body), "results") {
		t.Errorf("a panic in the middle of an answer: %d %s", half.Status, half.Body)
	}
	fresh, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if reply := fresh.Hold(structuredMessage("ats", event("/ats", "a")))(t.Context()); reply.Status != 503 || !strings.Contains(string(reply.Body), "not-ready") {
		t.Errorf("before there is a ledger: %d %s", reply.Status, reply.Body)
	}
}
