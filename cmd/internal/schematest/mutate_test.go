package schematest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// place is a member of an object or an element of a list, with the means to change it.
type place struct {
	value  any
	set    func(any)
	remove func()
}

// places lists every place in a value, outer ones first.
func places(v any) (all []place) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sorted(v) {
			all = append(all, place{v[name], func(x any) { v[name] = x }, func() { delete(v, name) }})
			all = append(all, places(v[name])...)
		}
	case []any:
		for i := range v {
			all = append(all, place{v[i], func(x any) { v[i] = x }, nil})
			all = append(all, places(v[i])...)
		}
	}
	return all
}

// mutate changes an event in one place.
func mutate(t *rapid.T, event map[string]any) {
	p := rapid.SampledFrom(places(event)).Draw(t, "place")
	switch rapid.IntRange(0, 4).Draw(t, "mutation") {
	case 0:
		if p.remove != nil {
			p.remove()
		}
	case 1:
		p.set(strange(t))
	case 2:
		if o, ok := p.value.(map[string]any); ok {
			o[rapid.StringMatching(`[A-Za-z]{1,8}`).Draw(t, "name")] = strange(t)
			return
		}
		event[rapid.SampledFrom([]string{"extra", "subject", "dataschema", "recordedtime", "Type"}).Draw(t, "name")] = strange(t)
	default:
		p.set(distort(t, p.value))
	}
}

// strange is a value of any type, often a wrong one.
func strange(t *rapid.T) any {
	return rapid.SampledFrom([]any{nil, true, "", "x", "A6-1-b", "BE", "2025-02-30", "2025-06-30T23:59:60Z", "candidate", 0, -1, 1.5,
		json.Number("1.0"), json.Number("1e3"), json.Number("1e13"), json.Number("10e-1"), json.Number("-0"), json.Number("12345678901234567890123"),
		[]any{}, []any{"x", "x"}, []any{"BE"}, map[string]any{}, map[string]any{"id": "x"}}).Draw(t, "strange")
}

// distort changes a value but keeps its type.
func distort(t *rapid.T, v any) any {
	switch v := v.(type) {
	case string:
		return distortText(t, v)
	case []any:
		if len(v) == 0 {
			return []any{"x"}
		}
		switch rapid.IntRange(0, 2).Draw(t, "distortion") {
		case 0:
			return append(slices.Clone(v), v[0]) // twice the same
		case 1:
			return []any{}
		}
		many := slices.Clone(v)
		for len(many) < 70 {
			many = append(many, v[0])
		}
		return many
	case bool:
		return !v
	case int:
		return rapid.SampledFrom([]any{-v - 1, json.Number(jsonOf(v) + ".0"), json.Number(jsonOf(v) + ".5"), v + 1_000_000_000_000}).Draw(t, "number")
	}
	return strange(t)
}

func jsonOf(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func distortText(t *rapid.T, s string) string {
	switch rapid.IntRange(0, 5).Draw(t, "distortion") {
	case 0:
		return ""
	case 1:
		return strings.Repeat(s+"x", 300/(len(s)+1)+1)
	case 2:
		return s + rapid.SampledFrom([]string{" ", "\n", "é", "/", "Z", "0", "\x00", "😀"}).Draw(t, "tail")
	case 3:
		return strings.ToUpper(s)
	case 4:
		if len(s) > 1 {
			i := rapid.IntRange(0, len(s)-1).Draw(t, "cut")
			return strings.ToValidUTF8(s[:i]+s[i+1:], "?")
		}
	}
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ':' {
			return '_'
		}
		return r
	}, s)
}
