package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imalink/custody/cmd/internal/audit"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// TestAuditFollows audits a server that is away at first, and a ledger that is empty, until it is interrupted: what goes
// wrong is said once, and what is nothing new is not said again.
func TestAuditFollows(t *testing.T) {
	dir := t.TempDir()
	if _, err := audit.Init(dir, "auditor.example"); err != nil {
		t.Fatal(err)
	}
	key, err := checkpoint.NewSigner("custody.example/ledger")
	if err != nil {
		t.Fatal(err)
	}
	empty, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: key.Key().Name, Root: sha256.Sum256(nil)}, key)
	if err != nil {
		t.Fatal(err)
	}
	trust := filepath.Join(dir, "trust")
	if err := os.WriteFile(trust, []byte("log "+key.Verifier()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked atomic.Int64
	i := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch n := asked.Add(1); {
		case n <= 2:
			w.WriteHeader(http.StatusBadGateway)
		case n > 6:
			cancel()
		default:
			w.Write(empty.Bytes())
		}
	})
	var out, notes bytes.Buffer
	status := RunContext(ctx, Env{Args: []string{"audit", "--trust", trust, "--state", dir, "--every", "100ms"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &notes,
		Getenv: func(n string) string { return i.env[n] }})
	if status != done || strings.Count(out.String(), "nothing is signed yet") != 1 || strings.Count(notes.String(), "trying again every 100ms") != 1 {
		t.Errorf("%d\n%s\n%s", status, out.String(), notes.String())
	}
}

func TestAuditMisused(t *testing.T) {
	dir := t.TempDir()
	trust := filepath.Join(dir, "trust")
	if err := os.WriteFile(trust, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		want int
		says string
	}{
		{"audit --state " + dir, misused, "--trust"},
		{"audit --trust " + trust, misused, "--state"},
		{"audit --trust " + trust + " --state " + dir + " --every 1ms", misused, "--every"},
		{"audit --trust " + trust + " --state " + dir, failed, "reading the trust file"},
		{"audit witness --trust " + trust, misused, "--state"},
		{"audit witness --trust nosuch --state " + dir, failed, "reading the trust file"},
		{"audit witness --trust " + trust + " --state " + dir + " --log-format xml", misused, "--log-format"},
		{"audit init --state " + dir, misused, "--name"},
		{"audit init --state " + dir + " --name a+b", misused, "--name"},
		{"audit once", misused, "takes no arguments"},
	} {
		status, stdout, stderr := invocation{}.run(t, strings.Fields(test.args)...)
		if status != test.want || stdout != "" || !strings.Contains(stderr, test.says) {
			t.Errorf("%s: %d %q %q", test.args, status, stdout, stderr)
		}
	}
}
