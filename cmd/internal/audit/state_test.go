package audit

import (
	"bytes"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/recordlog"
)

// leaves are those of a ledger, as an auditor has them.
func (k *liar) leaves(fromEvents bool) iter.Seq[leaf] {
	return func(yield func(leaf) bool) {
		for i, raw := range k.stored {
			l := leaf{event: raw}
			if !fromEvents {
				l.record = must(k.tree.Records(evidence.Span{From: uint64(i), To: uint64(i) + 1}))
			}
			if !yield(l) {
				return
			}
		}
	}
}

func nobody(recordlog.Tile, []evidence.Hash) {}

// TestStateGoesOn writes a pass down behind every leaf, reads it, and goes on: nothing is lost, and a lie that comes later is
// found all the same.
func TestStateGoesOn(t *testing.T) {
	w := newWorld(t)
	early, sent := w.find("ats-7"), w.find("ats-40")
	k := w.tell(lie{record: func(stored [][]byte) [][]byte {
		st := must(events.DecodeStored(stored[early]))
		st.Recorded = st.Recorded.Add(-time.Hour)
		stored[early] = st.Append(nil)
		st = must(events.DecodeStored(stored[sent]))
		st.Facts.Party.Country = "BE"
		stored[sent] = st.Append(nil)
		return stored
	}})
	for _, fromEvents := range []bool{false, true} {
		p, whole := newPass(fromEvents), newPass(fromEvents)
		i := 0
		for l := range k.leaves(fromEvents) {
			p.full, whole.full = nobody, nobody
			if err := errors.Join(p.add(l), whole.add(l)); err != nil {
				t.Fatal(err)
			}
			i++
			faults := p.faults
			n := k.note(i)
			state := must(p.encode(n))
			again, note, err := decodePass(state)
			if err != nil || note.Checkpoint != n.Checkpoint {
				t.Fatalf("after %d: %v", i, err)
			}
			p = again
			p.faults = faults
		}
		if got, want := must(p.encode(k.note(i))), must(whole.encode(k.note(i))); !bytes.Equal(got, want) {
			t.Errorf("events %t: the state is another than without stops", fromEvents)
		}
		var at []uint64
		for _, f := range p.faults {
			at = append(at, f.position)
		}
		if fromEvents != slices.Equal(at, []uint64{uint64(early) + 1, uint64(sent) + 1}) || len(p.faults) != len(whole.faults) {
			t.Errorf("events %t: faults at %d, without stops %d", fromEvents, at, len(whole.faults))
		}
	}
}

// TestFarCommits has commits reach further back than a pass remembers: they are held against all records once more.
func TestFarCommits(t *testing.T) {
	w := newWorld(t)
	commit := w.commits()[2]
	back := func(stored [][]byte) [][]byte {
		c := must(evidence.ParseCommit(stored[commit]))
		c.Size -= 5 // it is made true of so many
		stored[commit] = recommitted(stored[commit], c)
		return stored
	}
	for _, d := range []struct {
		name  string
		lie   lie
		fault bool
	}{
		{"true", lie{record: back}, false},
		{"false", lie{record: back, commit: func(i int, c *evidence.Commit) {
			if i == commit {
				c.Totals[8].Count--
			}
		}}, true},
	} {
		k := w.tell(d.lie)
		n := k.note(len(k.stored))
		var p *pass
		for l := range k.leaves(false) {
			if p == nil {
				p = newPass(false)
				p.full = nobody
			}
			if err := p.add(l); err != nil {
				t.Fatal(err)
			}
			if size := int(p.trail.Size()); size == commit { // as after a restart: it remembers nothing
				p, _, _ = decodePass(must(p.encode(k.note(size))))
				p.full = nobody
			}
		}
		if len(p.far) == 0 {
			t.Fatalf("%s: no commit reaches back", d.name)
		}
		all := func(yield func(leaf, error) bool) {
			for l := range k.leaves(false) {
				if !yield(l, nil) {
					return
				}
			}
		}
		other := n.Checkpoint
		other.Root[0] ^= 1
		if err := p.recount(all, other); !errors.Is(err, errServed) {
			t.Errorf("%s: other records now: %v", d.name, err)
		}
		p.faults = nil
		if err := p.recount(all, n.Checkpoint); err != nil || (len(p.faults) == 1) != d.fault || len(p.far) > 0 {
			t.Errorf("%s: %v, %d faults", d.name, err, len(p.faults))
		}
		for _, f := range p.faults {
			proof := must(f.prove(k.tree, n))
			if v, err := evidence.Verify(proof, w.trust); err != nil || v.Outcome != evidence.Proven {
				t.Errorf("the proof: %v, %+v", err, v)
			}
		}
	}
}

// FuzzState demands that what passes for a state is what would be written, and can be gone on from.
func FuzzState(f *testing.F) {
	w := newWorld(f)
	k := w.tell(lie{})
	for _, fromEvents := range []bool{false, true} {
		p := newPass(fromEvents)
		p.full = nobody
		for l := range k.leaves(fromEvents) {
			if err := p.add(l); err != nil {
				f.Fatal(err)
			}
			if size := int(p.trail.Size()); size == 30 || size == 300 {
				f.Add(must(p.encode(k.note(size))))
			}
		}
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		p, n, err := decodePass(state)
		if err != nil {
			if !errors.Is(err, errState) {
				t.Fatal(err)
			}
			return
		}
		if again := must(p.encode(n)); !bytes.Equal(again, state) || p.trail.Now().Root() != n.Root {
			t.Fatal("another spelling, or another root")
		}
		p.full, p.judged = nobody, nil
		if err := p.add(leaf{record: (&evidence.Record{Producer: 1, Sequence: 5}).Append(nil)}); err != nil {
			t.Fatal(err)
		}
	})
}
