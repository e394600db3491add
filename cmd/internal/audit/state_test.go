package audit

import (
	"bytes"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/imalink/custody/cmd/internal/witness"
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

// TestStateDamaged changes every byte of a state, and cuts it short everywhere: nothing of that is gone on from.
func TestStateDamaged(t *testing.T) {
	w := newWorld(t)
	k := w.tell(lie{})
	p := newPass(true)
	p.full = nobody
	for l := range k.leaves(true) {
		if err := p.add(l); err != nil {
			t.Fatal(err)
		}
		if p.trail.Size() == 30 {
			break
		}
	}
	state := must(p.encode(k.note(30)))
	for i := range state {
		changed := bytes.Clone(state)
		changed[i] ^= 1 << (i % 8)
		for _, damaged := range [][]byte{changed, state[:i]} {
			if _, _, err := decodePass(damaged); !errors.Is(err, ErrState) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
	if _, _, err := decodePass(append(state, '\n')); !errors.Is(err, ErrState) {
		t.Errorf("a longer one: %v", err)
	}
}

// TestStateOfOtherVersion goes on from a state that an event auditor of another version wrote: from the first event, and
// knowing what it vouched for. One of another format it refuses, and leaves as it is.
func TestStateOfOtherVersion(t *testing.T) {
	w := newWorld(t)
	truth := w.tell(lie{})
	for _, c := range []struct {
		old, new string
		err      error
	}{{`"events":{"judge":{`, `"events":{"judge":{"more":1,`, nil}, {`{"format":1,`, `{"format":2,`, ErrState}} {
		p := newAuditing(t, w, true)
		p.meet(truth, middle)
		path := must(filepath.Glob(filepath.Join(p.office.dir, "replay-*")))[0]
		line, _, _ := bytes.Cut(must(os.ReadFile(path)), []byte("\n"))
		state := summed(replaced(line, c.old, c.new))
		if err := os.WriteFile(path, state, 0o600); err != nil {
			t.Fatal(err)
		}
		if c.err != nil {
			if r, err := p.office.round(p.config()); !errors.Is(err, c.err) || !bytes.Equal(must(os.ReadFile(path)), state) {
				t.Errorf("%s: %v, %+v", c.new, err, r)
			}
			continue
		}
		if p.meet(truth, middle+9) || p.last.From != 0 || p.last.Records != middle+9 {
			t.Errorf("%s: %+v", c.new, p.last)
		}
		if !p.meet(truth, middle) {
			t.Errorf("%s: it does not know any more what it vouched for", c.new)
		}
	}
}

// TestStateOfAnother refuses the state of another ledger under the name of this one's.
func TestStateOfAnother(t *testing.T) {
	w := newWorld(t)
	truth := w.tell(lie{})
	p, one := newAuditing(t, w, false), newPass(false)
	p.stage.show(truth, middle)
	one.full = nobody
	for l := range truth.leaves(false) {
		if err := one.add(l); err != nil {
			t.Fatal(err)
		}
	}
	other := truth.note(len(truth.stored))
	other.Origin = "custody.example/other"
	memory := witness.Memory{Dir: p.office.dir, Role: replayRole}
	if err := memory.Write(testOrigin, must(one.encode(other))); err != nil {
		t.Fatal(err)
	}
	if r, err := p.office.round(p.config()); !errors.Is(err, ErrState) {
		t.Errorf("%v, %+v", err, r)
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
		other := n.Root
		other[0] ^= 1
		if err := p.recount(all, n.Size, other); !errors.Is(err, errServed) {
			t.Errorf("%s: other records now: %v", d.name, err)
		}
		p.faults = nil
		if err := p.recount(all, n.Size, n.Root); err != nil || (len(p.faults) == 1) != d.fault || len(p.far) > 0 {
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

// TestManyFarCommits has commits that reach too far back be many: they do not wait until all records are read.
func TestManyFarCommits(t *testing.T) {
	w := newWorld(t)
	commit := w.commits()[2]
	k := w.tell(lie{record: func(stored [][]byte) [][]byte {
		c := must(evidence.ParseCommit(stored[commit]))
		c.Size -= 5
		stored[commit] = recommitted(stored[commit], c)
		return stored
	}})
	for _, many := range []bool{false, true} {
		p := newAuditing(t, w, false)
		p.meet(k, commit)
		p.stage.show(k, len(k.stored))
		a := p.office.open(p.config())
		if err := a.load(); err != nil {
			t.Fatal(err)
		}
		a.pass.full = nobody
		if many {
			a.pass.farBytes = mostFar
		}
		if err := a.read(t.Context(), uint64(len(k.stored))); err != nil || many != (len(a.pass.far) == 0) || many != (a.pass.farBytes == 0) {
			t.Errorf("many, %t: %v, %d wait", many, err, len(a.pass.far))
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
				line, _, _ := bytes.Cut(must(p.encode(k.note(size))), []byte("\n"))
				f.Add(line)
			}
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		state := summed(bytes.Clone(line))
		p, n, err := decodePass(state)
		if err != nil {
			if !errors.Is(err, ErrState) {
				t.Fatal(err)
			}
			return
		}
		older := p.judged == nil && bytes.Contains(line, []byte(`,"events":{`)) // by a judge of another version
		if again := must(p.encode(n)); !older && !bytes.Equal(again, state) || p.trail.Now().Root() != n.Root {
			t.Fatal("another spelling, or another root")
		}
		p.full, p.judged = nobody, nil
		if err := p.add(leaf{record: (&evidence.Record{Producer: 1, Sequence: 5}).Append(nil)}); err != nil {
			t.Fatal(err)
		}
	})
}
