package backup

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// block returns the fenced block of FORMAT.md with a name.
func block(t testing.TB, kind, name string) []byte {
	t.Helper()
	page, err := os.ReadFile("../../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n```"+kind+" "+name+"\n")
	body, _, ends := strings.Cut(rest, "```\n")
	if !found || !ends {
		t.Fatalf("FORMAT.md has no block %s", name)
	}
	if kind == "text" {
		return []byte(body)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		t.Fatalf("block %s: %v", name, err)
	}
	return b
}

// vector is what FORMAT.md's backup holds.
func vector() map[Part][]stream.Message {
	return map[Part][]stream.Message{
		Events: {
			{Sequence: 1, Subject: "custody.ledger.ats.data.shared", Data: []byte(`{"a":1}`)},
			{Sequence: 2, Subject: "custody.ledger.ats.data.erased", Data: []byte{}},
		},
		Vault: {{Sequence: 1, Subject: "vault.ledger.table", Data: []byte{1, 1}}},
	}
}

func TestFormat(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(dir, ours)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Parts() {
		for _, m := range vector()[p] {
			if err := a.Append(p, &m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(a.Commit(moment), a.Close()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{
		"events-000001": block(t, "hex", "backup-events-1"),
		"vault-000001":  block(t, "hex", "backup-vault-1"),
		stateFile:       block(t, "text", "backup-state-1"),
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s\n got %x %s\nwant %x", name, got, got, want)
		}
	}
	if got := files(t, dir); len(got) != 3 {
		t.Errorf("%d files", len(got))
	}
}

// FuzzState demands that nothing passes for a state but what one is written as.
func FuzzState(f *testing.F) {
	whole := block(f, "text", "backup-state-1")
	for _, seed := range []string{string(whole), "", "{}\n", "null\n", string(whole[:len(whole)-1]), string(whole) + "\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := decodeState(b); err == nil && !bytes.Equal(s.encode(), b) {
			t.Errorf("%q passes for a state", b)
		}
	})
}

// FuzzFrame demands that nothing passes for a frame but what one is written as.
func FuzzFrame(f *testing.F) {
	whole := block(f, "hex", "backup-events-1")[headerSize:]
	f.Add(whole)
	f.Add(whole[:frameHead])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, chain, err := readFrame(bytes.NewReader(b), 0, [32]byte{})
		if err != nil {
			return
		}
		again, next, err := appendFrame(nil, [32]byte{}, &m)
		if err != nil || next != chain || !bytes.HasPrefix(b, again) {
			t.Errorf("%x passes for a frame: %v", b, err)
		}
	})
}
