package api

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/imalink/custody/events"
)

// identity returns what of an event's source and id may be repeated to whoever
// sent it: of an event that was refused, only what has the form of one and does
// not look personal, and never an id that is itself what was refused.
func (it *item) identity() (source, id string) {
	source, id = it.sentIdentity()
	if it.err != nil && it.err.Path == "/id" && it.err.Type != events.Conflict {
		id = ""
	}
	return source, id
}

func (it *item) sentIdentity() (source, id string) {
	switch {
	case it.event == nil:
		return identity(it.raw)
	case it.err != nil && !repeatableSource(it.event.Source):
		return "", it.event.ID
	}
	return it.event.Source, it.event.ID
}

func identity(raw []byte) (source, id string) {
	var sent struct{ Source, ID json.RawMessage }
	if len(raw) == 0 || json.Unmarshal(raw, &sent) != nil {
		return "", ""
	}
	if repeatable(`"/a"`, string(sent.ID)) {
		id = unquote(sent.ID)
	}
	if len(sent.Source) > 0 && sent.Source[0] == '"' {
		if s := unquote(sent.Source); repeatableSource(s) {
			source = s
		}
	}
	return source, id
}

// repeatableSource reports whether a source has the form of one, and its name,
// looked at as an id, does not look personal.
func repeatableSource(source string) bool {
	name, ok := strings.CutPrefix(source, "/")
	quoted := strconv.Quote(name) // what it escapes is not of the form
	return ok && repeatable(strconv.Quote(source), quoted)
}

// repeatable reports whether the smallest event with this source and id, both
// JSON, would be an event.
func repeatable(source, id string) bool {
	const head, middle, tail = `{"specversion":"1.0","source":`, `,"id":`,
		`,"type":"eu.custody.ledger.heartbeat.v1","time":"2026-01-01T00:00:00Z","data":{"state":"running"}}`
	_, err := events.Decode([]byte(head + source + middle + id + tail))
	return err == nil
}

// unquote reads a JSON string known to be one.
func unquote(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
