package audit

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// TestHonest audits an honest ledger both ways: what it proves then is proven under the auditor's keys, and was not
// before.
func TestHonest(t *testing.T) {
	for _, fromEvents := range []bool{false, true} {
		s, o := newSite(t), newOffice(t)
		s.record(story()...)
		trust := s.trust("replay "+o.keys.Replay.Verifier()+"\n", "witness "+o.keys.Witness.Verifier()+"\n")
		cfg := Config{Do: s.do(access.RoleAuditor), Trust: trust, Events: fromEvents}

		r, err := o.round(cfg)
		if !errors.Is(err, ErrUnannounced) || !r.Sound || !r.Cosigned || r.Taken || len(r.Unannounced) != 2 {
			t.Fatalf("before the keys are announced: %v, %+v", err, r)
		}
		if v := s.light(trust); v.Outcome != evidence.Unsigned {
			t.Errorf("before an auditor cosigned, LIGHT is %v", v.Outcome)
		}
		s.announce(o.keys.Replay.Verifier(), o.keys.Witness.Verifier())
		s.more(300)
		r, err = o.round(cfg)
		if err != nil || !r.Sound || !r.Taken || len(r.Unannounced) != 0 || r.Records == 0 || r.From == 0 {
			t.Fatalf("once they are announced: %v, %+v", err, r)
		}
		if v := s.light(trust); v.Outcome != evidence.Proven || len(v.Head.Replays) != 1 || len(v.Head.Witnesses) != 1 || v.Count() != 0 {
			t.Errorf("LIGHT is %v: %v", v.Outcome, v.Lacks)
		}
		if r.Events != fromEvents || r.Commits == 0 || r.OtherRules != 0 || r.Size != s.ledger.Evidence().Status().Cosigned {
			t.Errorf("%+v", r)
		}
		note, err := checkpoint.Open([]byte(r.Note))
		if err != nil || trust.Judge(note).Lacks(checkpoint.NeedReplays) != nil {
			t.Errorf("the note of the report: %v", err)
		}
		if len(o.proofs()) != 0 {
			t.Error("there is a proof of a fault of an honest ledger")
		}
	}
}

// light proves by LIGHT that no record has class T5.
func (s *site) light(trust *checkpoint.Trust) *evidence.Verdict {
	s.t.Helper()
	b := get(s.t, s.do(access.RoleAuditor), "/v1/proofs/answer", url.Values{"what": {"absence"}, "flag": {"T5"}, "from_day": {"2020-01-01"}, "to_day": {"2020-12-31"}})
	v, err := evidence.Verify(b, trust)
	s.check(err)
	return v
}

// TestGoesOn audits a ledger that grows, with another auditor beside that never stops and one that changes from records to
// events and back: all come to the same.
func TestGoesOn(t *testing.T) {
	s, restarted, running, changing := newSite(t), newOffice(t), newOffice(t), newOffice(t)
	cfg := Config{Do: s.do(access.RoleAuditor), Trust: s.trust()}
	for _, o := range []*office{restarted, running, changing} {
		s.announce(o.keys.Replay.Verifier(), o.keys.Witness.Verifier())
	}
	steady := running.open(cfg)
	before := uint64(0)
	for i, n := range []int{1, 3, 251, 1, 0, 260} {
		s.more(n)
		cfg.Events = false
		a, aerr := restarted.round(cfg)
		b, berr := steady.Round(t.Context())
		cfg.Events = i%3 == 2
		c, cerr := changing.round(cfg)
		if err := errors.Join(aerr, berr, cerr); err != nil {
			t.Fatal(err)
		}
		if a.From != before || b.From != before || a.Root != b.Root || !a.Sound || !b.Sound || !c.Sound || c.Root == "" {
			t.Fatalf("%+v\n%+v\n%+v", a, b, c)
		}
		if cfg.Events != (c.From == 0) && i > 0 {
			t.Errorf("from %d, events %t", c.From, cfg.Events)
		}
		before = a.Size
	}
	r, err := steady.Round(t.Context())
	if err != nil || !r.Unchanged || r.Cosigned || !r.Sound {
		t.Errorf("with nothing new: %v, %+v", err, r)
	}
	steady.cfg.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if r, err = steady.Round(t.Context()); err != nil || r.Unchanged || !r.Taken {
		t.Errorf("with nothing new for hours: %v, %+v", err, r)
	}
}

// TestLostState refuses a replay key whose state is gone, or older than what it cosigned.
func TestLostState(t *testing.T) {
	s, o := newSite(t), newOffice(t)
	s.announce(o.keys.Replay.Verifier(), o.keys.Witness.Verifier())
	cfg := Config{Do: s.do(access.RoleAuditor), Trust: s.trust()}
	s.more(3)
	if _, err := o.round(cfg); err != nil {
		t.Fatal(err)
	}
	older := t.TempDir()
	s.check(os.CopyFS(older, os.DirFS(o.dir)))
	s.more(3)
	if _, err := o.round(cfg); err != nil {
		t.Fatal(err)
	}
	restored := &office{t: t, dir: older, keys: o.keys}
	if r, err := restored.round(cfg); !errors.Is(err, ErrLost) {
		t.Errorf("an older state: %v, %+v", err, r)
	}
	keysAlone := newOffice(t)
	for _, file := range []string{replayFile, witnessFile} {
		s.check(os.WriteFile(filepath.Join(keysAlone.dir, file), must(os.ReadFile(filepath.Join(o.dir, file))), 0o600))
	}
	if r, err := keysAlone.round(cfg); !errors.Is(err, ErrLost) {
		t.Errorf("the keys alone: %v, %+v", err, r)
	}
	for _, role := range []string{"replay", "witness"} {
		broken := t.TempDir()
		s.check(os.CopyFS(broken, os.DirFS(o.dir)))
		for _, path := range must(filepath.Glob(filepath.Join(broken, role+"-*"))) {
			s.check(os.Remove(path))
		}
		if r, err := (&office{t: t, dir: broken}).round(cfg); !errors.Is(err, ErrLost) {
			t.Errorf("without the state of %s: %v, %+v", role, err, r)
		}
	}
	w := newWorld(t)
	p := newAuditing(t, w, false) // of a ledger that shows no cosignature
	p.meet(w.tell(lie{}), middle)
	s.check(os.Remove(must(filepath.Glob(filepath.Join(p.office.dir, "replay-*")))[0]))
	if r, err := p.office.round(p.config()); !errors.Is(err, ErrLost) || len(p.stage.left) != 1 {
		t.Errorf("without a state: %v, %+v", err, r)
	}
	damaged := must(filepath.Glob(filepath.Join(o.dir, "replay-*")))[0]
	s.check(os.WriteFile(damaged, []byte("{}"), 0o600))
	if r, err := o.round(cfg); !errors.Is(err, ErrState) {
		t.Errorf("a damaged state: %v, %+v", err, r)
	}
}

// TestInitAgain makes the keys of a folder after a crash left one of them, and makes none where a key is gone that vouched
// for something.
func TestInitAgain(t *testing.T) {
	s, o := newSite(t), newOffice(t)
	replayed := filepath.Join(o.dir, replayFile)
	s.check(os.Remove(replayed)) // it is written last
	keys, err := Init(o.dir, "auditor.example")
	if err != nil || must(ReadKeys(o.dir)).Replay.Verifier() != keys.Replay.Verifier() || must(ReadKeys(o.dir)).Witness.Verifier() != keys.Witness.Verifier() {
		t.Fatalf("after a crash: %v", err)
	}
	s.more(1)
	if _, err := o.round(Config{Do: s.do(access.RoleAuditor), Trust: s.trust()}); !errors.Is(err, ErrUnannounced) {
		t.Fatal(err)
	}
	for _, role := range []string{witnessRole, replayRole} {
		s.check(os.Remove(filepath.Join(o.dir, role+".logs")))
		s.check(os.RemoveAll(replayed))
		if _, err := Init(o.dir, "auditor.example"); (role == witnessRole) != errors.Is(err, ErrExists) {
			t.Errorf("without %s.logs: %v", role, err)
		}
	}
}

// TestStateCannotBeWritten has no cosignature leave that is not remembered, whichever file cannot be written; once it can,
// the round is made good.
func TestStateCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	truth := w.tell(lie{})
	known := newAuditing(t, w, false)
	known.meet(truth, middle)
	for _, path := range must(filepath.Glob(filepath.Join(known.office.dir, "*-*"))) {
		for _, file := range []string{filepath.Base(path), replayRole + ".logs", witnessRole + ".logs"} {
			p := newAuditing(t, w, false)
			p.stage.show(truth, middle)
			blocked := filepath.Join(p.office.dir, file+".tmp")
			if err := os.Mkdir(blocked, 0o700); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if r, err := p.office.round(p.config()); err == nil || r != nil || len(p.stage.left) > 0 {
					t.Errorf("%s cannot be written: %v, %+v", file, err, r)
				}
			}
			if err := os.Remove(blocked); err != nil {
				t.Fatal(err)
			}
			if p.meet(truth, middle) || !p.last.Taken {
				t.Errorf("%s can be written again: %+v", file, p.last)
			}
		}
	}
}

// TestRefused finds out about other ledgers, folders in use, and folders without keys.
func TestRefused(t *testing.T) {
	s, o := newSite(t), newOffice(t)
	s.more(1)
	other := must(checkpoint.ParseTrust([]byte("log " + must(checkpoint.NewSigner(testOrigin)).Verifier() + "\n")))
	foreign := must(checkpoint.ParseTrust([]byte("log " + must(checkpoint.NewSigner("custody.example/other")).Verifier() + "\n")))
	for name, trust := range map[string]*checkpoint.Trust{"another key": other, "another origin": foreign} {
		if r, err := o.round(Config{Do: s.do(access.RoleAuditor), Trust: trust}); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v, %+v", name, err, r)
		}
	}
	cfg := Config{Dir: o.dir, Trust: s.trust(), Now: time.Now, Do: s.do(access.RoleOperator)}
	a := o.open(cfg)
	if _, err := Open(cfg); !errors.Is(err, ErrInUse) {
		t.Errorf("a folder twice: %v", err)
	}
	if r, err := a.Round(t.Context()); err == nil || r != nil {
		t.Errorf("with the token of an operator: %+v", r)
	}
	cfg.Dir = t.TempDir()
	if _, err := Open(cfg); !errors.Is(err, ErrNone) {
		t.Errorf("a folder without keys: %v", err)
	}
	if _, err := Init(o.dir, "auditor.example"); !errors.Is(err, ErrExists) {
		t.Errorf("keys twice: %v", err)
	}
	if _, err := Init(t.TempDir(), "not a name"); !errors.Is(err, checkpoint.ErrKey) {
		t.Errorf("a name with spaces: %v", err)
	}
	empty := newSite(t)
	if r, err := newOffice(t).round(Config{Do: empty.do(access.RoleAuditor), Trust: empty.trust()}); err != nil || r.Size != 0 || r.Cosigned || !r.Sound {
		t.Errorf("a ledger without events: %v, %+v", err, r)
	}
}
