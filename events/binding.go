package events

import (
	"bytes"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Mode is how an HTTP message carries events.
type Mode uint8

const (
	Structured Mode = iota + 1 // application/cloudevents+json: one event, all of it in the body
	Batch                      // application/cloudevents-batch+json: see [SplitBatch]
	Lines                      // application/x-ndjson: see [SplitLines]
	Binary                     // application/json or another +json: see [DecodeBinary]
)

// BadContentType is the Error type of a Content-Type that is none of the modes'.
const BadContentType = "content-type"

// ContentMode finds the mode that a Content-Type header announces (CloudEvents HTTP binding 1.0.2,
// section 3; letter case makes no difference). The only parameter allowed is charset=utf-8. The error
// is an [*Error] of type [BadContentType].
func ContentMode(contentType string) (Mode, error) {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return 0, &Error{Type: BadContentType, Detail: "Content-Type is missing or cannot be read"}
	}
	for name, value := range parameters {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return 0, &Error{Type: BadContentType, Detail: "the only parameter of Content-Type is charset=utf-8"}
		}
	}
	switch {
	case media == "application/cloudevents+json":
		return Structured, nil
	case media == "application/cloudevents-batch+json":
		return Batch, nil
	case media == "application/x-ndjson":
		return Lines, nil
	case strings.HasPrefix(media, "application/cloudevents"):
	case media == "application/json", strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"):
		return Binary, nil
	}
	return 0, &Error{Type: BadContentType, Detail: "Content-Type is application/cloudevents+json, application/cloudevents-batch+json, " +
		"application/x-ndjson, or application/json with ce- headers"}
}

// headerPrefix begins the header of an attribute; header names have no letter case.
const headerPrefix = "ce-"

// DecodeBinary reads one event from an HTTP message in binary mode (CloudEvents HTTP binding 1.0.2,
// section 3.1): every ce- header is an attribute, Content-Type is datacontenttype, the body is data.
// Other headers are not looked at. It judges, and names places, as [Decode] does for the same event in
// structured mode. A header given twice is a [DuplicateKey], one that cannot be decoded (section
// 3.1.3.2) a [BadFormat], or [BadUTF8], of its attribute. Neither header nor body is kept or changed.
func DecodeBinary(header map[string][]string, body []byte) (*Event, error) {
	attributes, err := readAttributes(header)
	if err != nil {
		return nil, err
	}
	if len(body) > MaxEvent {
		return nil, &Error{Type: TooLarge, Detail: "an event has at most 1 MiB"}
	}
	if err := isOneValue(body); err != nil {
		return nil, err
	}
	return Decode(appendStructured(nil, attributes, body))
}

// readAttributes gives the attributes that the headers hold, decoded, by name.
func readAttributes(header map[string][]string) (map[string]string, *Error) {
	attributes := make(map[string]string, len(header))
	for _, key := range slices.Sorted(maps.Keys(header)) { // sorted: the same fault every time
		name := strings.ToLower(key)
		switch {
		case name == "content-type":
			name = "datacontenttype"
		case strings.HasPrefix(name, headerPrefix):
			name = name[len(headerPrefix):]
			if name == "data" || name == "datacontenttype" {
				return nil, attributeError(name, DuplicateKey, "the body and its Content-Type say this")
			}
		default:
			continue
		}
		if _, twice := attributes[name]; twice || len(header[key]) > 1 {
			return nil, attributeError(name, DuplicateKey, "a header may stand once only")
		}
		for _, value := range header[key] {
			text, fault := readAttribute(name, value)
			if fault != nil {
				return nil, fault
			}
			attributes[name] = text
		}
	}
	if _, ok := attributes["datacontenttype"]; !ok {
		return nil, attributeError("datacontenttype", MissingField, "Content-Type is required here")
	}
	if len(attributes) == 1 {
		return nil, attributeError("specversion", MissingField, "no ce- header: a whole event is sent as application/cloudevents+json")
	}
	return attributes, nil
}

func readAttribute(name, value string) (string, *Error) {
	if name == "datacontenttype" {
		if mode, err := ContentMode(value); err != nil || mode != Binary {
			return "", attributeError(name, NotInVocabulary, "application/json")
		}
		return "application/json", nil // what the catalogue calls every +json
	}
	text, fault := unquote(strings.Trim(value, " \t"))
	if fault == "" {
		text, fault = percentDecode(text)
	}
	if fault != "" {
		return "", attributeError(name, fault, "a header of printable ASCII, percent-encoded UTF-8")
	}
	return text, nil
}

// attributeError names an attribute, unless the name, which is the sender's, says too much.
func attributeError(name, word, detail string) *Error {
	e := &Error{Type: word, Detail: detail}
	if safeName([]byte(name)) {
		e.Path = "/" + name
	}
	return e
}

// unquote undoes a quoted string (RFC 7230, section 3.2.6), which earlier versions of the binding
// sent. A quote that stands anywhere else should have been percent-encoded.
func unquote(s string) (text, fault string) {
	if !strings.Contains(s, `"`) {
		return s, ""
	}
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", BadFormat
	}
	s = s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			return "", BadFormat
		}
		if s[i] == '\\' {
			if i++; i == len(s) {
				return "", BadFormat // the closing quote was escaped
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// percentDecode undoes one round of percent-encoding. The result is UTF-8 without overlong forms or
// surrogates.
func percentDecode(s string) (text, fault string) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return "", BadFormat
		case c != '%':
			b = append(b, c)
		default:
			c, ok := hexByte(s[i+1:])
			if !ok {
				return "", BadFormat
			}
			b = append(b, c)
			i += 2
		}
	}
	if !utf8.Valid(b) {
		return "", BadUTF8
	}
	return string(b), ""
}

// isOneValue reports what keeps body from standing as one value inside an event. White space is no
// value and no fault: then data is missing.
func isOneValue(body []byte) *Error {
	i := skipSpace(body, 0)
	if i == len(body) {
		return nil
	}
	end, fault := elementEnd(body, i)
	if fault != nil {
		fault.Path = "/data"
		return fault
	}
	if skipSpace(body, end) != len(body) {
		return &Error{Path: "/data", Type: TrailingBytes, Detail: "nothing may follow the data"}
	}
	return nil
}

// appendStructured appends the event in structured mode: attributes in the catalogue's order, then
// those it does not have, then data.
func appendStructured(dst []byte, attributes map[string]string, body []byte) []byte {
	dst = append(dst, '{')
	for _, f := range envelope.fields {
		if value, ok := attributes[f.name]; ok {
			dst = appendAttribute(dst, f.name, value)
			delete(attributes, f.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		dst = appendAttribute(dst, name, attributes[name])
	}
	if skipSpace(body, 0) != len(body) {
		dst = append(append(dst, `"data":`...), body...)
	}
	return append(bytes.TrimSuffix(dst, []byte(",")), '}')
}

func appendAttribute(dst []byte, name, value string) []byte {
	dst = append(appendString(dst, name), ':')
	return append(appendString(dst, value), ',')
}

// EncodeBinary gives the header and the body that carry e in binary mode. The names of the headers have
// the form that net/http gives them; the body is the data, in the catalogue's order.
func EncodeBinary(e *Event) (header map[string][]string, body []byte) {
	sequence := ""
	if e.Seq > 0 {
		sequence = strconv.FormatUint(e.Seq, 10)
	}
	header = map[string][]string{"Content-Type": {"application/json"}}
	for _, attribute := range [...]struct{ header, value string }{
		{"Ce-Specversion", "1.0"},
		{"Ce-Id", e.ID},
		{"Ce-Source", e.Source},
		{"Ce-Type", e.Kind.Type()},
		{"Ce-Time", e.Time},
		{"Ce-Producerinstance", e.Instance},
		{"Ce-Producerseq", sequence},
		{"Ce-Correlationid", e.Correlation},
		{"Ce-Causationid", e.Causation},
		{"Ce-Traceparent", e.Trace},
	} {
		if attribute.value != "" {
			header[attribute.header] = []string{percentEncode(attribute.value)}
		}
	}
	return header, append(appendMembers(nil, e.Data), '}')
}

// percentEncode encodes what the binding does not let stand in a header: space, quote, percent, and all
// bytes outside U+0021 to U+007E.
func percentEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if c > ' ' && c <= '~' && c != '"' && c != '%' {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}
