package escrow

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// block returns the fenced block of FORMAT.md with a name.
func block(t testing.TB, name string) []byte {
	t.Helper()
	page, err := os.ReadFile("../../../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n```text "+name+"\n")
	body, _, ends := strings.Cut(rest, "```\n")
	if !found || !ends {
		t.Fatalf("FORMAT.md has no block %s", name)
	}
	return []byte(body)
}

// TestFormat opens FORMAT.md's escrow with FORMAT.md's identity.
func TestFormat(t *testing.T) {
	dir := t.TempDir()
	path, identity := filepath.Join(dir, "escrow"), filepath.Join(dir, "identity")
	whole := block(t, "escrow-1")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(identity, block(t, "escrow-identity-1"), 0o600); err != nil {
		t.Fatal(err)
	}
	ids, err := ParseIdentities([]string{identity})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(path, ids)
	if err != nil || r.Ledger != ledgerID || r.Version != 3 || string(r.Reveal()) != "a slot of the root file" {
		t.Errorf("%s, %d, %q: %v", r.Ledger, r.Version, r.Reveal(), err)
	}
	if c, err := decode(whole); err != nil || !bytes.Equal(c.encode(), whole) {
		t.Errorf("it is spelt another way: %v", err)
	}
}

// FuzzContainer demands that nothing passes for an escrow but what one is written as.
func FuzzContainer(f *testing.F) {
	whole := block(f, "escrow-1")
	for _, seed := range []string{string(whole), "", "{}\n", string(whole[:len(whole)-1]), strings.ToUpper(string(whole))} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := decode(b); err == nil && !bytes.Equal(c.encode(), b) {
			t.Errorf("%q passes for an escrow", b)
		}
	})
}
