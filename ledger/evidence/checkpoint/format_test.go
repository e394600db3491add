package checkpoint

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// vector returns the block ```text name of the format's description.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	page, err := os.ReadFile("../../../docs/FORMAT.md")
	must(t, err)
	_, rest, found := strings.Cut(string(page), "\n```text "+name+"\n")
	block, _, ended := strings.Cut(rest, "\n```")
	if !found || !ended {
		t.Fatalf("FORMAT.md has no block %s", name)
	}
	return []byte(block + "\n")
}

// TestFormat writes the samples of docs/FORMAT.md again, from seeds that count up.
func TestFormat(t *testing.T) {
	all := everybody()
	keys := all.old.Reveal() + "\n" + all.log.Reveal() + "\n" + all.bundle.Reveal() + "\n" +
		all.witness.Reveal() + "\n" + all.replay.Reveal() + "\n"
	for name, got := range map[string]string{
		"evidence-keys-1": keys,
		"checkpoint-1":    string(all.thousand(t).Bytes()),
		"trust-1":         all.trustFile(),
	} {
		if want := vector(t, name); !bytes.Equal(want, []byte(got)) {
			t.Errorf("%s has changed:\n got %s\nwant %s", name, got, want)
		}
	}
}

// TestFormatReads reads the samples as whoever verifies does.
func TestFormatReads(t *testing.T) {
	trust, err := ParseTrust(vector(t, "trust-1"))
	must(t, err)
	n, err := Open(vector(t, "checkpoint-1"))
	must(t, err)
	j := trust.Judge(n)
	if err := j.Lacks(NeedReplays); err != nil || len(j.Log) != 2 || j.Unknown != 0 || j.Void != 0 {
		t.Errorf("checkpoint-1 under trust-1: %+v, %v", j, err)
	}
	lines := strings.Split(string(vector(t, "evidence-keys-1")), "\n")
	for _, line := range lines[:3] {
		if _, err := ParseSigner(line); err != nil {
			t.Error(err)
		}
	}
	for _, line := range lines[3:5] {
		if _, err := ParseCosigner(line); err != nil {
			t.Error(err)
		}
	}
}
