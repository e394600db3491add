package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// cosigner is a key with a name.
func cosigner(t testing.TB, name string) checkpoint.Cosigner {
	t.Helper()
	c, err := checkpoint.NewCosigner(name)
	must(t, err)
	return c
}

// cosigned is a checkpoint that keys have cosigned.
func cosigned(t testing.TB, note checkpoint.Note, keys ...checkpoint.Cosigner) checkpoint.Note {
	t.Helper()
	for _, k := range keys {
		sig, err := k.Cosign(note.Checkpoint, time.Unix(1_800_000_000, 0))
		must(t, err)
		note = note.With(sig)
	}
	return note
}

// announce has cosignatures of a key taken.
func (r *reading) announce(k checkpoint.Cosigner, more string) answer {
	r.t.Helper()
	return r.ask(access.RoleOperator, "POST", "/v1/evidence/cosigners", fmt.Sprintf(`{"key":%q%s}`, k.Verifier(), more))
}

// TestCosignatures leaves cosignatures: those of announced keys are kept and served, all others refused as a whole.
func TestCosignatures(t *testing.T) {
	r := newProving(t)
	witness, auditor, stranger := cosigner(t, "witness.example/witness"), cosigner(t, "auditor.example/replay"), cosigner(t, "stranger.example/witness")
	leave := func(n checkpoint.Note) answer {
		return r.ask(access.RoleAuditor, "POST", "/v1/cosignatures", string(n.Bytes()))
	}
	note := r.covered()
	r.problem(leave(cosigned(t, note, witness)), invalidRequest) // not announced yet
	for key, more := range map[*checkpoint.Cosigner]string{&witness: `,"operator":"outside-witness"`, &auditor: ``} {
		if a := r.announce(*key, more); a.StatusCode != 200 || !strings.Contains(a.body, `{"position":`) {
			t.Fatalf("announcing: %d %s", a.StatusCode, a.body)
		}
	}

	for name, bad := range map[string]checkpoint.Note{
		"nothing is cosigned":              note,
		"by nobody who was announced":      cosigned(t, note, stranger),
		"one of two is not announced":      cosigned(t, note, witness, stranger),
		"not by the ledger":                cosigned(t, checkpoint.Note{Checkpoint: note.Checkpoint}, witness),
		"a false cosignature":              note.With(cosigned(t, checkpoint.Note{Checkpoint: checkpoint.Checkpoint{Origin: testOrigin, Size: 1}}, witness).Signatures...),
		"another root, under its own name": cosigned(t, otherRoot(t, note), witness),
		"another ledger":                   cosigned(t, ofAnother(t), witness),
	} {
		if p := r.problem(leave(bad), invalidRequest); p.Detail == "" {
			t.Errorf("%s: nothing is said", name)
		}
	}
	r.problem(r.ask(access.RoleAuditor, "POST", "/v1/cosignatures", "x"), invalidRequest)
	r.problem(r.ask(access.RoleAuditor, "POST", "/v1/cosignatures", strings.Repeat("x", maxSmallBody+1)), tooLarge)
	if got := r.checkpoint(); len(got.Signatures) != 1 {
		t.Fatalf("after refusals it has %d signatures", len(got.Signatures))
	}

	note = r.covered()
	for _, n := range []checkpoint.Note{cosigned(t, note, witness), cosigned(t, note, witness), cosigned(t, note, auditor)} {
		if a := leave(n); a.StatusCode != 204 || a.body != "" {
			t.Fatalf("leaving a cosignature: %d %s", a.StatusCode, a.body)
		}
	}
	if got := r.checkpoint(); len(got.Signatures) != 3 || got.Size != note.Size {
		t.Errorf("the checkpoint of %d has %d signatures", got.Size, len(got.Signatures))
	}
	v, err := evidence.Verify([]byte(r.ask(access.RoleAuditor, "GET", "/v1/proofs/answer?what=absence&flag=bulk&from_day=2026-01-01&to_day=2026-01-31", "").body),
		r.ledgerTrust("witness "+witness.Verifier(), "replay "+auditor.Verifier()))
	if err != nil || v.Outcome != evidence.Proven {
		t.Errorf("with both cosignatures: %v, %+v", err, v)
	}
	var s evidenceState
	strict(t, r.ask(access.RoleAuditor, "GET", "/v1/evidence", "").body, &s)
	if s.Cosigned != note.Size || len(s.Cosigners) != 2 || len(s.Cosignatures) != 2 {
		t.Errorf("%+v", s)
	}
	for _, c := range s.Cosigners {
		if (c.Operator == "outside-witness") != (c.Role == "witness") {
			t.Errorf("%+v", c)
		}
	}

	if a := r.announce(witness, `,"retired":true`); a.StatusCode != 200 {
		t.Fatalf("retiring: %d %s", a.StatusCode, a.body)
	}
	r.problem(r.announce(witness, `,"retired":true`), notFound) // it is not announced any more
	r.problem(leave(cosigned(t, r.covered(), witness)), invalidRequest)
}

// otherRoot is a checkpoint of the same size with another root, the ledger's signature left as it is.
func otherRoot(t testing.TB, note checkpoint.Note) checkpoint.Note {
	note.Root[0] ^= 1
	return note
}

// ofAnother is one of another ledger, with a key of the same name.
func ofAnother(t testing.TB) checkpoint.Note {
	t.Helper()
	key, err := checkpoint.NewSigner(testOrigin)
	must(t, err)
	note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: testOrigin, Size: 3}, key)
	must(t, err)
	return note
}

// TestAnnouncing announces what is no cosigner's key.
func TestAnnouncing(t *testing.T) {
	r := newProving(t)
	signer, err := checkpoint.NewSigner("a.example/witness")
	r.must(err)
	good := cosigner(t, "a.example/witness")
	for body, want := range map[string]string{
		`{}`:                                     "/key",
		`{"key":"x"}`:                            "/key",
		`{"key":"` + signer.Verifier() + `"}`:    "/key",
		`{"key":"` + good.Verifier()[:40] + `"}`: "/key",
		`{"key":"` + strings.Repeat("x", 400) + `"}`:                 "/key",
		`{"key":"` + good.Verifier() + `","operator":"Jan Peeters"}`: "/operator",
		`{"key":"` + good.Verifier() + `","retired":"yes"}`:          "/retired",
		`{"key":"` + good.Verifier() + `","role":"witness"}`:         "/role",
	} {
		if p := r.problem(r.ask(access.RoleOperator, "POST", "/v1/evidence/cosigners", body), invalidRequest, "Peeters"); p.Path != want {
			t.Errorf("%s: %q at %q", body, p.Detail, p.Path)
		}
	}
	for _, role := range []access.Role{access.RoleDPO, access.RoleAuditor, access.RoleProducer} {
		if a := r.ask(role, "POST", "/v1/evidence/cosigners", fmt.Sprintf(`{"key":%q}`, good.Verifier())); a.StatusCode != 403 {
			t.Errorf("role %s announces: %d", role, a.StatusCode)
		}
	}
	for range 2 { // the same again changes nothing
		if a := r.announce(good, ""); a.StatusCode != 200 {
			t.Fatalf("announcing: %d %s", a.StatusCode, a.body)
		}
	}
	announced, err := r.ledger.Announced(t.Context())
	if err != nil || len(announced.Cosigners) != 1 || announced.Cosigners[0].Key != good.Verifier() || announced.Cosigners[0].Role != "witness" {
		t.Errorf("announced are %v, %v", announced, err)
	}
}

// TestKeys adds and retires keys of the log, as the operator alone may.
func TestKeys(t *testing.T) {
	r := newProving(t)
	change := func(do string) answer {
		return r.ask(access.RoleOperator, "POST", "/v1/evidence/keys", `{"do":"`+do+`"}`)
	}
	for _, role := range []access.Role{access.RoleDPO, access.RoleAuditor, access.RoleProducer, access.RoleInvestigator} {
		if a := r.ask(role, "POST", "/v1/evidence/keys", `{"do":"add"}`); a.StatusCode != 403 {
			t.Errorf("role %s: %d", role, a.StatusCode)
		}
	}
	r.problem(change("replace"), invalidRequest)
	r.problem(change("retire"), conflict)
	r.problem(change("new-origin"), conflict)
	first := r.ledger.Evidence().Status().Keys[0]
	a := change("add")
	if a.StatusCode != 200 || !strings.Contains(a.body, `{"key":"`+testOrigin+"+") || strings.Contains(a.body, first) {
		t.Fatalf("adding: %d %s", a.StatusCode, a.body)
	}
	r.problem(change("add"), conflict)
	if note := r.covered(); len(note.Signatures) != 2 {
		t.Errorf("in between %d keys sign", len(note.Signatures))
	}
	a = change("retire")
	if a.StatusCode != 200 || !strings.Contains(a.body, first) || !strings.Contains(a.body, `"upto":`) {
		t.Fatalf("retiring: %d %s", a.StatusCode, a.body)
	}
	if note := r.covered(); len(note.Signatures) != 1 {
		t.Errorf("afterwards %d keys sign", len(note.Signatures))
	}
	if strings.Contains(r.log.String(), "PRIVATE") {
		t.Error("a private key in the log")
	}
}
