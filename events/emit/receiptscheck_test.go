package emit_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// check checks kept receipts.
func check(t testing.TB, s *emit.Receipts) (emit.Checked, told, error) {
	t.Helper()
	m := told{}
	c, err := s.Check(t.Context(), m.of)
	return c, m, err
}

// kept is a folder of 40 receipts under several checkpoints, of a ledger that has grown since.
func kept(t testing.TB) (*notarised, *emit.Receipts) {
	t.Helper()
	l := newNotarised(t)
	s := l.receipts(t, t.TempDir(), evidencetest.Trust())
	l.log.Grow(300)
	for range 4 {
		l.expected(t, s, 10)
		if m := collect(t, s); m.wrong() != nil {
			t.Fatal(m)
		}
		l.log.Grow(77)
	}
	return l, s
}

func TestCheck(t *testing.T) {
	t.Parallel()
	l, s := kept(t)
	for range 2 {
		c, m, err := check(t, s)
		if err != nil || len(m) > 0 || c.Receipts != 40 || c.Checkpoints < 5 || c.Newest.Size != l.log.Size() || c.Fraud != "" {
			t.Errorf("%v, told %v, %+v", err, m, c)
		}
	}
}

// TestCheckFinds: what a ledger does to events that there are receipts of.
func TestCheckFinds(t *testing.T) {
	t.Parallel()
	t.Run("dropped", func(t *testing.T) {
		l, s := kept(t)
		l.change(func() { delete(l.stored, 305) })
		if _, m, err := check(t, s); err != nil || len(m) != 1 || !errors.Is(m[305], emit.ErrReceiptMissing) {
			t.Errorf("%v, told %v", err, m)
		}
	})
	t.Run("altered", func(t *testing.T) { // and everything after it made anew
		l, s := kept(t)
		stored := otherwise(t, shared(t, 4), "service_provision", "marketing").Append(nil)
		l.change(func() {
			record := evidencetest.RecordOf(stored)
			l.log = l.log.Altered(304, record.Append(nil))
			l.stored[305] = stored
		})
		_, m, err := check(t, s)
		if !errors.Is(m[305], emit.ErrReceiptChanged) || !errors.Is(err, emit.ErrReceiptRewritten) {
			t.Errorf("%v, told %v", err, m)
		}
	})
	t.Run("rewritten elsewhere", func(t *testing.T) { // no receipt's event changed
		l, s := kept(t)
		r := l.log.Record(7)
		r.Time++
		l.change(func() { l.log = l.log.Altered(7, r.Append(nil)) })
		fraud(t, s, evidence.TypeRewritten, emit.ErrReceiptRewritten)
	})
	t.Run("forked", func(t *testing.T) { // another history of the size of a receipt's checkpoint
		l, s := kept(t)
		r := l.log.Record(7)
		r.Time++
		l.change(func() {
			l.under = 310 // that of the first receipts
			l.log = l.log.Altered(7, r.Append(nil))
			for p := range l.stored {
				if p > 310 {
					delete(l.stored, p)
				}
			}
		})
		fraud(t, s, evidence.TypeFork, emit.ErrReceiptFork)
	})
	t.Run("cut short", func(t *testing.T) {
		l, s := kept(t)
		l.change(func() {
			l.log = l.log.With(320)
			for p := range l.stored {
				if p > 320 {
					delete(l.stored, p)
				}
			}
		})
		_, m, err := check(t, s)
		if !errors.Is(err, emit.ErrReceiptRewritten) || len(m) != 30 || !errors.Is(m[388], emit.ErrReceiptMissing) {
			t.Errorf("%v, told %v", err, m)
		}
	})
	t.Run("another key", func(t *testing.T) {
		l, s := kept(t)
		l.change(func() { l.by = evidencetest.Former })
		_, m, err := check(t, s)
		if !errors.Is(err, emit.ErrReceiptUnsigned) || len(m) != 40 || !errors.Is(m[301], emit.ErrReceiptUnsigned) {
			t.Errorf("%v, told %d", err, len(m))
		}
	})
	t.Run("damaged here", func(t *testing.T) {
		l := newNotarised(t)
		dir := t.TempDir()
		s := l.receipts(t, dir, evidencetest.Trust())
		l.expected(t, s, 3)
		collect(t, s)
		path := filepath.Join(dir, "0", "2.receipt")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, m, err := check(t, s); err != nil || c.Receipts != 2 || !errors.Is(m[2], emit.ErrReceiptFalse) {
			t.Errorf("%v, told %v", err, m)
		}
	})
}

// fraud demands that a check finds a fraud and leaves a proof of it that convinces others.
func fraud(t *testing.T, s *emit.Receipts, want evidence.Type, is error) {
	t.Helper()
	c, _, err := check(t, s)
	if !errors.Is(err, is) || c.Fraud == "" {
		t.Fatalf("%v, proof %q", err, c.Fraud)
	}
	proof, err := os.ReadFile(c.Fraud)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := evidence.Verify(proof, evidencetest.Trust()); err != nil || v.Type != want || v.Outcome != evidence.Proven {
		t.Errorf("the proof: %v, %+v", err, v)
	}
}
