package docstest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// logged finds the lines of levels WARN and ERROR that a package writes.
var logged = regexp.MustCompile(`\.(?:Warn|Error)\(\s*"([^"]+)"|LevelError, "([^"]+)"`)

// TestLogLines: the table of log lines has every line of levels WARN and ERROR that the server writes, and
// no other.
func TestLogLines(t *testing.T) {
	written := map[string]bool{}
	for _, folder := range []string{"ledger", "projections", "cmd/internal/api", "cmd/internal/ask", "cmd/internal/cli", "cmd/internal/forget", "cmd/internal/ingest", "cmd/internal/views", "cmd/internal/witness"} {
		err := filepath.WalkDir(filepath.Join(docs, "..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range logged.FindAllStringSubmatch(string(text), -1) {
				written[m[1]+m[2]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(written) < 10 {
		t.Fatalf("only %d lines were found", len(written))
	}
	said := map[string]bool{}
	for _, s := range sections(t, "OPERATIONS.md") {
		for _, row := range s.table(t, "line", "meaning", "do") {
			line := strings.Trim(row[0], "`")
			said[line] = true
			if !written[line] {
				t.Errorf("nothing writes %q", line)
			}
		}
	}
	for line := range written {
		if !said[line] {
			t.Errorf("the log line %q is not explained", line)
		}
	}
}

// TestUnit: the systemd unit starts the program with flags that it has, and lets it write where they say.
func TestUnit(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(docs, "operations/custody.service"))
	if err != nil {
		t.Fatal(err)
	}
	start := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(string(raw))
	if start == nil {
		t.Fatal("the unit starts nothing")
	}
	args := strings.Fields(start[1])[1:]
	if len(args) == 0 || args[0] != "serve" {
		t.Fatalf("it starts %q", args)
	}
	(&program{t: t}).run(append(args, "--help")...) // fails on a flag that there is not
	for _, line := range []string{"ReadWritePaths=/etc/custody/keys", "StateDirectory=custody"} {
		if !strings.Contains(string(raw), "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
	if !strings.Contains(start[1], "--data /var/lib/custody --keys /etc/custody/keys") {
		t.Errorf("it does not serve the folders that it may write to: %s", start[1])
	}
}
