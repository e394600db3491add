package events

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSuggest(t *testing.T) {
	lines := bindingEvents(t)
	event := string(lines[len(lines)-1])
	for _, test := range []struct{ from, to, want string }{
		{`"data":{`, `"data":{"porpose":"x",`, "purpose"},
		{`"data":{`, `"data":{"basis-ref":"x",`, "basis_ref"},
		{`"data":{`, `"data":{"Location":{},`, "location"},
		{`"data":{`, `"data":{"comment":"x",`, ""},
		{`"data":{`, `"data":{"environment":"tess",`, "test"},
		{`"data":{`, `"data":{"environment":"tezz",`, ""}, // two letters of four
		{`"actor":{`, `"actor":{"untit":"x",`, "unit"},
		{`"producerseq"`, `"producerseqs"`, "producerseq"},
		{`"producerseq"`, `"prodcuerseq"`, "producerseq"},
		{`"role":"candidate"`, `"role":"candiate"`, "candidate"},
		{`"role":"client"`, `"role":"cleint"`, "client"},
		{`"A6-1-b"`, `"A6-1-z"`, ""}, // as near to one as to the next
		{`"A6-1-b"`, `"a6-1-b"`, "A6-1-b"},
		{`data.shared.v1`, `data.sharde.v1`, "eu.custody.data.shared.v1"},
		{`eu.custody.data.shared.v1`, `data.shared`, "eu.custody.data.shared.v1"},
		{`eu.custody.data.shared.v1`, `com.example.thing`, ""},
		{`"data":{`, `"data":{"jan@example.org":"x",`, ""},
	} {
		broken := strings.Replace(event, test.from, test.to, 1)
		var fault *Error
		if _, err := Decode([]byte(broken)); broken == event || !errors.As(err, &fault) {
			t.Fatalf("%s: accepted, or not changed", test.to)
		}
		if got := Suggest([]byte(broken), fault); got != test.want {
			t.Errorf("%s: %v: %q, want %q", test.to, fault, got, test.want)
		}
	}
}

// What is suggested is a word of the catalogue, whatever was sent and whatever the fault says.
func TestSuggestEchoesNothing(t *testing.T) {
	words := catalogueWords()
	lines := bindingEvents(t)
	rapid.Check(t, func(t *rapid.T) {
		event := slices.Clone(rapid.SampledFrom(lines).Draw(t, "event"))
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			event[rapid.IntRange(0, len(event)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		var fault *Error
		if _, err := Decode(event); !errors.As(err, &fault) {
			return
		}
		if got := Suggest(event, fault); got != "" && !slices.Contains(words, got) {
			t.Errorf("%v: %q", fault, got)
		}
		fault.Path = rapid.StringMatching(`(/[a-z0-9~]{0,9}){0,4}`).Draw(t, "path")
		if got := Suggest(event, fault); got != "" && !slices.Contains(words, got) {
			t.Errorf("%v: %q", fault, got)
		}
	})
}

func catalogueWords() (words []string) {
	var visit func(s *spec)
	visit = func(s *spec) {
		words = append(words, s.words...)
		if s.items != nil {
			visit(s.items)
		}
		if s.shape != nil {
			words = append(words, s.shape.names()...)
			for _, f := range s.shape.fields {
				visit(f.spec)
			}
		}
	}
	visit(&spec{shape: envelope})
	for _, k := range Kinds() {
		words = append(words, k.Type())
		visit(&spec{shape: catalogue.row(k).data})
	}
	return words
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"basis", "basis", 0}, {"basis", "bases", 1}, {"basis", "bsais", 1}, {"basis", "asis", 1}, {"basis", "basisx", 1},
		{"basis", "sabis", 2}, {"role", "mode", 2}, {"short", "muchlonger", farthest + 1},
	} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%s %s: %d", test.a, test.b, got)
		}
		if got := distance(test.b, test.a); got != test.want {
			t.Errorf("%s %s: %d", test.b, test.a, got)
		}
	}
}
