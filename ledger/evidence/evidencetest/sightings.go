package evidencetest

import (
	"bytes"
	"encoding/binary"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// sighting are the bytes of a proof that a log showed less, whether it is one or not.
func sighting(signed, shown checkpoint.Note, saw ...checkpoint.Signature) []byte {
	var lines []byte
	for _, s := range saw {
		lines = append(lines, s.Line()...)
	}
	b := AppendNote(AppendNote([]byte("CUSTODYP\x01\x15"), signed), shown)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(lines))), lines...)
}

// sightings are proofs that a log showed less, signed by others or trusted by others.
func sightings(w *World) (cases []Case) {
	n, trust := w.Size(), TrustFile("100")
	signed, shown := w.Note(n, Log), w.Note(300, Log)
	saw := func(key string) checkpoint.Signature {
		return must(must(checkpoint.ParseCosigner(key)).Saw(signed.Checkpoint, shown.Checkpoint, SignedAt()))
	}
	two := append(bytes.Clone(trust), "witness "+must(checkpoint.ParseCosigner(strangersKey)).Verifier()+"\nquorum witness 2\n"...)
	witness, replay, stranger := saw(Key(3)), saw(Key(4)), saw(strangersKey)
	forged := w.Note(n, Log|Witness) // by another, and false
	forged.Signatures[1].Bytes[20] ^= 1
	add := func(name string, proof, trust []byte, want evidence.Outcome) {
		cases = append(cases, Case{"sighting-" + name, proof, trust, want})
	}
	add("of-all", sighting(signed, shown, witness, replay, stranger), trust, evidence.Proven)
	add("of-no-trust", sighting(signed, shown, witness), nil, evidence.Unsigned)
	add("of-a-stranger", sighting(signed, shown, stranger), trust, evidence.Unsigned)
	add("of-an-auditor", sighting(signed, shown, replay), trust, evidence.Unsigned)
	add("of-one-of-two", sighting(signed, shown, witness), two, evidence.Unsigned)
	add("of-two", sighting(signed, shown, stranger, witness), two, evidence.Proven)
	add("signed-by-nobody", sighting(w.Note(n, Witness), shown, witness), trust, evidence.Unsigned)
	add("shown-by-nobody", sighting(signed, w.Note(300, Witness), witness), trust, evidence.Unsigned)
	add("cosigned-falsely", sighting(forged, shown, witness), trust, evidence.False)
	return cases
}

// sightingLies are sightings of what was not seen, or is no fault.
func sightingLies() (cases []Case) {
	w := NewWorld(8)
	n := w.Size()
	signed, shown := w.Note(n, Log), w.Note(300, Log)
	key := must(checkpoint.ParseCosigner(Key(3)))
	saw := func(signed, shown checkpoint.Note) checkpoint.Signature {
		return must(key.Saw(signed.Checkpoint, shown.Checkpoint, SignedAt()))
	}
	add := func(name string, proof []byte) {
		cases = append(cases, Case{"lie-sighting-" + name, proof, TrustFile("100"), evidence.False})
	}
	stranger := Sign(checkpoint.Checkpoint{Origin: "another.example", Size: 300, Root: w.Root(300)}, Log)
	add("of-more", sighting(shown, signed, saw(shown, signed)))
	add("of-the-same", sighting(signed, signed, saw(signed, signed)))
	add("of-another-log", sighting(signed, stranger, saw(signed, stranger)))
	add("after-nothing", sighting(nothing(), nothing(), saw(nothing(), nothing())))
	add("of-another-time", sighting(signed, shown, saw(signed, w.Note(299, Log))))
	add("the-other-way-round", sighting(signed, shown, saw(shown, signed)))
	add("that-is-a-cosignature", sighting(signed, shown, must(key.Cosign(shown.Checkpoint, SignedAt()))))
	add("by-nobody", sighting(signed, shown))
	add("twice", sighting(signed, shown, saw(signed, shown), saw(signed, shown)))
	disguised := saw(signed, shown)
	disguised.ID ^= 1
	add("disguised", sighting(signed, shown, disguised))
	return cases
}
