package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// bindingEvents are the lines of a fixture: events as sent, attributes in the catalogue's order.
func bindingEvents(t testing.TB) [][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/binding-events.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
}

func TestBinaryRoundTrip(t *testing.T) {
	for _, line := range bindingEvents(t) {
		e, err := Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		header, body := EncodeBinary(e)
		for name := range header {
			if name != textproto.CanonicalMIMEHeaderKey(name) {
				t.Errorf("header %s is not in its canonical form", name)
			}
		}
		got, err := DecodeBinary(header, body)
		if err != nil {
			t.Fatalf("%v: %v", e, err)
		}
		if want := e.AppendJSON(nil); !bytes.Equal(got.AppendJSON(nil), want) {
			t.Errorf("%s\nbecame\n%s", want, got.AppendJSON(nil))
		}
	}
}

// Whatever is wrong with an event, binary and structured mode say the same about it.
func TestBinaryJudgesAsStructured(t *testing.T) {
	lines := bindingEvents(t)
	rapid.Check(t, func(t *rapid.T) {
		var event map[string]json.RawMessage
		if err := json.Unmarshal(rapid.SampledFrom(lines).Draw(t, "line"), &event); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 2).Draw(t, "faults") {
			breakEvent(t, event)
		}
		header := map[string][]string{}
		var structured []byte
		for _, name := range inEnvelopeOrder(event) {
			structured = append(append(appendString(append(structured, ','), name), ':'), event[name]...)
			var text string
			switch {
			case name == "data":
			case name == "datacontenttype":
				header["content-type"] = []string{"application/json"}
			default:
				if err := json.Unmarshal(event[name], &text); err != nil {
					t.Fatal(err)
				}
				header[headerPrefix+name] = []string{percentEncode(text)}
			}
		}
		structured[0] = '{'
		want, wantErr := Decode(append(structured, '}'))
		got, gotErr := DecodeBinary(header, event["data"])
		if wantErr != nil || gotErr != nil {
			if verdict(wantErr) != verdict(gotErr) {
				t.Fatalf("structured %v, binary %v: %s", wantErr, gotErr, structured)
			}
			return
		}
		if !bytes.Equal(want.AppendJSON(nil), got.AppendJSON(nil)) {
			t.Fatalf("structured %s, binary %s", want.AppendJSON(nil), got.AppendJSON(nil))
		}
	})
}

func verdict(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Path + " " + e.Type
}

// breakEvent changes one thing; the Content-Type is left as it is.
func breakEvent(t *rapid.T, event map[string]json.RawMessage) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ "%\\a-z0-9é-]{0,12}`), rapid.Just("2025-02-30T10:00:00Z"), rapid.Just("jan@example.org"))
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(event)), func(name string) bool { return name == "datacontenttype" })
	name := rapid.SampledFrom(names).Draw(t, "name")
	switch rapid.IntRange(0, 4).Draw(t, "fault") {
	case 0:
		delete(event, name)
	case 1:
		if name != "data" {
			event[name] = appendString(nil, text.Draw(t, "text"))
		}
	case 2:
		name := rapid.SampledFrom([]string{"subject", "recordedtime", "dataschema", "salt", "jan"}).Draw(t, "unknown")
		event[name] = appendString(nil, text.Draw(t, "text"))
	case 3:
		event["data"] = json.RawMessage(rapid.SampledFrom([]string{`null`, `{}`, `[]`, `"x"`, `{"a":1}`, `{"actor":{"id":""}}`, `1`}).Draw(t, "data"))
	case 4:
		var data map[string]json.RawMessage
		if json.Unmarshal(event["data"], &data) != nil || len(data) == 0 {
			return
		}
		field := rapid.SampledFrom(slices.Sorted(maps.Keys(data))).Draw(t, "field")
		data[field] = appendString(nil, text.Draw(t, "text"))
		event["data"], _ = json.Marshal(data)
	}
}

func inEnvelopeOrder(event map[string]json.RawMessage) []string {
	var order []string
	for _, f := range envelope.fields {
		if _, ok := event[f.name]; ok && f.name != "data" {
			order = append(order, f.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(event)) {
		if !slices.Contains(order, name) && name != "data" {
			order = append(order, name)
		}
	}
	if _, ok := event["data"]; ok {
		order = append(order, "data")
	}
	return order
}

// binaryMessage is a valid message, its header as net/http reads it.
func binaryMessage(t testing.TB) (header map[string][]string, body []byte) {
	t.Helper()
	lines := bindingEvents(t)
	e, err := Decode(lines[len(lines)-1])
	if err != nil {
		t.Fatal(err)
	}
	return EncodeBinary(e)
}

func TestBinaryHeaders(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"ce-id", "%31%32", ""},                   // encoded without need
		{"CE-ID", `"12"`, ""},                     // quoted
		{"ce-id", `"1\2"`, ""},                    // escaped within
		{"ce-id", "\t12 ", ""},                    // white space around
		{"ce-id", "%3a%3A", ""},                   // either case
		{"ce-source", "%2Fats", ""},               //
		{"ce-id", "", "/id bad-format"},           //
		{"ce-id", "%2531", "/id bad-format"},      // one round only: the id is "%31"
		{"ce-id", "a b", "/id bad-format"},        // the catalogue's fault, not the header's
		{"ce-id", "%C0%A0", "/id bad-utf8"},       // overlong space
		{"ce-id", "%ED%A0%80", "/id bad-utf8"},    // lone surrogate
		{"ce-id", "%F4%90%80%80", "/id bad-utf8"}, // beyond U+10FFFF
		{"ce-id", "%E2%82", "/id bad-utf8"},       // cut short
		{"ce-id", "%", "/id bad-format"},          //
		{"ce-id", "%4", "/id bad-format"},         //
		{"ce-id", "%zz", "/id bad-format"},        //
		{"ce-id", "é", "/id bad-format"},          // not ASCII
		{"ce-id", "a\x00", "/id bad-format"},      //
		{"ce-id", `"a`, "/id bad-format"},         // never closed
		{"ce-id", `"`, "/id bad-format"},          //
		{"ce-id", `"a\"`, "/id bad-format"},       // never closed
		{"ce-id", `a"b"`, "/id bad-format"},       //
		{"ce-id", `"a""b"`, "/id bad-format"},     //
		{"ce-specversion", "0.3", "/specversion not-in-vocabulary"},
		{"ce-subject", "x", "/subject unknown-field"},
		{"ce-recordedtime", "x", "/recordedtime ledger-field"},
		{"ce-data", "{}", "/data duplicate-key"},
		{"ce-data_base64", "e30=", "/data_base64 unknown-field"},
		{"ce-datacontenttype", "application/json", "/datacontenttype duplicate-key"},
		{"ce-", "x", " unknown-field"},
		{"ce-jan@example.org", "%", " bad-format"},
		{"ce-a/b", "x", " unknown-field"}, // a name that is no name is not repeated
		{"Content-Type", "application/json; charset=UTF-8", ""},
		{"Content-Type", "Application/Vnd.Custody+JSON", ""},
		{"Content-Type", "application/json; charset=latin1", "/datacontenttype not-in-vocabulary"},
		{"Content-Type", "application/cloudevents+json", "/datacontenttype not-in-vocabulary"},
		{"Content-Type", "text/plain", "/datacontenttype not-in-vocabulary"},
		{"X-Request-Id", "\x00 not looked at", ""},
	} {
		header, body := binaryMessage(t)
		for name := range header {
			if strings.EqualFold(name, test.name) {
				delete(header, name)
			}
		}
		header[test.name] = []string{test.value}
		if _, err := DecodeBinary(header, body); verdict(err) != test.want {
			t.Errorf("%s: %q: %v, want %q", test.name, test.value, err, test.want)
		}
	}
}

func TestBinaryMissingAndTwice(t *testing.T) {
	header, body := binaryMessage(t)
	header["ce-id"] = header["Ce-Id"]
	if _, err := DecodeBinary(header, body); verdict(err) != "/id duplicate-key" {
		t.Error("two spellings:", err)
	}
	for name, want := range map[string]string{
		"Ce-Specversion": "/specversion missing-field", "Ce-Id": "/id missing-field", "Ce-Source": "/source missing-field", "Ce-Type": "/type missing-field",
		"Ce-Time": "/time missing-field", "Content-Type": "/datacontenttype missing-field", "Ce-Traceparent": "",
	} {
		header, body := binaryMessage(t)
		header[name] = append(header[name], header[name]...)
		if _, err := DecodeBinary(header, body); verdict(err) != strings.ToLower("/"+strings.TrimPrefix(name, "Ce-"))+" duplicate-key" && name != "Content-Type" {
			t.Error(name, "twice:", err)
		}
		delete(header, name)
		if _, err := DecodeBinary(header, body); verdict(err) != want {
			t.Error("no", name, err)
		}
	}
	header, body = binaryMessage(t)
	header["Ce-Datacontenttype"] = header["Content-Type"]
	delete(header, "Content-Type")
	if _, err := DecodeBinary(header, body); verdict(err) != "/datacontenttype duplicate-key" {
		t.Error("the type of the data in a header of its own:", err)
	}
	if _, err := DecodeBinary(map[string][]string{"Content-Type": {"application/json"}}, body); err == nil || !strings.Contains(err.Error(), "application/cloudevents+json") {
		t.Error("a whole event sent as application/json:", err)
	}
}

// A body can be nothing but data.
func TestBinaryBody(t *testing.T) {
	header, good := binaryMessage(t)
	for body, want := range map[string]string{
		"":                             "/data missing-field",
		" \n":                          "/data missing-field",
		string(good) + "\n":            "",
		string(good) + `,"id":"other"`: "/data trailing-bytes",
		string(good) + `}`:             "/data trailing-bytes",
		string(good) + string(good):    "/data trailing-bytes",
		string(good[:len(good)-1]):     "/data not-json",
		`{},"recordedtime":"2025"`:     "/data trailing-bytes",
		`"},"recordedtime":"2025`:      "/data trailing-bytes",
		`]`:                            "/data not-json",
		`null`:                         "/data wrong-type",
		`7,"recordedtime":"2025"`:      "/data trailing-bytes",
		"\ufeff" + string(good):        "/data trailing-bytes",
		strings.Repeat(" ", 1<<21):     " too-large",
		strings.Repeat("[", 100):       "/data too-deep",
		`{"a":` + strings.Repeat(" ", 1<<20) + `1}`: " too-large",
	} {
		if _, err := DecodeBinary(header, []byte(body)); verdict(err) != want {
			t.Errorf("%.60q: %v, want %q", body, err, want)
		}
	}
}

// What the catalogue would refuse as well is refused by the header's own rules.
func TestHeaderRules(t *testing.T) {
	for _, text := range []string{`"a""b"`, `a"`, `"`, `"\"`, `"a\"`} {
		if _, fault := unquote(text); fault != BadFormat {
			t.Errorf("unquote %q: %q", text, fault)
		}
	}
	for text, want := range map[string]string{"\u00e9": BadFormat, "\x7f": BadFormat, "a\tb": BadFormat, "%0": BadFormat, "%fF": BadUTF8, "%00": ""} {
		if _, fault := percentDecode(text); fault != want {
			t.Errorf("percentDecode %q: %q, want %q", text, fault, want)
		}
	}
}

func TestPercentEncoding(t *testing.T) {
	const euro = "Euro € 😀" // the example of section 3.1.3.2
	if got := percentEncode(euro); got != "Euro%20%E2%82%AC%20%F0%9F%98%80" {
		t.Error(got)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		encoded := percentEncode(want)
		if got, fault := percentDecode(encoded); got != want || fault != "" {
			t.Errorf("%q became %q (%s)", want, got, fault)
		}
		if strings.ContainsFunc(encoded, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
			t.Errorf("%q holds what may not stand in a header", encoded)
		}
	})
}

func TestContentMode(t *testing.T) {
	for contentType, want := range map[string]Mode{
		"application/cloudevents+json":                      Structured,
		"Application/CloudEvents+JSON; Charset=UTF-8":       Structured,
		`application/cloudevents+json;charset="utf-8"`:      Structured,
		"application/cloudevents-batch+json; charset=utf-8": Batch,
		"application/x-ndjson":                              Lines,
		"application/json":                                  Binary,
		"application/vnd.custody+json":                      Binary,
		"":                                                  0,
		"application/cloudevents":                           0,
		"application/cloudevents+avro":                      0,
		"application/cloudevents-batch":                     0,
		"application/cloudevents-other+json":                0,
		"application/cloudevents+json; charset=utf-16":      0,
		"application/cloudevents+json; profile=x":           0,
		"application/x-ndjson; charset=latin1":              0,
		"application/json; charset=utf-8; charset=latin1":   0,
		"application/jsonp":                                 0,
		"text/json":                                         0,
		"image/svg+json":                                    0,
		"+json":                                             0,
		"application/json, application/cloudevents+json":    0,
	} {
		mode, err := ContentMode(contentType)
		if mode != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v", contentType, mode, err)
		}
		if err != nil && verdict(err) != " "+BadContentType {
			t.Errorf("%q: %v", contentType, err)
		}
	}
}

func FuzzDecodeBinary(f *testing.F) {
	header, body := binaryMessage(f)
	f.Add(header["Ce-Id"][0], body)
	f.Add("%C0%A0", []byte(`{},"id":"x"`))
	f.Add(`"a\"`, []byte("[[[["))
	f.Fuzz(func(t *testing.T, id string, body []byte) {
		header, _ := binaryMessage(t)
		header["Ce-Id"] = []string{id}
		e, err := DecodeBinary(header, body)
		if err != nil {
			if fault := (*Error)(nil); !errors.As(err, &fault) {
				t.Errorf("not an *Error: %v", err)
			}
			return
		}
		var data map[string]any
		if err := json.Unmarshal(body, &data); err != nil {
			t.Errorf("accepted a body that is no JSON object: %v", err)
		}
		if e.Source != header["Ce-Source"][0] || e.Correlation != header["Ce-Correlationid"][0] {
			t.Error("the body changed an attribute")
		}
	})
}

func BenchmarkDecodeBinary(b *testing.B) {
	header, body := binaryMessage(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeBinary(header, body); err != nil {
			b.Fatal(err)
		}
	}
}
