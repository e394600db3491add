package audit

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
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

// TestFindings reports what is no fault of the log, and cosigns.
func TestFindings(t *testing.T) {
	w := newWorld(t)
	own, commit := w.find("ats-7"), w.commits()[1]
	for _, c := range []struct {
		name string
		lie  lie
		want string
	}{
		{"a hole", lie{record: func(s [][]byte) [][]byte { return slices.Delete(s, own, own+1) }}, "1 number has not come: 7"},
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
