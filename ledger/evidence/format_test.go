package evidence_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// vector is the fenced block of docs/FORMAT.md with a name.
func vector(t testing.TB, kind, name string) []byte {
	t.Helper()
	page := must(os.ReadFile("../../docs/FORMAT.md"))
	_, rest, found := strings.Cut(string(page), "\n```"+kind+" "+name+"\n")
	body, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Errorf("docs/FORMAT.md has no block %s", name)
		return nil
	}
	if kind == "text" {
		return []byte(body)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		t.Fatalf("block %s: %v", name, err)
	}
	return b
}

// hold compares a vector with what it must be, and says what the block must hold.
func hold(t *testing.T, kind, name string, want []byte) {
	t.Helper()
	if got := vector(t, kind, name); bytes.Equal(got, want) {
		return
	}
	if kind == "text" {
		t.Errorf("block %s must be\n```text %s\n%s```", name, name, want)
		return
	}
	var lines strings.Builder
	for i := 0; i < len(want); i += 64 {
		fmt.Fprintf(&lines, "%x\n", want[i:min(i+64, len(want))])
	}
	t.Errorf("block %s must be\n```hex %s\n%s```", name, name, lines.String())
}

// sample is the ledger of the vectors: five records, of which the fourth commits to the first three.
func sample(t testing.TB) *evidencetest.Ledger {
	l := evidencetest.New(0)
	at := time.Date(2026, 3, 1, 18, 30, 0, 0, time.UTC)
	l.AddEvent(bytes.TrimSuffix(vector(t, "text", "stored-event-1"), []byte("\n")))
	l.AddEvent(evidencetest.Shared{Class: "T4", Region: "US", Time: at, Delay: 30 * time.Hour}.Stored())
	l.AddEvent(evidencetest.Shared{Class: "T0", Time: at.Add(time.Hour), Bulk: true}.Stored())
	l.Commit()
	l.AddEvent(evidencetest.Shared{Class: "T2", Region: "CH", Time: at.Add(2 * time.Hour), Special: true}.Stored())
	return l
}

// TestTreeVectors holds records, annotations, roots and a commit against docs/FORMAT.md.
func TestTreeVectors(t *testing.T) {
	l := sample(t)
	records := must(l.Records(evidence.Span{To: 5}))
	hold(t, "hex", "record-1", records[:evidence.RecordSize])
	hold(t, "hex", "records-1", records)
	entries := make([]evidence.Entry, 3)
	block := []byte{2, 0, 3}
	for i := range entries {
		r := l.Record(uint64(i))
		entries[i] = r.Entry()
		block = append(block, byte(r.Flags>>8), byte(r.Flags), byte(r.Day()>>8), byte(r.Day()))
	}
	hold(t, "hex", "block-1", block)
	node := evidence.Block(entries)
	hold(t, "hex", "annotation-1", node.Annotation.Append(nil))
	five := evidence.Block(append(entries, entry(l, 3), entry(l, 4)))
	var wide []evidence.Entry
	for i := range 257 {
		wide = append(wide, evidence.Entry{Flags: 1 << (i % 16), Day: uint16(20000 + i)})
	}
	two := evidence.Join(evidence.Block(wide[:256]), evidence.Block(wide[256:]))
	hold(t, "text", "roots-1", fmt.Appendf(nil, "R(3) %x\nR(5) %x\nG(3) %x\nG(5) %x\nG(257) %x\nA(257) %x\n",
		l.Root(3), l.Root(5), node.Hash, five.Hash, two.Hash, two.Annotation.Append(nil)))
	hold(t, "text", "commit-1", append(bytes.Clone(l.Commits[0].Event), '\n'))
	c, err := evidence.ParseCommit(bytes.TrimSuffix(vector(t, "text", "commit-1"), []byte("\n")))
	if err != nil || c.Size != 3 || c.Root != l.Root(3) || c.Annotated != node.Hash || c.Totals != node.Annotation {
		t.Errorf("commit %+v, %v", c, err)
	}
}

func entry(l *evidencetest.Ledger, i uint64) evidence.Entry {
	r := l.Record(i)
	return r.Entry()
}

// TestProofVectors holds a proof of each type, and its verdict under trust-1, against docs/FORMAT.md.
func TestProofVectors(t *testing.T) {
	l := sample(t)
	day := uint64(must(time.Parse(time.DateOnly, "2026-03-01")).Unix() / 86400)
	note, cosigned := l.Note(5, evidencetest.Everybody), l.Note(5, evidencetest.Log|evidencetest.Witness)
	second := must(l.Records(evidence.Span{From: 1, To: 2}))
	other := l.Altered(0, second)
	liar := l.With(3)
	false3 := liar.Truth()
	false3.Totals[4].Count++
	by := liar.CommitTo(false3)
	unsound := bytes.Clone(second)
	unsound[5] |= 1
	contradicts := l.Altered(1, unsound)
	at := evidencetest.SignedAt()
	unlike := evidencetest.New(0)
	unlike.AddEvent(evidencetest.Registered("BE", at))
	unlike.AddEvent(evidencetest.Shared{Time: at}.Stored())
	unlike.Commit() // of rules that no program has
	guilty := func([]evidence.Told) (string, error) { return "so it is", nil }
	prove := func(b []byte, err error) []byte { t.Helper(); return must(b, err) }
	var verdicts bytes.Buffer
	trust := must(checkpoint.ParseTrust(vector(t, "text", "trust-1")))
	for _, p := range []struct {
		name  string
		proof []byte
	}{
		{"event", prove(evidence.ProveEvent(l, cosigned, 1, nil))},
		{"growth", prove(evidence.ProveGrowth(l, l.Note(3, evidencetest.Log), cosigned))},
		{"replay", prove(evidence.ProveReplay(l, cosigned, evidence.Question{What: evidence.Count, Flags: evidence.T0 | evidence.T4, Of: evidence.Positions, From: 1, To: 3}))},
		{"light-list", prove(evidence.ProveLight(l, note, evidence.Question{What: evidence.List, Flags: evidence.T4, Of: evidence.Days, From: day, To: day}, l.Commits[0]))},
		{"light-absence", prove(evidence.ProveLight(l, note, evidence.Question{What: evidence.Absence, Flags: evidence.T5 | evidence.Unknown, Of: evidence.Days, From: day, To: day + 30}, l.Commits[0]))},
		{"fork", prove(evidence.ProveFork(l.Note(5, evidencetest.Log), other.Note(5, evidencetest.Log)))},
		{"rewritten", prove(evidence.ProveRewritten(l, other.Note(3, evidencetest.Log), l.Note(5, evidencetest.Log)))},
		{"false-commit", prove(evidence.ProveFalseCommit(liar, liar.Note(4, evidencetest.Log), by))},
		{"false-record", prove(evidence.ProveFalseRecord(contradicts, contradicts.Note(5, evidencetest.Log), 1, nil))},
		{"shown-less", prove(evidence.ProveShownLess(l.Note(5, evidencetest.Log), l.Note(3, evidencetest.Log), must(checkpoint.ParseCosigner(evidencetest.Key(3))), at))},
		{"false-facts", unlike.FactsProof(unlike.Note(3, evidencetest.Log), 1, 2, [][]byte{unlike.Event(0), unlike.Event(1), unlike.Event(2)})},
	} {
		hold(t, "hex", "proof-"+p.name+"-1", p.proof)
		v, err := evidence.VerifyFacts(vector(t, "hex", "proof-"+p.name+"-1"), trust, guilty)
		if errors.Is(err, evidence.ErrUnjudged) && v.Outcome == evidence.Proven && p.name == "false-facts" {
			fmt.Fprintf(&verdicts, "%s {\"outcome\":\"unsupported\"}\n", p.name)
			continue
		}
		if err != nil || v.Outcome != evidence.Proven {
			t.Errorf("%s: %+v, %v", p.name, v, err)
			continue
		}
		fmt.Fprintf(&verdicts, "%s %s\n", p.name, must(json.Marshal(v)))
	}
	hold(t, "text", "verdicts-1", verdicts.Bytes())
}
