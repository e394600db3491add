package docstest

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
)

// secrecies finds out what becomes of each field of a kind, by name: it makes an event that has all of
// them, has whatever does not stay clear replaced by a mark, and looks where the marks are. Where a party
// may be a person it looks twice.
func secrecies(t *testing.T, schema *shape, k events.Kind) map[string]string {
	t.Helper()
	event := schema.sample(&shape{Properties: schema.Properties}).(map[string]any)
	data := schema.sample(schema.dataOf(t, k)).(map[string]any)
	event["type"], event["data"] = k.Type(), data
	kept := marked(t, event)
	if data["natural_person"] != nil {
		data["natural_person"] = true
		for name, of := range marked(t, event) {
			if of != kept[name] {
				kept[name] += "; " + of + " if `natural_person`"
			}
		}
	}
	return kept
}

// marked gives, by name, what becomes of each value of an event.
func marked(t *testing.T, event map[string]any) map[string]string {
	t.Helper()
	raw, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	e, err := events.Decode(raw)
	if err != nil {
		t.Fatalf("a made-up %s is refused: %v", event["type"], err)
	}
	return marksIn(t, e)
}

// marksIn replaces and reads the marks of one event; what has none is clear.
func marksIn(t *testing.T, e *events.Event) map[string]string {
	t.Helper()
	marks := map[events.Secrecy]string{events.Subject: `"@tagged"`, events.Actor: `"@tagged"`, events.Joinable: `"@tagged, sealed"`, events.Sealed: `"@sealed"`}
	raw := e.AppendRewritten(nil, func(dst []byte, _ string, s events.Secrecy, _ events.Value) []byte { return append(dst, marks[s]...) })
	var event map[string]any
	if err := json.Unmarshal(raw, &event); err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			kept[name] = "clear" // a document; an object's own fields say it, and nobody asks for this
			for inner, w := range v {
				walk(strings.TrimPrefix(strings.TrimPrefix(name+"."+inner, "."), "data."), w)
			}
		case []any:
			for _, w := range v {
				walk(name, w)
			}
		case string:
			kept[name] = "clear"
			if mark, ok := strings.CutPrefix(v, "@"); ok {
				kept[name] = mark
			}
		default:
			kept[name] = "clear"
		}
	}
	walk("", event)
	return kept
}

// sample makes a value with every field that a schema has.
func (s *shape) sample(of *shape) any {
	if of.Ref == "#/$defs/identifier" {
		return "person:x"
	}
	of = s.followed(of)
	switch {
	case of.Items != nil:
		return []any{s.sample(of.Items)}
	case of.Properties != nil:
		o := map[string]any{}
		for name, f := range of.Properties {
			o[name] = s.sample(f)
		}
		return o
	case len(of.vocabulary()) > 0:
		return of.vocabulary()[0]
	}
	switch of.Type {
	case "boolean":
		return false
	case "integer":
		return 1
	case "object":
		return map[string]any{}
	}
	return of.text()
}

// text is the first of these that the schema accepts.
func (of *shape) text() string {
	switch {
	case of.Format == "date":
		return "2026-03-02"
	case of.Format == "date-time":
		return "2026-03-02T09:14:05Z"
	case of.Pattern == "" && of.MinLength > 0:
		return "session x" // names somebody's session, so no other field may say the same
	case of.Pattern == "":
		return "words"
	}
	for _, text := range []string{"sample", "/sample", "1", "BE", "be", "dpv:Match", "P2Y", strings.Repeat("a1", 32),
		"00-" + strings.Repeat("a1", 16) + "-" + strings.Repeat("b2", 8) + "-01"} {
		if regexp.MustCompile(of.Pattern).MatchString(text) {
			return text
		}
	}
	return "no text is known for this pattern"
}
