package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// A key is 32 secret bytes. It cannot print itself.
type key [32]byte

func (key) String() string             { return redacted }
func (key) GoString() string           { return redacted }
func (key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }
func (key) LogValue() slog.Value       { return slog.StringValue(redacted) }

func newKey() (k key) {
	_, _ = rand.Read(k[:]) // never fails: crypto/rand
	return k
}

// A nonce is AES-GCM's. Random ones are used where one key seals many times:
// rows of a shard and tables under a root, both far below the 2^32 messages
// that NIST SP 800-38D, section 8.3, allows.
type nonce [12]byte

func newNonce() (n nonce) {
	_, _ = rand.Read(n[:])
	return n
}

// Labels of derived keys. Every one begins with the name and version of the
// schedule, so that no key has two uses.
const (
	labelTable   = "custody vault 1 table"
	labelCommit  = "custody vault 1 root commitment"
	labelRows    = "custody vault 1 rows message"
	labelIndex   = "custody vault 1 index"
	labelWrap    = "custody vault 1 shard wrap"
	labelLookup  = "custody vault 1 shard lookup"
	labelKeyID   = "custody vault 1 shard key id"
	labelHold    = "custody vault 1 hold"
	labelHoldID  = "custody vault 1 hold key id"
	labelPerson  = "custody vault 1 person" // and class, role
	labelTag     = "custody vault 1 tag"
	labelSeal    = "custody vault 1 seal"
	labelRef     = "custody vault 1 ref"
	labelCell    = "custody vault 1 cell"
	labelBlob    = "custody vault 1 blob"
	labelBlobKey = "custody vault 1 blob commitment"
	prefixWrap   = "wrap" // before the salt, in the message to HMAC under S
)

// The pads of RFC 2104, section 2, each a block long.
const (
	ipad16 = "\x36\x36\x36\x36\x36\x36\x36\x36\x36\x36\x36\x36\x36\x36\x36\x36"
	opad16 = "\x5c\x5c\x5c\x5c\x5c\x5c\x5c\x5c\x5c\x5c\x5c\x5c\x5c\x5c\x5c\x5c"
	ipad   = ipad16 + ipad16 + ipad16 + ipad16
	opad   = opad16 + opad16 + opad16 + opad16
	block  = sha256.BlockSize
)

// mac is HMAC-SHA256 (RFC 2104). Messages up to 64 bytes, all but the indexed
// identifiers, take a path that needs no memory: crypto/hmac makes five
// allocations, and an event needs about ten of these.
func mac(k *key, msg []byte) (sum key) {
	if len(msg) > block {
		return macLong(*k, bytes.Clone(msg)) // a copy, so that short messages can stay on the stack
	}
	var inner, outer [2 * block]byte
	copy(inner[:], ipad)
	copy(outer[:], opad)
	subtle.XORBytes(inner[:], inner[:], k[:])
	subtle.XORBytes(outer[:], outer[:], k[:])
	n := block + copy(inner[block:], msg)
	digest := sha256.Sum256(inner[:n])
	n = block + copy(outer[block:], digest[:])
	return sha256.Sum256(outer[:n])
}

func macLong(k key, msg []byte) (sum key) {
	h := hmac.New(sha256.New, k[:])
	h.Write(msg)
	h.Sum(sum[:0])
	return sum
}

// extracted is a key after HKDF's first step, from which several are derived.
type extracted struct{ prk key }

// extract is HKDF-Extract with SHA-256 and no salt (RFC 5869, section 2.2).
func (k *key) extract() extracted { return extracted{mac(&key{}, k[:])} }

// expand is HKDF-Expand for one block of 32 bytes (RFC 5869, section 2.3).
func (x extracted) expand(label string, info ...byte) key {
	var buf [block]byte
	msg := append(append(append(buf[:0], label...), info...), 1)
	return mac(&x.prk, msg)
}

// derive is HKDF-SHA256 with no salt, the label and info as info, 32 bytes long.
func (k *key) derive(label string, info ...byte) key { return k.extract().expand(label, info...) }

// aead returns AES-256-GCM under k.
func (k *key) aead() (cipher.AEAD, error) {
	b, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	g, err := cipher.NewGCM(b)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	return g, nil
}
