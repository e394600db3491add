package verifier_test

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestVectors holds the page against the proofs of docs/FORMAT.md and what is said there of them.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("../../../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, b := range regexp.MustCompile("(?s)```(?:text|hex) (\\S+)\n(.*?)```").FindAllSubmatch(text, -1) {
		blocks[string(b[1])] = string(b[2])
	}
	lines := strings.Split(strings.TrimSuffix(blocks["verdicts-1"], "\n"), "\n")
	if len(lines) < 8 {
		t.Fatalf("docs/FORMAT.md has %d verdicts", len(lines))
	}
	for _, line := range lines {
		name, want, _ := strings.Cut(line, " ")
		proof, err := hex.DecodeString(strings.Join(strings.Fields(blocks["proof-"+name+"-1"]), ""))
		if err != nil || len(proof) == 0 {
			t.Fatalf("proof-%s-1: %v", name, err)
		}
		if got := string(verify(t, vector{proof, []byte(blocks["trust-1"])})[0]); got != want {
			t.Errorf("%s:\n%s, want\n%s", name, got, want)
		}
	}
}
