package evidencetest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// TestCorpus demands of every case of the corpus what it wants, and of every case that it is there once.
func TestCorpus(t *testing.T) {
	outcomes, names, size := map[evidence.Outcome]int{}, map[string]bool{}, 0
	for _, c := range evidencetest.Corpus() {
		outcome, err := verify(t, c)
		if outcome != c.Want || names[c.Name] {
			t.Errorf("%s is %v, want %v: %v", c.Name, outcome, c.Want, err)
		}
		outcomes[outcome]++
		names[c.Name] = true
		size += len(c.Proof)
	}
	t.Logf("%d cases of %d bytes: %v", len(names), size, outcomes)
}

func verify(t *testing.T, c evidencetest.Case) (evidence.Outcome, error) {
	t.Helper()
	var trust *checkpoint.Trust
	if c.Trust != nil {
		var err error
		if trust, err = checkpoint.ParseTrust(c.Trust); err != nil {
			t.Fatal(err)
		}
	}
	v, err := evidence.Verify(c.Proof, trust)
	if err != nil {
		return evidence.False, err
	}
	return v.Outcome, v.Lacks
}

// TestWriteCorpus reads what is written.
func TestWriteCorpus(t *testing.T) {
	dir, cases := t.TempDir(), evidencetest.Signed()
	if err := evidencetest.WriteCorpus(dir, cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		read := func(end string) []byte {
			b, err := os.ReadFile(filepath.Join(dir, c.Name+end))
			if err != nil && !(c.Trust == nil && end == ".trust") {
				t.Error(err)
			}
			return b
		}
		var verdict struct{ Outcome string }
		if err := json.Unmarshal(read(".json"), &verdict); err != nil || verdict.Outcome != c.Want.String() {
			t.Errorf("%s: %q, %v; want %v", c.Name, verdict.Outcome, err, c.Want)
		}
		if !bytes.Equal(read(".proof"), c.Proof) || !bytes.Equal(read(".trust"), c.Trust) {
			t.Errorf("%s: other files", c.Name)
		}
	}
	if err := evidencetest.WriteCorpus(filepath.Join(dir, "none"), cases); err == nil {
		t.Error("written into a folder that is not there")
	}
}

// TestDeterminism makes the corpus twice: others read it too.
func TestDeterminism(t *testing.T) {
	again := evidencetest.Corpus()
	for i, c := range evidencetest.Corpus() {
		if c.Name != again[i].Name || !bytes.Equal(c.Proof, again[i].Proof) {
			t.Fatalf("%s is made another way each time", c.Name)
		}
	}
}
