package ledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// TestJudgeFacts judges an event that has no class and must have one, and does not judge what it has no tables for or
// cannot read.
func TestJudgeFacts(t *testing.T) {
	registered := evidence.Told{Index: 3, Event: evidencetest.Registered("BE", evidencetest.SignedAt)}
	shared := evidencetest.Shared{Time: evidencetest.SignedAt}.Stored()
	fault, err := JudgeFacts([]evidence.Told{registered, {Index: 7, Event: shared}})
	if err != nil || !strings.Contains(fault, "not what the register said") {
		t.Errorf("%q, %v", fault, err)
	}
	if fault, err := JudgeFacts([]evidence.Told{registered}); err != nil || fault != "" {
		t.Errorf("of the register itself: %q, %v", fault, err)
	}
	for name, event := range map[string][]byte{
		"tables of another day": evidencetest.Shared{Class: "T4", Time: evidencetest.SignedAt}.Stored(),
		"no event":              []byte("{}"),
	} {
		if fault, err := JudgeFacts([]evidence.Told{registered, {Index: 7, Event: event}}); !errors.Is(err, evidence.ErrUnjudged) {
			t.Errorf("%s: %q, %v", name, fault, err)
		}
	}
	holds, _ := evidencetest.FalseFacts()
	v, err := evidence.VerifyFacts(holds, evidencetest.Trust(), JudgeFacts)
	if err != nil || v.Outcome != evidence.Proven || v.Fault == "" {
		t.Errorf("%+v, %v", v, err)
	}
}
