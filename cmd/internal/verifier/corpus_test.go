package verifier_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// TestCorpus demands of the page the very verdict of package evidence on every proof of the corpus, true or false.
func TestCorpus(t *testing.T) {
	cases := evidencetest.Corpus()
	vectors := make([]vector, len(cases))
	for i, c := range cases {
		vectors[i] = vector{c.Proof, c.Trust}
	}
	got := verify(t, vectors...)
	for i, c := range cases {
		want := string(c.Verdict())
		if outcome(want) == "false" {
			if outcome(string(got[i])) != "false" {
				t.Errorf("%s: %s, want false", c.Name, got[i])
			}
			continue
		}
		if string(got[i]) != want {
			t.Errorf("%s:\n%.3000s, want\n%.3000s", c.Name, got[i], want)
		}
	}
	t.Logf("%d proofs", len(cases))
}

// outcome is the first letter and the rest of the word that a verdict begins with.
func outcome(verdict string) string {
	var v struct{ Outcome string }
	if err := json.Unmarshal([]byte(verdict), &v); err != nil {
		return err.Error()
	}
	return v.Outcome
}

// TestChanges changes a bit in every byte of proofs of almost every type, cuts them off everywhere and makes them longer:
// package evidence and the page must agree about each, and call none proven, but if what changed is the question: then
// another one is answered.
func TestChanges(t *testing.T) {
	trust := evidencetest.Trust()
	seen := map[evidence.Type]bool{}
	for _, c := range evidencetest.Honest() {
		v, err := evidence.Verify(c.Proof, trust)
		if err != nil {
			t.Fatal(err)
		}
		if seen[v.Type] || len(c.Proof) > 3000 {
			continue
		}
		seen[v.Type] = true
		got, want := changes(t, vector{c.Proof, c.Trust}), wanted(c.Proof, trust)
		if got != want {
			t.Errorf("%s: of %d changes the page and package evidence disagree", c.Name, len(want))
		}
		for i := range got {
			if question := v.Class() != "" && 10 <= i && i < 30; got[i] == 'p' && !question {
				t.Errorf("%s: change %d, and it is still proven", c.Name, i)
			}
		}
	}
	if len(seen) != 7 {
		t.Errorf("proofs of %v were changed; want all types but the false commit, whose proof is long", seen)
	}
}

// wanted is what package evidence says of the changes, in the order of [changes].
func wanted(proof []byte, trust *checkpoint.Trust) string {
	var outcomes strings.Builder
	see := func(p []byte) {
		v, err := evidence.Verify(p, trust)
		if err != nil {
			outcomes.WriteByte('f')
			return
		}
		outcomes.WriteByte(v.Outcome.String()[0])
	}
	file := append([]byte{}, proof...)
	for i := range file {
		file[i] ^= 1 << (i % 8)
		see(file)
		file[i] ^= 1 << (i % 8)
	}
	for n := range file {
		see(file[:n])
	}
	see(append(file, 0))
	return outcomes.String()
}
