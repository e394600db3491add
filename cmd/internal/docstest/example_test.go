package docstest

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/imalink/custody/events"
)

// TestExamples: every kind has one example, of that kind, that the decoder accepts without a warning and
// so does the schema; the ledger's own are shown as stored.
func TestExamples(t *testing.T) {
	p, validator := readPages(t), newValidator(t)
	ids := map[string]bool{}
	for _, k := range events.Kinds() {
		s := p.titled(t, k.Name())
		if s == nil {
			continue
		}
		if len(s.blocks) != 1 {
			t.Errorf("%s has %d examples, want 1", k, len(s.blocks))
			continue
		}
		e := decodeBlock(t, k.Name(), s.blocks[0], validator)
		switch {
		case e == nil:
		case e.Kind != k:
			t.Errorf("the example of %s is of kind %s", k, e.Kind)
		case ids[e.Source+" "+e.ID]:
			t.Errorf("the example of %s has the identity of another", k)
		case len(e.Warnings) > 0:
			t.Errorf("the example of %s gets warnings: %q", k, e.Warnings)
		default:
			ids[e.Source+" "+e.ID] = true
		}
	}
}

// TestExamplesElsewhere decodes the other blocks that are marked as events.
func TestExamplesElsewhere(t *testing.T) {
	validator, n := newValidator(t), 0
	for _, s := range sections(t, "events/emitting.md") {
		for _, b := range s.blocks {
			if b.info == "json" {
				decodeBlock(t, s.title, b, validator)
				n++
			}
		}
	}
	if n == 0 {
		t.Error("no event was found")
	}
}

// decodeBlock reads an event as its block says it is written. Nil means that it was reported.
func decodeBlock(t *testing.T, of string, b block, v *jsonschema.Schema) *events.Event {
	t.Helper()
	if b.info == "json stored" {
		one := regexp.MustCompile(`\n *`).ReplaceAllString(b.text, "")
		s, err := events.DecodeStored([]byte(one))
		if err != nil {
			t.Errorf("%s: the stored example: %v", of, err)
			return nil
		}
		return s.Event
	}
	if b.info != "json" {
		t.Errorf("%s: a block is %q", of, b.info)
		return nil
	}
	e, err := events.Decode([]byte(b.text))
	if err != nil {
		t.Errorf("%s: the example: %v", of, err)
		return nil
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(b.text))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Validate(instance); err != nil {
		t.Errorf("%s: the schema refuses the example: %v", of, err)
	}
	return e
}

func newValidator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(events.AppendSchema(nil)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("event.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
