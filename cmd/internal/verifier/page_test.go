package verifier_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/verifier"
	"github.com/imalink/custody/events"
)

func TestDigest(t *testing.T) {
	first, again := verifier.Page(), verifier.Page()
	if !bytes.Equal(first, again) || verifier.Digest() != sha256.Sum256(first) {
		t.Error("the page is not always the same, or the digest is not its own")
	}
}

// TestAlone holds the page to one file that asks for nothing: no address, no markup made from data.
func TestAlone(t *testing.T) {
	page := string(verifier.Page())
	for _, word := range []string{"{{", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch(",
		"XMLHttpRequest", "WebSocket", "sendBeacon", "Worker", "import(", "src=", "href=", "url(", "@import", "onclick", "localStorage"} {
		if strings.Contains(page, word) {
			t.Errorf("the page has %q", word)
		}
	}
	if found := regexp.MustCompile(`https?://\S*`).FindAllString(page, -1); found != nil {
		t.Errorf("the page names addresses: %q", found)
	}
}

func TestKinds(t *testing.T) {
	var want []string
	for _, k := range events.Kinds() {
		want = append(want, k.Name())
	}
	if got := evaluate[[]string](t, "custody.kinds"); !slices.Equal(got, want) {
		t.Errorf("kinds %q, want %q", got, want)
	}
}

// TestSHA256 holds the page's hash against Go's at every length up to five blocks, and at those published by NIST.
func TestSHA256(t *testing.T) {
	for text, want := range map[string]string{
		"":    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	} {
		if got := evaluate[string](t, "custody.digest(new TextEncoder().encode('"+text+"'))"); got != want {
			t.Errorf("SHA-256 of %q is %s, want %s", text, got, want)
		}
	}
	got := evaluate[[]string](t, "Array.from({length: 321}, (_, n) => custody.digest(Uint8Array.from({length: n}, (_, i) => i * 7 + n)))")
	for n, sum := range got {
		text := make([]byte, n)
		for i := range text {
			text[i] = byte(i*7 + n)
		}
		if want := sha256.Sum256(text); sum != hex.EncodeToString(want[:]) {
			t.Errorf("SHA-256 of %d bytes is %s, want %x", n, sum, want)
		}
	}
}

// TestTexts demands each text in three languages, with the same things to fill in.
func TestTexts(t *testing.T) {
	row := regexp.MustCompile(`(?m)^  '([^']+)': \[(.*)\],$`)
	hole := regexp.MustCompile(`\{[a-z]+\}`)
	texts, err := os.ReadFile("page/texts.js")
	if err != nil {
		t.Fatal(err)
	}
	rows := row.FindAllStringSubmatch(string(texts), -1)
	if len(rows) < 100 {
		t.Fatalf("found %d texts", len(rows))
	}
	for _, r := range rows {
		texts := strings.Split(strings.Trim(r[2], "'"), "', '")
		if len(texts) != 3 {
			t.Errorf("%s has %d texts", r[1], len(texts))
			continue
		}
		for _, text := range texts[1:] {
			a, b := hole.FindAllString(texts[0], -1), hole.FindAllString(text, -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) || text == "" {
				t.Errorf("%s fills in %q in English and %q elsewhere", r[1], a, b)
			}
		}
	}
}
