package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// kept writes bytes to a file of a name.
func kept(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestVerify verifies proofs of every type: with a trust file, without one, and with a byte changed.
func TestVerify(t *testing.T) {
	for _, c := range evidencetest.Honest() {
		t.Run(c.Name, func(t *testing.T) {
			proof, trust := kept(t, "p", c.Proof), kept(t, "t", c.Trust)
			stdout, stderr := invocation{}.runs(t, done, "verify", proof, "--trust", trust)
			if !strings.HasPrefix(stdout, "outcome           PROVEN\n") || stderr != "" || !strings.Contains(stdout, evidencetest.Origin) {
				t.Errorf("%s%s", stdout, stderr)
			}
			stdout, _ = invocation{}.runs(t, done, "verify", proof, "--trust", trust, "-o", "json")
			var shown, want any
			if err := json.Unmarshal([]byte(stdout), &shown); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(c.Verdict(), &want); err != nil {
				t.Fatal(err)
			}
			if got, want := encoded(t, shown), encoded(t, want); got != want {
				t.Errorf("in JSON it is\n%s\nwant\n%s", got, want)
			}
			stdout, stderr = invocation{}.runs(t, int(evidence.Unsigned), "verify", proof)
			if !strings.HasPrefix(stdout, "outcome           SELF-CONSISTENT, SIGNERS UNKNOWN\n") || !strings.Contains(stderr, "self-consistent, but not proven") {
				t.Errorf("without trust: %s%s", stdout, stderr)
			}
			for _, at := range []int{0, 9, len(c.Proof) / 3, len(c.Proof) - 1} {
				b := append([]byte(nil), c.Proof...)
				b[at] ^= 1
				v, err := evidence.Verify(b, evidencetest.Trust())
				want := int(evidence.False)
				if err == nil {
					want = int(v.Outcome)
				}
				changed := kept(t, "p", b)
				stdout, stderr := invocation{}.runs(t, want, "verify", changed, "--trust", trust)
				if want != unsound && at > 0 && at != 9 {
					continue // it is in the name of a key, which nobody knows now
				}
				if !strings.HasPrefix(stdout, "outcome           FALSE\n") || !strings.Contains(stderr, "it is evidence") {
					t.Errorf("byte %d: %s%s", at, stdout, stderr)
				}
				if stdout, _ = (invocation{}).runs(t, unsound, "verify", changed, "--trust", trust, "-o", "ndjson"); stdout != `{"outcome":"false"}`+"\n" {
					t.Errorf("byte %d in JSON: %s", at, stdout)
				}
			}
		})
	}
}

// TestVerifyFacts verifies a proof that an event's facts are false: this program judges them. Of an event that it cannot
// judge nothing is said to be proven, nor false.
func TestVerifyFacts(t *testing.T) {
	holds, _ := evidencetest.FalseFacts(evidence.Rules())
	trust := kept(t, "t", evidencetest.TrustFile("100"))
	stdout, _ := invocation{}.runs(t, done, "verify", kept(t, "p", holds), "--trust", trust)
	if !strings.Contains(stdout, "A FAULT OF THE LEDGER "+evidencetest.Origin+": at position 7 what the log decided of an event is false: its facts are not what the register said") {
		t.Error(stdout)
	}
	unknown, _ := evidencetest.FalseFacts(evidence.Hash{1})
	stdout, stderr := invocation{}.runs(t, failed, "verify", kept(t, "p", unknown), "--trust", trust)
	if !strings.HasPrefix(stdout, "outcome           NOT JUDGED\n") || !strings.Contains(stderr, "under other rules or legal tables than this program has") {
		t.Error(stdout, stderr)
	}
	if stdout, _ = (invocation{}).runs(t, failed, "verify", kept(t, "p", unknown), "--trust", trust, "-o", "ndjson"); stdout != `{"outcome":"unsupported"}`+"\n" {
		t.Error(stdout)
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestVerifyMisused: exit status 2 says something of a proof, so a command line that cannot be meant gets 1.
func TestVerifyMisused(t *testing.T) {
	c := evidencetest.Honest()[0]
	proof, trust := kept(t, "p", c.Proof), kept(t, "t", c.Trust)
	for _, args := range [][]string{
		{}, {proof, proof}, {proof, "--nosuch"}, {proof, "--trust"}, {proof, "-x"}, {proof, "--trust", trust, "-o", "yaml"},
		{proof, "--trust", trust, "--tz", "Nowhere"}, {proof, "--trust", proof}, {proof, "--trust", "nosuch"}, {"nosuch", "--trust", trust}, {t.TempDir()},
		{proof, "--trust", trust, "--out", "nosuch/file"},
	} {
		if status, stdout, stderr := (invocation{}).run(t, append([]string{"verify"}, args...)...); status != failed || stdout != "" || stderr == "" {
			t.Errorf("%q: status %d, %s%s", args, status, stdout, stderr)
		}
	}
	for _, junk := range []string{"", "x", "PK", "PK\x03\x04 no bundle", "CUSTODYP"} {
		if status, _, stderr := (invocation{}).run(t, "verify", kept(t, "p", []byte(junk))); status != unsound {
			t.Errorf("%q: status %d, %s", junk, status, stderr)
		}
	}
}
