package statement

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// section is what docs/FORMAT.md says of statements.
func section(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(raw), "\n### Statement\n")
	if !found {
		t.Fatal("there is no section Statement")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	text, _, _ = strings.Cut(text, "\n### ")
	return text
}

// member is how FORMAT.md writes a member: in brackets if it can be absent.
func member(f reflect.StructField) string {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if options == "omitempty" {
		return "[" + name + "]"
	}
	return name
}

// TestFormat: the members are those that FORMAT.md has, in its order, each absent
// only if it says so.
func TestFormat(t *testing.T) {
	t.Parallel()
	rows := regexp.MustCompile("(?m)^\\| `(\\[?[a-z]+\\]?)` \\| (.*) \\|$").FindAllStringSubmatch(section(t), -1)
	whole := reflect.TypeFor[Statement]()
	for i := range whole.NumField() {
		f := whole.Field(i)
		if i >= len(rows) || rows[i][1] != member(f) {
			t.Fatalf("%s is not row %d of the members", member(f), i+1)
		}
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[Instant]() && f.Name != "Working" {
			inOrderIn(t, member(f), inner, rows[i][2])
		}
	}
}

// inOrderIn wants the members of an object to be named in a text in their order,
// those of objects in it behind their own name.
func inOrderIn(t *testing.T, name string, object reflect.Type, text string) {
	t.Helper()
	for i := range object.NumField() {
		f := object.Field(i)
		_, rest, found := strings.Cut(text, "`"+member(f)+"`")
		if !found {
			t.Errorf("%s: %s is not there, or not in its place", name, member(f))
			return
		}
		text = rest
		if inner := f.Type; inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
			before, _, _ := strings.Cut(text, ": ")
			text = strings.TrimPrefix(text, before+": ")
			inOrderIn(t, name+"."+member(f), inner.Elem(), text)
		}
	}
}

// TestWords: FORMAT.md has every reason, in order, with its grade; the codes and
// findings of the controls; what a statement cannot show; the verdicts.
func TestWords(t *testing.T) {
	t.Parallel()
	text := section(t)
	var got []Reason
	word := regexp.MustCompile("`([a-z-]+)`")
	for _, row := range regexp.MustCompile("(?m)^\\| ([A-F]) \\| (`[a-z` ]+`) \\|").FindAllStringSubmatch(text, -1) {
		for _, why := range word.FindAllStringSubmatch(row[2], -1) {
			got = append(got, Reason{Grade: row[1], Why: why[1]})
		}
	}
	if !slices.Equal(got, whys()) {
		t.Errorf("reasons %v, want %v", got, whys())
	}
	s := &Statement{Controls: []Control{{Control: 1}, {Control: 2}, {Control: 3, Findings: newBook().processors(span{}, &Statement{}, 1)}}}
	s.derive()
	for i, c := range s.Controls {
		var names []string
		for _, f := range c.Findings {
			names = append(names, "`"+f.What+"`")
		}
		if row := "| " + string(rune('1'+i)) + " | `" + controls()[i] + "` | " + strings.Join(names, " ") + " |"; !strings.Contains(text, row) {
			t.Errorf("no row %s", row)
		}
	}
	for _, words := range [][]string{controls()[3:], Limits()} {
		if all := "`" + strings.Join(words, "` `") + "`"; !strings.Contains(text, all) {
			t.Errorf("not there: %s", all)
		}
	}
	for _, word := range slices.Concat(Verdicts(), Results(), Missings(), good()) {
		if !strings.Contains(text, "`"+word+"`") {
			t.Errorf("%s is not there", word)
		}
	}
}
