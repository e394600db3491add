package schematest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"pgregory.net/rapid"

	"github.com/imalink/custody/events"
)

// TestCorpus: the validator and the decoder both accept a year of events.
func TestCorpus(t *testing.T) {
	v := newValidator(t)
	n := 0
	for line := range corpus(t) {
		n++
		if n%8 == 0 { // the validator takes most of a millisecond an event
			v.compare(t, line)
		}
		if _, err := events.Decode(line); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
	}
	if n < 10_000 {
		t.Fatalf("the corpus has %d lines", n)
	}
}

// TestMutations: 10,000 events of every kind, each changed once or twice, get the same verdict.
func TestMutations(t *testing.T) {
	v := newValidator(t)
	g := newGenerator(t)
	verdicts, kinds := map[string]int{}, map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		for range 100 {
			event := g.event(rt)
			if typ, ok := event["type"].(string); ok {
				kinds[typ] = true
			}
			for range rapid.IntRange(0, 2).Draw(rt, "mutations") {
				mutate(rt, event)
			}
			verdicts[v.compare(rt, encode(event, rapid.Bool().Draw(rt, "reversed")))]++
		}
	})
	t.Logf("verdicts: %v", verdicts)
	if len(kinds) < 63 {
		t.Errorf("only %d kinds were tried", len(kinds))
	}
	for _, verdict := range []string{"", events.UnknownField, events.MissingField, events.WrongType, events.NotInVocabulary,
		events.BadFormat, events.OutOfRange, events.NotUnique, events.UnknownKind, events.LedgerField} {
		if verdicts[verdict] == 0 {
			t.Errorf("no event got the verdict %q", verdict)
		}
	}
}

// validator is the independent one, on the generated schema.
type validator struct{ schema *jsonschema.Schema }

func newValidator(t *testing.T) validator {
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
	return validator{schema}
}

// tester is what testing and rapid have in common.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// compare fails unless both agree about one event. It gives the decoder's type of error. What the
// schema cannot say, personal data and own identifiers, counts as accepted by the decoder.
func (v validator) compare(t tester, raw []byte) string {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("not JSON: %v", err)
	}
	want := v.leaves(t, instance)
	_, err = events.Decode(raw)
	var refusal *events.Error
	if err != nil && !errors.As(err, &refusal) {
		t.Fatalf("the error is no *events.Error: %v", err)
	}
	if refusal == nil || refusal.Type == events.PersonalData || refusal.Type == events.OwnIdentifier {
		if len(want) > 0 {
			t.Fatalf("the decoder accepts what the schema refuses at %q:\n%s", want, raw)
		}
		if refusal != nil {
			return refusal.Type
		}
		return ""
	}
	if len(want) == 0 {
		t.Fatalf("the decoder refuses what the schema accepts: %v\n%s", refusal, raw)
	}
	if !slices.Contains(want, refusal.Path) {
		t.Fatalf("the decoder refuses %q (%v), the schema %q:\n%s", refusal.Path, refusal, want, raw)
	}
	return refusal.Type
}

// leaves lists the pointers of the validator's innermost faults, none when the instance is valid.
func (v validator) leaves(t tester, instance any) []string {
	t.Helper()
	err := v.schema.Validate(instance)
	if err == nil {
		return nil
	}
	var fault *jsonschema.ValidationError
	if !errors.As(err, &fault) {
		t.Fatalf("validating: %v", err)
	}
	return leavesOf(fault, nil)
}

func leavesOf(e *jsonschema.ValidationError, paths []string) []string {
	for _, cause := range e.Causes {
		paths = leavesOf(cause, paths)
	}
	if len(e.Causes) > 0 {
		return paths
	}
	here := pointer(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			paths = append(paths, here+pointer([]string{name}))
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			paths = append(paths, here+pointer([]string{name}))
		}
	default:
		paths = append(paths, here)
	}
	return paths
}

func pointer(steps []string) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
	}
	return b.String()
}

// corpus yields the lines of the year of events.
func corpus(t *testing.T) func(yield func([]byte) bool) {
	t.Helper()
	return func(yield func([]byte) bool) {
		f, err := os.Open("../../../events/testdata/events.ndjson.gz")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, events.MaxEvent)
		for lines.Scan() {
			if !yield(lines.Bytes()) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// encode writes an event with the names of its objects in order, or in the reverse order.
func encode(v any, reversed bool) []byte {
	var b bytes.Buffer
	write(&b, v, reversed)
	return b.Bytes()
}

func write(b *bytes.Buffer, v any, reversed bool) {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		if reversed {
			slices.Reverse(names)
		}
		b.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, name, false)
			b.WriteByte(':')
			write(b, v[name], reversed)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, e, reversed)
		}
		b.WriteByte(']')
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			panic(err) // texts, numbers and booleans only
		}
		b.Write(raw)
	}
}
