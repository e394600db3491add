// Package cepeer holds the bindings of package events against the CloudEvents SDK for Go: what either
// writes, the other reads as the same event, in structured, binary and batch mode.
//
// Where the SDK is known to differ from the specification, a test says how, and fails when it no
// longer does:
//
//   - it neither encodes nor decodes percent signs, spaces, quotes or anything else in the headers of
//     binary mode (HTTP binding 1.0.2, section 3.1.3.2; sdk-go issue 1331). No attribute of an event
//     may hold such a character, so events are not affected: they are refused in either mode;
//   - it writes the time anew, in UTC and without the zeros that end a fraction. The instant is the same.
package cepeer

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/imalink/custody/events"
)

// binaryFromPeer gives the header and the body that the SDK writes.
func binaryFromPeer(t *testing.T, p cloudevents.Event) *http.Request {
	t.Helper()
	r, err := cehttp.NewHTTPRequestFromEvent(t.Context(), "http://localhost/v1/events", p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPeerDoesNotPercentEncode(t *testing.T) {
	p := toPeer(t, fixture(t)[0])
	for _, value := range []string{"a b", "50%", "%41", `a"b`, "caf\u00e9"} {
		p.SetExtension("correlationid", value)
		r := binaryFromPeer(t, p)
		if got := r.Header["Ce-Correlationid"]; len(got) != 1 || got[0] != value {
			t.Errorf("the SDK now sends %q as %q", value, got)
		}
		structured, err := p.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		_, plain := events.Decode(structured)
		if !refusedAt(plain, "/correlationid") {
			t.Errorf("structured %q: %v", value, plain)
		}
		if _, err := receive(r); !refusedAt(err, "/correlationid") && value != "%41" {
			t.Errorf("binary %q: %v", value, err)
		}
	}
}

// The one consequence: what looks percent-encoded is decoded, as the specification demands of us.
func TestPercentFromPeerIsDecoded(t *testing.T) {
	p := toPeer(t, fixture(t)[0])
	p.SetExtension("correlationid", "%41")
	got, err := receive(binaryFromPeer(t, p))
	if err != nil || got[0].Correlation != "A" {
		t.Errorf("%v, %v", got, err)
	}
}

func refusedAt(err error, path string) bool {
	var fault *events.Error
	return errors.As(err, &fault) && fault.Path == path
}

func TestPeerDoesNotPercentDecode(t *testing.T) {
	header, body := events.EncodeBinary(fixture(t)[0])
	for _, value := range []string{"%61", "%C0%A0", "%zz", `"a"`} {
		header["Ce-Correlationid"] = []string{value}
		r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(string(body)))
		r.Header = header
		got, err := cehttp.NewEventFromHTTPRequest(r)
		if err != nil || got.Extensions()["correlationid"] != value {
			t.Errorf("the SDK now reads %q as %v, %v", value, got.Extensions()["correlationid"], err)
		}
	}
}

func TestPeerRespellsTime(t *testing.T) {
	want := fixture(t)[0]
	want.Time, want.At = "2026-03-02T10:14:05.120+01:00", time.Date(2026, 3, 2, 9, 14, 5, 120e6, time.UTC)
	got, err := receive(binaryFromPeer(t, toPeer(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Time != "2026-03-02T09:14:05.12Z" || !got[0].At.Equal(want.At) {
		t.Errorf("the SDK now sends the time as %s", got[0].Time)
	}
}
