package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// x/mod is the independent verifier of a log's keys and signatures: it reads our keys, writes the same signature
// with them, and verifies ours.
func TestSignAsModule(t *testing.T) {
	all := everybody()
	made, err := NewSigner(origin)
	must(t, err)
	for _, key := range []Signer{all.old, all.log, made} {
		c := Checkpoint{Origin: origin, Size: 1000, Root: counting(0xa0)}
		n, err := Sign(c, key)
		must(t, err)
		theirs, err := note.NewSigner(key.Reveal())
		must(t, err)
		written, err := note.Sign(&note.Note{Text: string(c.Body())}, theirs)
		must(t, err)
		if !bytes.Equal(written, n.Bytes()) {
			t.Errorf("x/mod signs in another way:\n%s\n%s", written, n.Bytes())
		}
		verifier, err := note.NewVerifier(key.Verifier())
		must(t, err)
		opened, err := note.Open(n.Bytes(), note.VerifierList(verifier))
		if err != nil || len(opened.Sigs) != 1 {
			t.Errorf("x/mod does not verify it: %v", err)
		}
		read, err := ParseSigner(key.Reveal())
		if err != nil || read.Reveal() != key.Reveal() || read.Verifier() != key.Verifier() {
			t.Errorf("the key is not read as it was written: %v", err)
		}
	}
}

// And we read what x/mod makes.
func TestModuleKeys(t *testing.T) {
	private, public, err := note.GenerateKey(nil, origin)
	must(t, err)
	key, err := ParseSigner(private)
	if err != nil || key.Reveal() != private || key.Verifier() != public {
		t.Fatalf("a key of x/mod: %v", err)
	}
}

// A cosignature of a public witness of the transparency.dev network, over a checkpoint of a public log, with keys
// as both publish them: others make what we verify.
func TestPublicWitness(t *testing.T) {
	const line = "— witness.navigli.sunlight.geomys.org o+AP4gAAAABqb7DzNrGFRJnQ9vrJ8xpnwZytnr/ZYczDIsvwvouiSjwOjn7a72ccxBk+lKnZ7dKqkYKER1s/KxLTaVwQD7lJZTC/CQ==\n"
	n, err := Open([]byte("coachandhorses2026h1.staging.certificate.transparency.goog\n185550722\nYXAM0VmnrfvLaBCOOYSJhCaE5F10oGBOo+hkbDa1kng=\n\n" + line))
	must(t, err)
	v, err := parseVerifier("witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G")
	must(t, err)
	if n.Signatures[0].Key != v.Key {
		t.Fatalf("%v is not %v", n.Signatures[0].Key, v.Key)
	}
	at, ok := v.verify(n.Body(), n.Signatures[0].Bytes)
	if want := time.Unix(0x6a6fb0f3, 0).UTC(); !ok || !at.Equal(want) {
		t.Errorf("verified %t, made %v, want %v", ok, at, want)
	}
}

func TestKeyRefused(t *testing.T) {
	all := everybody()
	log, witness := all.log.Reveal(), all.witness.Reveal()
	for name, line := range map[string]string{
		"nothing": "", "a public key": all.log.Verifier(), "a witness's": witness, "a line end": log + "\n",
		"CR in base64": log[:60] + "\r" + log[60:], "another name": strings.Replace(log, "ledger", "ledges", 1),
		"another id": strings.Replace(log, "32ac6763", "32ac6764", 1), "upper case": strings.Replace(log, "32ac6763", "32AC6763", 1),
		"a seed of 31 bytes": log[:len(log)-4] + "Pj8=", "no name": "PRIVATE+KEY++32ac6763+" + log[strings.LastIndex(log, "+")+1:],
	} {
		if key, err := ParseSigner(line); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v, %v", name, key, err)
		} else if len(line) > 40 && strings.Contains(err.Error(), line[len(line)-20:]) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
	if _, err := ParseCosigner(log); !errors.Is(err, ErrKey) {
		t.Errorf("a log's key as a cosigner: %v", err)
	}
	if key, err := ParseCosigner(witness); err != nil || key.Reveal() != witness {
		t.Errorf("a cosigner is not read as it was written: %v", err)
	}
	for _, name := range []string{"", "a b", "a+b", "ä", strings.Repeat("o", MaxName+1)} {
		if _, err := NewSigner(name); !errors.Is(err, ErrKey) {
			t.Errorf("a key with the name %q: %v", name, err)
		}
	}
	if key, err := NewCosigner("a/replay"); err != nil || key.Key().Name != "a/replay" {
		t.Errorf("a new cosigner: %v", err)
	}
}

func TestSignersFile(t *testing.T) {
	all := everybody()
	one, two := all.old.Reveal()+"\n", all.log.Reveal()+"\n"
	if keys, err := ParseSigners([]byte(one+two), 2); err != nil || len(keys) != 2 || keys[1].Key() != all.log.Key() {
		t.Errorf("two keys: %v, %v", keys, err)
	}
	for name, file := range map[string]string{
		"nothing": "", "no line end": strings.TrimSuffix(one, "\n"), "a key twice": one + one, "a blank line": one + "\n",
		"three": one + two + all.bundle.Reveal() + "\n", "a space": " " + one,
	} {
		if _, err := ParseSigners([]byte(file), 2); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignRefused(t *testing.T) {
	all := everybody()
	c := Checkpoint{Origin: origin, Size: 1}
	if _, err := Sign(c); !errors.Is(err, ErrKey) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := Sign(c, all.bundle); !errors.Is(err, ErrKey) {
		t.Errorf("with the key of another name: %v", err)
	}
	for _, bad := range []Checkpoint{{Size: 1}, {Origin: "a b"}, {Origin: origin, Size: MaxSize}} {
		if _, err := Sign(bad, all.log); !errors.Is(err, ErrFormat) {
			t.Errorf("signing %+v: %v", bad, err)
		}
		if _, err := all.witness.Cosign(bad, newYear); !errors.Is(err, ErrFormat) {
			t.Errorf("cosigning %+v: %v", bad, err)
		}
	}
	for _, at := range []time.Time{time.Unix(-1, 0), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), {}} {
		if _, err := all.witness.Cosign(c, at); !errors.Is(err, ErrFormat) {
			t.Errorf("cosigning in %v: %v", at, err)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	all := everybody()
	type holder struct {
		Seen   any
		unseen Signer
		Named  map[string]Cosigner
	}
	h := holder{all.log, all.log, map[string]Cosigner{"a": all.witness}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+" "+verb+" ", all.log, &all.witness, h, &h)
	}
	j, err := json.Marshal([]any{all.log, &all.witness, h})
	must(t, err)
	out.Write(j)
	slog.New(slog.NewTextHandler(&out, nil)).Info("made", "key", all.log, "others", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("made", "key", all.witness, "others", h)
	fmt.Fprint(&out, fmt.Errorf("with %v", all.log))
	for _, start := range []byte{0x20, 0x60} { // of the seeds
		seed := counting(start)
		for _, form := range []string{
			string(seed[4:12]), fmt.Sprintf("%x", seed[4:12]), fmt.Sprintf("%X", seed[4:12]),
			strings.Trim(fmt.Sprint(seed[4:12]), "[]"), strings.Trim(fmt.Sprintf("%#v", seed[4:12]), "[]byte{}"),
		} {
			if strings.Contains(out.String(), form) {
				t.Errorf("a private key was printed as %q", form)
			}
		}
	}
	for _, key := range []string{all.log.Reveal(), all.witness.Reveal()} {
		if strings.Contains(out.String(), key[len(key)-20:]) {
			t.Error("a private key was printed")
		}
	}
}
