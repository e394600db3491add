package evidencetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// A Case is a proof, true or false, and what every verifier must say of it.
type Case struct {
	Name  string
	Proof []byte
	Trust []byte // the trust file; nil for none
	Want  evidence.Outcome
}

// Verdict is what docs/FORMAT.md, "Verdict", says of the proof: that of this implementation. Of a false proof it is
// the outcome alone.
func (c Case) Verdict() []byte {
	var trust *checkpoint.Trust
	if c.Trust != nil {
		trust = must(checkpoint.ParseTrust(c.Trust))
	}
	v, err := evidence.Verify(c.Proof, trust)
	if err != nil {
		return []byte(`{"outcome":"false"}`)
	}
	return must(json.Marshal(v))
}

// WriteCorpus writes each case as NAME.proof, NAME.trust unless there is none, and NAME.json, its verdict.
func WriteCorpus(dir string, cases []Case) error {
	for _, c := range cases {
		files := map[string][]byte{".proof": c.Proof, ".json": c.Verdict()}
		if c.Trust != nil {
			files[".trust"] = c.Trust
		}
		for end, content := range files {
			if err := os.WriteFile(filepath.Join(dir, c.Name+end), content, 0o600); err != nil {
				return fmt.Errorf("writing a corpus: %w", err)
			}
		}
	}
	return nil
}

// Corpus is proofs of every type, true ones and lies, and mutations of them. Names are sorted by what they are of.
func Corpus() []Case {
	honest := Honest()
	cases := slices.Concat(honest, Signed(), sightings(NewWorld(2)), Lies())
	for _, c := range honest {
		cases = append(cases, Mutations(c)...)
	}
	return cases
}

// A World is a ledger with two commits and a few real events.
type World struct {
	*Ledger
	First, Second evidence.Committed
	Shared        uint64 // index of a shared event of class T4
}

// NewWorld makes one of some 800 records.
func NewWorld(seed uint64) *World {
	w := &World{Ledger: New(seed)}
	w.Grow(40)
	w.Shared = w.AddEvent(Shared{Class: "T4", Region: "US", Time: time.UnixMilli((FirstDay + 5) * dayMillis), Delay: 26 * time.Hour, Special: true}.Stored())
	w.Grow(260)
	w.First = w.Commit()
	w.Grow(400)
	w.Second = w.Commit()
	w.Grow(90)
	return w
}

// Honest are true proofs of every type, signed by those whom the type takes and by nobody else: so no bit of
// them can be changed and they stay proven.
func Honest() []Case {
	w := NewWorld(1)
	n := w.Size()
	var cases []Case
	add := func(name string, proof []byte, err error) {
		if err != nil {
			panic(fmt.Sprintf("evidencetest: %s: %v", name, err))
		}
		cases = append(cases, Case{name, proof, TrustFile("100"), evidence.Proven})
	}
	seen := w.Note(n, Log|Witness)
	made := func(name string) func([]byte, error) { return func(p []byte, err error) { add(name, p, err) } }
	made("event-told")(evidence.ProveEvent(w, seen, w.Shared, w.Event(w.Shared)))
	made("event-untold")(evidence.ProveEvent(w, seen, 0, nil))
	made("event-last")(evidence.ProveEvent(w, seen, n-1, nil))
	made("event-only")(evidence.ProveEvent(w, w.Note(1, Former|Witness), 0, nil))
	for _, m := range []uint64{1, 300, 512, n - 1} {
		made(fmt.Sprintf("growth-%d", m))(evidence.ProveGrowth(w, w.Note(m, Log), seen))
	}
	for _, q := range Questions(w.Ledger, n) {
		if q.Of == evidence.Positions && q.From > 0 {
			made("replay-" + nameOf(q))(evidence.ProveReplay(w, seen, q))
		}
	}
	early := w.Note(90, Former|Witness)
	made("replay-days")(evidence.ProveReplay(w, early, evidence.Question{What: evidence.Count, Flags: evidence.T4, Of: evidence.Days, From: FirstDay, To: FirstDay + 5}))
	made("replay-instants")(evidence.ProveReplay(w, early, evidence.Question{What: evidence.List, Flags: evidence.Late, Of: evidence.Instants, From: 0, To: (FirstDay + 60) * dayMillis}))
	for _, by := range []evidence.Committed{w.First, w.Second} {
		size := must(evidence.ParseCommit(by.Event)).Size
		for _, q := range Questions(w.Ledger, size) {
			made(fmt.Sprintf("light-%d-%s", size, nameOf(q)))(evidence.ProveLight(w, w.Note(n, Everybody), q, by))
		}
	}
	return append(cases, Faults()...)
}

// Questions are some that can be asked of the first records, and answered.
func Questions(l *Ledger, size uint64) (all []evidence.Question) {
	ranges := []evidence.Question{
		{Of: evidence.Positions, From: 0, To: size}, {Of: evidence.Positions, From: 17, To: 270}, {Of: evidence.Positions, From: 0, To: 256}, {Of: evidence.Positions, From: size - 1, To: size},
		{Of: evidence.Days, From: FirstDay + 3, To: FirstDay + 27}, {Of: evidence.Days, From: 0, To: evidence.NoDay - 1},
		{Of: evidence.Days, From: FirstDay - 1000, To: FirstDay - 900},
	}
	for _, q := range ranges {
		for _, q.What = range []evidence.What{evidence.Count, evidence.Absence, evidence.List} {
			for _, q.Flags = range []evidence.Flags{evidence.T5, evidence.Late, evidence.T2 | evidence.T4 | evidence.Unknown, evidence.Correction} {
				if q.What != evidence.Absence || len(l.Matching(q, size)) == 0 {
					all = append(all, q)
				}
			}
		}
	}
	return all
}

func nameOf(q evidence.Question) string {
	return fmt.Sprintf("%s-%s-%s-%d-%d", q.What, strings.ReplaceAll(q.Flags.String(), ",", "+"), q.Of, q.From, q.To)
}

// strangersKey is of a witness whom only some trust files name.
const strangersKey = "PRIVATE+KEY+stranger.example/witness+d08edefe+BMDBwsPExcbHyMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f"

// Signed are one proof of LIGHT and one of an event, each with other signatures and another trust.
func Signed() []Case {
	w := NewWorld(2)
	n, trust := w.Size(), TrustFile("100")
	q := evidence.Question{What: evidence.Count, Flags: evidence.T5, Of: evidence.Days, From: FirstDay, To: FirstDay + 30}
	light := func(by By) []byte { return must(evidence.ProveLight(w, w.Note(n, by), q, w.First)) }
	event := func(note checkpoint.Note) []byte { return must(evidence.ProveEvent(w, note, 9, nil)) }
	stranger := must(checkpoint.ParseCosigner(strangersKey))
	signature := must(stranger.Cosign(w.Note(n, Log).Checkpoint, SignedAt()))
	forged := w.Note(n, Log|Witness)
	forged.Signatures[1].Bytes[20] ^= 1
	otherKey := []byte(strings.ReplaceAll(string(trust), "log "+must(checkpoint.ParseSigner(Key(1))).Verifier()+"\n", ""))
	two := []byte(string(trust) + "witness " + stranger.Verifier() + "\nquorum witness 2\n")
	growth := must(evidence.ProveGrowth(w, w.Note(300, Witness), w.Note(n, Log|Witness)))
	rewritten := must(evidence.ProveRewritten(w, Sign(checkpoint.Checkpoint{Origin: Origin, Size: 300}, Witness), w.Note(n, Log)))
	return []Case{
		{"signed-light-all", light(Everybody), trust, evidence.Proven},
		{"signed-light-both-keys", light(Everybody | Former), trust, evidence.Proven},
		{"signed-light-no-replay", light(Log | Witness), trust, evidence.Unsigned},
		{"signed-light-no-witness", light(Log | Replay), trust, evidence.Unsigned},
		{"signed-light-no-log", light(Witness | Replay), trust, evidence.Unsigned},
		{"signed-light-former", light(Former | Witness | Replay), trust, evidence.Unsigned},
		{"signed-light-no-trust", light(Everybody), nil, evidence.Unsigned},
		{"signed-light-other-key", light(Everybody), otherKey, evidence.Unsigned},
		{"signed-light-one-of-two", light(Everybody), two, evidence.Unsigned},
		{"signed-event-two-of-two", event(w.Note(n, Log|Witness).With(signature)), two, evidence.Proven},
		{"signed-growth-older-by-nobody", growth, trust, evidence.Unsigned},
		{"signed-rewritten-older-by-nobody", rewritten, trust, evidence.Unsigned},
		{"signed-event-stranger", event(w.Note(n, Log|Witness).With(signature)), trust, evidence.Proven},
		{"signed-event-only-stranger", event(w.Note(n, Log).With(signature)), trust, evidence.Unsigned},
		{"signed-event-false", event(forged), trust, evidence.False},
		{"signed-event-false-no-trust", event(forged), nil, evidence.Unsigned},
	}
}

// Mutations are a proof with a bit changed here and there, with its end cut off, and with more after it.
func Mutations(c Case) (cases []Case) {
	add := func(name string, proof []byte) {
		m := Case{c.Name + "-" + name, proof, c.Trust, evidence.False}
		if v, err := evidence.Verify(proof, must(checkpoint.ParseTrust(c.Trust))); err == nil {
			m.Want = v.Outcome
		}
		cases = append(cases, m)
	}
	for i := range 8 {
		at := (2*i + 1) * len(c.Proof) / 16
		flipped := append([]byte{}, c.Proof...)
		flipped[at] ^= 1 << (i % 8)
		add(fmt.Sprintf("flip-%d", at), flipped)
	}
	add("short", c.Proof[:len(c.Proof)-1])
	add("half", c.Proof[:len(c.Proof)/2])
	add("long", append(append([]byte{}, c.Proof...), 0))
	return cases
}
