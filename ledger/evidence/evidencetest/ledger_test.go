package evidencetest_test

import (
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// TestCorpus demands of every case of the corpus what it wants.
func TestCorpus(t *testing.T) {
	cases, outcomes, names := evidencetest.Corpus(), map[evidence.Outcome]int{}, map[string]bool{}
	for _, c := range cases {
		outcome, err := verify(t, c)
		if outcome != c.Want || names[c.Name] {
			t.Errorf("%s is %v, want %v: %v", c.Name, outcome, c.Want, err)
		}
		outcomes[outcome]++
		names[c.Name] = true
	}
	t.Log(len(cases), outcomes)
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
