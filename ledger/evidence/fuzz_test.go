package evidence_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// FuzzVerify demands that nothing passes for a proof of the fuzzed ledger that is not one: what is proven answers
// truly, and what is proven to somebody is proven to nobody who trusts nobody.
func FuzzVerify(f *testing.F) {
	for _, c := range oneOfEach() {
		f.Add(c.Proof)
	}
	for _, c := range evidencetest.Lies() {
		if len(c.Proof) < 5000 {
			f.Add(c.Proof)
		}
	}
	holds, _ := evidencetest.FalseFacts(evidence.Rules())
	f.Add(holds)
	guilty := func([]evidence.Told) (string, error) { return "so it is", nil }
	world, trust := evidencetest.NewWorld(1), evidencetest.Trust()
	f.Fuzz(func(t *testing.T, proof []byte) {
		v, err := evidence.VerifyFacts(proof, trust, guilty)
		alone, aloneErr := evidence.VerifyFacts(proof, nil, guilty)
		if err != nil {
			return
		}
		if aloneErr != nil || alone.Outcome != evidence.Unsigned || !json.Valid(must(json.Marshal(v))) {
			t.Fatalf("without trust: %+v, %v", alone, aloneErr)
		}
		if v.Class() != "" && v.Head.Root == world.Root(min(v.Head.Size, world.Size())) && v.Count() != uint64(len(world.Matching(v.Question, v.Upto))) {
			t.Fatalf("another answer: %+v", v)
		}
	})
}

// FuzzParseCommit demands that what passes for a commit is what would be written.
func FuzzParseCommit(f *testing.F) {
	l := evidencetest.New(1)
	l.Grow(3)
	f.Add(l.Commit().Event)
	f.Add([]byte(`{"custodyformat":"1","data":{"size":1,"root":"`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, stored []byte) {
		c, err := evidence.ParseCommit(stored)
		if err == nil && (!bytes.HasSuffix(stored, c.Append(nil)) || c.Size == 0 || c.Size > evidence.MaxSize) {
			t.Fatalf("%+v", c)
		}
	})
}

// FuzzRecord demands that what passes for a record is what would be written, and does not contradict itself.
func FuzzRecord(f *testing.F) {
	l := evidencetest.New(1)
	for range 5 {
		r := l.Random()
		f.Add(r.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := evidence.DecodeRecord(b); err == nil && (!bytes.Equal(r.Append(nil), b) || r.Sound() != nil || r.Day() == evidence.NoDay) {
			t.Fatalf("%+v", r)
		}
	})
}

// FuzzAnnotation demands that what passes for an annotation is what would be written.
func FuzzAnnotation(f *testing.F) {
	l := evidencetest.New(1)
	l.Grow(300)
	c := l.Truth()
	f.Add(c.Totals.Append(nil), uint64(300))
	nothing := evidence.Nothing()
	f.Add(nothing.Append(nil), uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, leaves uint64) {
		a, err := evidence.DecodeAnnotation(b, leaves)
		if err == nil && !bytes.Equal(a.Append(nil), b) {
			t.Fatalf("%+v", a)
		}
		for _, y := range a {
			if err == nil && y.Count > leaves {
				t.Fatalf("%+v of %d leaves", a, leaves)
			}
		}
	})
}
