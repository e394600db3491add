package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// split gives every item of an input, as line:raw or line!flaw, and the error
// at its end.
func split(in io.Reader) (list []string, err error) {
	for it, err := range items(in) {
		if err != nil {
			return list, err
		}
		if it.flaw != none {
			list = append(list, fmt.Sprintf("%d!%d", it.line, it.flaw))
		} else {
			list = append(list, fmt.Sprintf("%d:%s", it.line, it.raw))
		}
	}
	return list, nil
}

func TestItems(t *testing.T) {
	long := strings.Repeat("x", eventLimit+3)
	for _, test := range []struct {
		name, in string
		want     []string
		fails    string
	}{
		{"nothing", "", nil, ""},
		{"only blanks", " \n\t\r\n", nil, ""},
		{"lines", "{}\n{\"a\":1}\n", []string{"1:{}", "2:{\"a\":1}"}, ""},
		{"no last line end", "{}\n{}", []string{"1:{}", "2:{}"}, ""},
		{"carriage returns", "{}\r\n{}\r\n", []string{"1:{}", "2:{}"}, ""},
		{"blank lines count", "\n\n{}\n  \n{}", []string{"3:{}", "5:{}"}, ""},
		{"not JSON goes on", "{}\nnonsense\n{}", []string{"1:{}", "2:nonsense", "3:{}"}, ""},
		{"a long line goes on", "{}\n" + long + "\n{}", []string{"1:{}", "2!1", "3:{}"}, ""},
		{"a long line at the end", "{}\n" + long, []string{"1:{}", "2!1"}, ""},
		{"array", `[{"a":1},{"b":[1,2]}]`, []string{`1:{"a":1}`, `2:{"b":[1,2]}`}, ""},
		{"array over lines", "\n [\n {\"a\":\n1} ,\n{}\n]\n", []string{`1:{"a": 1}`, "2:{}"}, ""},
		{"brackets in strings", `["],[","\"]"]`, []string{`1:"],["`, `2:"\"]"`}, ""},
		{"empty array", " [ ] ", nil, ""},
		{"nothing between commas", `[{},,{}]`, []string{"1:{}", "2!2", "3:{}"}, ""},
		{"comma at the end", `[{},]`, []string{"1:{}", "2!2"}, ""},
		{"long element", `[{},"` + long + `",{}]`, []string{"1:{}", "2!1", "3:{}"}, ""},
		{"line end in a string stays wrong", "[\"a\nb\"]", []string{"1:\"a\tb\""}, ""},
		{"array not closed", `[{},{`, []string{"1:{}"}, "not closed"},
		{"array not begun", `[`, nil, "not closed"},
		{"something after the array", `[{}] {}`, []string{"1:{}"}, "follows"},
		{"an object over lines", "\n{\n \"a\":\n[1]}\n", []string{`2:{  "a": [1]}`}, ""},
		{"objects over lines", "{ \"a\": {\r\n} }\n{\"b\":\n2} {}\n\n{}", []string{`1:{ "a": {  } }`, `3:{"b": 2}`, "4:{}", "6:{}"}, ""},
		{"brackets in strings over lines", "{\n\"}\\\"\":1}\n{}", []string{`1:{ "}\"":1}`, "3:{}"}, ""},
		{"something between objects", "{\n}\nnonsense\n{}", []string{"1:{ }", "3:nonsense ", "4:{}"}, ""},
		{"a long object goes on", "{\n\"" + long + "\"}\n{}", []string{"1!1", "3:{}"}, ""},
		{"object not closed", "{}\n{\n", []string{"1:{}", "2:{"}, ""},
		{"object over lines not closed", "{\n\"a\":1\n", nil, "line 1 of the input: the object is not closed"},
		{"something after the empty array", `[] {}`, nil, "follows"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in))} {
				got, err := split(in)
				if !reflect.DeepEqual(got, test.want) {
					t.Errorf("got %.200q, want %.200q", got, test.want)
				}
				if test.fails == "" && err != nil || test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
					t.Errorf("error %v, want one with %q", err, test.fails)
				}
			}
		})
	}
}

func TestItemsReadError(t *testing.T) {
	broken := errors.New("broken")
	for _, in := range []string{"{}\n{}", "[{},{}"} {
		_, err := split(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("%q: error %v, want the reader's", in, err)
		}
	}
}

// However values are laid out, as lines or as an array, they come out whole and
// in order.
func TestItemsAnyLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(jsonValue(3)).Draw(t, "values")
		blanks := rapid.StringMatching(`[ \t\r]{0,3}`)
		var lines, array, objects bytes.Buffer
		array.WriteString("[")
		for i, v := range values {
			compact, _ := json.Marshal(v)
			indented, _ := json.MarshalIndent(v, "", " ")
			lines.WriteString("{\"v\":" + string(compact) + "}" + blanks.Draw(t, "blanks") + "\n")
			objects.WriteString("{\n\"v\":" + string(indented) + "}" + blanks.Draw(t, "blanks"))
			if i > 0 {
				array.WriteString(",")
			}
			array.WriteString("\n{\"v\":" + string(indented) + "}" + blanks.Draw(t, "blanks"))
		}
		array.WriteString("\n]\n")
		for _, layout := range []*bytes.Buffer{&lines, &array, &objects} {
			var got []any
			for it, err := range items(layout) {
				if err != nil {
					t.Fatal(err)
				}
				var wrapped struct{ V any }
				if err := json.Unmarshal(it.raw, &wrapped); err != nil {
					t.Fatalf("item %d is not JSON: %v", it.line, err)
				}
				got = append(got, wrapped.V)
			}
			if len(got) != len(values) || len(values) > 0 && !reflect.DeepEqual(got, values) {
				t.Fatalf("got %v, want %v", got, values)
			}
		}
	})
}

// jsonValue draws values as encoding/json decodes them.
func jsonValue(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		choice := rapid.IntRange(0, 4).Draw(t, "choice")
		switch {
		case choice == 0:
			return rapid.StringMatching(`[\[\]{},:"\\ a-zé\n]{0,8}`).Draw(t, "string")
		case choice == 1 || depth == 0:
			return float64(rapid.IntRange(-9, 9).Draw(t, "number"))
		case choice == 2:
			list := []any{}
			for range rapid.IntRange(0, 3).Draw(t, "length") {
				list = append(list, jsonValue(depth-1).Draw(t, "element"))
			}
			return list
		case choice == 3:
			return map[string]any{"k": jsonValue(depth-1).Draw(t, "member")}
		}
		return rapid.Bool().Draw(t, "bool")
	})
}

func FuzzItems(f *testing.F) {
	f.Add([]byte("{}\n[]\n"))
	f.Add([]byte(`[{"a":"]"},,{}]`))
	f.Add([]byte("[\"a\nb\"] x"))
	f.Add([]byte("{\n\"a\":1} x\n{}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		line, count := 0, 0
		var err error
		for it, e := range items(bytes.NewReader(in)) {
			if err = e; err != nil {
				break
			}
			count++
			if it.line < line { // two laid out objects may begin in one
				t.Fatalf("line %d after %d", it.line, line)
			}
			line = it.line
			if (len(it.raw) == 0) != (it.flaw != none) || len(it.raw) > eventLimit+2 || bytes.ContainsAny(it.raw, "\r\n") && bytes.IndexByte(it.raw, '\n') >= 0 {
				t.Fatalf("item %d: flaw %d and %d bytes", it.line, it.flaw, len(it.raw))
			}
		}
		var array []json.RawMessage
		if trimmed := bytes.TrimLeft(in, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' && json.Unmarshal(in, &array) == nil {
			if err != nil || count != len(array) {
				t.Fatalf("%d items, %v; the array has %d elements", count, err, len(array))
			}
		}
	})
}
