package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// caught says who catches a lie, and by what proof others can be shown.
type caught struct {
	witness, record, event, producer bool
	proof                            evidence.Type // of the record auditor, if it catches it; else of the event auditor. 0: there is none
}

// everybody catches what changes something that was signed before.
func everybody(proof evidence.Type) caught { return caught{true, true, true, true, proof} }

// A deception is a lie, from the beginning or after everybody was shown the truth.
type deception struct {
	name  string
	later bool
	lie   lie
	size  int // that is shown in the end; 0 is all
	catch caught
}

// deceptions are those that a ledger can try, beside the table of who catches what.
func deceptions(w *world) []deception {
	own, sent := w.find("ats-7"), w.find(transferred) // accessed, and transferred to the US
	early := w.find("ats-3")
	commit := w.commits()[1]
	alter := func(i int, old, new string) lie {
		return lie{record: func(stored [][]byte) [][]byte {
			stored[i] = replaced(stored[i], old, new)
			return stored
		}}
	}
	derive := func(i int, change func(*evidence.Record)) lie {
		return lie{derive: func(at int, r *evidence.Record) {
			if at == i {
				change(r)
			}
		}}
	}
	facts := func(i int, change func(*events.Stored)) lie {
		return lie{record: func(stored [][]byte) [][]byte {
			st := must(events.DecodeStored(stored[i]))
			change(st)
			stored[i] = st.Append(nil)
			return stored
		}}
	}
	says := func(change func(*evidence.Commit)) lie {
		return lie{commit: func(i int, c *evidence.Commit) {
			if i == commit {
				change(c)
			}
		}}
	}
	onlyProducer, onlyEvents := caught{producer: true}, caught{event: true}
	auditors := func(proof evidence.Type) caught { return caught{record: true, event: true, proof: proof} }
	misjudged := caught{event: true, proof: evidence.TypeFalseFacts}
	mislabelled := caught{event: true, producer: true, proof: evidence.TypeFalseRecord}
	return []deception{
		{"nothing", false, lie{}, 0, caught{}},

		// What was signed before is changed.
		{"an event is altered", true, alter(early, `"result_count":1`, `"result_count":9`), 0, everybody(evidence.TypeRewritten)},
		{"an event is dropped", true, lie{record: func(s [][]byte) [][]byte { return slices.Delete(s, early, early+1) }}, 0, everybody(evidence.TypeRewritten)},
		{"two events are swapped", true, lie{record: func(s [][]byte) [][]byte {
			s[early], s[early+1] = s[early+1], s[early]
			return s
		}}, 0, everybody(evidence.TypeRewritten)},
		{"an event is inserted", true, lie{record: func(s [][]byte) [][]byte {
			return slices.Insert(s, early, replaced(s[early], "ats-3", "ats-99"))
		}}, 0, everybody(evidence.TypeRewritten)},
		{"a fork", true, alter(early, `"result_count":1`, `"result_count":9`), middle, everybody(evidence.TypeFork)},
		{"an older copy", true, lie{}, middle - 5, everybody(evidence.TypeShownLess)},
		{"an older copy that went on otherwise", true, alter(middle-3, `"id":"m-`, `"id":"n-`), 0, everybody(evidence.TypeRewritten)},

		// What was sent is recorded as something else, or not.
		{"an event is altered before it is recorded", false, alter(own, `"result_count":1`, `"result_count":9`), 0, onlyProducer},
		{"an event is not recorded", false, lie{record: func(s [][]byte) [][]byte { return slices.Delete(s, own, own+1) }}, 0, onlyProducer},
		{"an event that nobody sent", false, lie{record: func(s [][]byte) [][]byte {
			st := must(events.DecodeStored(replaced(s[len(s)-2], `"id":"m-`, `"id":"n-`)))
			st.Recorded = must(events.DecodeStored(s[len(s)-1])).Recorded
			return append(s, st.Append(nil))
		}}, 0, caught{}},
		{"a tag of the wrong person", false, lie{record: func(s [][]byte) [][]byte {
			at := bytes.Index(s[own], []byte(`"subjects":[{"id":"`)) + len(`"subjects":[{"id":"`)
			s[own] = bytes.Clone(s[own])
			s[own][at] = "0123456789abcdef0"[strings.IndexByte("0123456789abcdef", s[own][at])+1]
			return s
		}}, 0, caught{}},

		// The record is not that of the event.
		{"a flag is false", false, derive(own, func(r *evidence.Record) { r.Flags &^= evidence.Used }), 0, mislabelled},
		{"a day is false", false, derive(own, func(r *evidence.Record) { r.Time -= 24 * 60 * 60 * 1000 }), 0, mislabelled},
		{"a class is false in the record", false, derive(sent, func(r *evidence.Record) {
			r.Flags, r.Region = r.Flags&^evidence.Classes|evidence.T0, [2]byte{}
		}), 0, mislabelled},
		{"a flag contradicts the region", false, derive(sent, func(r *evidence.Record) { r.Flags &^= evidence.Classes }), 0, caught{record: true, event: true, producer: true, proof: evidence.TypeFalseRecord}},
		{"a record says that it is a commit", false, derive(own, func(r *evidence.Record) { r.Kind = evidence.KindCommitted }), 0, caught{record: true, event: true, producer: true, proof: evidence.TypeFalseRecord}},
		{"a commit is recorded as something else", false, derive(commit, func(r *evidence.Record) { r.Kind = uint8(events.LedgerHeartbeat) }), 0, caught{event: true, proof: evidence.TypeFalseRecord}},
		{"a digest is false", false, derive(own, func(r *evidence.Record) { r.Digest[3] ^= 1 }), 0, caught{event: true, producer: true}},
		{"a producer number is false", false, derive(own, func(r *evidence.Record) { r.Producer++ }), 0, onlyEvents},
		{"another event is shown than was recorded", false, lie{event: func(i int, raw []byte) []byte {
			if i != own {
				return raw
			}
			return replaced(raw, `"result_count":1`, `"result_count":9`)
		}}, 0, caught{event: true, producer: true}},
		{"an event is left out when events are shown", false, lie{skipped: own}, 0, onlyEvents},

		// Facts and classes are not what the register said.
		{"a class is false", false, facts(sent, func(st *events.Stored) {
			st.Facts.Class, st.Facts.Region, st.Facts.Outside = "T0", "", nil
		}), 0, misjudged},
		{"a fact about a party is false", false, facts(sent, func(st *events.Stored) { st.Facts.Party.Country = "BE" }), 0, misjudged},
		{"a time goes back", false, facts(own, func(st *events.Stored) { st.Recorded = st.Recorded.Add(-time.Hour) }), 0, misjudged},

		// A commit, a root, a tile is false.
		{"a commit has another root", false, says(func(c *evidence.Commit) { c.Root[3] ^= 1 }), 0, auditors(evidence.TypeFalseCommit)},
		{"a commit has another annotated root", false, says(func(c *evidence.Commit) { c.Annotated[3] ^= 1 }), 0, auditors(evidence.TypeFalseCommit)},
		{"a commit has other totals", false, says(func(c *evidence.Commit) { c.Totals[8].Count-- }), 0, auditors(evidence.TypeFalseCommit)},
		{"a commit has other days", false, says(func(c *evidence.Commit) { c.Totals[8].Last-- }), 0, auditors(evidence.TypeFalseCommit)},
		{"a commit covers more than there is", false, says(func(c *evidence.Commit) { c.Size += 1000 }), 0, auditors(evidence.TypeFalseCommit)},
		{"a commit covers less than it says", false, says(func(c *evidence.Commit) { c.Size-- }), 0, auditors(evidence.TypeFalseCommit)},
		{"a record is shown that is not in the log", false, lie{entry: func(i int, record []byte) []byte {
			if i == own {
				record[4] ^= 1 // used
			}
			return record
		}}, 0, caught{record: true}},
		{"a tile of hashes is false", false, lie{tile: func(path string, body []byte) []byte {
			if path == "tile/0/000" {
				body[33] ^= 1
			}
			return body
		}}, 0, auditors(0)},
		{"a root is that of nothing", true, lie{sign: func(c *checkpoint.Checkpoint) { c.Root[0] ^= 1 }}, 0, everybody(0)},
	}
}

// middle is the size up to which everybody was shown the truth before a later lie.
const middle = 150

func replaced(raw []byte, old, new string) []byte {
	if bytes.Count(raw, []byte(old)) != 1 {
		panic(fmt.Sprintf("%q is not once in the event", old))
	}
	return bytes.Replace(raw, []byte(old), []byte(new), 1)
}

// TestLies has each lie told to each party: those catch it who should, nobody else does, and what is proven is proven to
// whoever has nothing but the key of the log.
func TestLies(t *testing.T) {
	w := newWorld(t)
	truth := w.tell(lie{})
	for _, d := range deceptions(w) {
		t.Run(strings.ReplaceAll(d.name, " ", "-"), func(t *testing.T) {
			told := w.tell(d.lie)
			before, size := told, len(told.stored)
			if d.later {
				before = truth
			}
			if d.size != 0 {
				size = d.size
			}
			for _, p := range newParties(t, w) {
				p.meet(before, middle)
				found := p.meet(told, size)
				want := map[string]bool{"witness": d.catch.witness, "record auditor": d.catch.record, "event auditor": d.catch.event, "producer": d.catch.producer}[p.name()]
				if found != want {
					t.Errorf("the %s catches it: %t, want %t%s", p.name(), found, want, p.says())
				}
				if a, ok := p.(*auditing); ok && want {
					a.proves(d.catch.proof)
				}
			}
		})
	}
}

// TestNoFalseFacts looks for false facts in every event of an honest ledger: the events that a proof tells are enough to
// judge each, so none is convicted.
func TestNoFalseFacts(t *testing.T) {
	w := newWorld(t)
	k := w.tell(lie{})
	n := k.note(len(k.stored))
	for i := range k.stored {
		_, err := evidence.ProveFalseFacts(k.tree, n, uint64(i), func(i uint64) ([]byte, error) { return k.stored[i], nil }, ledger.JudgeFacts)
		if i > w.commits()[len(w.commits())-2] && errors.Is(err, evidence.ErrUnjudged) {
			continue // nothing after it says under which rules it was recorded
		}
		if !errors.Is(err, evidence.ErrFalse) || !strings.Contains(err.Error(), "as they must be") {
			t.Errorf("position %d: %v", i+1, err)
		}
	}
}
