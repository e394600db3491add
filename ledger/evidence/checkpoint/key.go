package checkpoint

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An algorithm is how a key signs: the type byte of signed-note.
type algorithm byte

const (
	signs   algorithm = 0x01 // Ed25519 over the text
	cosigns algorithm = 0x04 // Ed25519 over a time and the text (c2sp.org/tlog-cosignature)
)

// maxTime is the last second that cosignatures can name: later ones have a year of five digits.
const maxTime = 253402300799

// timeSize is the length of the time before the signature in a cosignature.
const timeSize = 8

// A verifier is a public key.
type verifier struct {
	Key
	algorithm algorithm
	public    [ed25519.PublicKeySize]byte
}

func newVerifier(name string, a algorithm, public ed25519.PublicKey) verifier {
	v := verifier{algorithm: a, public: [ed25519.PublicKeySize]byte(public)}
	v.Key = Key{Name: name, ID: keyID(name, v.material())}
	return v
}

// keyID is the id of a key (c2sp.org/signed-note, "Signatures").
func keyID(name string, material []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), material...))
	return binary.BigEndian.Uint32(sum[:])
}

func (v *verifier) material() []byte { return append([]byte{byte(v.algorithm)}, v.public[:]...) }

// text is the verifier key: <name>+<id>+<base64 of type and public key>.
func (v *verifier) text() string {
	return v.String() + "+" + base64.StdEncoding.EncodeToString(v.material())
}

// parseVerifier reads a verifier key. The error wraps [ErrKey].
func parseVerifier(text string) (verifier, error) {
	name, rest, _ := strings.Cut(text, "+")
	raw, id, err := parseMaterial(name, rest)
	if err != nil {
		return verifier{}, err
	}
	v := newVerifier(name, algorithm(raw[0]), raw[1:])
	if v.ID != id {
		return verifier{}, fmt.Errorf("%w: its id is not that of its name and public key", ErrKey)
	}
	return v, nil
}

// parseMaterial reads <id>+<base64 of type and key> after a name.
func parseMaterial(name, rest string) (raw []byte, id uint32, err error) {
	hex, text, _ := strings.Cut(rest, "+")
	n, err := strconv.ParseUint(hex, 16, 32)
	raw, ok := decode64(text)
	switch {
	case !plainName(name):
		return nil, 0, fmt.Errorf("%w: its name must be 1 to %d printable characters of ASCII, without spaces and plus", ErrKey, MaxName)
	case err != nil || fmt.Sprintf("%08x", n) != hex:
		return nil, 0, fmt.Errorf("%w: its id must be 8 lower-case hexadecimal digits", ErrKey)
	case !ok || len(raw) != 1+ed25519.PublicKeySize:
		return nil, 0, fmt.Errorf("%w: after the id must be base64 of a type and %d bytes", ErrKey, ed25519.PublicKeySize)
	case algorithm(raw[0]) != signs && algorithm(raw[0]) != cosigns:
		return nil, 0, fmt.Errorf("%w: its type must be 1 (Ed25519) or 4 (Ed25519 with a time)", ErrKey)
	}
	return raw, uint32(n), nil
}

// verify reports whether the key made the signature of the text, and if it cosigns, when it says it did.
func (v *verifier) verify(text []byte, signature []byte) (at time.Time, ok bool) {
	if v.algorithm == cosigns {
		if len(signature) != timeSize+ed25519.SignatureSize {
			return time.Time{}, false
		}
		seconds := binary.BigEndian.Uint64(signature)
		if seconds > maxTime {
			return time.Time{}, false
		}
		at, text, signature = time.Unix(int64(seconds), 0).UTC(), cosigned(int64(seconds), text), signature[timeSize:]
	}
	return at, ed25519.Verify(v.public[:], text, signature)
}

// cosigned is what a cosignature signs.
func cosigned(seconds int64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", seconds), text...)
}

// CosignerRole is the role of a cosigner's verifier key, by its name: replay if it ends in /replay, else witness. ok
// is false if the text is no such key.
func CosignerRole(text string) (role string, ok bool) {
	v, err := parseVerifier(text)
	switch {
	case err != nil || v.algorithm != cosigns || v.Name == roleReplay.suffix():
		return "", false
	case strings.HasSuffix(v.Name, roleReplay.suffix()):
		return string(roleReplay), true
	}
	return string(roleWitness), true
}
