package audit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// TestConvicted audits a ledger that lied, and does not any more: what was proven stands until the proof is taken away.
func TestConvicted(t *testing.T) {
	w := newWorld(t)
	truth, fork := w.tell(lie{}), w.tell(lie{sign: func(c *checkpoint.Checkpoint) { c.Root[0] ^= 1 }})
	byAuditor, byWitness := newAuditing(t, w, false), newAuditing(t, w, true)
	byAuditor.meet(truth, middle)
	byAuditor.meet(fork, middle)
	byWitness.meet(truth, middle)
	beside := NewWitness(byWitness.office.dir, byWitness.office.keys, w.trust, time.Now)
	if a, err := beside.Add(checkpoint.Request{Old: middle, Note: fork.note(middle)}); err != nil || a.Proof == "" {
		t.Fatal(err, a)
	}
	for _, p := range []*auditing{byAuditor, byWitness} {
		for _, size := range []int{middle, middle + 9} {
			if !p.meet(truth, size) || !strings.HasPrefix(p.last.Findings[0].Text, "proven before: the log signed two roots") {
				t.Errorf("%+v", p.last)
			}
		}
		path := p.last.Findings[0].Proof
		foreign := bytes.Replace(must(os.ReadFile(path)), []byte(testOrigin), []byte("custody.example/edgerl"), 2)
		if err := os.WriteFile(path, foreign, 0o600); err != nil {
			t.Fatal(err)
		}
		if p.meet(truth, middle+9) {
			t.Errorf("with what proves nothing: %+v", p.last)
		}
	}
}

// TestConvictedByAnother audits with a proof in the folder that this program cannot judge: another version of it made that,
// so it stands. One of another log does not.
func TestConvictedByAnother(t *testing.T) {
	w := newWorld(t)
	commit := w.commits()[0]
	k := w.tell(lie{commit: func(_ int, c *evidence.Commit) { c.Rules[0] ^= 1 }})
	for _, c := range []struct {
		note  checkpoint.Note
		sound bool
	}{
		{k.note(middle), false},
		{evidencetest.Sign(checkpoint.Checkpoint{Origin: testOrigin, Size: middle, Root: k.tree.Root(middle)}, evidencetest.Log), true},
	} {
		p := newAuditing(t, w, true)
		told := [][]byte{}
		for i := range commit + 1 {
			kind := must(events.DecodeStored(k.stored[i])).Event.Kind
			if kind.Family() == "governance" && kind <= events.GovernanceTransferTool || kind == events.GovernanceActivityRegistered || i >= commit-1 {
				told = append(told, k.stored[i])
			}
		}
		proof := k.tree.FactsProof(c.note, uint64(commit)-1, uint64(commit), told)
		if _, err := evidence.VerifyFacts(proof, w.trust, ledger.JudgeFacts); !errors.Is(err, evidence.ErrUnjudged) {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.office.dir, "x.proof"), proof, 0o600); err != nil {
			t.Fatal(err)
		}
		if p.meet(k, middle) == c.sound || !c.sound && !strings.HasPrefix(p.last.Findings[0].Text, "proven before, by another version") {
			t.Errorf("%+v", p.last)
		}
	}
}

// TestUnproven finds a fork of a checkpoint that nobody who is trusted signed: no file passes for a proof of it.
func TestUnproven(t *testing.T) {
	w := newWorld(t)
	truth, stranger := w.tell(lie{}), must(checkpoint.NewSigner(testOrigin))
	p := newAuditing(t, w, false)
	p.stage.show(truth, middle)
	cfg := p.config()
	cfg.Seen = []checkpoint.Note{must(checkpoint.Sign(checkpoint.Checkpoint{Origin: testOrigin, Size: middle}, stranger))}
	r, err := p.office.round(cfg)
	if err != nil || r.Sound || r.Findings[0].Proof != "" || !strings.Contains(r.Findings[0].Text, "there is no proof") || len(p.office.proofs()) > 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestFallsSilent has a ledger that lied in a commit not answer any more after it: the commit is proven all the same.
func TestFallsSilent(t *testing.T) {
	w := newWorld(t)
	commits := w.commits()
	k := w.tell(lie{commit: func(i int, c *evidence.Commit) {
		if i == commits[1] {
			c.Annotated[3] ^= 1
		}
	}})
	replays, errSilent := 0, errors.New("silent")
	for name, c := range map[string]struct {
		events bool
		silent func(path string, query url.Values) bool
		proof  evidence.Type
	}{
		"the proof of a commit": {false, func(path string, q url.Values) bool {
			return path == "/v1/proofs/event" && q.Get("position") == strconv.Itoa(commits[2]+1)
		}, evidence.TypeFalseCommit},
		"records": {false, func(path string, _ url.Values) bool {
			return strings.HasPrefix(path, "/v1/tile/entries/001.p/")
		}, evidence.TypeFalseCommit},
		"tiles, which a proof is made with": {false, func(path string, _ url.Values) bool { return path == "/v1/tile/0/000" }, 0},
		"events": {true, func(path string, _ url.Values) bool {
			if path == "/v1/events/stream" {
				replays++
			}
			return path == "/v1/events/stream" && replays > 1
		}, evidence.TypeFalseCommit},
	} {
		p := newAuditing(t, w, c.events)
		p.stage.show(k, len(k.stored))
		cfg := p.config()
		real := cfg.Do
		cfg.Do = oneAtATime(func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
			if c.silent(path, query) {
				return nil, errSilent
			}
			answer, err := real(ctx, method, path, query, body)
			if err != nil || !strings.HasSuffix(path, "/stream") {
				return answer, err
			}
			all := bytes.SplitAfter(must(io.ReadAll(answer)), []byte("\n")) // of which a part comes
			return io.NopCloser(bytes.NewReader(bytes.Join(all[:commits[1]+5], nil))), answer.Close()
		})
		r, err := p.office.round(cfg)
		if err != nil || r.Sound || r.Cosigned {
			t.Errorf("silent about %s: %v, %+v", name, err, r)
			continue
		}
		p.last = r
		p.proves(c.proof)
	}
}

// TestFalseAndSilent has a ledger serve what is false, and nothing where that would be confirmed: what is known is told.
func TestFalseAndSilent(t *testing.T) {
	w := newWorld(t)
	commits := w.commits()
	position := func(i int) string { return strconv.Itoa(commits[i] + 1) }
	for name, c := range map[string]struct {
		lie    lie
		silent func(path string, query url.Values) bool
	}{
		"a tile": {lie{tile: func(path string, body []byte) []byte {
			if path == "tile/0/000" {
				body[33] ^= 1
			}
			return body
		}}, func(path string, _ url.Values) bool { return strings.HasPrefix(path, "/v1/tile/0/001.p/") }},
		"a tile that is too short": {lie{tile: func(path string, body []byte) []byte {
			if strings.HasPrefix(path, "tile/0/001.p/") {
				return body[1:]
			}
			return body
		}}, func(path string, _ url.Values) bool { return path == "/v1/tile/0/000" }},
		"the proof of a commit": {lie{}, func(path string, q url.Values) bool {
			return path == "/v1/proofs/event" && q.Get("position") == position(0)
		}},
	} {
		p := newAuditing(t, w, false)
		k := w.tell(c.lie)
		p.stage.show(k, len(k.stored))
		cfg := p.config()
		real, errSilent := cfg.Do, errors.New("silent")
		cfg.Do = oneAtATime(func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
			switch {
			case c.silent(path, query):
				return nil, errSilent
			case name == "the proof of a commit" && path == "/v1/proofs/event" && query.Get("position") == position(2):
				return io.NopCloser(strings.NewReader("none")), nil
			}
			return real(ctx, method, path, query, body)
		})
		if r, err := p.office.round(cfg); err != nil || r.Sound || r.Cosigned {
			t.Errorf("%s: %v, %+v", name, err, r)
		}
	}
}

// TestOneProofOfCommits has a ledger lie in every commit: one is proven, since the proof of each has all records up to it.
func TestOneProofOfCommits(t *testing.T) {
	w := newWorld(t)
	p := newAuditing(t, w, false)
	k := w.tell(lie{commit: func(_ int, c *evidence.Commit) { c.Totals[8].Last++ }})
	if !p.meet(k, len(k.stored)) || len(p.last.Findings) != len(w.commits()) || p.last.Findings[0].Proof == "" || len(p.office.proofs()) != 1 {
		t.Errorf("%+v", p.last)
	}
}

// TestSaysWhich finds that an event auditor says how a record is not that of its event, and looks for no proof where there
// is none.
func TestSaysWhich(t *testing.T) {
	w := newWorld(t)
	own := w.find("ats-7")
	change := func(change func(*evidence.Record)) lie {
		return lie{derive: func(i int, r *evidence.Record) {
			if i == own {
				change(r)
			}
		}}
	}
	for _, c := range []struct {
		says  string
		lie   lie
		proof evidence.Type
	}{
		{"the record in the log is not that of the event that it serves", change(func(r *evidence.Record) { r.Flags &^= evidence.Used }), evidence.TypeFalseRecord},
		{"the record in the log has another number of the producer than the event's source and instance have", change(func(r *evidence.Record) { r.Producer++ }), 0},
		{"the event that it serves is not the one in the log", change(func(r *evidence.Record) { r.Digest[0]++ }), 0},
		{"its facts are not what the register said at this place", lie{record: func(stored [][]byte) [][]byte {
			st := must(events.DecodeStored(stored[own]))
			st.Facts.Party = &events.Party{Code: "nobody", Position: 1, Country: "BE"}
			stored[own] = st.Append(nil)
			return stored
		}}, evidence.TypeFalseFacts},
	} {
		p := newAuditing(t, w, true)
		if !p.meet(w.tell(c.lie), middle) || p.last.Findings[0].Text != c.says || p.last.Findings[0].Position != uint64(own)+1 {
			t.Errorf("want %q: %+v", c.says, p.last.Findings)
		}
		p.proves(c.proof)
	}
}

// TestManyFaults has a ledger lie in every event: a report lists some faults, counts the others, and no more is remembered.
func TestManyFaults(t *testing.T) {
	w := newWorld(t)
	k := w.tell(lie{record: func(stored [][]byte) [][]byte {
		for i, raw := range stored {
			if st := must(events.DecodeStored(raw)); st.Event.Kind != events.LedgerCommitted {
				st.Facts.Party = &events.Party{Code: "nobody", Position: 1, Country: "BE"}
				stored[i] = st.Append(nil)
			}
		}
		return stored
	}})
	p := newAuditing(t, w, true)
	lies := len(k.stored) - len(w.commits())
	if !p.meet(k, len(k.stored)) || len(p.last.Findings) != mostFindings || p.last.More < lies-mostFindings || len(p.office.proofs()) != 1 {
		t.Errorf("%d events are false: %d faults, and %d more", lies, len(p.last.Findings), p.last.More)
	}
	one := newPass(true)
	one.full = nobody
	for l := range k.leaves(true) {
		if err := one.add(l); err != nil {
			t.Fatal(err)
		}
	}
	if len(one.faults) != mostFindings || one.unlisted != lies-mostFindings {
		t.Errorf("%d faults are remembered, and %d counted", len(one.faults), one.unlisted)
	}
}
