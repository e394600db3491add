package notary

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

func newCosigner(t *testing.T, name string) checkpoint.Cosigner {
	t.Helper()
	k, err := checkpoint.NewCosigner(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func line(t *testing.T, k checkpoint.Cosigner, n checkpoint.Note) checkpoint.Signature {
	t.Helper()
	s, err := k.Cosign(n.Checkpoint, time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestWitnessRequests has a witness follow a ledger by the requests that it makes, from every size to every later one.
func TestWitnessRequests(t *testing.T) {
	r := newRig(t)
	trust, err := checkpoint.ParseTrust([]byte("log " + r.Status().Keys[0] + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	var seen []checkpoint.Note
	for len(seen) < 12 {
		seen = append(seen, r.signed(r.stream.heartbeats(1+len(seen)*7)))
	}
	for i, newer := range seen {
		for _, older := range append(seen[:i+1:i+1], checkpoint.Note{}) {
			request, err := r.Request(newer, older.Size)
			if err != nil {
				t.Fatal(err)
			}
			again, err := checkpoint.ParseRequest(request.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if a := checkpoint.Witness(trust, older.Checkpoint, again); a.Status != http.StatusOK {
				t.Errorf("from %d to %d: %d, %v", older.Size, newer.Size, a.Status, a.Err)
			}
		}
	}
	if _, err := r.Request(seen[0], seen[1].Size); !errors.Is(err, evidence.ErrQuestion) {
		t.Errorf("from a larger size: %v", err)
	}
}

// TestAnswered takes of what a witness answers what is by announced keys.
func TestAnswered(t *testing.T) {
	r := newRig(t)
	note := r.signed(r.stream.heartbeats(3))
	w, stranger := newCosigner(t, "witness.example/w1"), newCosigner(t, "stranger.example/w9")
	false := line(t, w, checkpoint.Note{Checkpoint: checkpoint.Checkpoint{Origin: origin, Size: 1}})
	for name, answer := range map[string][]checkpoint.Signature{
		"nobody": nil, "not announced": {line(t, w, note)}, "the log itself": note.Signatures,
	} {
		if err := r.Answered(t.Context(), note, answer); !errors.Is(err, ErrCosignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.stream.set(func(s *memoryStream) { s.announced.Cosigners = []Cosigner{{Role: "witness", Key: w.Verifier()}} })
	for name, answer := range map[string][]checkpoint.Signature{"a stranger": {line(t, stranger, note)}, "false": {false}} {
		if err := r.Answered(t.Context(), note, answer); !errors.Is(err, ErrCosignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 { // the answer may come twice
		if err := r.Answered(t.Context(), note, []checkpoint.Signature{line(t, stranger, note), line(t, w, note)}); err != nil {
			t.Fatal(err)
		}
	}
	newer := r.signed(r.stream.heartbeats(3))
	best, err := r.Witnessed()
	if err != nil || best.Size != note.Size || len(best.Signatures) != 2 || newer.Size <= note.Size {
		t.Errorf("the newest that a witness cosigned: %v, %+v", err, best)
	}
}

// TestProvingCheckpointStays has a witness cosign more checkpoints than are kept, after one that an auditor cosigned, too.
func TestProvingCheckpointStays(t *testing.T) {
	r := newRig(t)
	w, auditor := newCosigner(t, "witness.example/w1"), newCosigner(t, "auditor.example/replay")
	r.stream.set(func(s *memoryStream) {
		s.announced.Cosigners = []Cosigner{{Role: "witness", Key: w.Verifier()}, {Role: "replay", Key: auditor.Verifier()}}
	})
	first := r.signed(r.stream.heartbeats(1))
	if err := r.Cosign(t.Context(), first.With(line(t, w, first), line(t, auditor, first)).Bytes()); err != nil {
		t.Fatal(err)
	}
	var last checkpoint.Note
	for range 2 * keptNotes {
		last = r.signed(r.stream.heartbeats(1))
		if err := r.Answered(t.Context(), last, []checkpoint.Signature{line(t, w, last)}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		r.signed(last.Size)
		best, err := r.Cosigned()
		if err != nil || best.Size != first.Size || r.Status().Cosigned != first.Size {
			t.Errorf("%v, proofs are under %d, an auditor cosigned %d", err, best.Size, first.Size)
		}
		if len(r.cosigned) != keptNotes {
			t.Errorf("%d cosigned checkpoints are kept", len(r.cosigned))
		}
		r.close()
		r.open()
	}
	r.signed(last.Size)
	if err := r.Cosign(t.Context(), last.With(line(t, auditor, last)).Bytes()); err != nil {
		t.Fatal(err)
	}
	if best, err := r.Cosigned(); err != nil || best.Size != last.Size || len(best.Signatures) != 3 {
		t.Errorf("%v, proofs are under %d, an auditor cosigned %d, too", err, best.Size, last.Size)
	}
}

// TestCosignaturesFit has more keys cosign one checkpoint than a note has room for: what is served stays a note.
func TestCosignaturesFit(t *testing.T) {
	r := newRig(t)
	note := r.signed(r.stream.heartbeats(1))
	refused := 0
	for i := range checkpoint.MaxSignatures + 5 {
		k := newCosigner(t, fmt.Sprintf("w%d.example/witness", i))
		r.stream.set(func(s *memoryStream) {
			s.announced.Cosigners = append(s.announced.Cosigners, Cosigner{Role: "witness", Key: k.Verifier()})
		})
		switch err := r.Answered(t.Context(), note, []checkpoint.Signature{line(t, k, note)}); {
		case errors.Is(err, ErrCosignature):
			refused++
		case err != nil:
			t.Fatal(err)
		}
	}
	best, err := r.Cosigned()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := checkpoint.Open(best.Bytes()); err != nil || len(best.Signatures) != checkpoint.MaxSignatures || refused != 6 {
		t.Errorf("%v, with %d signatures, %d refused", err, len(best.Signatures), refused)
	}
}
