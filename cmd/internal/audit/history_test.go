package audit

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// TestSplitView shows two auditors two histories: each finds its own sound, and what the other was shown proves the fork.
func TestSplitView(t *testing.T) {
	w := newWorld(t)
	early := w.find("ats-3")
	one, two := w.tell(lie{}), w.tell(lie{record: func(stored [][]byte) [][]byte {
		stored[early] = replaced(stored[early], `"result_count":1`, `"result_count":9`)
		return stored
	}})
	for _, fromEvents := range []bool{false, true} {
		a, b := newAuditing(t, w, fromEvents), newAuditing(t, w, fromEvents)
		if a.meet(one, middle) || b.meet(two, middle) {
			t.Error("a history is unsound by itself")
		}
		for _, c := range []struct {
			seen  checkpoint.Note
			proof evidence.Type
			sound bool
		}{
			{two.note(middle), 0, true}, {two.note(middle - 9), 0, true}, {one.note(early), 0, true},
			{one.note(middle), evidence.TypeFork, false}, {one.note(middle - 9), evidence.TypeRewritten, false}, {one.note(middle + 1), evidence.TypeShownLess, false},
		} {
			b := newAuditing(t, w, fromEvents)
			b.stage.show(two, middle)
			cfg := b.config()
			cfg.Seen = []checkpoint.Note{c.seen}
			r, err := b.office.round(cfg)
			if err != nil || r.Sound != c.sound || r.Cosigned != c.sound {
				t.Errorf("having seen %d: %v, %+v", c.seen.Size, err, r)
			}
			b.last = r
			b.proves(c.proof)
		}
	}
}

// TestShownElsewhere has a ledger show one checkpoint as the newest, and another as the newest that a witness cosigned: both
// are signed, so the one must continue the other.
func TestShownElsewhere(t *testing.T) {
	w := newWorld(t)
	early := w.find("ats-3")
	truth, other := w.tell(lie{}), w.tell(lie{record: func(stored [][]byte) [][]byte {
		stored[early] = replaced(stored[early], `"result_count":1`, `"result_count":9`)
		return stored
	}})
	for _, c := range []struct {
		name  string
		shown checkpoint.Note
		proof evidence.Type
		sound bool
	}{
		{"less", truth.note(middle - 20), 0, true}, {"the same", truth.note(middle), 0, true}, {"more", truth.note(middle + 1), evidence.TypeShownLess, false},
		{"a fork", other.note(middle), evidence.TypeFork, false}, {"less of a fork", other.note(middle - 20), evidence.TypeRewritten, false},
		{"less of a fork than was audited", other.note(middle - 45), evidence.TypeRewritten, false},
	} {
		p := newAuditing(t, w, false)
		p.meet(truth, middle-40)
		p.stage.cosigned = &c.shown
		p.stage.show(truth, middle)
		r, err := p.office.round(p.config())
		if err != nil || r.Sound != c.sound || r.Cosigned != c.sound {
			t.Errorf("%s: %v, %+v", c.name, err, r)
		}
		p.last = r
		p.proves(c.proof)
	}
}

// TestNothingLeft has a ledger show that it signed for nothing, after it signed for something: to the auditor, to its
// witness, or to others.
func TestNothingLeft(t *testing.T) {
	w := newWorld(t)
	truth, empty := w.tell(lie{}), w.tell(lie{record: func([][]byte) [][]byte { return nil }})
	audited, witnessed, seen := newAuditing(t, w, false), newAuditing(t, w, false), newAuditing(t, w, false)
	audited.meet(truth, middle)
	if _, err := NewWitness(witnessed.office.dir, witnessed.office.keys, w.trust, time.Now).Add(checkpoint.Request{Note: truth.note(1)}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*auditing{audited, witnessed, seen, newAuditing(t, w, false)} {
		p.stage.show(empty, 0)
		cfg := p.config()
		if p == seen {
			cfg.Seen = []checkpoint.Note{truth.note(1)}
		}
		r, err := p.office.round(cfg)
		if known := p == audited || p == witnessed || p == seen; err != nil || r.Sound == known || r.Cosigned {
			t.Errorf("%v, %+v", err, r)
		}
	}
}

// TestShrinkIsSeen has a ledger show less than before. That it did is proven to whoever trusts the auditor's witness, and
// what that remembers shows it to another auditor. Once the ledger shows all again, it is mentioned and cosigned.
func TestShrinkIsSeen(t *testing.T) {
	w := newWorld(t)
	truth := w.tell(lie{})
	one, other := newAuditing(t, w, false), newAuditing(t, w, true)
	one.meet(truth, middle)
	if !one.meet(truth, middle-9) {
		t.Errorf("%+v", one.last)
	}
	one.proves(evidence.TypeShownLess)
	if v, err := evidence.Verify(one.office.proofs()[0], w.trust); err != nil || v.Outcome != evidence.Unsigned || !strings.Contains(v.Lacks.Error(), "the word of 0 of the") {
		t.Errorf("to whoever does not trust the auditor: %v, %+v", err, v)
	}
	cfg := one.config()
	cfg.Trust = w.trusting(one.office.keys.Witness)
	one.stage.show(truth, middle+9)
	if r, err := one.office.round(cfg); err != nil || !r.Sound || !r.Cosigned || !strings.HasPrefix(r.Findings[0].Text, "proven before: the log showed") {
		t.Errorf("when it shows all again: %v, %+v", err, r)
	}
	if other.meet(truth, middle-9) {
		t.Errorf("who knows nothing of it: %+v", other.last)
	}
	path := must(filepath.Glob(filepath.Join(one.office.dir, "witness-*")))[0]
	cfg = other.config()
	cfg.Seen = []checkpoint.Note{must(checkpoint.Open(must(os.ReadFile(path))))}
	if w.trust.Judge(cfg.Seen[0]).Lacks(checkpoint.NeedLog) != nil {
		t.Error("what the witness remembers is not signed by the log")
	}
	if r, err := other.office.round(cfg); err != nil || r.Sound || r.Findings[0].Position != middle-9+1 {
		t.Errorf("who was shown it: %v, %+v", err, r)
	}
}

// TestHidesAndFails has a ledger show less than it signed for to somebody else, and not answer what would show more: what is
// known is told.
func TestHidesAndFails(t *testing.T) {
	w := newWorld(t)
	truth := w.tell(lie{})
	p := newAuditing(t, w, false)
	p.stage.show(truth, middle)
	cfg := p.config()
	cfg.Seen = []checkpoint.Note{truth.note(middle - 9), truth.note(middle + 1), truth.note(middle - 8)}
	real := cfg.Do
	cfg.Do = func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
		if strings.HasPrefix(path, "/v1/tile/") {
			return nil, io.ErrUnexpectedEOF
		}
		return real(ctx, method, path, query, body)
	}
	if r, err := p.office.round(cfg); err != nil || r.Sound || len(r.Findings) != 1 || r.Cosigned {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestInItsName has a ledger put a signature in the name of the auditor below a fork: it is no reason to believe that its
// own state is lost.
func TestInItsName(t *testing.T) {
	w := newWorld(t)
	truth := w.tell(lie{})
	for _, change := range []func(s []byte) []byte{nil, func(s []byte) []byte { s[20] ^= 1; return s }, func(s []byte) []byte { return s[:9] }} {
		made := change == nil
		p := newAuditing(t, w, false)
		p.meet(truth, middle)
		n := truth.note(middle + 9)
		cosigned := must(p.office.keys.Replay.Cosign(n.Checkpoint, time.Unix(1_800_000_000, 0)))
		if !made {
			cosigned.Bytes = change(cosigned.Bytes)
		}
		n = n.With(cosigned)
		p.stage.cosigned = &n
		p.stage.show(truth, middle+9)
		r, err := p.office.round(p.config())
		if made != errors.Is(err, ErrLost) || !made && (err != nil || r.Sound || !strings.Contains(r.Findings[0].Text, "in the name")) {
			t.Errorf("made by it, %t: %v, %+v", made, err, r)
		}
	}
}

// TestWitnessBeside has the witness of an auditor's folder asked by others: it may be ahead, and what it was shown is held
// against the ledger.
func TestWitnessBeside(t *testing.T) {
	w := newWorld(t)
	truth := w.tell(lie{})
	fork := w.tell(lie{derive: func(i int, r *evidence.Record) {
		if i == 20 {
			r.Sequence = 99
		}
	}})
	for _, c := range []struct {
		name  string
		shown checkpoint.Note
		proof evidence.Type
		sound bool
	}{
		{"the same", truth.note(middle), 0, true}, {"less", truth.note(middle - 50), 0, true},
		{"a fork", fork.note(middle), evidence.TypeFork, false}, {"less of a fork", fork.note(middle - 50), evidence.TypeRewritten, false},
		{"more", truth.note(middle + 5), evidence.TypeShownLess, false},
	} {
		p := newAuditing(t, w, false)
		a, err := NewWitness(p.office.dir, p.office.keys, w.trust, time.Now).Add(checkpoint.Request{Note: c.shown})
		if err != nil || a.Err != nil {
			t.Fatal(err, a.Err)
		}
		if found := p.meet(truth, middle); found == c.sound {
			t.Errorf("its witness was shown %s: %+v", c.name, p.last)
		}
		p.proves(c.proof)
	}
	p := newAuditing(t, w, false)
	p.stage.show(truth, middle)
	cfg := p.config()
	real, asked := cfg.Do, false
	cfg.Do = func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
		if strings.HasPrefix(path, "/v1/tile/") && !asked { // its witness is asked meanwhile, and the ledger has grown
			asked = true
			if a, err := NewWitness(p.office.dir, p.office.keys, w.trust, time.Now).Add(checkpoint.Request{Note: truth.note(middle + 5)}); err != nil || a.Err != nil {
				t.Error(err, a.Err)
			}
		}
		return real(ctx, method, path, query, body)
	}
	cfg.Do = oneAtATime(cfg.Do)
	r, err := p.office.round(cfg)
	if err != nil || !r.Taken || !asked {
		t.Errorf("while its witness is ahead: %v, %+v", err, r)
	}
	if n := p.stage.left[0]; len(n.Signatures) != 2 {
		t.Errorf("%d signatures, want those of the log and the replay key", len(n.Signatures))
	}
}
