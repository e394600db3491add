package notary

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// announce adds an announcement to the stream, as the ledger's register would.
func (r *rig) announce(_ context.Context, k events.KeyAnnouncement) error {
	r.stream.set(func(s *memoryStream) {
		switch {
		case k.What != "log":
			s.announced.Cosigners = append(s.announced.Cosigners, Cosigner{Role: k.What, Key: k.Key})
		case k.Retired:
			s.announced.Retired = append(s.announced.Retired, RetiredKey{k.Key, k.Upto})
		}
	})
	return nil
}

// cosigner is a key that is announced.
func (r *rig) cosigner(t *testing.T, name string) checkpoint.Cosigner {
	t.Helper()
	k := newCosigner(t, name)
	role, _ := checkpoint.CosignerRole(k.Verifier())
	if err := r.announce(t.Context(), events.KeyAnnouncement{What: role, Key: k.Verifier()}); err != nil {
		t.Fatal(err)
	}
	return k
}

// cosign leaves cosignatures with the notary.
func (r *rig) cosign(t *testing.T, note checkpoint.Note, at time.Time, keys ...checkpoint.Cosigner) error {
	t.Helper()
	for _, k := range keys {
		s, err := k.Cosign(note.Checkpoint, at)
		if err != nil {
			t.Fatal(err)
		}
		note = note.With(s)
	}
	return r.Cosign(t.Context(), note.Bytes())
}

// TestRetiredKeyCounts keeps what was signed by a key that is retired since, over a restart, and takes cosignatures of
// it; but of nothing larger than it signed for.
func TestRetiredKeyCounts(t *testing.T) {
	r := newRig(t)
	auditor, late := r.cosigner(t, "a.example/replay"), r.cosigner(t, "b.example/witness")
	note := r.signed(r.stream.heartbeats(3))
	if err := r.cosign(t, note, time.Now(), auditor); err != nil {
		t.Fatal(err)
	}
	stolen, _, err := ReadKeys(r.cfg.Keys)
	if err != nil {
		t.Fatal(err)
	}
	who := events.Who{Role: "operator", Token: "o"}
	if _, err := r.AddKey(t.Context(), who, r.announce); err != nil {
		t.Fatal(err)
	}
	r.signed(r.stream.heartbeats(3))
	_, upto, err := r.RetireKey(t.Context(), who, r.announce)
	if err != nil {
		t.Fatal(err)
	}
	later := r.signed(r.stream.heartbeats(3))
	r.close()
	r.open()
	r.signed(later.Size)
	if err := r.cosign(t, note, time.Now(), late); err != nil {
		t.Errorf("a cosignature of what the retired key signed is not taken: %v", err)
	}
	if best, err := r.Cosigned(); err != nil || best.Size != note.Size || len(best.Signatures) != 3 {
		t.Errorf("of the retired key is kept size %d with %d signatures, %v", best.Size, len(best.Signatures), err)
	}
	beyond, err := checkpoint.Sign(later.Checkpoint, stolen...)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cosign(t, beyond, time.Now(), auditor); upto >= later.Size || !errors.Is(err, ErrCosignature) {
		t.Errorf("signed by the retired key for %d after %d: %v", later.Size, upto, err)
	}
}

// renamed is the verifier key of the same public key under another name.
func renamed(verifier, name string) string {
	material := strings.SplitN(verifier, "+", 3)[2]
	raw, err := base64.StdEncoding.DecodeString(material)
	if err != nil {
		panic(err)
	}
	id := sha256.Sum256(append([]byte(name+"\n"), raw...))
	return fmt.Sprintf("%s+%x+%s", name, id[:4], material)
}

// TestSuits refuses to announce what no trust file can have beside what was announced before.
func TestSuits(t *testing.T) {
	r := newRig(t)
	r.signed(r.stream.heartbeats(1))
	auditor := r.cosigner(t, "a.example/replay")
	fresh := newCosigner(t, "c.example/witness")
	for name, c := range map[string]struct {
		role, key string
		fits      bool
	}{
		"the same again":                    {"replay", auditor.Verifier(), true},
		"another":                           {"witness", fresh.Verifier(), true},
		"a public key under a second name":  {"witness", renamed(auditor.Verifier(), "d.example/witness"), false},
		"the name of an auditor, a witness": {"witness", auditor.Verifier(), false},
	} {
		if err := r.Suits(t.Context(), c.role, c.key); (err == nil) != c.fits || err != nil && !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStandsOn proves under the checkpoint that most witnesses cosigned, unless it is so old that one of them is gone,
// or does not cover what is to be proven.
func TestStandsOn(t *testing.T) {
	r := newRig(t)
	one, two := r.cosigner(t, "a.example/witness"), r.cosigner(t, "b.example/witness")
	begin := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	cosigned := func(after time.Duration, keys ...checkpoint.Cosigner) checkpoint.Note {
		t.Helper()
		note := r.signed(r.stream.heartbeats(2))
		if len(keys) > 0 {
			if err := r.cosign(t, note, begin.Add(after), keys...); err != nil {
				t.Fatal(err)
			}
		}
		return note
	}
	under := func(position, size uint64) {
		t.Helper()
		proof, err := r.ProveEvent(t.Context(), Event{Position: position})
		if err != nil {
			t.Fatal(err)
		}
		v, err := evidence.Verify(proof, nil)
		if err != nil || v.Head.Size != size {
			t.Errorf("%d is proven under %d, not %d (%v)", position, v.Head.Size, size, err)
		}
	}
	none := cosigned(0)
	under(1, none.Size)
	both := cosigned(0, one, two)
	alone := cosigned(23*time.Hour, one)
	newest := cosigned(0)
	under(1, both.Size)
	under(both.Size+1, alone.Size)
	under(newest.Size, newest.Size)
	if _, err := r.ProveEvent(t.Context(), Event{Position: 1000}); !errors.Is(err, ErrBehind) {
		t.Errorf("beyond the last checkpoint: %v", err)
	}
	later := cosigned(24*time.Hour+time.Second, two)
	under(1, later.Size)
}
