package verifier_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

// A lie is a proof that some step of verifying must see through, and what it comes to.
type lie struct {
	proof []byte
	want  string
}

// TestLies gives the page proofs that only one step of verifying sees through: the page and package evidence agree.
func TestLies(t *testing.T) {
	lies := map[string]lie{}
	records(t, lies)
	annotations(t, lies)
	spellings(t, lies)
	notes(t, lies)
	trust := evidencetest.TrustFile("100")
	for name, l := range lies {
		got, want := string(verify(t, vector{l.proof, trust})[0]), evidencetest.Case{Proof: l.proof, Trust: trust}.Verdict()
		if outcome(string(want)) != l.want {
			t.Errorf("%s: package evidence says %s, want %s", name, outcome(string(want)), l.want)
		}
		if outcome(got) != l.want || l.want != "false" && got != string(want) {
			t.Errorf("%s: the page says %.800s, want\n%.800s", name, got, want)
		}
	}
}

// unsupported is what the page says of a proof that takes somebody who judges facts.
const unsupported = `{"outcome":"unsupported"}`

// TestFalseFacts gives the page proofs that take somebody who judges facts: those that hold together it calls unsupported,
// and whatever package evidence refuses, it does.
func TestFalseFacts(t *testing.T) {
	holds, broken := evidencetest.FalseFacts(evidence.Rules())
	trust := evidencetest.TrustFile("100")
	for _, file := range []vector{{holds, trust}, {holds, nil}} {
		if got := string(verify(t, file)[0]); got != unsupported {
			t.Errorf("the page says %s", got)
		}
	}
	for name, proof := range broken {
		if got := string(verify(t, vector{proof, trust})[0]); outcome(got) != "false" {
			t.Errorf("it %s, and the page says %s", name, got)
		}
	}
	judged := func(proof []byte) string {
		_, err := evidence.Verify(proof, evidencetest.Trust())
		if errors.Is(err, evidence.ErrUnjudged) {
			return "unsupported"
		}
		return "false"
	}
	all := places(len(holds))
	if got, want := changes(t, vector{holds, trust}, all), changed(holds, all, judged); got != want {
		t.Error("of changes the page and package evidence disagree")
	}
}

// records adds records that contradict themselves: no proof of their events, but one of a fault.
func records(t *testing.T, lies map[string]lie) {
	t.Helper()
	for name, change := range map[string]func(r []byte){
		"version":          func(r []byte) { r[0] = 2 },
		"high flag":        func(r []byte) { r[3] = 1 },
		"two classes":      func(r []byte) { r[5] |= 0x06 },
		"region, no class": func(r []byte) { r[5], r[6], r[7] = 0x81, 'U', 'S' },
		"region":           func(r []byte) { r[5], r[6], r[7] = 0x84, 'u', 'S' },
		"half a region":    func(r []byte) { r[5], r[6], r[7] = 0x84, 0, 'S' },
		"day":              func(r []byte) { binary.BigEndian.PutUint32(r[8:], 0x05270000) },
		"no producer":      func(r []byte) { r[14], r[15] = 0, 0 },
	} {
		w := evidencetest.NewWorld(1)
		record := must(w.Records(evidence.Span{From: 3, To: 4}))(t)
		record = bytes.Clone(record)
		change(record)
		liar := w.Altered(3, record)
		note := liar.Note(liar.Size(), evidencetest.Log|evidencetest.Witness)
		fault := must(evidence.ProveFalseRecord(liar, note, 3, nil))(t)
		lies["fault of record, "+name] = lie{fault, "proven"}
		event := bytes.Clone(fault)
		event[9] = byte(evidence.TypeEvent)
		lies["event of record, "+name] = lie{event, "false"}
	}
}

// annotations adds commits to trees that cannot be, or that are not of the records, and rightly signed.
func annotations(t *testing.T, lies map[string]lie) {
	t.Helper()
	q := evidence.Question{What: evidence.Count, Flags: evidence.Correction, Of: evidence.Days, From: 0, To: evidence.NoDay - 1}
	closed := func(name, want string, change func(*evidence.Annotation)) {
		l := evidencetest.New(1)
		l.Grow(300)
		c := l.Truth()
		change(&c.Totals)
		c.Annotated[0] ^= 1 // of a tree that nobody has seen
		p := l.Light(q, l.Size(), l.CommitTo(c), 0)
		p.Note = l.Note(l.Size(), evidencetest.Everybody)
		p.Tree = &evidencetest.Tree{To: c.Size, Closed: true, Node: evidence.Node{Annotation: c.Totals, Hash: c.Annotated}}
		lies["annotation, "+name] = lie{p.Bytes(l), want}
	}
	closed("another", "proven", func(*evidence.Annotation) {}) // LIGHT trusts an auditor
	closed("count", "false", func(a *evidence.Annotation) { a[7].Count = 301 })
	closed("classes", "false", func(a *evidence.Annotation) { a[0].Count = 300 })
	closed("days", "false", func(a *evidence.Annotation) { a[7].First = a[7].Last + 1 })
	closed("no day", "false", func(a *evidence.Annotation) { a[7].Last = evidence.NoDay })

	list := evidence.Question{What: evidence.List, Flags: evidence.T4, Of: evidence.Positions, From: 0, To: 300}
	for name, change := range map[string]func(*evidence.Entry){
		"day": func(e *evidence.Entry) { e.Day++ }, "flags": func(e *evidence.Entry) { e.Flags |= 1 << 15 },
	} {
		l := evidencetest.New(1)
		l.Grow(300)
		c := l.Truth()
		var entries []evidence.Entry
		for i := range c.Size {
			r := l.Record(i)
			entries = append(entries, r.Entry())
		}
		change(&entries[slices.IndexFunc(entries, func(e evidence.Entry) bool { return e.Flags&uint16(evidence.T4) != 0 && e.Flags>>15 == 0 })])
		tree := evidencetest.Open(entries)
		c.Annotated, c.Totals = tree.Node.Hash, tree.Node.Annotation
		p := l.Light(list, l.Size(), l.CommitTo(c), 0)
		p.Note, p.Tree = l.Note(l.Size(), evidencetest.Everybody), tree.Pruned(list, entries)
		lies["entry, "+name] = lie{p.Bytes(l), "false"}
	}
}

// spellings adds other spellings of what is true: bytes that no hash covers.
func spellings(t *testing.T, lies map[string]lie) {
	t.Helper()
	w := evidencetest.NewWorld(1)
	for _, q := range []evidence.Question{
		{What: evidence.List, Flags: evidence.T4, Of: evidence.Positions, From: 0, To: 300},
		{What: evidence.Count, Flags: evidence.Correction, Of: evidence.Positions, From: 0, To: 300},
	} {
		p := w.Light(q, w.Size(), w.First, evidencetest.Everybody)
		proof := p.Bytes(w.Ledger)
		tree := 10 + 20 + 2 + len(p.Note.Bytes()) + 8 + evidence.RecordSize + 4 + len(p.Event)
		lies["true, "+q.What.String()] = lie{proof, "proven"}
		other := bytes.Clone(proof)
		other[tree] += 2
		lies["other tag, "+q.What.String()] = lie{other, "false"}
		if proof[tree] == 0 { // says of a flag that there is none
			const flag = 13
			at := tree + 3 + 9*bits.OnesCount16(binary.BigEndian.Uint16(proof[tree+1:])&(1<<flag-1))
			wide := slices.Insert(bytes.Clone(proof), at, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0)
			wide[tree+1] |= 1 << (flag - 8)
			lies["count of zero"] = lie{wide, "false"}
		}
	}
}

// notes adds events under checkpoints that are signed otherwise than they must be.
func notes(t *testing.T, lies map[string]lie) {
	t.Helper()
	w := evidencetest.NewWorld(1)
	n, root := w.Size(), w.Root(w.Size())
	event := func(name, want string, note checkpoint.Note) {
		lies["note, "+name] = lie{must(evidence.ProveEvent(w, note, 3, nil))(t), want}
	}
	event("of another origin", "unsigned", evidencetest.Sign(checkpoint.Checkpoint{Origin: "other.example/ledger", Size: n, Root: root}, evidencetest.Everybody))
	bundled := must(checkpoint.ParseSigner(evidencetest.Key(2)))(t)
	body := w.Note(n, 0).Checkpoint.Body()
	event("by the bundle's key", "unsigned", w.Note(n, evidencetest.Witness).With(bundled.SignText(body)))
	event("by the bundle's key too", "proven", w.Note(n, evidencetest.Log|evidencetest.Witness).With(bundled.SignText(body)))
	forged := bundled.SignText(body)
	forged.Bytes[7] ^= 1
	event("forged by the bundle's key", "false", w.Note(n, evidencetest.Log|evidencetest.Witness).With(forged))

	extended := append(bytes.Clone(body), "more\n"...)
	log := must(checkpoint.ParseSigner(evidencetest.Key(1)))(t)
	good := w.Note(n, evidencetest.Log|evidencetest.Witness)
	proof := must(evidence.ProveEvent(w, good, 3, nil))(t)
	text := string(good.Bytes())
	last := text[bytes.LastIndex(good.Bytes(), []byte("\u2014")):]
	for name, other := range map[string]string{
		"a signature twice": text + last,
		"no signature":      string(body) + "\n",
		"no blank line":     string(body) + last,
		"an extension":      string(checkpoint.Join(extended, []checkpoint.Signature{log.SignText(extended)})),
		"a zero before":     "custody.example/ledger\n0" + text[len("custody.example/ledger\n"):],
		"CR":                string(bytes.Replace([]byte(text), []byte("\n"), []byte("\r\n"), 1)),
		"two spaces":        string(bytes.Replace([]byte(text), []byte("/witness "), []byte("/witness  "), 1)),
		"no LF":             text[:len(text)-1],
		"LF after":          text + "\n",
		"a hyphen":          string(bytes.ReplaceAll([]byte(text), []byte("\u2014"), []byte("-"))),
		"a name of spaces":  text + "\u2014 a\u00a0b AAAAAAA=\n",
		"stray bits":        text + "\u2014 stranger AAAAAAB=\n",
		"no padding":        text + "\u2014 stranger AAAAAAA\n",
		"too short":         text + "\u2014 stranger AAAAAA==\n",
	} {
		field := binary.BigEndian.AppendUint16(nil, uint16(len(other)))
		whole := slices.Concat(proof[:18], field, []byte(other), proof[20+len(text):])
		lies["note, "+name] = lie{whole, "false"}
	}
	wide := text + "\u2014 stranger\ufeff AAAAAAA=\n" // no white space in Unicode, though JavaScript says so
	whole := slices.Concat(proof[:18], binary.BigEndian.AppendUint16(nil, uint16(len(wide))), []byte(wide), proof[20+len(text):])
	lies["note, a name with a mark"] = lie{whole, "proven"}
}

// TestTrustFiles gives the page trust files, true and false: it reads what package checkpoint reads.
func TestTrustFiles(t *testing.T) {
	file := string(evidencetest.TrustFile("100"))
	lines := bytes.SplitAfter([]byte(file), []byte("\n"))
	line := func(i int) string { return string(lines[i]) }
	proof := must(evidence.ProveEvent(evidencetest.NewWorld(1), evidencetest.NewWorld(1).Note(793, evidencetest.Everybody), 3, nil))(t)
	first, second := sameID("/witness")
	for i, text := range []string{
		file, "# a comment\n\n" + file, "#" + file, "", "\n", "log\n", file + "x\n", file + line(0), file + line(3), file + "log", file[:len(file)-1],
		file + "quorum witness 1\n", file + "quorum witness 2\n", file + "quorum witness 0\n", file + "quorum witness 01\n", file + "quorum log 1\n",
		file + "quorum witness 1\nquorum witness 1\n", line(0) + line(1) + "quorum witness 2\n", file + "quorum replay 2\n", " " + file, file + " \n",
		line(1), line(3), "log " + line(1)[4:len(line(1))-1] + " upto 01\n", "log " + line(1)[4:len(line(1))-1] + " upto 9007199254740991\n",
		"log " + line(1)[4:len(line(1))-1] + " upto 9007199254740992\n", "log  " + line(1)[4:], "log " + line(1)[4:len(line(1))-1] + " upto\n",
		"log " + line(3)[8:], "witness " + line(1)[4:] + line(1), "replay " + line(3)[8:] + line(1), line(1) + "bundle " + line(1)[4:],
		line(1) + "witness witness.example/witness+33525D27+BBdFU7RW3d/GkI7KscEB/mqyHiuqBhd5W31DpjSCmT/V\n",
		line(1) + "witness witness.example/witness+33525d28+BBdFU7RW3d/GkI7KscEB/mqyHiuqBhd5W31DpjSCmT/V\n",
		line(1) + "toString x\n", line(1) + "log other.example/ledger" + line(0)[len("log custody.example/ledger"):],
		file + sameKey("witness", "/witness", 1) + sameKey("replay", "/replay", 1), file + sameKey("witness", "/a/witness", 1) + sameKey("witness", "/b/witness", 1),
		file + sameKey("witness", "/witness", 1) + sameKey("replay", "/replay", 2), file + sameKey("witness", "/witness", first) + sameKey("witness", "/witness", second),
		file + sameKey("witness", "/w1", 9), file + sameKey("witness", "/replay", 9), file + sameKey("replay", "/w1", 9), file + sameKey("replay", "/replay", 9),
		"\ufeff" + file, file + "# \xff\n", file + "# caf\u00e9\n", bytesOf("#", 65_535-len(file)) + "\n" + file, bytesOf("#", 65_536-len(file)) + "\n" + file,
	} {
		want := "error"
		if _, err := checkpoint.ParseTrust([]byte(text)); err == nil {
			want = outcome(string(evidencetest.Case{Proof: proof, Trust: []byte(text)}.Verdict()))
		}
		if got := outcome(string(verify(t, vector{proof, []byte(text)})[0])); got != want {
			t.Errorf("trust file %d is read as %s, want %s: %s", i, got, want, fmt.Sprintf("%.300q", text))
		}
	}
}

// sameKey is a line of a trust file: the same seed gives the same public key, whatever its name.
func sameKey(role, name string, seed uint64) string {
	public := publicKey(seed)
	return fmt.Sprintf("%s x%s+%x+%s\n", role, name, keyID(name, public), base64.StdEncoding.EncodeToString(public))
}

// publicKey is the type of a cosigner's key and 32 bytes.
func publicKey(seed uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{4}, make([]byte, 24)...), seed)
}

func keyID(name string, public []byte) [4]byte {
	sum := sha256.Sum256(append([]byte("x"+name+"\n"), public...))
	return [4]byte(sum[:])
}

// sameID finds two keys of one name that have one id.
func sameID(name string) (first, second uint64) {
	seen := map[[4]byte]uint64{}
	for seed := uint64(1); ; seed++ {
		id := keyID(name, publicKey(seed))
		if before, found := seen[id]; found {
			return before, seed
		}
		seen[id] = seed
	}
}

func bytesOf(s string, n int) string { return string(bytes.Repeat([]byte(s), n)) }
