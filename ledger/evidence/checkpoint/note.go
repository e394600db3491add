package checkpoint

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxNote is the most bytes of a note.
	MaxNote = 1 << 14
	// MaxSignatures is the most signatures of a note.
	MaxSignatures = 64
)

const (
	signaturePrefix = "— "
	idSize          = 4
)

// A Key is the name by which a signature says whose it is: it is no proof of that.
type Key struct {
	Name string
	ID   uint32
}

// String is the beginning of a verifier key: name+id.
func (k Key) String() string { return fmt.Sprintf("%s+%08x", k.Name, k.ID) }

// A Signature is a line below a note.
type Signature struct {
	Key
	Bytes []byte // what the key's type says, 1 at least
}

// Line is the signature as a line, with its line end.
func (s Signature) Line() []byte { return s.append(nil) }

// Time is when a cosignature says that it was made, whether it verifies or not; the zero time of any other signature.
func (s Signature) Time() time.Time {
	if len(s.Bytes) != timeSize+ed25519.SignatureSize {
		return time.Time{}
	}
	return time.Unix(int64(min(binary.BigEndian.Uint64(s.Bytes), maxTime)), 0).UTC()
}

// same reports whether t is by the same key.
func (s Signature) same(t Signature) bool { return s.Key == t.Key }

func (s Signature) append(b []byte) []byte {
	raw := binary.BigEndian.AppendUint32(nil, s.ID)
	b = append(append(append(b, signaturePrefix...), s.Name...), ' ')
	return append(base64.StdEncoding.AppendEncode(b, append(raw, s.Bytes...)), '\n')
}

// A Note is a checkpoint and who says they signed it (c2sp.org/signed-note).
type Note struct {
	Checkpoint
	Signatures []Signature // no key twice
}

// Open reads a note without trusting anybody. The error wraps [ErrFormat].
func Open(note []byte) (Note, error) {
	text, signatures, err := Split(note)
	if err != nil {
		return Note{}, err
	}
	c, err := Parse(text)
	if err != nil {
		return Note{}, err
	}
	return Note{Checkpoint: c, Signatures: signatures}, nil
}

// Bytes is the note as [Open] reads it.
func (n Note) Bytes() []byte { return Join(n.Body(), n.Signatures) }

// With is the note with more signatures; one takes the place of another by the same key.
func (n Note) With(more ...Signature) Note {
	n.Signatures = slices.Clone(n.Signatures)
	for _, s := range more {
		if i := slices.IndexFunc(n.Signatures, s.same); i >= 0 {
			n.Signatures[i] = s
		} else {
			n.Signatures = append(n.Signatures, s)
		}
	}
	return n
}

// Only is the note with only those signatures that keep holds for.
func (n Note) Only(keep func(Key) bool) Note {
	n.Signatures = slices.DeleteFunc(slices.Clone(n.Signatures), func(s Signature) bool { return !keep(s.Key) })
	return n
}

// Join writes a note: a text that ends in a line end, a blank line, signatures.
func Join(text []byte, signatures []Signature) []byte {
	b := append(slices.Clone(text), '\n')
	for _, s := range signatures {
		b = s.append(b)
	}
	return b
}

// Split reads any note, up to [MaxNote] bytes: its text, with the last line end, and its signatures. The error
// wraps [ErrFormat].
func Split(note []byte) (text []byte, signatures []Signature, err error) {
	if len(note) > MaxNote {
		return nil, nil, fmt.Errorf("%w: a note of more than %d bytes", ErrFormat, MaxNote)
	}
	if !plainText(note) {
		return nil, nil, fmt.Errorf("%w: a note is UTF-8 without control characters", ErrFormat)
	}
	i := bytes.LastIndex(note, []byte("\n\n"))
	if i < 0 {
		return nil, nil, fmt.Errorf("%w: a note has a blank line before its signatures", ErrFormat)
	}
	signatures, err = ParseSignatures(note[i+2:])
	return note[:i+1], signatures, err
}

// ParseSignatures reads 1 to [MaxSignatures] lines of signatures: the end of a note, or what a witness answers.
// The error wraps [ErrFormat].
func ParseSignatures(lines []byte) ([]Signature, error) {
	if len(lines) > MaxNote || len(lines) == 0 || lines[len(lines)-1] != '\n' || !plainText(lines) {
		return nil, fmt.Errorf("%w: signatures are lines of UTF-8, of at most %d bytes", ErrFormat, MaxNote)
	}
	var signatures []Signature
	for line := range strings.Lines(string(lines)) {
		s, err := parseSignature(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(signatures, s.same) {
			return nil, fmt.Errorf("%w: two signatures by one key", ErrFormat)
		}
		if signatures = append(signatures, s); len(signatures) > MaxSignatures {
			return nil, fmt.Errorf("%w: more than %d signatures", ErrFormat, MaxSignatures)
		}
	}
	return signatures, nil
}

func parseSignature(line string) (Signature, error) {
	rest, found := strings.CutPrefix(line, signaturePrefix)
	name, text, _ := strings.Cut(rest, " ")
	raw, ok := decode64(text)
	if !found || !ok || len(raw) <= idSize || !noteName(name) {
		return Signature{}, fmt.Errorf("%w: a signature is a dash, a name, and base64 of key id and signature", ErrFormat)
	}
	return Signature{Key: Key{Name: name, ID: binary.BigEndian.Uint32(raw)}, Bytes: raw[idSize:]}, nil
}

// noteName reports whether somebody's key can have this name (c2sp.org/signed-note). Ours are narrower.
func noteName(name string) bool {
	return name != "" && strings.IndexFunc(name, unicode.IsSpace) < 0 && !strings.Contains(name, "+")
}

// plainText reports whether b is UTF-8 without control characters of ASCII other than line ends.
func plainText(b []byte) bool {
	control := func(r rune) bool { return r < ' ' && r != '\n' }
	return utf8.Valid(b) && bytes.IndexFunc(b, control) < 0
}
