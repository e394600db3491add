package checkpoint

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

// Every changed bit, cut and longer note is refused, or lacks a signature, or is false; and what is read has one
// spelling. Each party signed once, so no signature can go without being missed.
func TestNoteChanged(t *testing.T) {
	all := everybody()
	trust := all.trust(t)
	n := all.thousand(t).Only(func(k Key) bool { return k != all.old.Key() })
	if err := trust.Judge(n).Lacks(NeedReplays); err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]int{}
	for changed := range changes(n.Bytes()) {
		got, err := Open(changed)
		if err != nil {
			outcomes["refused"]++
			continue
		}
		if !bytes.Equal(got.Bytes(), changed) {
			t.Fatalf("%q is written as %q", changed, got.Bytes())
		}
		switch err := trust.Judge(got).Lacks(NeedReplays); {
		case errors.Is(err, ErrSignature):
			outcomes["false"]++
		case errors.Is(err, ErrUnsigned):
			outcomes["unsigned"]++
		default:
			t.Fatalf("%q: %v", changed, err)
		}
	}
	if outcomes["refused"] == 0 || outcomes["false"] == 0 || outcomes["unsigned"] == 0 {
		t.Errorf("not every outcome was seen: %v", outcomes)
	}
}

func TestNoteRefused(t *testing.T) {
	body := string(Checkpoint{Origin: origin, Size: 7}.Body())
	line := func(name string, length int) string {
		return "— " + name + " " + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, length)) + "\n"
	}
	lines := func(n int) (all string) {
		for i := range n {
			all += line(fmt.Sprintf("k%d", i), 8)
		}
		return all
	}
	for name, good := range map[string]string{
		"16 signatures":           body + "\n" + lines(16),
		"the most signatures":     body + "\n" + lines(MaxSignatures),
		"one byte of a signature": body + "\n" + line("grease.invalid", 5),
		"a name in UTF-8":         body + "\n" + line("zeugé.example", 80),
		"the largest":             body + "\n" + line("kkk", 12228),
	} {
		n, err := Open([]byte(good))
		if err != nil || string(n.Bytes()) != good {
			t.Errorf("%s, of %d bytes: %v", name, len(good), err)
		}
		if name == "the largest" && len(good) != MaxNote {
			t.Errorf("%s has %d bytes", name, len(good))
		}
	}
	for name, bad := range map[string]string{
		"nothing":                  "",
		"no signature":             body + "\n",
		"no blank line":            body + line("k", 8),
		"two blank lines":          body + "\n\n" + line("k", 8),
		"too many signatures":      body + "\n" + lines(MaxSignatures+1),
		"too large":                body + "\n" + line("kkkk", 12228),
		"a key twice":              body + "\n" + line("k", 8) + line("j", 8) + line("k", 9),
		"no signature's bytes":     body + "\n" + line("k", 4),
		"a hyphen":                 body + "\n" + strings.Replace(line("k", 8), "—", "-", 1),
		"no name":                  body + "\n" + line("", 8),
		"a plus in a name":         body + "\n" + line("k+j", 8),
		"a tab in a name":          body + "\n" + line("k\tj", 8),
		"a bell in a name":         body + "\n" + line("k\aj", 8),
		"a no-break space":         body + "\n" + line("k\u00a0j", 8),
		"an ideographic space":     body + "\n" + line("k\u3000j", 8),
		"a line separator":         body + "\n" + line("k\u2028j", 8),
		"two spaces":               body + "\n" + line("k ", 8),
		"a space at the end":       body + "\n" + strings.Replace(line("k", 8), "\n", " \n", 1),
		"no last line end":         body + "\n" + strings.TrimSuffix(line("k", 8), "\n"),
		"CR before it":             body + "\n" + strings.Replace(line("k", 8), "\n", "\r\n", 1),
		"a line after it":          body + "\n" + line("k", 8) + "more\n",
		"a blank line after it":    body + "\n" + line("k", 8) + "\n",
		"a byte order mark":        "\ufeff" + body + "\n" + line("k", 8),
		"no UTF-8":                 body + "\n" + line("k\xff", 8),
		"a surrogate in UTF-8":     body + "\n" + line("k\xed\xa0\x80", 8),
		"an extension line":        body + "more\n\n" + line("k", 8),
		"a signature in the text":  body + line("k", 8) + "\n" + line("k", 8),
		"a signature without text": "\n" + line("k", 8),
	} {
		if _, err := Open([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// agreeWithModule checks that x/mod reads a note, which we read, as we do. (It reads more: it takes other spellings
// of base64, and notes with a key twice.)
func agreeWithModule(t testing.TB, b []byte, n Note) {
	t.Helper()
	_, err := note.Open(b, nil)
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		t.Fatalf("x/mod does not read %q: %v", b, err)
	}
	theirs := unverified.Note
	if theirs.Text != string(n.Body()) || len(theirs.UnverifiedSigs) != len(n.Signatures) {
		t.Fatalf("x/mod reads %q in another way", b)
	}
	for i, s := range theirs.UnverifiedSigs {
		if (Key{s.Name, s.Hash}) != n.Signatures[i].Key {
			t.Fatalf("x/mod reads signature %d of %q in another way", i, b)
		}
	}
	again, err := note.Sign(theirs)
	if err != nil || !bytes.Equal(again, b) {
		t.Fatalf("x/mod writes %q as %q, %v", b, again, err)
	}
}

// What we write, x/mod reads and writes again, whoever signed.
func TestModuleReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Note{Checkpoint: drawCheckpoint(t)}
		for range rapid.IntRange(1, 20).Draw(t, "signatures") {
			n = n.With(Signature{
				Key:   Key{Name: rapid.StringMatching(`[!-*,-~é]{1,20}`).Draw(t, "name"), ID: rapid.Uint32().Draw(t, "id")},
				Bytes: rapid.SliceOfN(rapid.Byte(), 1, 90).Draw(t, "signature"),
			})
		}
		b := n.Bytes()
		got, err := Open(b)
		if err != nil || !bytes.Equal(got.Bytes(), b) {
			t.Fatalf("%q: %v", b, err)
		}
		_, err = note.Open(b, nil)
		var unverified *note.UnverifiedNoteError
		if !errors.As(err, &unverified) || unverified.Note.Text != string(n.Body()) || len(unverified.Note.UnverifiedSigs) != len(n.Signatures) {
			t.Fatalf("x/mod: %q: %v", b, err)
		}
	})
	all := everybody()
	n := all.thousand(t)
	agreeWithModule(t, n.Bytes(), n)
}

func TestWith(t *testing.T) {
	all := everybody()
	n := all.thousand(t)
	before := n.Bytes()
	late, err := all.witness.Cosign(n.Checkpoint, newYear.AddDate(0, 0, 1))
	must(t, err)
	m := n.With(late)
	if len(m.Signatures) != len(n.Signatures) || bytes.Equal(m.Bytes(), before) || !bytes.Equal(n.Bytes(), before) {
		t.Errorf("the cosignature was not replaced in a copy: %s", m.Bytes())
	}
	if got := m.Only(all.trust(t).Knows); !bytes.Equal(got.Bytes(), m.Bytes()) {
		t.Error("known keys were dropped")
	}
	none := m.Only(func(Key) bool { return false })
	if len(none.Signatures) != 0 || len(m.Signatures) != len(n.Signatures) {
		t.Error("Only changed the note that it is of, or kept what it must not")
	}
}

// A note of any text is split, blank lines and all, but for control characters.
func TestSplit(t *testing.T) {
	line := everybody().bundle.SignText(nil)
	for _, good := range []string{"\n", "é\n", "a\n\nb\n", "a\n\n\n"} {
		text, signatures, err := Split(Join([]byte(good), []Signature{line}))
		if err != nil || string(text) != good || len(signatures) != 1 {
			t.Errorf("%q: %q, %v", good, text, err)
		}
	}
	for _, bad := range []string{"a\tb\n", "a\r\n", "\x00\n", "\xff\n"} {
		if _, _, err := Split(Join([]byte(bad), []Signature{line})); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A log's note and the lines that a witness answers are parsed alike.
func TestSignaturesAlone(t *testing.T) {
	n := everybody().thousand(t)
	got, err := ParseSignatures(n.Bytes()[len(n.Body())+1:])
	must(t, err)
	if (!bytes.Equal(Join(n.Body(), got), n.Bytes())) || !bytes.Equal(got[0].Line(), n.Signatures[0].Line()) {
		t.Errorf("%v", got)
	}
	for name, bad := range map[string]string{
		"nothing": "", "a blank line": "\n", "no line end": "— k AAAAAAA=",
		"one before": "\n— k AAAAAAA=\n", "one after": "— k AAAAAAA=\n\n", "not UTF-8": "— \xff AAAAAAA=\n",
	} {
		if _, err := ParseSignatures([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
