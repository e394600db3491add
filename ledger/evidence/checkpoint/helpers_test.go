package checkpoint

import (
	"crypto/ed25519"
	"iter"
	"slices"
	"testing"
	"time"
)

const origin = "custody.example/ledger"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// counting are 32 bytes that count up from b.
func counting(b byte) (h Hash) {
	for i := range h {
		h[i] = b + byte(i)
	}
	return h
}

// signer is a key whose seed counts up from b. It protects nothing.
func signer(name string, b byte) Signer {
	seed := counting(b)
	return Signer{newPrivate(name, signs, seed[:ed25519.SeedSize])}
}

func cosigner(name string, b byte) Cosigner {
	seed := counting(b)
	return Cosigner{newPrivate(name, cosigns, seed[:ed25519.SeedSize])}
}

// cast is everybody who signs in these tests.
type cast struct {
	old, log, bundle Signer // the log's two keys, as while it changes them
	witness, replay  Cosigner
}

func everybody() cast {
	return cast{
		old: signer(origin, 0x00), log: signer(origin, 0x20), bundle: signer(origin+"/bundle", 0x40),
		witness: cosigner("witness.example/witness", 0x60), replay: cosigner("auditor.example/replay", 0x80),
	}
}

// trustFile trusts everybody, the old key up to 4096 leaves.
func (c cast) trustFile() string {
	return "# Who may sign for " + origin + "\n\n" +
		"log " + c.old.Verifier() + " upto 4096\n" +
		"log " + c.log.Verifier() + "\n" +
		"witness " + c.witness.Verifier() + "\n" +
		"replay " + c.replay.Verifier() + "\n" +
		"bundle " + c.bundle.Verifier() + "\n" +
		"quorum witness 1\nquorum replay 1\n"
}

func (c cast) trust(t testing.TB) *Trust {
	t.Helper()
	trust, err := ParseTrust([]byte(c.trustFile()))
	must(t, err)
	return trust
}

var newYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// thousand is a checkpoint that everybody signed.
func (c cast) thousand(t testing.TB) Note {
	t.Helper()
	return c.signed(t, Checkpoint{Origin: origin, Size: 1000, Root: counting(0xa0)})
}

func (c cast) signed(t testing.TB, p Checkpoint) Note {
	t.Helper()
	n, err := Sign(p, c.old, c.log)
	must(t, err)
	witnessed, err := c.witness.Cosign(p, newYear)
	must(t, err)
	replayed, err := c.replay.Cosign(p, newYear.Add(time.Minute))
	must(t, err)
	return n.With(witnessed, replayed)
}

// changes are all bytes that differ from b in one bit, are a beginning of b, or have one byte more somewhere or one less.
func changes(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range 8 * len(b) {
			c := slices.Clone(b)
			c[i/8] ^= 1 << (i % 8)
			if !yield(c) {
				return
			}
		}
		for i := range b {
			if !yield(b[:i]) || !yield(slices.Delete(slices.Clone(b), i, i+1)) {
				return
			}
		}
		for i := range len(b) + 1 {
			for _, more := range []byte("\x00\n\r\t +=0A/\x7f\x80\xff") {
				if !yield(slices.Insert(slices.Clone(b), i, more)) {
					return
				}
			}
		}
	}
}
