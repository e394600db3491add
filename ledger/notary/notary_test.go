package notary

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// TestFollows appends, commits and signs, across restarts.
func TestFollows(t *testing.T) {
	r := newRig(t)
	for range 3 {
		last := r.stream.heartbeats(300)
		note := r.signed(last)
		if note.Origin != origin {
			t.Fatalf("signed as %s", note.Origin)
		}
		r.until("committed", func(s Status) bool { return s.Committed >= last })
		r.close()
		quiet := r.stream.head()
		r.open()
		r.signed(quiet)
		if r.stream.head() != quiet {
			t.Fatal("an idle ledger commits")
		}
	}
}

// TestReadsWhatItWasNotTold has the queue overflow, have gaps, and come too late.
func TestReadsWhatItWasNotTold(t *testing.T) {
	r := newRig(t)
	r.stream.set(func(s *memoryStream) { s.offer = nil })
	r.stream.heartbeats(50)
	r.signed(50)
	r.stream.set(func(s *memoryStream) { s.offer = r.Offer })
	r.stream.heartbeats(1)
	r.signed(51)
	q := newQueue()
	q.offer(1, make([]Leaf, maxQueued))
	q.offer(maxQueued+1, make([]Leaf, 2))
	if base, leaves := q.take(nil); base != maxQueued+1 || len(leaves) != 2 {
		t.Errorf("an overflow leaves %d from %d on", len(leaves), base)
	}
	q.offer(5, make([]Leaf, 2))
	q.offer(9, make([]Leaf, 3))
	if base, leaves := q.take(nil); base != 9 || len(leaves) != 3 {
		t.Errorf("a gap leaves %d from %d on", len(leaves), base)
	}
}

// TestCommitFails has commitments not recorded, and recorded without telling: nothing is wrong afterwards.
func TestCommitFails(t *testing.T) {
	for name, set := range map[string]func(*memoryStream, bool){
		"not recorded": func(s *memoryStream, on bool) { s.fail = on },
		"answer lost":  func(s *memoryStream, on bool) { s.lose = on },
		"reads fail":   func(s *memoryStream, on bool) { s.failRead, s.fail = on, on },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.stream.heartbeats(3)
			r.signed(3)
			r.stream.set(func(s *memoryStream) { set(s, true) })
			durable := r.stream.heartbeats(1)
			r.until("failing", func(s Status) bool { return s.Failing != "" })
			r.until("signed", func(s Status) bool { return s.Signed >= durable }) // what is durable, committed to or not
			r.stream.set(func(s *memoryStream) { set(s, false) })
			last := r.stream.heartbeats(1)
			r.signed(last)
			r.until("well again", func(s Status) bool { return s.Failing == "" && s.Committed >= last })
		})
	}
}

// TestSlippedIn has an event recorded between the roots of a commit and the commit, which then is the last event
// that a start finds.
func TestSlippedIn(t *testing.T) {
	r := newRig(t)
	r.signed(r.stream.heartbeats(3))
	r.stream.set(func(s *memoryStream) { s.slip = true })
	r.stream.heartbeats(1)
	r.until("failing", func(s Status) bool { return s.Failing != "" })
	r.close()
	last := r.stream.head()
	r.stream.set(func(s *memoryStream) { s.fail = false })
	r.open()
	r.until("committed", func(s Status) bool { return s.Committed >= last })
}

// TestSigningFails has the key directory take no file, and a file that was written although that failed.
func TestSigningFails(t *testing.T) {
	r := newRig(t)
	r.signed(r.stream.heartbeats(2))
	blocked := filepath.Join(r.cfg.Keys, signedFile+".tmp")
	if err := os.Mkdir(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	r.stream.heartbeats(2)
	r.until("failing", func(s Status) bool { return strings.Contains(s.Failing, "checkpoint") })
	if note, err := r.Checkpoint(); err != nil || note.Size > 3 {
		t.Errorf("a checkpoint that is not durable is shown: %v, %d", err, note.Size)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	r.signed(4)

	r.close()
	s, err := openSigner(r.cfg.Keys)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	root := r.root(r.stream.head())
	note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: s.last.Size + 5, Root: root}, s.keys...)
	if err != nil {
		t.Fatal(err)
	}
	s.tried = note.Bytes() // written, and the answer lost
	if err := durable.Replace(filepath.Join(r.cfg.Keys, signedFile), s.tried); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sign(s.last.Size+6, root); err != nil {
		t.Errorf("after a lost answer: %v", err)
	}
}

// TestRefusesToSign goes through what makes a ledger not sign; it follows the stream all the same.
func TestRefusesToSign(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, r *rig){
		"no keys":               func(t *testing.T, r *rig) { remove(t, r, keysFile) },
		"no checkpoint":         func(t *testing.T, r *rig) { remove(t, r, signedFile) },
		"no key of bundles":     func(t *testing.T, r *rig) { remove(t, r, bundleFile) },
		"another's checkpoint":  func(t *testing.T, r *rig) { sign(t, r, "custody/other", 2, evidence.Hash{}) },
		"another history":       func(t *testing.T, r *rig) { sign(t, r, "", 2, evidence.Hash{1}) },
		"a greater size":        func(t *testing.T, r *rig) { sign(t, r, "", 1000, evidence.Hash{1}) },
		"a damaged checkpoint":  func(t *testing.T, r *rig) { write(t, r, signedFile, "damaged\n") },
		"damaged keys":          func(t *testing.T, r *rig) { write(t, r, keysFile, "damaged\n") },
		"keys that are used":    func(t *testing.T, r *rig) { use(t, r) },
		"two keys of two names": func(t *testing.T, r *rig) { twoNames(t, r) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.signed(r.stream.heartbeats(3))
			r.close()
			harm(t, r)
			r.open()
			r.stream.heartbeats(2)
			r.until("refusing", func(s Status) bool { return s.Unsigned != "" && s.Size >= 5 })
			if _, err := r.Checkpoint(); !errors.Is(err, ErrUnsigned) {
				t.Errorf("a checkpoint is shown: %v", err)
			}
			if err := r.Await(t.Context(), 4); !errors.Is(err, ErrUnsigned) {
				t.Errorf("somebody is to wait: %v", err)
			}
		})
	}
}

// TestAnotherHistory brings another stream below a record log: the log is made again of what is there, and nothing is
// signed that contradicts what was.
func TestAnotherHistory(t *testing.T) {
	for name, change := range map[string]func([][]byte) [][]byte{
		"shorter":         func(raw [][]byte) [][]byte { return raw[:2] },
		"as long":         func(raw [][]byte) [][]byte { raw[len(raw)-1] = raw[0]; return raw },
		"longer, another": func(raw [][]byte) [][]byte { n := len(raw); raw[n-1] = raw[0]; return append(raw, raw[0], raw[1]) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.signed(r.stream.heartbeats(5))
			r.close()
			r.stream.set(func(s *memoryStream) { s.raw = change(s.raw) })
			r.open()
			r.until("refusing", func(s Status) bool { return s.Unsigned != "" })
			last := r.stream.heartbeats(1)
			r.until("level", func(s Status) bool { return s.Size >= last })
			for p := uint64(1); p <= last; p++ {
				record, err := r.Record(p)
				rec, rerr := r.stream.event(t.Context(), p)
				if err != nil || rerr != nil || record.Digest != rec.Digest {
					t.Fatalf("the record of %d is not that of the event: %v, %v", p, err, rerr)
				}
			}
		})
	}
}

// TestRetiredAtOnce adds a key and retires the older one before anything is signed in between: a start finds a
// checkpoint that the key which stayed has signed.
func TestRetiredAtOnce(t *testing.T) {
	r := newRig(t)
	r.signed(r.stream.heartbeats(2))
	r.close()
	r.cfg.Pace = time.Hour
	r.open()
	r.signed(2)
	announced := func(context.Context, events.KeyAnnouncement) error { return nil }
	who := events.Who{Role: "operator", Token: "o"}
	_, err := r.AddKey(t.Context(), who, announced)
	if err == nil {
		_, _, err = r.RetireKey(t.Context(), who, announced)
	}
	if err != nil {
		t.Fatal(err)
	}
	keys, _, err := ReadKeys(r.cfg.Keys)
	if err == nil {
		_, err = readSigned(r.cfg.Keys, keys)
	}
	if err != nil || len(keys) != 1 {
		t.Errorf("a start would find %d keys and %v", len(keys), err)
	}
}

// TestKeysInUse finds that a new origin is not for a ledger whose keys somebody else signs with.
func TestKeysInUse(t *testing.T) {
	r := newRig(t)
	r.signed(r.stream.heartbeats(2))
	r.close()
	use(t, r)
	r.open()
	before, err := os.ReadFile(filepath.Join(r.cfg.Keys, keysFile))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.NewOrigin(t.Context(), "base", events.Who{Role: "operator", Token: "o"}, func(context.Context, events.KeyAnnouncement) error { return nil })
	after, rerr := os.ReadFile(filepath.Join(r.cfg.Keys, keysFile))
	if !errors.Is(err, ErrKeys) || rerr != nil || !bytes.Equal(before, after) {
		t.Errorf("a new origin over keys in use: %v, %v", err, rerr)
	}
}

// TestSomebodyElseSigns changes what was signed last under a running notary.
func TestSomebodyElseSigns(t *testing.T) {
	r := newRig(t)
	r.signed(r.stream.heartbeats(3))
	write(t, r, signedFile, "changed\n")
	r.stream.heartbeats(2)
	r.until("failing", func(s Status) bool { return strings.Contains(s.Failing, "somebody else signs") })
}

func remove(t *testing.T, r *rig, name string) {
	if err := os.Remove(filepath.Join(r.cfg.Keys, name)); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, r *rig, name, text string) {
	if err := os.WriteFile(filepath.Join(r.cfg.Keys, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sign leaves a checkpoint beside the keys, signed by them or by a key of another name.
func sign(t *testing.T, r *rig, name string, size uint64, root evidence.Hash) {
	keys, _, err := ReadKeys(r.cfg.Keys)
	if err != nil {
		t.Fatal(err)
	}
	if name != "" {
		other, err := checkpoint.NewSigner(name)
		if err != nil {
			t.Fatal(err)
		}
		keys = []checkpoint.Signer{other}
	}
	note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: keys[0].Key().Name, Size: size, Root: root}, keys...)
	if err != nil {
		t.Fatal(err)
	}
	write(t, r, signedFile, string(note.Bytes()))
}

func use(t *testing.T, r *rig) {
	s, err := openSigner(r.cfg.Keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
}

func twoNames(t *testing.T, r *rig) {
	keys, _, err := ReadKeys(r.cfg.Keys)
	if err != nil {
		t.Fatal(err)
	}
	other, err := checkpoint.NewSigner("custody/other")
	if err != nil {
		t.Fatal(err)
	}
	write(t, r, keysFile, keys[0].Reveal()+"\n"+other.Reveal()+"\n")
}

// TestCosign takes the cosignatures of announced keys, keeps them over a restart, and refuses all others.
func TestCosign(t *testing.T) {
	r := newRig(t)
	note := r.signed(r.stream.heartbeats(3))
	witness, err := checkpoint.NewCosigner("a.example/witness")
	if err != nil {
		t.Fatal(err)
	}
	replay, err := checkpoint.NewCosigner("b.example/replay")
	if err != nil {
		t.Fatal(err)
	}
	by := func(n checkpoint.Note, keys ...checkpoint.Cosigner) []byte {
		for _, k := range keys {
			s, err := k.Cosign(n.Checkpoint, time.Unix(1_800_000_000, 0))
			if err != nil {
				t.Fatal(err)
			}
			n = n.With(s)
		}
		return n.Bytes()
	}
	if err := r.Cosign(t.Context(), by(note, witness)); !errors.Is(err, ErrCosignature) {
		t.Errorf("by a key that was not announced: %v", err)
	}
	r.stream.set(func(s *memoryStream) {
		s.announced.Cosigners = []Cosigner{{Role: "witness", Key: witness.Verifier()}, {Role: "replay", Key: replay.Verifier(), Operator: "b"}}
	})
	other, err := checkpoint.NewSigner(origin)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := checkpoint.Sign(note.Checkpoint, other)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := witness.Cosign(checkpoint.Checkpoint{Origin: origin, Size: note.Size}, time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	keys, _, err := ReadKeys(r.cfg.Keys)
	if err != nil {
		t.Fatal(err)
	}
	forked, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: note.Size, Root: evidence.Hash{1}}, keys...)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := checkpoint.NewCosigner("c.example/witness")
	if err != nil {
		t.Fatal(err)
	}
	nobody := note.Only(func(checkpoint.Key) bool { return false })
	for name, text := range map[string][]byte{
		"nothing cosigned": note.Bytes(), "another history": by(forked, witness, replay),
		"another key of ours": by(foreign, witness), "not signed by us": by(nobody, witness, replay),
		"false": by(note.With(elsewhere), replay), "a stranger too": by(note, witness, stranger), "no note": []byte("no note"),
	} {
		if err := r.Cosign(t.Context(), text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := r.Cosign(t.Context(), by(note, witness)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // sending it again is safe
		if err := r.Cosign(t.Context(), by(note, replay)); err != nil {
			t.Fatal(err)
		}
	}
	r.signed(r.stream.heartbeats(3))
	for range 2 {
		best, err := r.Cosigned()
		if err != nil || best.Size != note.Size || len(best.Signatures) != 3 || r.Status().Cosigned != note.Size {
			t.Errorf("cosigned best: %v, size %d with %d signatures", err, best.Size, len(best.Signatures))
		}
		r.close()
		r.open()
		r.signed(note.Size)
	}
}
