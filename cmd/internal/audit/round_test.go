package audit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// TestLostAnswers fails at each request in turn, before it is sent and after it was answered: the round after that ends as
// if nothing had been.
func TestLostAnswers(t *testing.T) {
	w := newWorld(t)
	for _, sent := range []bool{false, true} {
		for _, fromEvents := range []bool{false, true} {
			for fail := 1; ; fail++ {
				if requests := loseOne(t, w, fail, sent, fromEvents); fail > requests {
					if requests < 8 {
						t.Errorf("a round takes %d requests", requests)
					}
					break
				}
			}
		}
	}
}

// loseOne has one of the requests of an auditor's first round fail, and tells how many there were.
func loseOne(t *testing.T, w *world, fail int, sent, fromEvents bool) (requests int) {
	t.Helper()
	p := newAuditing(t, w, fromEvents)
	p.stage.show(w.tell(lie{}), len(w.stored))
	cfg, errLost := p.config(), errors.New("lost")
	real := cfg.Do
	cfg.Do = oneAtATime(func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
		if requests++; requests != fail {
			return real(ctx, method, path, query, body)
		}
		if !sent {
			return nil, errLost
		}
		answer, err := real(ctx, method, path, query, body)
		if err == nil {
			err = answer.Close()
		}
		return nil, errors.Join(errLost, err)
	})
	r, err := p.office.round(cfg)
	if err != nil && (!errors.Is(err, errLost) || r != nil && r.Taken) || err == nil && !r.Taken {
		t.Fatalf("request %d: %v, %+v", fail, err, r)
	}
	again, err := p.office.round(p.config())
	if err != nil || !again.Taken || !again.Sound || len(p.office.proofs()) > 0 {
		t.Fatalf("after request %d failed: %v, %+v", fail, err, again)
	}
	if whole := r != nil && r.Cosigned; whole != (again.Records == 0) {
		t.Errorf("after request %d failed, %d records are recomputed again", fail, again.Records)
	}
	return requests
}

// TestFailedRoundIsForgotten has the request for a false tile fail: the next round of the same auditor finds it.
func TestFailedRoundIsForgotten(t *testing.T) {
	w := newWorld(t)
	p := newAuditing(t, w, false)
	p.stage.show(w.tell(lie{tile: func(path string, body []byte) []byte {
		if path == "tile/0/000" {
			body[33] ^= 1
		}
		return body
	}}), len(w.stored))
	cfg, failed := p.config(), false
	real := cfg.Do
	cfg.Do = oneAtATime(func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
		if path == "/v1/tile/0/000" && !failed {
			failed = true
			return nil, io.ErrUnexpectedEOF
		}
		return real(ctx, method, path, query, body)
	})
	a := p.office.open(cfg)
	if r, err := a.Round(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("%v, %+v", err, r)
	}
	if r, err := a.Round(t.Context()); err != nil || r.Sound || r.From != 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

// oneAtATime has requests asked one after the other.
func oneAtATime(do Do) Do {
	turn := make(chan struct{}, 1)
	return func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
		turn <- struct{}{}
		defer func() { <-turn }()
		return do(ctx, method, path, query, body)
	}
}

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
			{one.note(middle), evidence.TypeFork, false}, {one.note(middle - 9), evidence.TypeRewritten, false}, {one.note(middle + 1), 0, false},
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
		{"more", truth.note(middle + 5), 0, false},
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

// TestFindings reports what is no fault of the log, and cosigns.
func TestFindings(t *testing.T) {
	w := newWorld(t)
	own, commit := w.find("ats-7"), w.commits()[1]
	for _, c := range []struct {
		name string
		lie  lie
		want string
	}{
		{"a hole", lie{record: func(s [][]byte) [][]byte { return slices.Delete(s, own, own+1) }}, "1 numbers have not come: 7"},
		{"a repetition", lie{record: func(s [][]byte) [][]byte {
			s[own] = replaced(s[own], `"producerseq":"7"`, `"producerseq":"6"`)
			return s
		}}, "1 numbers came twice"},
		{"other rules", lie{commit: func(i int, c *evidence.Commit) {
			if i == commit {
				c.Rules[0] ^= 1
			}
		}}, ""},
	} {
		for _, fromEvents := range []bool{false, true} {
			p := newAuditing(t, w, fromEvents)
			k := w.tell(c.lie)
			if p.meet(k, len(k.stored)) {
				t.Errorf("%s is a fault: %+v", c.name, p.last)
			}
			found := ""
			for _, f := range p.last.Findings {
				found += f.Text + "\n"
			}
			if !strings.Contains(found, c.want) || (c.want == "") != (p.last.OtherRules == 1) || fromEvents && c.want != "" && !strings.Contains(found, "/ats") {
				t.Errorf("%s: %q, %d under other rules", c.name, found, p.last.OtherRules)
			}
		}
	}
}

// TestReplayBreaksOff cuts the replay of events off again and again: it goes on as long as something new comes.
func TestReplayBreaksOff(t *testing.T) {
	w := newWorld(t)
	for _, lines := range []int{40, 1, 0} {
		p := newAuditing(t, w, true)
		p.stage.show(w.tell(lie{}), len(w.stored))
		cfg := p.config()
		real := cfg.Do
		cfg.Do = func(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
			answer, err := real(ctx, method, path, query, body)
			if err != nil || !strings.HasSuffix(path, "/stream") {
				return answer, err
			}
			all := bytes.SplitAfter(must(io.ReadAll(answer)), []byte("\n"))
			if len(all) > lines+2 {
				all = append(all[:lines:lines], all[lines][:30]) // and a part of the next
			}
			return io.NopCloser(bytes.NewReader(bytes.Join(all, nil))), answer.Close()
		}
		r, err := p.office.round(cfg)
		if lines > 0 && (err != nil || !r.Taken) || lines == 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d lines: %v, %+v", lines, err, r)
		}
	}
	for _, answer := range []string{"", "{}\n", "[]\n", `{"error":{"title":"no"}}` + "\n", `{"position":1,"id":"x"}` + "\n", `{"position":2,"event":{}}` + "\n", `{"end":{"position":0}}` + "\n"} {
		l := &remote{trust: w.trust, do: func(context.Context, string, string, url.Values, []byte) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(answer)), nil
		}}
		for got, err := range l.events(t.Context(), 0, 1) {
			if err == nil {
				t.Errorf("%q is taken for the event %s", answer, got.event)
			}
		}
	}
}
