package layering_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/layering"
)

const root = "../../.."

// TestRepository holds the repository to the rules.
func TestRepository(t *testing.T) {
	faults, err := layering.Faults(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// TestSeen breaks each rule once, in a copy, and demands that it is noticed.
func TestSeen(t *testing.T) {
	const server, bbolt = `_ "github.com/nats-io/nats-server/v2/server"`, `_ "go.etcd.io/bbolt"`
	for _, test := range []struct{ name, file, text, want string }{
		{"emitter imports server", "events/planted.go", "package events\nimport " + server, "events imports github.com/nats-io/nats-server/v2/server"},
		{"emitter reaches bbolt in a test", "events/planted_test.go", "package events\nimport " + bbolt, "an emitter reaches too far: events → go.etcd.io/bbolt"},
		{"emitter reaches bbolt through us", "events/planted_test.go", "package events_test\nimport _ \"" + ours + "projections\"", "an emitter reaches too far: events → " + ours + "projections → go.etcd.io/bbolt"},
		{"events import ours", "events/planted.go", "package events\nimport _ \"" + ours + "ledger/stream\"", "events imports " + ours + "ledger/stream"},
		{"ledger imports nats", "ledger/planted.go", "package ledger\nimport _ \"github.com/nats-io/nats.go\"", "ledger imports github.com/nats-io/nats.go"},
		{"ledger imports server in a test", "ledger/planted_test.go", "package ledger\nimport " + server, "a test of ledger imports github.com/nats-io/nats-server/v2/server"},
		{"command imports server", "cmd/internal/cli/planted.go", "package cli\nimport " + server, "cmd/internal/cli imports github.com/nats-io/nats-server/v2/server"},
		{"projections import ledger", "projections/planted.go", "package projections\nimport _ \"" + ours + "ledger\"", "projections imports " + ours + "ledger"},
		{"projections import ledger in a test", "projections/planted_test.go", "package projections\nimport _ \"" + ours + "ledger\"", "a test of projections imports " + ours + "ledger"},
		{"package without a layer", "events/more/planted.go", "package more", "events/more is in no layer of the policy"},
		{"name that says nothing", "cmd/internal/util/planted.go", "package util", "cmd/internal/util: the name util says nothing"},
		{"long file", "ledger/planted.go", "package ledger\n" + strings.Repeat("\n", 400), "ledger/planted.go has 401 lines, more than 400"},
		{"folder at the top", "pkg/planted.txt", "", "pkg does not belong at the top level"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := skeleton(t)
			faults, err := layering.Faults(dir)
			if err != nil || len(faults) > 0 {
				t.Fatalf("before: %q, %v", faults, err)
			}
			write(t, filepath.Join(dir, test.file), test.text)
			faults, err = layering.Faults(dir)
			if err != nil || !slices.Contains(faults, test.want) {
				t.Errorf("faults %q, %v; want %q", faults, err, test.want)
			}
		})
	}
}

const ours = "github.com/imalink/custody/"

// skeleton is a small repository that keeps the rules.
func skeleton(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{
		"events/a.go":            "package events\nimport _ \"encoding/json\"",
		"events/a_test.go":       "package events\nimport _ \"pgregory.net/rapid\"",
		"ledger/a.go":            "package ledger\nimport _ \"" + ours + "ledger/natsd\"",
		"ledger/natsd/a.go":      "package natsd\nimport _ \"github.com/nats-io/nats-server/v2/server\"",
		"ledger/stream/a.go":     "package stream\nimport _ \"github.com/nats-io/nats.go\"",
		"projections/a.go":       "package projections\nimport (\n_ \"go.etcd.io/bbolt\"\n_ \"" + ours + "events\"\n)",
		"cmd/internal/cli/a.go":  "package cli\nimport _ \"" + ours + "ledger\"",
		"cmd/custody/main.go":    "package main\nimport _ \"" + ours + "cmd/internal/cli\"",
		"ledger/testdata/bad.go": "not Go",
	} {
		write(t, filepath.Join(dir, file), text)
	}
	for _, file := range []string{"go.mod", "LICENSE"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, file), string(text))
	}
	return dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), fs.ModePerm); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
