package evidence_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// oneOfEach are the shortest honest proofs of each type and kind of answer that tell of more than a root.
func oneOfEach() []evidencetest.Case {
	shortest := map[string]evidencetest.Case{}
	for _, c := range evidencetest.Honest() {
		kind := c.Name
		if light := strings.HasPrefix(c.Name, "light-702-"); light || strings.HasPrefix(c.Name, "replay-") {
			kind = c.Name[:strings.Index(c.Name, "-T5-")+1]
			if kind == "" || light && len(c.Proof) < 3000 {
				continue
			}
		} else if strings.HasPrefix(c.Name, "light-") || strings.HasPrefix(c.Name, "false-commit-") && !strings.HasSuffix(c.Name, "-days") {
			continue
		}
		if had, ok := shortest[kind]; !ok || len(c.Proof) < len(had.Proof) {
			shortest[kind] = c
		}
	}
	return slices.SortedFunc(maps.Values(shortest), func(a, b evidencetest.Case) int { return strings.Compare(a.Name, b.Name) })
}

// anotherQuestion reports whether a verdict is about another question than a proof, and answers it truly.
func anotherQuestion(w *evidencetest.World, proof []byte, v *evidence.Verdict) bool {
	if v.Class() == "" || v.Question.Check(v.Upto) != nil || bytes.Equal(evidencetest.AppendQuestion(nil, v.Question), proof[10:30]) {
		return false
	}
	return v.Count() == uint64(len(w.Matching(v.Question, v.Upto)))
}

// shared reports whether a byte of a proof is the character of a signature that has bits of the key id and of the
// signature, so that changing it changes both, and nobody can tell whose it was.
func shared(proof []byte, at int) bool {
	line := bytes.LastIndex(proof[:at], []byte("— "))
	return line >= 0 && at-line-len("— ")-bytes.IndexByte(proof[line+len("— "):], ' ')-1 == 5
}

// TestMutations changes each bit of proofs of every type, cuts them short at each byte and makes them longer. None holds
// together any more, but for true answers to other questions, and but for the one character of a signature of which
// nobody can tell any more whose it was. Of long proofs it takes each 97th bit.
func TestMutations(t *testing.T) {
	trust, world := evidencetest.Trust(), evidencetest.NewWorld(1)
	types := map[byte]bool{}
	all := world.Note(world.Size(), evidencetest.Everybody)
	few := evidence.Question{What: evidence.Count, Flags: evidence.T0, Of: evidence.Positions, From: 1, To: 3}
	cosigned := evidencetest.Case{Name: "replay-cosigned", Proof: must(evidence.ProveReplay(world, all, few))}
	for _, c := range append(oneOfEach(), cosigned) {
		t.Run(c.Name, func(t *testing.T) {
			other, strange, step := 0, 0, 1
			if len(c.Proof) > 5000 {
				step = 97
			}
			for i := 0; i < len(c.Proof)*8; i += step {
				flipped := bytes.Clone(c.Proof)
				flipped[i/8] ^= 1 << (i % 8)
				v, err := evidence.Verify(flipped, trust)
				switch {
				case err == nil && v.Outcome == evidence.Proven && anotherQuestion(world, c.Proof, v):
					other++
				case err == nil && shared(c.Proof, i/8):
					strange++
				case err == nil:
					t.Fatalf("bit %d is another and it holds together, %v", i, v.Outcome)
				}
			}
			for i := 0; i < len(c.Proof); i += step {
				if _, err := evidence.Verify(c.Proof[:i], trust); err == nil {
					t.Fatalf("cut at %d and it holds together", i)
				}
			}
			for _, more := range []string{"\x00", "\n", "CUSTODYP", string(c.Proof), string(c.Proof[len(c.Proof)-32:])} {
				if _, err := evidence.Verify(append(bytes.Clone(c.Proof), more...), trust); err == nil {
					t.Fatal("longer and it holds together")
				}
			}
			t.Logf("%d bytes; %d bits make another question, %d a stranger's signature", len(c.Proof), other, strange)
		})
		types[c.Proof[9]] = true
	}
	if len(types) != 9 {
		t.Errorf("proofs of types %v", types)
	}
}

// TestStrangersSignature changes each bit of a signature that the trust file does not know: it is ignored, or no
// signature.
func TestStrangersSignature(t *testing.T) {
	w := evidencetest.NewWorld(1)
	stranger := must(checkpoint.NewCosigner("stranger.example/witness"))
	note := w.Note(w.Size(), evidencetest.Log|evidencetest.Witness)
	signature := must(stranger.Cosign(note.Checkpoint, time.Unix(1, 0)))
	proof := must(evidence.ProveEvent(w, note.With(signature), 3, nil))
	at, ignored := bytes.Index(proof, signature.Line()), 0
	for i := range len(signature.Line()) * 8 {
		flipped := bytes.Clone(proof)
		flipped[at+i/8] ^= 1 << (i % 8)
		v, err := evidence.Verify(flipped, evidencetest.Trust())
		if err == nil && (v.Outcome != evidence.Proven || v.Head.Unknown != 1 || len(v.Head.Witnesses) != 1) {
			t.Fatalf("bit %d: %+v", i, v)
		} else if err == nil {
			ignored++
		}
	}
	if ignored == 0 {
		t.Error("no change was ignored")
	}
}
