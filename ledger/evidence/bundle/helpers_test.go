package bundle

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

const origin = "custody.example/ledger"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// block returns the block of the format's description that begins with ```name.
func block(t testing.TB, name string) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/FORMAT.md")
	must(t, err)
	_, rest, found := strings.Cut(string(page), "\n```"+name+"\n")
	text, _, ended := strings.Cut(rest, "\n```")
	if !found || !ended {
		t.Fatalf("FORMAT.md has no block %s", name)
	}
	return text + "\n"
}

// key is the one that signs the sample's manifest.
func key(t testing.TB) checkpoint.Signer {
	t.Helper()
	k, err := checkpoint.ParseSigner(strings.Split(block(t, "text evidence-keys-1"), "\n")[2])
	must(t, err)
	return k
}

func stranger(t testing.TB) checkpoint.Signer {
	t.Helper()
	k, err := checkpoint.NewSigner("stranger.example/bundle")
	must(t, err)
	return k
}

func trust(t testing.TB) *checkpoint.Trust {
	t.Helper()
	tr, err := checkpoint.ParseTrust([]byte(block(t, "text trust-1")))
	must(t, err)
	return tr
}

// sample has a line in each member, its name, but a checkpoint where one must be.
func sample(t testing.TB) Files {
	t.Helper()
	files := Files{}
	for _, name := range names {
		files[name] = []byte(name + "\n")
	}
	files[Checkpoint] = []byte(block(t, "text checkpoint-1"))
	return files
}

func written(t testing.TB, files Files, keys ...checkpoint.Signer) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, Write(&b, origin, files, keys...))
	return b.Bytes()
}

// packed are these members as a zip file, whatever they are.
func packed(t testing.TB, all members) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, all.write(&b))
	return b.Bytes()
}

// forged is a bundle of the files with this manifest, signed by this key.
func forged(t testing.TB, files Files, text string, k checkpoint.Signer) []byte {
	t.Helper()
	note := checkpoint.Join([]byte(text), []checkpoint.Signature{k.SignText([]byte(text))})
	return packed(t, files.with(note))
}

func without(files Files, name string) Files {
	less := Files{}
	for n, data := range files {
		if n != name {
			less[n] = data
		}
	}
	return less
}

func with(files Files, name, data string) Files {
	more := without(files, name)
	more[name] = []byte(data)
	return more
}

func reversed(all members) members {
	all = slices.Clone(all)
	slices.Reverse(all)
	return all
}
