package schematest

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// generator makes valid events from the published schema, not from the catalogue it is to check.
type generator struct {
	schema map[string]any
	data   []map[string]any // the data of each kind
	types  []string
}

func newGenerator(t *testing.T) *generator {
	t.Helper()
	raw, err := os.ReadFile("../../../events/testdata/event.v1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	g := &generator{}
	if err := json.Unmarshal(raw, &g.schema); err != nil {
		t.Fatal(err)
	}
	for _, rule := range g.schema["allOf"].([]any) {
		g.types = append(g.types, at(rule, "if", "properties", "type")["const"].(string))
		g.data = append(g.data, at(rule, "then", "properties", "data"))
	}
	return g
}

// at follows names into nested objects.
func at(v any, names ...string) map[string]any {
	for _, name := range names {
		v = v.(map[string]any)[name]
	}
	return v.(map[string]any)
}

// event draws a valid event of any kind.
func (g *generator) event(t *rapid.T) map[string]any {
	i := rapid.IntRange(0, len(g.types)-1).Draw(t, "kind")
	e := g.value(t, map[string]any{"type": "object", "required": g.schema["required"], "properties": g.schema["properties"]}).(map[string]any)
	e["type"] = g.types[i]
	data := g.value(t, g.data[i]).(map[string]any)
	g.satisfy(t, g.data[i], data)
	e["data"] = data
	return e
}

// value draws a value of a schema.
func (g *generator) value(t *rapid.T, s map[string]any) any {
	if ref, ok := s["$ref"].(string); ok {
		return g.value(t, at(g.schema["$defs"], strings.TrimPrefix(ref, "#/$defs/")))
	}
	if c, ok := s["const"]; ok {
		return c
	}
	if words, ok := s["enum"].([]any); ok {
		return rapid.SampledFrom(words).Draw(t, "word")
	}
	switch s["type"] {
	case "boolean":
		return rapid.Bool().Draw(t, "boolean")
	case "integer":
		return rapid.IntRange(int(s["minimum"].(float64)), int(s["maximum"].(float64))).Draw(t, "integer")
	case "array":
		return g.list(t, s)
	case "object":
		o := g.object(t, s)
		g.satisfy(t, s, o)
		return o
	}
	return text(t, s)
}

func text(t *rapid.T, s map[string]any) string {
	if p, ok := s["pattern"].(string); ok {
		return rapid.StringMatching(p).Draw(t, "text")
	}
	switch s["format"] {
	case "date":
		return rapid.StringMatching(`20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])`).Draw(t, "date")
	case "date-time":
		return rapid.StringMatching(`20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|z|[+-](0[0-9]|1[0-4]):[0-5][0-9])`).Draw(t, "time")
	}
	least, _ := s["minLength"].(float64)
	return rapid.StringN(int(least), int(least)+12, -1).Draw(t, "string")
}

// list draws a few different items.
func (g *generator) list(t *rapid.T, s map[string]any) []any {
	n := max(rapid.IntRange(1, 3).Draw(t, "length"), int(s["minItems"].(float64)))
	items, seen := []any{}, map[string]bool{}
	for range n {
		item := g.value(t, s["items"].(map[string]any))
		if key := fmt.Sprint(item); !seen[key] {
			seen[key] = true
			items = append(items, item)
		}
	}
	return items
}

func (g *generator) object(t *rapid.T, s map[string]any) map[string]any {
	o := map[string]any{}
	properties, _ := s["properties"].(map[string]any)
	required := names(s["required"])
	for _, name := range sorted(properties) {
		if required[name] || rapid.IntRange(0, 3).Draw(t, "present") == 0 {
			o[name] = g.value(t, properties[name].(map[string]any))
		}
	}
	return o
}

// satisfy adds what the schema's condition and choice ask for.
func (g *generator) satisfy(t *rapid.T, s, o map[string]any) {
	properties, _ := s["properties"].(map[string]any)
	var wanted []string
	if then, ok := s["then"].(map[string]any); ok {
		wanted = append(wanted, sorted(names(then["required"]))...)
	}
	if choice, ok := s["anyOf"].([]any); ok {
		wanted = append(wanted, sorted(names(rapid.SampledFrom(choice).Draw(t, "choice").(map[string]any)["required"]))...)
	}
	for _, name := range wanted {
		if _, ok := o[name]; !ok {
			o[name] = g.value(t, properties[name].(map[string]any))
		}
	}
}

func names(list any) map[string]bool {
	set := map[string]bool{}
	items, _ := list.([]any)
	for _, name := range items {
		set[name.(string)] = true
	}
	return set
}
