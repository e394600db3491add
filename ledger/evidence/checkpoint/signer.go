package checkpoint

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// A private is a private key. It cannot print itself, nor can whatever holds it.
type private struct {
	public verifier
	key    func() ed25519.PrivateKey // a function: where fmt cannot call methods it prints an address
}

const concealed = "PRIVATE+KEY+***"

func (private) String() string               { return concealed }
func (private) GoString() string             { return concealed }
func (private) Format(f fmt.State, _ rune)   { io.WriteString(f, concealed) }
func (private) MarshalText() ([]byte, error) { return []byte(concealed), nil }
func (private) LogValue() slog.Value         { return slog.StringValue(concealed) }

// Key is the name of the key in signatures.
func (p private) Key() Key { return p.public.Key }

// Verifier is the verifier key, as trust files have it. It is no secret.
func (p private) Verifier() string { return p.public.text() }

// Reveal is the private key as a line without its line end, as it is kept. Every call is a disclosure: reviewers
// look for it.
func (p private) Reveal() string {
	raw := append([]byte{byte(p.public.algorithm)}, p.key().Seed()...)
	return privatePrefix + p.public.String() + "+" + base64.StdEncoding.EncodeToString(raw)
}

func (p private) sign(text []byte) []byte { return ed25519.Sign(p.key(), text) }

const privatePrefix = "PRIVATE+KEY+"

func newPrivate(name string, a algorithm, seed []byte) private {
	key := ed25519.NewKeyFromSeed(seed)
	return private{
		public: newVerifier(name, a, key.Public().(ed25519.PublicKey)),
		key:    func() ed25519.PrivateKey { return key },
	}
}

func generate(name string, a algorithm) (private, error) {
	if !plainName(name) {
		return private{}, fmt.Errorf("%w: its name must be 1 to %d printable characters of ASCII, without spaces and plus", ErrKey, MaxName)
	}
	var seed [ed25519.SeedSize]byte
	rand.Read(seed[:]) // never fails: crypto/rand ends the program first
	return newPrivate(name, a, seed[:]), nil
}

// parsePrivate reads a private key of this algorithm. The error wraps [ErrKey] and does not show the line.
func parsePrivate(line string, a algorithm) (private, error) {
	rest, found := strings.CutPrefix(line, privatePrefix)
	if !found {
		return private{}, fmt.Errorf("%w: a private key begins with %s", ErrKey, privatePrefix)
	}
	name, rest, _ := strings.Cut(rest, "+")
	raw, id, err := parseMaterial(name, rest)
	if err != nil {
		return private{}, err
	}
	if algorithm(raw[0]) != a {
		return private{}, fmt.Errorf("%w: its type must be %d", ErrKey, a)
	}
	p := newPrivate(name, a, raw[1:])
	if p.public.ID != id {
		return private{}, fmt.Errorf("%w: its id is not that of its name and public key", ErrKey)
	}
	return p, nil
}

// A Signer is a key of a log, or one that signs manifests: Ed25519 over the text. It cannot print itself. It is
// safe for concurrent use.
type Signer struct{ private }

// NewSigner makes a key with this name. It is nowhere else. The error wraps [ErrKey].
func NewSigner(name string) (Signer, error) {
	p, err := generate(name, signs)
	return Signer{p}, err
}

// ParseSigner reads a line of Reveal. The error wraps [ErrKey].
func ParseSigner(line string) (Signer, error) {
	p, err := parsePrivate(line, signs)
	return Signer{p}, err
}

// ParseSigners reads a file of 1 to most keys, each a line. The error wraps [ErrKey].
func ParseSigners(file []byte, most int) ([]Signer, error) {
	var signers []Signer
	for line := range strings.Lines(string(file)) {
		text, ended := strings.CutSuffix(line, "\n")
		s, err := ParseSigner(text)
		switch {
		case err != nil:
			return nil, err
		case !ended:
			return nil, fmt.Errorf("%w: the last line has no end", ErrKey)
		case slices.ContainsFunc(signers, func(t Signer) bool { return t.Key() == s.Key() }):
			return nil, fmt.Errorf("%w: a key twice", ErrKey)
		}
		signers = append(signers, s)
	}
	if len(signers) == 0 || len(signers) > most {
		return nil, fmt.Errorf("%w: there must be 1 to %d keys", ErrKey, most)
	}
	return signers, nil
}

// SignText signs a text that is no checkpoint: a manifest.
func (s Signer) SignText(text []byte) Signature {
	return Signature{Key: s.Key(), Bytes: s.sign(text)}
}

// Sign signs a checkpoint with keys of its log, the names of which are the origin. Whoever calls it has made sure
// that no other root of this size was or will be signed. The error wraps [ErrFormat] or [ErrKey].
func Sign(c Checkpoint, keys ...Signer) (Note, error) {
	if err := c.Check(); err != nil {
		return Note{}, err
	}
	n := Note{Checkpoint: c}
	for _, k := range keys {
		if k.Key().Name != c.Origin {
			return Note{}, fmt.Errorf("%w: a log's key has the origin as its name", ErrKey)
		}
		n = n.With(k.SignText(c.Body()))
	}
	if len(n.Signatures) == 0 {
		return Note{}, fmt.Errorf("%w: no key to sign with", ErrKey)
	}
	return n, nil
}

// A Cosigner is a key of a witness or of an auditor that replays: Ed25519 over a time and a checkpoint. It cannot
// print itself. It is safe for concurrent use.
type Cosigner struct{ private }

// NewCosigner makes a key with this name. It is nowhere else. The error wraps [ErrKey].
func NewCosigner(name string) (Cosigner, error) {
	p, err := generate(name, cosigns)
	return Cosigner{p}, err
}

// ParseCosigner reads a line of Reveal. The error wraps [ErrKey].
func ParseCosigner(line string) (Cosigner, error) {
	p, err := parsePrivate(line, cosigns)
	return Cosigner{p}, err
}

// Cosign says that at this time, in whole seconds, the checkpoint is the largest that the cosigner knows of the log,
// and consistent with all before. Whoever calls it has made sure of that, and remembers the checkpoint durably
// before anybody sees the signature. The error wraps [ErrFormat].
func (s Cosigner) Cosign(c Checkpoint, at time.Time) (Signature, error) {
	if err := c.Check(); err != nil {
		return Signature{}, err
	}
	return s.cosign(c.Body(), at)
}

func (s Cosigner) cosign(text []byte, at time.Time) (Signature, error) {
	seconds := at.Unix()
	if seconds < 0 || seconds > maxTime {
		return Signature{}, fmt.Errorf("%w: a cosignature's time is from 1970 to 9999", ErrFormat)
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(seconds))
	return Signature{Key: s.Key(), Bytes: append(b, s.sign(cosigned(seconds, text))...)}, nil
}
