package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/audit"
	"github.com/imalink/custody/cmd/internal/witness"
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
		n := asked.Add(1)
		if n <= 2 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Write(empty.Bytes())
		if n > 6 {
			cancel()
		}
	})
	var out, notes bytes.Buffer
	status := RunContext(ctx, Env{Args: []string{"audit", "--trust", trust, "--state", dir, "--every", "100ms"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &notes,
		Getenv: func(n string) string { return i.env[n] }})
	if status != done || strings.Count(out.String(), "nothing is signed yet") != 1 || strings.Count(notes.String(), "trying again every 100ms") != 1 {
		t.Errorf("%d\n%s\n%s", status, out.String(), notes.String())
	}
}

// A lastRead cancels when it is closed.
type lastRead struct {
	io.Reader
	cancel func()
}

func (r lastRead) Close() error {
	r.cancel()
	return nil
}

// TestHint says what to do about a fault: nobody is told to look for a proof that there is not.
func TestHint(t *testing.T) {
	before := audit.Finding{Text: "proven before", Proof: "A/shown-less-9.proof"}
	for want, findings := range map[string][]audit.Finding{
		"keep the proofs":     {before, {Fault: true}, {Fault: true, Proof: "A/fork-9.proof"}},
		"no file proves this": {before, {Fault: true}},
	} {
		if got := hintOf(&audit.Report{Findings: findings}); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestAuditInterrupted is interrupted when the last answer of a round is in: if that shows a fault it is told, and ends with
// its status; else nothing is. It says what to do with the proof.
func TestAuditInterrupted(t *testing.T) {
	key, err := checkpoint.NewSigner("custody.example/ledger")
	if err != nil {
		t.Fatal(err)
	}
	trust, err := checkpoint.ParseTrust([]byte("log " + key.Verifier() + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	var notes [2]checkpoint.Note // of no and of one position
	for i := range notes {
		if notes[i], err = checkpoint.Sign(checkpoint.Checkpoint{Origin: key.Key().Name, Size: uint64(i), Root: sha256.Sum256(nil)}, key); err != nil {
			t.Fatal(err)
		}
	}
	for _, seen := range notes {
		dir, asked := t.TempDir(), 0
		if _, err := audit.Init(dir, "auditor.example"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		auditor, err := audit.Open(audit.Config{Dir: dir, Trust: trust, Now: time.Now, Seen: []checkpoint.Note{seen},
			Do: func(context.Context, string, string, url.Values, []byte) (io.ReadCloser, error) {
				if asked++; asked == 2 {
					return lastRead{bytes.NewReader(notes[0].Bytes()), cancel}, nil
				}
				return lastRead{bytes.NewReader(notes[0].Bytes()), func() {}}, nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		s := &session{Env: Env{Stdout: &out, Stderr: io.Discard, Getenv: func(string) string { return "" }}, format: formats[0]}
		a, err := s.answer()
		if err != nil {
			t.Fatal(err)
		}
		err = a.close(s.follow(ctx, a, auditor, time.Hour))
		found, isFault := errors.AsType[*fault](err)
		if told := seen.Size > 0; told != isFault || told && (found.status != unsound || !strings.Contains(found.hint, "keep the proofs")) || told != strings.Contains(out.String(), "FAULT") || ctx.Err() == nil {
			t.Errorf("having seen %d: %v\n%s", seen.Size, err, out.String())
		}
		if err := auditor.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestAuditStateDamaged ends at once, and says what to do, where what the auditor knew is damaged.
func TestAuditStateDamaged(t *testing.T) {
	const origin = "custody.example/ledger"
	dir := t.TempDir()
	if _, err := audit.Init(dir, "auditor.example"); err != nil {
		t.Fatal(err)
	}
	key, err := checkpoint.NewSigner(origin)
	if err != nil {
		t.Fatal(err)
	}
	trust := filepath.Join(dir, "trust")
	err = os.WriteFile(trust, []byte("log "+key.Verifier()+"\n"), 0o600)
	if err := errors.Join(err, witness.Memory{Dir: dir, Role: "replay"}.Write(origin, []byte("{}\n"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // it would be tried again until then
	defer cancel()
	var notes bytes.Buffer
	status := RunContext(ctx, Env{Args: []string{"audit", "--trust", trust, "--state", dir}, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &notes,
		Getenv: func(string) string { return "" }})
	if status != failed || !strings.Contains(notes.String(), "go on with the program that wrote it") {
		t.Errorf("%d\n%s", status, notes.String())
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

// TestFindingsAlike tells what is wrong at many positions once.
func TestFindingsAlike(t *testing.T) {
	false1 := func(position uint64, proof string) audit.Finding {
		return audit.Finding{Fault: true, Text: "false", Position: position, Proof: proof}
	}
	r := &audit.Report{Findings: []audit.Finding{false1(3, ""), false1(5, ""), false1(9, ""), false1(11, "p"), {Text: "a hole"}}}
	want := []field{
		{"FAULT", "at 3 positions from 3 on, all in -o json: false"}, {"FAULT", "from position 11: false; proven by p"}, {"finding", "a hole"},
	}
	if got := findingFields(r); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
