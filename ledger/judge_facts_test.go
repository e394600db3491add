package ledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// TestJudgeFacts judges an event that has no class and must have one, and does not judge what it has no tables for or
// cannot read.
func TestJudgeFacts(t *testing.T) {
	registered := evidence.Told{Index: 3, Event: evidencetest.Registered("BE", evidencetest.SignedAt())}
	shared := evidencetest.Shared{Time: evidencetest.SignedAt()}.Stored()
	fault, err := JudgeFacts([]evidence.Told{registered, {Index: 7, Event: shared}})
	if err != nil || !strings.Contains(fault, "not what the register said") {
		t.Errorf("%q, %v", fault, err)
	}
	if fault, err := JudgeFacts([]evidence.Told{registered}); err != nil || fault != "" {
		t.Errorf("of the register itself: %q, %v", fault, err)
	}
	for name, event := range map[string][]byte{
		"tables of another day": evidencetest.Shared{Class: "T4", Time: evidencetest.SignedAt()}.Stored(),
		"no event":              []byte("{}"),
	} {
		if fault, err := JudgeFacts([]evidence.Told{registered, {Index: 7, Event: event}}); !errors.Is(err, evidence.ErrUnjudged) {
			t.Errorf("%s: %q, %v", name, fault, err)
		}
	}
	holds, _ := evidencetest.FalseFacts(evidence.Rules())
	v, err := evidence.VerifyFacts(holds, evidencetest.Trust(), JudgeFacts)
	if err != nil || v.Outcome != evidence.Proven || v.Fault == "" {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestOtherRules judges what was recorded under other rules, as the commit before it says: what follows from legal tables is
// taken as stored, and nothing else is.
func TestOtherRules(t *testing.T) {
	l := evidencetest.New(1)
	l.AddEvent(evidencetest.Registered("US", evidencetest.SignedAt().AddDate(-3, 0, 0)))
	other := l.Truth()
	other.Rules = evidence.Hash{1}
	ours := l.Truth()
	ours.Rules = evidence.Rules()
	shared := func(change func(*events.Stored)) []byte {
		st, err := events.DecodeStored(evidencetest.Shared{Time: evidencetest.SignedAt().AddDate(1, 0, 0)}.Stored())
		if err != nil {
			t.Fatal(err)
		}
		st.Facts.Class, st.Facts.Tables = "T3", "2199-01-01-00000000"
		st.Facts.Party = &events.Party{Code: "acme-bank", Position: 1, Country: "US", Storage: []string{"US"}, Access: []string{"US"}, Tool: "A46-2-c", ToolRef: "scc-1"}
		change(st)
		return st.Append(nil)
	}
	for name, c := range map[string]struct {
		by     evidence.Commit
		change func(*events.Stored)
		sound  bool
	}{
		"as other tables say":            {other, func(*events.Stored) {}, true},
		"with no class":                  {other, func(st *events.Stored) { st.Facts.Class, st.Facts.Tables = "", "" }, true},
		"another country":                {other, func(st *events.Stored) { st.Facts.Party.Country = "BE" }, false},
		"nobody":                         {other, func(st *events.Stored) { st.Facts.Party = nil }, false},
		"somebody else":                  {other, func(st *events.Stored) { st.Facts.Party.Code = "acme" }, false},
		"of this program, by those":      {ours, func(*events.Stored) {}, false},
		"of this program, with no class": {ours, func(st *events.Stored) { st.Facts.Class, st.Facts.Tables = "", "" }, false},
	} {
		j := NewJudge()
		for i, raw := range [][]byte{l.Event(0), l.With(1).CommitTo(c.by).Event} {
			if _, faults, err := j.Next(uint64(i)+1, raw); err != nil || len(faults) > 0 {
				t.Fatal(faults, err)
			}
		}
		state, err := j.State()
		if err != nil {
			t.Fatal(err)
		}
		again, err := RestoreJudge(state)
		if err != nil {
			t.Fatal(err)
		}
		for _, judge := range []*Judge{j, again} {
			_, faults, err := judge.Next(3, shared(c.change))
			if err != nil || (len(faults) == 0) != c.sound || (judge.Older() > 0) != (c.by == other) {
				t.Errorf("%s: %q, %v, %d of other tables", name, faults, err, judge.Older())
			}
		}
	}
}
