package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
)

// answer sends the results, in the order of the events. A single event that was
// refused is a problem, which carries the same results.
func (a *API) answer(w http.ResponseWriter, r *http.Request, mode events.Mode, items []item) {
	if single(mode) && items[0].err != nil {
		p := problemOfEvent(items[0].err)
		writeProblem(w, p, eventProblem{p, appendResults(nil, items)})
		return
	}
	if wantsLines(r.Header["Accept"]) {
		w.Header().Set("Content-Type", linesType)
		out := make([]byte, 0, 160*len(items))
		for i := range items {
			out = append(items[i].append(out), '\n')
		}
		_, _ = w.Write(out) // the client is gone: it sends again, and gets duplicates
		return
	}
	w.Header().Set("Content-Type", jsonType)
	out := make([]byte, 0, 32+160*len(items))
	out = append(out, `{"results":`...)
	out = appendResults(out, items)
	_, _ = w.Write(append(out, "}\n"...)) // as above
}

// eventProblem is the problem of a single event.
type eventProblem struct {
	*Problem
	Results json.RawMessage `json:"results"`
}

// problemOfEvent is the problem that a refusal of a single event is.
func problemOfEvent(e *events.Error) *Problem {
	w := invalidEvent
	switch e.Type {
	case events.Conflict:
		w = conflict
	case events.WrongSource, events.WrongFamily:
		w = notAllowed
	case events.TooLarge:
		w = tooLarge
	}
	return problem(w, e.Detail).at(e.Path)
}

func appendResults(dst []byte, items []item) []byte {
	dst = append(dst, '[')
	for i := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = items[i].append(dst)
	}
	return append(dst, ']')
}

// append appends the result of it as JSON.
func (it *item) append(dst []byte) []byte {
	dst = append(dst, '{')
	if it.line > 0 {
		dst = append(dst, `"line":`...)
		dst = append(strconv.AppendInt(dst, int64(it.line), 10), ',')
	}
	source, id := it.identity()
	if source != "" {
		dst = append(append(append(dst, `"source":"`...), source...), `",`...)
	}
	if id != "" {
		dst = append(append(append(dst, `"id":"`...), id...), `",`...)
	}
	dst = append(append(append(dst, `"status":"`...), it.status...), '"')
	if it.position > 0 {
		dst = strconv.AppendUint(append(dst, `,"position":`...), it.position, 10)
	}
	if it.err != nil {
		dst = appendError(append(dst, `,"error":`...), it.err)
	}
	if len(it.warnings) > 0 && it.status != ledger.Refused {
		dst = appendJSON(append(dst, `,"warnings":`...), it.warnings)
	}
	return append(dst, '}')
}

// appendError appends a refusal, which never holds what was sent.
func appendError(dst []byte, e *events.Error) []byte {
	return appendJSON(dst, struct {
		Type   string `json:"type"`
		Path   string `json:"path"`
		Detail string `json:"detail"`
	}{e.Type, e.Path, e.Detail})
}

// appendJSON appends a value made of strings, which always can be.
func appendJSON(dst []byte, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return append(dst, "null"...)
	}
	return append(dst, b...)
}
