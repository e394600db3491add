package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/notary"
)

// quick is a pace at which tests need not wait.
const quick = time.Millisecond

// notarised is a ledger that keeps evidence.
func notarised(t *testing.T) Config {
	cfg := newConfig(t)
	cfg.Pace = quick
	return cfg
}

// recordViews records events about several people, and waits until a checkpoint covers them.
func recordViews(t *testing.T, l *Ledger, from, to int) (last uint64) {
	t.Helper()
	for i := from; i < to; i++ {
		last = record(t, l, view(t, fmt.Sprintf("e-%d", i), fmt.Sprintf("candidate:%d", i%7)))[0].Position
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.Evidence().Await(ctx, last); err != nil {
		t.Fatalf("%v; %+v", err, l.Evidence().Status())
	}
	return last
}

// logKey trusts the ledger's key alone: enough for what needs no witness, and for knowing a false signature.
func logKey(t *testing.T, l *Ledger) *checkpoint.Trust {
	t.Helper()
	trust, err := checkpoint.ParseTrust([]byte("log " + l.Evidence().Status().Keys[0] + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// TestEvidence proves of a real ledger what can be proven, and verifies it.
func TestEvidence(t *testing.T) {
	cfg := notarised(t)
	l := open(t, cfg)
	n, ctx := l.Evidence(), t.Context()
	last := recordViews(t, l, 0, 300)
	trust := logKey(t, l)

	proof, err := n.ProveEvent(ctx, notary.Event{Position: last, Told: true})
	if err != nil {
		t.Fatal(err)
	}
	v, err := evidence.Verify(proof, trust)
	if err != nil || v.Outcome != evidence.Unsigned || len(v.Head.Log) != 1 {
		t.Fatalf("event: %v, %+v", err, v)
	}
	stored, err := l.Event(ctx, last)
	if err != nil || !bytes.Equal(stored.Raw, v.Event) || v.Leaf.Record.Flags != evidence.Used|evidence.Late|evidence.NoBasis {
		t.Errorf("the proof tells of another event: %v, flags %s", err, v.Leaf.Record.Flags)
	}

	older := v.Head.Note
	recordViews(t, l, 300, 310)
	if proof, err = n.ProveGrowth(older); err == nil {
		v, err = evidence.Verify(proof, trust)
	}
	if err != nil || v.Older.Size != older.Size || v.Head.Size <= older.Size {
		t.Errorf("growth: %v, %+v", err, v)
	}

	basis, err := n.Basis(ctx, last)
	if err != nil {
		t.Fatal(err)
	}
	day := uint64(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	for _, c := range []struct {
		flags    evidence.Flags
		from, to uint64
		want     uint64
	}{{evidence.Used, day, day, 310}, {evidence.Used, day + 1, day + 9, 0}, {evidence.T5 | evidence.Unknown, day, day, 0}, {evidence.Used, 0, day, 310}} {
		q := evidence.Question{What: evidence.Count, Flags: c.flags, Of: evidence.Days, From: c.from, To: c.to}
		light, err := n.ProveLight(basis, q)
		if err != nil {
			t.Fatal(err)
		}
		replay, err := n.ProveReplay(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, proof := range [][]byte{light, replay} {
			v, err := evidence.Verify(proof, trust)
			if err != nil || v.Count() < min(c.want, 300) || v.Count() > c.want {
				t.Errorf("%v: %v, counts %d", q, err, v.Count())
			}
		}
	}
	if _, err := n.ProveLight(basis, evidence.Question{What: evidence.Absence, Flags: evidence.Used, Of: evidence.Days, To: day}); !errors.Is(err, evidence.ErrPresent) {
		t.Errorf("an absence of what is there: %v", err)
	}
	if _, err := n.ProveEvent(ctx, notary.Event{Position: 1 << 40}); !errors.Is(err, notary.ErrBehind) {
		t.Errorf("a proof of what is not there: %v", err)
	}
}

// TestOrigin makes ledgers under names that are good and others that are not.
func TestOrigin(t *testing.T) {
	for _, bad := range []string{"a b", "a+b", "é", "a\n", "x/witness", "x/replay", "x/bundle", strings.Repeat("o", MaxOrigin+1)} {
		cfg := Config{Data: filepath.Join(t.TempDir(), "data"), Keys: filepath.Join(t.TempDir(), "keys"), Origin: bad}
		err := Create(t.Context(), cfg)
		if _, made := os.Stat(cfg.Data); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "origin: 1 to 71") || made == nil || strings.Contains(err.Error(), bad) && len(bad) > 1 {
			t.Errorf("an origin of %d bytes: %v", len(bad), err)
		}
	}
	for _, good := range []string{"custody.example/ledger", "!", strings.Repeat("~", MaxOrigin)} {
		cfg := Config{Data: filepath.Join(t.TempDir(), "data"), Keys: filepath.Join(t.TempDir(), "keys"), Origin: good, Index: newMemoryIndex().at, Pace: quick}
		if err := Create(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		l := open(t, cfg)
		who := events.Who{Role: "operator", Token: "first"}
		_, err := l.Evidence().AddKey(t.Context(), who, func(ctx context.Context, k events.KeyAnnouncement) error {
			_, err := l.RecordKey(ctx, k)
			return err
		})
		if got := l.Evidence().Status().Origin; err != nil || got != good {
			t.Errorf("it signs as %q, adding a key: %v", got, err)
		}
		closeLedger(t, l)
	}
}

// TestIdleLedgerIsQuiet finds that commits are not committed to, before and after a start.
func TestIdleLedgerIsQuiet(t *testing.T) {
	cfg := notarised(t)
	for range 3 {
		l := open(t, cfg)
		if got := l.Head().Position; got != 0 {
			t.Fatalf("%d events in a ledger that nobody used", got)
		}
		closeLedger(t, l)
	}
	l := open(t, cfg)
	recordViews(t, l, 0, 1)
	closeLedger(t, l)
	quiet := l.Head().Position
	if quiet < 2 || quiet > 3 {
		t.Fatalf("%d events after one and its commit", quiet)
	}
	for range 3 {
		l := open(t, cfg)
		if err := l.Evidence().Await(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		closeLedger(t, l)
		if got := l.Head().Position; got != quiet {
			t.Fatalf("%d events, %d before: an idle ledger goes on committing", got, quiet)
		}
	}
}

// TestEvidenceIsAFunctionOfTheStream deletes it, in whole and in part, and finds it again as it was.
func TestEvidenceIsAFunctionOfTheStream(t *testing.T) {
	cfg := notarised(t)
	l := open(t, cfg)
	last := recordViews(t, l, 0, 600)
	closeLedger(t, l)
	dir := filepath.Join(cfg.Data, "evidence")
	before := files(t, dir)
	if len(before) < 4 {
		t.Fatalf("evidence is in %d files", len(before))
	}
	for _, gone := range []string{".", "records", "hashes", "nodes", "producers", "marker"} {
		if err := os.RemoveAll(filepath.Join(dir, gone)); err != nil {
			t.Fatal(err)
		}
		l := open(t, cfg)
		if err := l.Evidence().Await(t.Context(), last); err != nil { // a stop does not wait until all is read
			t.Fatal(err)
		}
		closeLedger(t, l)
		after := files(t, dir)
		for name, b := range before {
			if !bytes.Equal(after[name], b) {
				t.Errorf("without %s: %s comes back otherwise", gone, name)
			}
		}
	}
}

func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestOlderCopyDoesNotSign brings back older data beside newer keys: it goes on recording, and signs nothing until
// it takes a new origin.
func TestOlderCopyDoesNotSign(t *testing.T) {
	cfg := notarised(t)
	l := open(t, cfg)
	recordViews(t, l, 0, 5)
	closeLedger(t, l)
	old := t.TempDir()
	if err := os.CopyFS(old, os.DirFS(cfg.Data)); err != nil {
		t.Fatal(err)
	}
	l = open(t, cfg)
	recordViews(t, l, 5, 9)
	signed := l.Evidence().Status()
	closeLedger(t, l)

	if err := errors.Join(os.RemoveAll(cfg.Data), os.CopyFS(cfg.Data, os.DirFS(old)), os.Remove(filepath.Join(cfg.Keys, "durable"))); err != nil {
		t.Fatal(err)
	}
	cfg.Index = newMemoryIndex().at
	r, err := Check(t.Context(), cfg, nil)
	if err != nil || r.Sound() || !strings.Contains(r.Findings[0].Text, "older copy") {
		t.Errorf("check of an older copy: %v, %+v", err, r)
	}
	l, err = Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	record(t, l, view(t, "other", "candidate:1"))
	err = l.Evidence().Await(t.Context(), 100)
	if _, cerr := l.Evidence().Checkpoint(); !errors.Is(err, notary.ErrUnsigned) || !errors.Is(cerr, notary.ErrUnsigned) {
		t.Fatalf("an older copy signs: %v, %v", err, cerr)
	}
	who := events.Who{Role: "operator", Token: "first"}
	announce := func(ctx context.Context, k events.KeyAnnouncement) error {
		_, err := l.RecordKey(ctx, k)
		return err
	}
	key, err := l.Evidence().NewOrigin(t.Context(), "base", who, announce)
	if err != nil {
		t.Fatal(err)
	}
	last := recordViews(t, l, 20, 22)
	now := l.Evidence().Status()
	if now.Signed < last || now.Origin == signed.Origin || !strings.HasPrefix(key, now.Origin+"+") || now.Unsigned != "" {
		t.Errorf("a new origin: %+v", now)
	}
	closeLedger(t, l)
	mustBeSound(t, cfg)
}

// TestRotation changes the log's key: both sign, then the new one alone, and each change is an event.
func TestKeysChange(t *testing.T) {
	cfg := notarised(t)
	l := open(t, cfg)
	recordViews(t, l, 0, 3)
	n, ctx, who := l.Evidence(), t.Context(), events.Who{Role: "operator", Token: "first"}
	announce := func(ctx context.Context, k events.KeyAnnouncement) error {
		_, err := l.RecordKey(ctx, k)
		return err
	}
	if _, _, err := n.RetireKey(ctx, who, announce); !errors.Is(err, notary.ErrKeys) {
		t.Errorf("the only key is retired: %v", err)
	}
	first := n.Status().Keys[0]
	second, err := n.AddKey(ctx, who, announce)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.AddKey(ctx, who, announce); !errors.Is(err, notary.ErrKeys) {
		t.Errorf("a third key: %v", err)
	}
	recordViews(t, l, 3, 6)
	if note, err := n.Checkpoint(); err != nil || len(note.Signatures) != 2 {
		t.Errorf("in between not both sign: %v, %v", err, note)
	}
	retired, upto, err := n.RetireKey(ctx, who, announce)
	if err != nil || retired != first || upto == 0 {
		t.Errorf("retired %q up to %d: %v", retired, upto, err)
	}
	recordViews(t, l, 6, 9)
	closeLedger(t, l)
	l = open(t, cfg)
	if keys := l.Evidence().Status().Keys; len(keys) != 1 || keys[0] != second {
		t.Errorf("after a start %v sign", keys)
	}
	recordViews(t, l, 9, 12)
	if note, err := l.Evidence().Checkpoint(); err != nil || len(note.Signatures) != 1 {
		t.Errorf("afterwards not one signs: %v, %v", err, note)
	}
}
