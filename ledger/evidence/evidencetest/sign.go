package evidencetest

import (
	"strings"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// Origin is that of every ledger of this package.
const Origin = "custody.example/ledger"

// By says who signs a checkpoint.
type By uint8

// Who may sign, and all that LIGHT takes.
const (
	Log By = 1 << iota
	Former
	Witness
	Replay
	Everybody = Log | Witness | Replay
)

// keys are those of docs/FORMAT.md, evidence-keys-1.
const keys = `PRIVATE+KEY+custody.example/ledger+107a167a+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
PRIVATE+KEY+custody.example/ledger+32ac6763+ASAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/
PRIVATE+KEY+custody.example/ledger/bundle+a636a037+AUBBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f
PRIVATE+KEY+witness.example/witness+33525d27+BGBhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/
PRIVATE+KEY+auditor.example/replay+2ab30b68+BICBgoOEhYaHiImKi4yNjo+QkZKTlJWWl5iZmpucnZ6f`

// SignedAt is when the witness says it signed; the auditor says a minute later.
func SignedAt() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// Key is a line of docs/FORMAT.md, evidence-keys-1, from 0.
func Key(line int) string { return strings.Split(keys, "\n")[line] }

// Note is the checkpoint of the first records.
func (l *Ledger) Note(size uint64, by By) checkpoint.Note {
	return Sign(checkpoint.Checkpoint{Origin: Origin, Size: size, Root: l.Root(size)}, by)
}

// Root is the root of the record log over the first records.
func (l *Ledger) Root(size uint64) evidence.Hash { return l.hash(0, size) }

// hash is that of the node over [from, to), as RFC 6962, section 2.1, defines it.
func (l *Ledger) hash(from, to uint64) evidence.Hash {
	if s := (evidence.Span{From: from, To: to}); s.Perfect() {
		return *at(l.hashes, s)
	}
	k := from + split(to-from)
	return evidence.NodeHash(l.hash(from, k), l.hash(k, to))
}

// split is the largest power of two less than n.
func split(n uint64) uint64 {
	k := uint64(1)
	for 2*k < n {
		k *= 2
	}
	return k
}

// Sign signs a checkpoint.
func Sign(c checkpoint.Checkpoint, by By) checkpoint.Note {
	n := checkpoint.Note{Checkpoint: c}
	for line, who := range []By{Former, Log} {
		if by&who != 0 {
			n = n.With(must(checkpoint.ParseSigner(Key(line))).SignText(c.Body()))
		}
	}
	for i, who := range []By{Witness, Replay} {
		if by&who != 0 {
			at := SignedAt().Add(time.Duration(i) * time.Minute)
			n = n.With(must(must(checkpoint.ParseCosigner(Key(3+i))).Cosign(c, at)))
		}
	}
	return n
}

// TrustFile trusts all of them; the former key of the log up to a size.
func TrustFile(upto string) []byte {
	var b strings.Builder
	b.WriteString("log " + must(checkpoint.ParseSigner(Key(0))).Verifier() + " upto " + upto + "\n")
	b.WriteString("log " + must(checkpoint.ParseSigner(Key(1))).Verifier() + "\n")
	b.WriteString("bundle " + must(checkpoint.ParseSigner(Key(2))).Verifier() + "\n")
	b.WriteString("witness " + must(checkpoint.ParseCosigner(Key(3))).Verifier() + "\n")
	b.WriteString("replay " + must(checkpoint.ParseCosigner(Key(4))).Verifier() + "\n")
	return []byte(b.String())
}

// Trust is what that file says.
func Trust() *checkpoint.Trust { return must(checkpoint.ParseTrust(TrustFile("100"))) }

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}
