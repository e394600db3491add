package docstest

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestGo: the lines of Go on the page about emitting are those of the package's
// own comment, and are Go.
func TestGo(t *testing.T) {
	page, err := os.ReadFile("../../../docs/events/emitting.md")
	if err != nil {
		t.Fatal(err)
	}
	comment, err := os.ReadFile("../../../events/emit/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```go\n")
	code, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("the page has no lines of Go")
	}
	if !strings.Contains(bare(strings.ReplaceAll(string(comment), "//", "")), bare(strings.ReplaceAll(code, "//", ""))) {
		t.Error("the lines are not those of the package comment")
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {\n"+code+"}", parser.AllErrors); err != nil {
		t.Error(err)
	}
}

// TestGoExamples: further lines of Go there are those of an example, which is compiled.
func TestGoExamples(t *testing.T) {
	page, err := os.ReadFile("../../../docs/events/emitting.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("../../../events/emit/receipts_example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(page), "```go\n")[1:]
	for _, part := range parts[1:] {
		code, _, _ := strings.Cut(part, "```")
		if !strings.Contains(bare(string(examples)), bare(code)) {
			t.Errorf("no example has the lines\n%s", code)
		}
	}
	if len(parts) < 2 {
		t.Error("the page has no such lines")
	}
}

func bare(text string) string { return strings.Join(strings.Fields(text), "") }
