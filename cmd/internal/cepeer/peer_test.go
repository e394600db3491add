package cepeer

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/imalink/custody/events"
)

// fixture gives events of many kinds, the last with every attribute there is.
func fixture(t *testing.T) []*events.Event {
	t.Helper()
	f, err := os.Open("../../../events/testdata/binding-events.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []*events.Event
	for line, err := range events.SplitLines(f) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := events.Decode(line.Raw)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	if len(all) < 10 {
		t.Fatalf("%d events in the fixture", len(all))
	}
	return all
}

// dataOf is the event's data as our structured mode writes it.
func dataOf(t *testing.T, e *events.Event) json.RawMessage {
	t.Helper()
	var envelope struct{ Data json.RawMessage }
	if err := json.Unmarshal(e.AppendJSON(nil), &envelope); err != nil {
		t.Fatal(err)
	}
	return envelope.Data
}

// toPeer builds an event with the SDK's own setters.
func toPeer(t *testing.T, e *events.Event) cloudevents.Event {
	t.Helper()
	p := cloudevents.NewEvent()
	p.SetID(e.ID)
	p.SetSource(e.Source)
	p.SetType(e.Kind.Type())
	p.SetTime(e.At)
	header, _ := events.EncodeBinary(e)
	for _, name := range []string{"Producerinstance", "Producerseq", "Correlationid", "Causationid", "Traceparent"} {
		if value := header["Ce-"+name]; len(value) == 1 {
			p.SetExtension(strings.ToLower(name), value[0])
		}
	}
	if err := p.SetData(cloudevents.ApplicationJSON, dataOf(t, e)); err != nil {
		t.Fatal(err)
	}
	return p
}

// receive decodes a request as an endpoint does, by its Content-Type.
func receive(r *http.Request) ([]*events.Event, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	mode, err := events.ContentMode(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	var got []*events.Event
	switch mode {
	case events.Structured:
		e, err := events.Decode(body)
		return append(got, e), err
	case events.Binary:
		e, err := events.DecodeBinary(r.Header, body)
		return append(got, e), err
	}
	for raw, err := range events.SplitBatch(body) {
		if err != nil {
			return got, err
		}
		e, err := events.Decode(raw)
		if err != nil {
			return got, err
		}
		got = append(got, e)
	}
	return got, nil
}

// endpoint serves receive; take gives what arrived since it was last called.
func endpoint(t *testing.T) (url string, take func() []*events.Event) {
	t.Helper()
	arrived := make(chan []*events.Event, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := receive(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		arrived <- got
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []*events.Event {
		select {
		case got := <-arrived:
			return got
		default:
			t.Fatal("nothing arrived")
			return nil
		}
	}
}

// same compares all of two events but the spelling of the time, which the SDK chooses itself.
func same(t *testing.T, got, want *events.Event) {
	t.Helper()
	if !got.At.Equal(want.At) {
		t.Errorf("%s: at %v, want %v", want.ID, got.At, want.At)
	}
	respelt := *got
	respelt.Time = want.Time
	if g, w := respelt.AppendJSON(nil), want.AppendJSON(nil); !bytes.Equal(g, w) {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestPeerSendsOne(t *testing.T) {
	for name, encoded := range map[string]func(context.Context) context.Context{"structured": cloudevents.WithEncodingStructured, "binary": cloudevents.WithEncodingBinary} {
		t.Run(name, func(t *testing.T) {
			url, take := endpoint(t)
			client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(url))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range fixture(t) {
				if result := client.Send(encoded(t.Context()), toPeer(t, want)); !cloudevents.IsACK(result) {
					t.Fatalf("%v: %v", want, result)
				}
				got := take()
				if len(got) != 1 {
					t.Fatalf("%d events arrived", len(got))
				}
				same(t, got[0], want)
			}
		})
	}
}

func TestPeerSendsBatch(t *testing.T) {
	url, take := endpoint(t)
	want := fixture(t)
	for _, size := range []int{0, 1, len(want)} {
		batch := make([]cloudevents.Event, 0, size)
		for _, e := range want[:size] {
			batch = append(batch, toPeer(t, e))
		}
		request, err := cehttp.NewHTTPRequestFromEvents(t.Context(), url, batch)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("batch of %d: %s", size, response.Status)
		}
		got := take()
		if len(got) != size {
			t.Fatalf("%d events arrived of %d", len(got), size)
		}
		for i := range got {
			same(t, got[i], want[i])
		}
	}
}

// isSame compares what the SDK read with what we wrote, our spelling of the time aside.
func isSame(t *testing.T, got *cloudevents.Event, want *events.Event) {
	t.Helper()
	if err := got.Validate(); err != nil {
		t.Errorf("%s: the SDK finds it invalid: %v", want.ID, err)
	}
	expected := toPeer(t, want)
	if g, w := got.Context.String(), expected.Context.String(); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	if !bytes.Equal(got.Data(), expected.Data()) {
		t.Errorf("%s: data\n%s\nwant\n%s", want.ID, got.Data(), expected.Data())
	}
}

func TestPeerReads(t *testing.T) {
	request := func(header http.Header, body []byte) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/v1/events", bytes.NewReader(body))
		r.Header = header
		return r
	}
	all := fixture(t)
	var batch [][]byte
	for _, want := range all {
		structured := want.AppendJSON(nil)
		batch = append(batch, structured)
		got, err := cehttp.NewEventFromHTTPRequest(request(http.Header{"Content-Type": {cloudevents.ApplicationCloudEventsJSON}}, structured))
		if err != nil {
			t.Fatalf("structured %v: %v", want, err)
		}
		isSame(t, got, want)
		header, body := events.EncodeBinary(want)
		if got, err = cehttp.NewEventFromHTTPRequest(request(header, body)); err != nil {
			t.Fatalf("binary %v: %v", want, err)
		}
		isSame(t, got, want)
	}
	body := slices.Concat([]byte("["), bytes.Join(batch, []byte(",")), []byte("]"))
	got, err := cehttp.NewEventsFromHTTPRequest(request(http.Header{"Content-Type": {cloudevents.ApplicationCloudEventsBatchJSON}}, body))
	if err != nil || len(got) != len(all) {
		t.Fatalf("batch: %d events, %v", len(got), err)
	}
	for i := range got {
		isSame(t, &got[i], all[i])
	}
}
