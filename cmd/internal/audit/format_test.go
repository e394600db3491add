package audit

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/witness"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// vector is the fenced block of docs/FORMAT.md with a name.
func vector(t *testing.T, kind, name string) string {
	t.Helper()
	page := must(os.ReadFile("../../../docs/FORMAT.md"))
	_, rest, found := strings.Cut(string(page), "\n```"+kind+" "+name+"\n")
	body, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Errorf("docs/FORMAT.md has no block %s", name)
	}
	return body
}

// TestFormat holds what a folder has, and what an auditor writes down of the five records, against docs/FORMAT.md.
func TestFormat(t *testing.T) {
	keys := strings.Split(vector(t, "text", "evidence-keys-1"), "\n")
	signer, cosigner, auditor := must(checkpoint.ParseSigner(keys[1])), must(checkpoint.ParseCosigner(keys[3])), must(checkpoint.ParseCosigner(keys[4]))
	records := must(hex.DecodeString(strings.Join(strings.Fields(vector(t, "hex", "records-1")), "")))
	p := newPass(false)
	p.full = nobody
	for l := range slices.Chunk(records, recordSize) {
		if err := p.add(leaf{record: l, event: []byte(strings.TrimSuffix(vector(t, "text", "commit-1"), "\n"))}); err != nil || len(p.faults) > 0 {
			t.Fatal(err, p.faults)
		}
	}
	p.sequences.add(&evidence.Record{Producer: 1, Sequence: 1843005}) // so that there is a hole
	note := must(checkpoint.Sign(checkpoint.Checkpoint{Origin: testOrigin, Size: p.trail.Size(), Root: p.trail.Now().Root()}, signer))
	if state, want := must(p.encode(note)), vector(t, "text", "auditor-state-1"); string(state) != want {
		t.Errorf("block auditor-state-1 must be\n%s", state)
	} else if _, n, err := decodePass([]byte(want)); err != nil || n.Size != 5 {
		t.Errorf("the block as a state: %v", err)
	}

	dir, trust := t.TempDir(), must(checkpoint.ParseTrust([]byte("log "+signer.Verifier()+"\n")))
	for file, key := range map[string]checkpoint.Cosigner{replayFile: auditor, witnessFile: cosigner} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(key.Reveal()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := NewWitness(dir, must(ReadKeys(dir)), trust, time.Now).Add(checkpoint.Request{Note: note.With(must(auditor.Cosign(note.Checkpoint, time.Now())))})
	if err := errors.Join(err, a.Err, witness.Memory{Dir: dir, Role: "replay"}.Write(testOrigin, must(p.encode(note)))); err != nil {
		t.Fatal(err)
	}
	opened := must(Open(Config{Dir: dir, Trust: trust}))
	if err := errors.Join(opened.load(), opened.Close()); err != nil || opened.last.Size != 5 {
		t.Errorf("the folder: %v", err)
	}
	var files strings.Builder
	for _, file := range must(os.ReadDir(dir)) {
		files.WriteString(file.Name() + "\n")
	}
	if want := vector(t, "text", "auditor-folder-1"); files.String() != want {
		t.Errorf("block auditor-folder-1 must be\n%s", files.String())
	}
	if b := must(os.ReadFile(filepath.Join(dir, "witness-fbf54c2f3e2632f1"))); !bytes.Equal(b, note.Bytes()) {
		t.Errorf("the witness remembers\n%s", b)
	}
	for _, role := range []string{"replay", "witness"} {
		if b := must(os.ReadFile(filepath.Join(dir, role+".logs"))); string(b) != testOrigin+"\n" {
			t.Errorf("the logs of %s: %q", role, b)
		}
	}
}
