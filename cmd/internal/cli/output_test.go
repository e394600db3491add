package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// printed gives what fn prints in a format.
func printed(t *testing.T, format string, fn func(a *answer) error) string {
	t.Helper()
	var out bytes.Buffer
	s := &session{Env: Env{Stdout: &out, Getenv: func(string) string { return "" }}, format: format}
	a, err := s.answer()
	if err != nil {
		t.Fatal(err)
	}
	if err := fn(a); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func listOf(rows ...[]string) func(a *answer) error {
	return func(a *answer) error {
		l := a.listing(column{"name", 6}, column{"note", 0})
		for _, r := range rows {
			if err := l.row(map[string]string{"name": r[0], "note": r[1]}, r...); err != nil {
				return err
			}
		}
		return l.end(nil)
	}
}

func TestListing(t *testing.T) {
	rows := [][]string{{"ats", "a<b"}, {"dpo-desk-2", "été"}}
	for format, want := range map[string]string{
		"table":  "NAME    NOTE\nats     a<b\ndpo-desk-2  été\n",
		"csv":    "name,note\nats,a<b\ndpo-desk-2,été\n",
		"ndjson": "{\"name\":\"ats\",\"note\":\"a<b\"}\n{\"name\":\"dpo-desk-2\",\"note\":\"été\"}\n",
		"json":   "[{\"name\":\"ats\",\"note\":\"a<b\"},\n {\"name\":\"dpo-desk-2\",\"note\":\"été\"}]\n",
	} {
		if got := printed(t, format, listOf(rows...)); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", format, got, want)
		}
	}
	for format, want := range map[string]string{"table": "", "csv": "name,note\n", "ndjson": "", "json": "[]\n"} {
		if got := printed(t, format, listOf()); got != want {
			t.Errorf("no rows as %s: %q, want %q", format, got, want)
		}
	}
}

// JSON that is passed on keeps every byte.
func TestListingVerbatim(t *testing.T) {
	raw := json.RawMessage(`{"b": 1, "a":"<\u00e9>"}`)
	got := printed(t, "ndjson", func(a *answer) error {
		l := a.listing(column{"x", 0})
		l.row(raw, "")
		return l.end(nil)
	})
	if got != string(raw)+"\n" {
		t.Errorf("%s", got)
	}
}

// A list that broke off is not JSON, so that nothing takes it for whole.
func TestListingBroken(t *testing.T) {
	var out bytes.Buffer
	s := &session{Env: Env{Stdout: &out}, format: "json"}
	a, _ := s.answer()
	l := a.listing(column{"x", 0})
	l.row(1, "1")
	if err := l.end(errMiscounted); err == nil || json.Valid(out.Bytes()) {
		t.Errorf("%v, %s", err, &out)
	}
}

func TestCSVHoldsNoFormula(t *testing.T) {
	for _, cell := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"} {
		got, err := csv.NewReader(strings.NewReader(printed(t, "csv", listOf([]string{"x", cell})))).ReadAll()
		if err != nil || !strings.HasPrefix(got[1][1], "'") {
			t.Errorf("%q is written %q, %v", cell, got, err)
		}
	}
}

// What comes from elsewhere cannot move the cursor or begin a line.
func TestTableHoldsNoControlCharacters(t *testing.T) {
	got := printed(t, "table", listOf([]string{"x", "a\x1b[2Jb\nc\u009bd\x7f"}))
	if strings.ContainsAny(strings.TrimSuffix(strings.Replace(got, "\n", "", 1), "\n"), "\x1b\n\u009b\x7f") {
		t.Errorf("%q", got)
	}
}

func TestOutFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "answer")
	s := &session{format: "ndjson", outFile: file}
	a, err := s.answer()
	if err != nil {
		t.Fatal(err)
	}
	if err := listOf([]string{"a", "b"})(a); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
	s.outFile = filepath.Join(file, "below a file")
	if _, err := s.answer(); err == nil {
		t.Error("no error for a file that cannot be made")
	}
}

func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	s := &session{Env: Env{Stdout: full}, format: "csv"}
	a, _ := s.answer()
	if err := listOf([]string{"a", "b"})(a); err == nil {
		t.Error("an answer that did not arrive is no error")
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := (&session{format: "xml"}).answer(); status(err) != misused {
		t.Errorf("%v", err)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
}
