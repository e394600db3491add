package docstest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
)

// A shape is the JSON Schema of an object, or of anything.
type shape struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Const      string            `json:"const"`
	Enum       []string          `json:"enum"`
	Pattern    string            `json:"pattern"`
	Format     string            `json:"format"`
	MinLength  int               `json:"minLength"`
	Items      *shape            `json:"items"`
	Required   []string          `json:"required"`
	Properties map[string]*shape `json:"properties"`
	If, Then   *shape
	AnyOf      []shape           `json:"anyOf"`
	AllOf      []shape           `json:"allOf"`
	Defs       map[string]*shape `json:"$defs"`
}

// published is the schema that custody schema prints.
func published(t *testing.T) *shape {
	t.Helper()
	s := &shape{}
	if err := json.Unmarshal(events.AppendSchema(nil), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// dataOf finds the data of a kind.
func (s *shape) dataOf(t *testing.T, k events.Kind) *shape {
	t.Helper()
	for _, rule := range s.AllOf {
		if rule.If.Properties["type"].Const == k.Type() {
			return rule.Then.Properties["data"]
		}
	}
	t.Fatalf("the schema has no %s", k)
	return nil
}

// followed is the shape that a reference names, or the shape itself.
func (s *shape) followed(of *shape) *shape {
	if name, ok := strings.CutPrefix(of.Ref, "#/$defs/"); ok {
		return s.Defs[name]
	}
	return of
}

// isObject tells objects, and lists of objects, of known fields.
func (s *shape) isObject(of *shape) bool {
	of = s.followed(of)
	if of.Items != nil {
		return s.isObject(of.Items)
	}
	return of.Properties != nil
}

// flat lists the fields of an object, and below each the fields of an object in it, unless that has a
// name of its own.
func (of *shape) flat() map[string]*shape {
	all := map[string]*shape{}
	for name, f := range of.Properties {
		all[name] = f
		if f.Items != nil {
			f = f.Items
		}
		for inner, g := range f.flat() {
			all[name+"."+inner] = g
		}
	}
	return all
}

// requires says when a field of the object must be there, as the pages do.
func (of *shape) requires(name string) string {
	outer, inner, nested := strings.Cut(name, ".")
	switch {
	case nested && of.Properties[outer].Items != nil:
		return of.Properties[outer].Items.requires(inner)
	case nested:
		return of.Properties[outer].requires(inner)
	case slices.Contains(of.Required, name):
		return "yes"
	case of.Then != nil && slices.Contains(of.Then.Required, name):
		for on, condition := range of.If.Properties {
			return "if `" + on + "` is `" + strings.Join(condition.Enum, "` or `") + "`"
		}
	case len(of.AnyOf) == 2 && slices.Contains(of.AnyOf[1].Required, name):
		return "unless `" + of.AnyOf[0].Required[0] + "`"
	}
	return ""
}

// vocabulary is the words that a field, or each of its items, may be.
func (of *shape) vocabulary() []string {
	if of.Items != nil {
		return of.Items.vocabulary()
	}
	if of.Const != "" {
		return []string{of.Const}
	}
	return of.Enum
}
