package evidence_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// TestFalseFacts has somebody judge facts, and nobody; and tells too little, too much, or something else.
func TestFalseFacts(t *testing.T) {
	holds, broken := evidencetest.FalseFacts(evidence.Rules())
	trust := evidencetest.Trust()
	var asked []evidence.Told
	guilty := func(told []evidence.Told) (string, error) {
		asked = told
		return "another class", nil
	}
	v, err := evidence.VerifyFacts(holds, trust, guilty)
	if err != nil || v.Outcome != evidence.Proven || v.Type != evidence.TypeFalseFacts || v.Fault != "what the log decided of an event is false: another class" || v.Leaf.Index != 6 {
		t.Errorf("%+v, %v", v, err)
	}
	var indices []uint64
	for _, told := range asked {
		indices = append(indices, told.Index)
	}
	if fmt.Sprint(indices) != "[1 3 6]" || !bytes.Equal(asked[2].Event, v.Event) {
		t.Errorf("told are %v", indices)
	}
	innocent := func([]evidence.Told) (string, error) { return "", nil }
	if _, err := evidence.VerifyFacts(holds, trust, innocent); !errors.Is(err, evidence.ErrFalse) {
		t.Errorf("no fault: %v", err)
	}
	unable := fmt.Errorf("%w: other tables", evidence.ErrUnjudged)
	if _, err := evidence.VerifyFacts(holds, trust, func([]evidence.Told) (string, error) { return "", unable }); !errors.Is(err, unable) {
		t.Errorf("somebody who cannot judge: %v", err)
	}
	if v, err := evidence.Verify(holds, trust); !errors.Is(err, evidence.ErrUnjudged) || v.Outcome != evidence.Proven || v.Leaf.Index != 6 {
		t.Errorf("nobody to judge: %v", err)
	}
	others, _ := evidencetest.FalseFacts(evidence.Hash{1})
	if _, err := evidence.VerifyFacts(others, trust, guilty); !errors.Is(err, evidence.ErrUnjudged) {
		t.Errorf("recorded under other rules: %v", err)
	}
	if v, err := evidence.VerifyFacts(holds, nil, guilty); err != nil || v.Outcome != evidence.Unsigned {
		t.Errorf("no trust: %v", err)
	}
	for name, proof := range broken {
		if v, err := evidence.VerifyFacts(proof, trust, guilty); err == nil || errors.Is(err, evidence.ErrUnjudged) {
			t.Errorf("it %s, and is %+v, %v", name, v, err)
		}
	}
}

// TestChangedFacts changes every bit, every length: nothing holds together any more, whatever the judge says, but for the
// characters of a signature that may be anybody's.
func TestChangedFacts(t *testing.T) {
	holds, _ := evidencetest.FalseFacts(evidence.Rules())
	trust := evidencetest.Trust()
	guilty := func([]evidence.Told) (string, error) { return "so it is", nil }
	for i := range len(holds) * 8 {
		flipped := bytes.Clone(holds)
		flipped[i/8] ^= 1 << (i % 8)
		if v, err := evidence.VerifyFacts(flipped, trust, guilty); err == nil && !shared(holds, i/8) {
			t.Fatalf("bit %d is another, and it is %v", i, v.Outcome)
		}
	}
	for i := range holds {
		if _, err := evidence.VerifyFacts(holds[:i], trust, guilty); err == nil {
			t.Fatalf("cut at %d and it holds together", i)
		}
	}
	if _, err := evidence.VerifyFacts(append(bytes.Clone(holds), 0), trust, guilty); err == nil {
		t.Error("longer and it holds together")
	}
}

// TestProveFalseFacts makes the proof from a reader, and none where the facts are true or the events are others.
func TestProveFalseFacts(t *testing.T) {
	l := evidencetest.New(1)
	l.AddEvent(evidencetest.Registered("BE", evidencetest.SignedAt()))
	at := l.AddEvent(evidencetest.Shared{Class: "T4", Region: "US", Time: evidencetest.SignedAt()}.Stored())
	ours := l.Truth()
	ours.Rules = evidence.Rules()
	l.CommitTo(ours)
	l.Commit()
	last := l.AddEvent(evidencetest.Shared{Time: evidencetest.SignedAt()}.Stored())
	note := l.Note(l.Size(), evidencetest.Log)
	event := func(i uint64) ([]byte, error) { return l.Event(i), nil }
	says := func(fault string) evidence.Judge {
		return func([]evidence.Told) (string, error) { return fault, nil }
	}
	proof := must(evidence.ProveFalseFacts(l, note, at, event, says("another class")))
	if v, err := evidence.VerifyFacts(proof, evidencetest.Trust(), says("another class")); err != nil || v.Outcome != evidence.Proven {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := evidence.VerifyFacts(must(evidence.ProveFalseFacts(l, note, 0, event, says("x"))), nil, says("x")); err != nil || v.Leaf.Index != 0 {
		t.Errorf("of the first event: %+v, %v", v, err)
	}
	failed := errors.New("failed")
	for name, got := range map[string]struct{ err, want error }{
		"true facts":           {second(evidence.ProveFalseFacts(l, note, at, event, says(""))), evidence.ErrFalse},
		"no commit after it":   {second(evidence.ProveFalseFacts(l, note, last, event, says("x"))), evidence.ErrUnjudged},
		"other rules after it": {second(evidence.ProveFalseFacts(l, note, 2, event, says("x"))), evidence.ErrUnjudged},
		"nobody to judge":      {second(evidence.ProveFalseFacts(l, note, at, event, nil)), evidence.ErrUnjudged},
		"no such leaf":         {second(evidence.ProveFalseFacts(l, note, l.Size(), event, says("x"))), evidence.ErrQuestion},
		"another event":        {second(evidence.ProveFalseFacts(l, note, at, func(uint64) ([]byte, error) { return l.Event(0), nil }, says("x"))), evidence.ErrFalse},
		"no event to be had":   {second(evidence.ProveFalseFacts(l, note, at, func(uint64) ([]byte, error) { return nil, failed }, says("x"))), failed},
	} {
		if !errors.Is(got.err, got.want) {
			t.Errorf("%s: %v, want %v", name, got.err, got.want)
		}
	}
}

func second(_ []byte, err error) error { return err }
