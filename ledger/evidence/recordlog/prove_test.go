package recordlog

import (
	"bytes"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// TestProve: proofs made from a log are those that are made from memory, to the byte, and they verify.
func TestProve(t *testing.T) {
	ledger := evidencetest.New(7)
	for _, n := range []int{300, 1500, 700, 40} {
		ledger.Grow(n)
		ledger.Commit()
	}
	ledger.Grow(20)
	n := ledger.Size()
	records, err := ledger.Records(evidence.Span{To: n})
	must(t, err)
	l := made(t, 0)
	must(t, l.Append(records))

	same := func(name string, prove func(r evidence.Reader) ([]byte, error)) {
		t.Helper()
		want, err := prove(ledger)
		must(t, err)
		got, err := prove(l)
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Fatalf("%s: another proof", name)
		}
		if v, err := evidence.Verify(got, nil); err != nil || v.Outcome != evidence.Unsigned {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for size := uint64(301); size < n; size += 1 + size/5 {
		note := ledger.Note(size, evidencetest.Log)
		for i := uint64(0); i < size; i += 1 + size/4 {
			same("event", func(r evidence.Reader) ([]byte, error) { return evidence.ProveEvent(r, note, i, ledger.Event(i)) })
			same("growth", func(r evidence.Reader) ([]byte, error) {
				return evidence.ProveGrowth(r, ledger.Note(i+1, evidencetest.Log), ledger.Note(size+1, evidencetest.Log))
			})
		}
		for _, by := range ledger.Commits {
			c, err := evidence.ParseCommit(by.Event)
			must(t, err)
			if by.Index >= size {
				continue
			}
			for flag := range evidence.FlagCount {
				q := evidence.Question{What: evidence.Count, Flags: 1 << flag, Of: evidence.Days, From: evidencetest.FirstDay + 20, To: evidencetest.FirstDay + 90}
				same("days", func(r evidence.Reader) ([]byte, error) { return evidence.ProveLight(r, note, q, by) })
				q = evidence.Question{What: evidence.List, Flags: 1 << flag, Of: evidence.Positions, From: c.Size / 3, To: c.Size}
				same("positions", func(r evidence.Reader) ([]byte, error) { return evidence.ProveLight(r, note, q, by) })
				same("replay", func(r evidence.Reader) ([]byte, error) { return evidence.ProveReplay(r, note, q) })
			}
		}
	}
}
