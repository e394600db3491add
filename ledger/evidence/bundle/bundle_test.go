package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// What was written is read, and archive/zip reads it too.
func TestRoundTrip(t *testing.T) {
	k, checkpointed := key(t), sample(t)
	rapid.Check(t, func(r *rapid.T) {
		files := Files{}
		for _, name := range names {
			files[name] = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(r, name)
		}
		files[Checkpoint] = checkpointed[Checkpoint]
		b := written(t, files, k)
		got, err := Read(b)
		if err != nil || !maps.EqualFunc(got.Files, files, bytes.Equal) || got.Origin != origin {
			r.Fatalf("%v", err)
		}
		theirs, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		must(t, err)
		if len(theirs.File) != len(files)+1 {
			r.Fatalf("archive/zip reads %d members", len(theirs.File))
		}
		for _, f := range theirs.File {
			in, err := f.Open()
			must(t, err)
			data, err := io.ReadAll(in) // checks the CRC
			must(t, err)
			if f.Name != manifestName && !bytes.Equal(data, files[f.Name]) {
				r.Fatalf("archive/zip reads %s in another way", f.Name)
			}
			if f.Method != zip.Store || f.Flags != 0 || len(f.Extra) != 0 || f.Comment != "" || f.Modified.Year() != 1980 {
				r.Fatalf("%+v", f.FileHeader)
			}
		}
	})
}

// Every changed bit, cut and longer bundle is refused.
func TestChanged(t *testing.T) {
	b := written(t, sample(t), key(t))
	if _, err := Read(b); err != nil {
		t.Fatal(err)
	}
	refused := func(changed []byte, what string, i int) {
		if _, err := Read(changed); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrFalse) {
			t.Fatalf("%s %d: %v", what, i, err)
		}
	}
	for i := range 8 * len(b) {
		b[i/8] ^= 1 << (i % 8)
		refused(b, "bit", i)
		b[i/8] ^= 1 << (i % 8)
	}
	for i := range b {
		refused(b[:i], "cut at", i)
		refused(b[i+1:], "begun at", i)
		refused(slices.Delete(slices.Clone(b), i, i+1), "without", i)
		for _, more := range []byte{0, 'P', '\n', 0xff} {
			refused(slices.Insert(slices.Clone(b), i, more), "one more at", i)
		}
	}
	refused(append(slices.Clone(b), 0), "one more at", len(b))
	refused(append(slices.Clone(b), b...), "twice", 0)
}

func TestWriteRefused(t *testing.T) {
	k, files := key(t), sample(t)
	for _, name := range names {
		if err := Write(io.Discard, origin, without(files, name), k); !errors.Is(err, ErrFormat) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	for name, more := range map[string]Files{
		"a member more": with(files, "readme", ""), "another member": with(without(files, Events), "readme", ""), "a manifest": with(files, manifestName, ""),
		"no checkpoint": with(files, Checkpoint, "none\n"), "nothing": nil,
	} {
		if err := Write(io.Discard, origin, more, k); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Write(io.Discard, "other.example", files, k); !errors.Is(err, ErrFalse) {
		t.Errorf("of another origin: %v", err)
	}
	if err := Write(io.Discard, origin, files); !errors.Is(err, ErrFormat) {
		t.Errorf("without a key: %v", err)
	}
	if err := Write(io.Discard, origin, files, k, k); !errors.Is(err, ErrFormat) {
		t.Errorf("with a key twice: %v", err)
	}
}

// A failingWriter takes so many writes.
type failingWriter struct{ left int }

var errFull = errors.New("full")

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteFails(t *testing.T) {
	const writes = 2*maxMembers + 1
	for n := range writes {
		if err := Write(&failingWriter{n}, origin, sample(t), key(t)); !errors.Is(err, errFull) {
			t.Errorf("after %d writes: %v", n, err)
		}
	}
	must(t, Write(&failingWriter{writes}, origin, sample(t), key(t)))
}

// Whoever forges a bundle keeps the zip file in order.
func TestForged(t *testing.T) {
	files, k := sample(t), key(t)
	good := string(manifest(origin, files))
	all := files.with([]byte(block(t, "text manifest-note-1")))
	line := strings.SplitAfter(good, "\n")
	otherOrigin := strings.Replace(good, origin, "other.example", 1)
	for _, test := range []struct {
		name  string
		bytes []byte
		err   error
	}{
		{"good", packed(t, all), nil},
		{"good, by a stranger", forged(t, files, good, stranger(t)), nil},
		{"out of order", packed(t, reversed(all)), ErrFormat},
		{"a member twice", packed(t, append(slices.Clone(all[:1]), all...)), ErrFalse},
		{"a member twice, at the end", packed(t, append(slices.Clone(all), all[len(all)-1])), ErrFormat},
		{"two members exchanged", forged(t, with(with(files, Proof, Working+"\n"), Working, Proof+"\n"), good, k), ErrFalse},
		{"another proof", forged(t, with(files, Proof, "another\n"), good, k), ErrFalse},
		{"a member less", forged(t, without(files, Events), good, k), ErrFalse},
		{"a member more", packed(t, append(slices.Clone(all), member{"zzz", nil})), ErrFormat},
		{"a member of the parent folder", packed(t, append(members{{"../x", nil}}, all...)), ErrFalse},
		{"another in place of a member", packed(t, append(slices.Clone(all[:len(all)-1]), member{"zzz", nil})), ErrFalse},
		{"no manifest", packed(t, members(all[:3])), ErrFormat},
		{"no member", packed(t, nil), ErrFormat},
		{"another version", forged(t, files, strings.Replace(good, "1\n", "2\n", 1), k), ErrFormat},
		{"a line more", forged(t, files, good+line[2], k), ErrFormat},
		{"a line less", forged(t, files, strings.Replace(good, line[2], "", 1), k), ErrFormat},
		{"a line twice", forged(t, files, strings.Replace(good, line[3], line[2], 1), k), ErrFalse},
		{"lines exchanged", forged(t, files, line[0]+line[1]+line[3]+line[2]+strings.Join(line[4:], ""), k), ErrFalse},
		{"upper case", forged(t, files, line[0]+line[1]+strings.ToUpper(line[2][:64])+line[2][64:]+strings.Join(line[3:], ""), k), ErrFalse},
		{"one space", forged(t, files, strings.Replace(good, "  ", " ", 1), k), ErrFalse},
		{"a blank line", forged(t, files, good+"\n", k), ErrFormat},
		{"of another origin", forged(t, files, otherOrigin, k), ErrFalse},
		{"without signature", packed(t, files.with([]byte(good+"\n"))), ErrFormat},
		{"no checkpoint", forged(t, with(files, Checkpoint, "x"), string(manifest(origin, with(files, Checkpoint, "x"))), k), ErrFormat},
	} {
		b, err := Read(test.bytes)
		if !errors.Is(err, test.err) || (b == nil) != (err != nil) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// Trust says whose manifests count.
func TestJudge(t *testing.T) {
	files, k, other := sample(t), key(t), stranger(t)
	text := manifest(origin, files)
	wrong := checkpoint.Join(text, []checkpoint.Signature{{Key: k.Key(), Bytes: other.SignText(text).Bytes}})
	for _, test := range []struct {
		name    string
		bytes   []byte
		trust   *checkpoint.Trust
		signed  int
		unknown int
		bad     bool
	}{
		{"both", written(t, files, k, other), trust(t), 1, 1, false},
		{"a stranger", written(t, files, other), trust(t), 0, 1, false},
		{"no trust", written(t, files, k), nil, 0, 1, false},
		{"a false signature", packed(t, files.with(wrong)), trust(t), 0, 0, true},
	} {
		b, err := Read(test.bytes)
		must(t, err)
		signed, unknown, err := b.Judge(test.trust)
		if len(signed) != test.signed || unknown != test.unknown || errors.Is(err, checkpoint.ErrSignature) != test.bad {
			t.Errorf("%s: %v, %d, %v", test.name, signed, unknown, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, sample(f), key(f)))
	f.Add(packed(f, nil))
	f.Add(packed(f, members{{manifestName, []byte(block(f, "text manifest-note-1"))}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Read(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrFalse) {
				t.Fatal(err)
			}
			return
		}
		note := checkpoint.Join(got.manifest, got.signatures)
		if !bytes.Equal(packed(t, got.Files.with(note)), b) {
			t.Fatal("a bundle in two spellings")
		}
	})
}

func FuzzManifest(f *testing.F) {
	files := sample(f)
	f.Add(manifest(origin, files))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := readManifest(text, files)
		if err == nil && !bytes.Equal(manifest(got, files), text) {
			t.Fatal("a manifest in two spellings")
		}
		if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrFalse) {
			t.Fatal(err)
		}
	})
}
