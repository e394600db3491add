package evidence_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// TestClosed holds a period open until a quorum of witnesses, and for LIGHT the commit, are a day past its end.
func TestClosed(t *testing.T) {
	const origin, day = "ledger.example", 20_000
	end := time.Unix((day+1)*24*60*60, 0).UTC().Add(24 * time.Hour)
	log, err := checkpoint.NewSigner(origin)
	if err != nil {
		t.Fatal(err)
	}
	var witnesses []checkpoint.Cosigner
	lines := fmt.Sprintf("log %s\nquorum witness 2\n", log.Verifier())
	for i := range 3 {
		w, err := checkpoint.NewCosigner(fmt.Sprintf("w%d.example/witness", i))
		if err != nil {
			t.Fatal(err)
		}
		witnesses = append(witnesses, w)
		lines += fmt.Sprintf("witness %s\n", w.Verifier())
	}
	trust, err := checkpoint.ParseTrust([]byte(lines))
	if err != nil {
		t.Fatal(err)
	}
	judged := func(times ...time.Time) evidence.Head {
		note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: 9}, log)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range times {
			s, err := witnesses[i].Cosign(note.Checkpoint, at)
			if err != nil {
				t.Fatal(err)
			}
			note = note.With(s)
		}
		return evidence.Head{Note: note, Judgement: trust.Judge(note)}
	}
	before, after := end.Add(-time.Second), end.Add(time.Hour)
	days := evidence.Question{Of: evidence.Days, From: day - 10, To: day}
	instants := evidence.Question{Of: evidence.Instants, To: uint64(end.Add(-24 * time.Hour).UnixMilli())}
	light := func(upto uint64, commit time.Time) evidence.Verdict {
		return evidence.Verdict{Type: evidence.TypeLight, Upto: upto, Leaf: &evidence.Leaf{Index: upto, Record: evidence.Record{Time: commit.UnixMilli()}}}
	}
	replay := evidence.Verdict{Type: evidence.TypeReplay, Upto: 9}
	for name, c := range map[string]struct {
		verdict evidence.Verdict
		of      evidence.Question
		head    evidence.Head
		at      time.Time
		closed  bool
	}{
		"nobody cosigned":                 {replay, days, judged(), time.Time{}, false},
		"fewer than the quorum":           {replay, days, judged(after), time.Time{}, false},
		"one of the quorum before":        {replay, days, judged(after, before), before, false},
		"another after makes up for it":   {replay, days, judged(after, before, end), end, true},
		"the quorum after":                {replay, days, judged(end, after), end, true},
		"instants":                        {replay, instants, judged(end, after), end, true},
		"instants, before":                {replay, instants, judged(before, after), before, false},
		"positions":                       {replay, evidence.Question{Of: evidence.Positions, To: 9}, judged(end, after), time.Time{}, false},
		"nothing beside the commit":       {light(8, before), days, judged(end, end), end, true},
		"more, and committed to before":   {light(7, before), days, judged(end, end), end, false},
		"more, and committed to after it": {light(7, end), days, judged(end, end), end, true},
	} {
		v := c.verdict
		v.Head, v.Question = c.head, c.of
		if at, closed := v.Closed(); closed != c.closed || !at.Equal(c.at) {
			t.Errorf("%s: closed %v at %v", name, closed, at)
		}
	}
}
