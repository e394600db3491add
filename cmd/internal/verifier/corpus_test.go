package verifier_test

import (
	"bytes"
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
		file, all := vector{c.Proof, c.Trust}, places(len(c.Proof))
		got, want := changes(t, file, all), changed(c.Proof, all, func(p []byte) string { return proven(p, trust) })
		if got != want {
			t.Errorf("%s: of %d changes the page and package evidence disagree", c.Name, len(want))
		}
		if got := lengths(t, file); strings.Trim(got, "f") != "" || len(got) != len(c.Proof)+1 {
			t.Errorf("%s: cut off, or longer, and not always false", c.Name)
		}
		for i := range got {
			if question := v.Class() != "" && 10 <= i && i < 30; got[i] == 'p' && !question {
				t.Errorf("%s: change %d, and it is still proven", c.Name, i)
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("proofs of %v were changed; want all types of the corpus but the false commit, whose proof is long", seen)
	}
}

// places are those of all bytes.
func places(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// changed is what verify says of the changes that [changes] makes.
func changed(file []byte, places []int, verify func([]byte) string) string {
	var outcomes strings.Builder
	for _, i := range places {
		other := bytes.Clone(file)
		other[i] ^= 1 << (i & 7)
		outcomes.WriteByte(verify(other)[0])
	}
	return outcomes.String()
}

// proven is the outcome that package evidence gives.
func proven(proof []byte, trust *checkpoint.Trust) string {
	v, err := evidence.Verify(proof, trust)
	if err != nil {
		return "false"
	}
	return v.Outcome.String()
}
