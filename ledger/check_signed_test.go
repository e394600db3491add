package ledger

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/notary"
)

// signedLedger is a closed ledger whose first key is retired, as is a witness; both signed a checkpoint that is kept, as
// did an auditor. later is one that the second key signed.
func signedLedger(t *testing.T) (cfg Config, retired []checkpoint.Signer, kept, later checkpoint.Note) {
	t.Helper()
	cfg = notarised(t)
	l := open(t, cfg)
	ctx, who, n := t.Context(), events.Who{Role: "operator", Token: "first"}, l.Evidence()
	announce := func(ctx context.Context, k events.KeyAnnouncement) error {
		_, err := l.RecordKey(ctx, k)
		return err
	}
	recordViews(t, l, 0, 3)
	retired, _, err := notary.ReadKeys(cfg.Keys)
	fatal := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fatal(err)
	kept, err = n.Checkpoint()
	fatal(err)
	cosigned, keys := kept, map[string]string{}
	for role, name := range map[string]string{"witness": "w.example/witness", "replay": "a.example/replay"} {
		k, err := checkpoint.NewCosigner(name)
		fatal(err)
		keys[role] = k.Verifier()
		fatal(announce(ctx, events.KeyAnnouncement{Who: who, What: role, Key: k.Verifier()}))
		s, err := k.Cosign(kept.Checkpoint, time.Now())
		fatal(err)
		cosigned = cosigned.With(s)
	}
	fatal(n.Cosign(ctx, cosigned.Bytes()))
	_, err = n.AddKey(ctx, who, announce)
	fatal(err)
	_, _, err = n.RetireKey(ctx, who, announce)
	fatal(err)
	fatal(announce(ctx, events.KeyAnnouncement{Who: who, What: "witness", Retired: true, Key: keys["witness"]}))
	recordViews(t, l, 3, 9)
	later, err = n.Checkpoint()
	fatal(err)
	closeLedger(t, l)
	mustBeSound(t, cfg)
	return cfg, retired, cosigned, later
}

// copied is the same ledger elsewhere.
func copied(t *testing.T, cfg Config) Config {
	t.Helper()
	dir := t.TempDir()
	for _, part := range []*string{&cfg.Data, &cfg.Keys} {
		to := filepath.Join(dir, filepath.Base(*part))
		if err := os.CopyFS(to, os.DirFS(*part)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(to, 0o700); err != nil {
			t.Fatal(err)
		}
		*part = to
	}
	return cfg
}

// TestCheckSigned finds whatever is wrong with what a ledger signed and others cosigned, also under keys that are retired.
func TestCheckSigned(t *testing.T) {
	cfg, retired, kept, later := signedLedger(t)
	resigned := func(c checkpoint.Checkpoint) []byte {
		n, err := checkpoint.Sign(c, retired...)
		if err != nil {
			t.Fatal(err)
		}
		return n.Bytes()
	}
	besides, err := checkpoint.Open(resigned(later.Checkpoint))
	if err != nil {
		t.Fatal(err)
	}
	fork := kept.Checkpoint
	fork.Root[0] ^= 1
	flipped := func(of string, behind int) []byte { // a bit behind a text
		b := bytes.Clone(kept.Bytes())
		b[bytes.Index(b, []byte(of))+len(of)+behind] ^= 1
		return b
	}
	unsigned := kept.Only(func(k checkpoint.Key) bool { return k.Name != kept.Origin })
	cosigned := filepath.Join("evidence", "cosigned", fmt.Sprint(kept.Size))
	beyond := filepath.Join("evidence", "cosigned", fmt.Sprint(later.Size))
	for name, c := range map[string]struct {
		file string
		b    []byte
	}{
		"a bit of the root":              {cosigned, flipped("\n", 9)},
		"a fork by the retired key":      {cosigned, resigned(fork)},
		"the retired key beyond its end": {beyond, resigned(later.Checkpoint)},
		"the same beside its successor":  {beyond, later.With(besides.Signatures...).Bytes()},
		"nobody of the log signed":       {cosigned, unsigned.Bytes()},
		"the retired witness's bytes":    {cosigned, flipped("— w.example/witness ", 30)},
		"the auditor's bytes":            {cosigned, flipped("— a.example/replay ", 30)},
		"the auditor's name":             {cosigned, flipped("— a.exa", 0)},
		"another origin":                 {cosigned, bytes.Replace(kept.Bytes(), []byte(kept.Origin+"\n"), []byte(kept.Origin+"x\n"), 1)},
		"another name of a checkpoint":   {filepath.Join("evidence", "cosigned", "x"), []byte("x")},
	} {
		changed := copied(t, cfg)
		if err := os.WriteFile(filepath.Join(changed.Data, c.file), c.b, 0o600); err != nil {
			t.Fatal(err)
		}
		signedUnsound(t, name, changed, filepath.Base(c.file))
	}
	for _, file := range []string{"checkpoint.keys", "checkpoint", "bundle.key"} {
		for _, how := range []string{"bit", "removed", "short"} {
			changed := copied(t, cfg)
			damage(t, filepath.Join(changed.Keys, file), how)
			signedUnsound(t, file+" "+how, changed, "")
		}
	}
}

// signedUnsound demands that a check finds something about a file.
func signedUnsound(t *testing.T, name string, cfg Config, file string) {
	t.Helper()
	r, err := Check(t.Context(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Part == "evidence" && strings.Contains(f.Text, file) }) {
		t.Errorf("%s: nothing is found of it: %v", name, r.Findings)
	}
}

// TestFormerOriginIsSound has a ledger lose its keys and take a new origin: what was cosigned under the former one is left
// out of the check, and said.
func TestFormerOriginIsSound(t *testing.T) {
	cfg, _, kept, _ := signedLedger(t)
	for _, path := range notary.KeyFiles(cfg.Keys) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	signedUnsound(t, "keys gone", cfg, fmt.Sprint(kept.Size))
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	announce := func(ctx context.Context, k events.KeyAnnouncement) error {
		if k.Ancestor != kept.Origin {
			t.Errorf("its ancestor is %q", k.Ancestor)
		}
		_, err := l.RecordKey(ctx, k)
		return err
	}
	if _, err := l.Evidence().NewOrigin(t.Context(), "base", events.Who{Role: "operator", Token: "first"}, announce); err != nil {
		t.Fatal(err)
	}
	recordViews(t, l, 9, 10)
	closeLedger(t, l)
	if r := mustBeSound(t, cfg); !slices.Contains(r.Notes, "checkpoints of a former origin, not compared: 1") {
		t.Errorf("notes: %v", r.Notes)
	}
}
