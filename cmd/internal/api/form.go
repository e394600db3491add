package api

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/imalink/custody/events"
)

// The media types that are read and written.
const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
	linesType      = "application/x-ndjson"
	jsonType       = "application/json"
)

// modeOf tells by its header how a request carries events.
func modeOf(r *http.Request) (events.Mode, error) {
	if r.Header.Get("Content-Encoding") != "" {
		return 0, problem(unsupported, "a body is sent as it is, without Content-Encoding")
	}
	mode, err := events.ContentMode(r.Header.Get("Content-Type"))
	if refusal, ok := errors.AsType[*events.Error](err); ok {
		return 0, problem(unsupported, refusal.Detail)
	}
	return mode, err
}

// single reports whether a request of this mode is one event.
func single(mode events.Mode) bool { return mode == events.Structured || mode == events.Binary }

// split cuts a whole body into events. What is wrong with one line of NDJSON is
// that line's result; a batch that cannot be cut is refused as a whole.
func split(mode events.Mode, b []byte) ([]item, error) {
	switch mode {
	case events.Batch:
		return splitBatch(b)
	case events.Lines:
		return splitLines(b)
	case events.Binary:
		return []item{{}}, nil
	}
	return []item{{raw: b}}, nil
}

func splitBatch(b []byte) ([]item, error) {
	var items []item
	for raw, err := range events.SplitBatch(b) {
		if err != nil {
			return nil, err
		}
		if len(items) == MaxEvents {
			return nil, errTooMany()
		}
		items = append(items, item{raw: raw})
	}
	return items, nil
}

func splitLines(b []byte) ([]item, error) {
	items := make([]item, 0, min(MaxEvents, bytes.Count(b, []byte{'\n'})+1))
	for line, err := range events.SplitLines(bytes.NewReader(b)) {
		it := item{line: line.Number, raw: line.Raw}
		if err != nil {
			refusal, ok := errors.AsType[*events.Error](err)
			if !ok {
				return nil, err
			}
			it.refuse(refusal)
		}
		if len(items) == MaxEvents {
			return nil, errTooMany()
		}
		items = append(items, it)
	}
	return items, nil
}

func errTooMany() error {
	return problem(tooLarge, fmt.Sprintf("a request has at most %d events; nothing of it was recorded", MaxEvents))
}

// flag reads a boolean query parameter; absent is false.
func flag(r *http.Request, name string) (bool, error) {
	if r.URL.RawQuery == "" {
		return false, nil
	}
	q := r.URL.Query()
	if !q.Has(name) {
		return false, nil
	}
	switch q.Get(name) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, problem(invalidRequest, "the query parameter "+name+" is true or false")
}

// wantsLines reports whether a client would rather have NDJSON than JSON
// (RFC 9110, section 12.5.1). Where it likes both the same it gets JSON.
func wantsLines(accept []string) bool {
	if len(accept) == 0 {
		return false
	}
	lines, other := 0.0, 0.0
	for _, field := range accept {
		for part := range strings.SplitSeq(field, ",") {
			mediaType, params, err := mime.ParseMediaType(strings.TrimSpace(part))
			if err != nil {
				continue
			}
			q := 1.0
			if text, ok := params["q"]; ok {
				if q, err = strconv.ParseFloat(text, 64); err != nil {
					continue
				}
			}
			switch mediaType {
			case linesType:
				lines = max(lines, q)
			case jsonType, "application/*", "*/*":
				other = max(other, q)
			}
		}
	}
	return lines > other
}
