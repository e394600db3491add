package erased

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

// The primitives of docs/FORMAT.md, vault. A label is given without its beginning.

const (
	labelBase       = "custody vault 1 "
	labelTable      = labelBase + "table"
	labelRoot       = labelBase + "root commitment"
	labelWrap       = labelBase + "shard wrap"
	labelLookup     = labelBase + "shard lookup"
	labelKeyID      = labelBase + "shard key id"
	labelRows       = labelBase + "rows message"
	labelIndex      = labelBase + "index"
	labelPerson     = labelBase + "person"
	labelTag        = labelBase + "tag"
	labelSeal       = labelBase + "seal"
	labelRef        = labelBase + "ref"
	labelCell       = labelBase + "cell"
	labelBlob       = labelBase + "blob"
	labelBlobCommit = labelBase + "blob commitment"
)

// A key is 32 bytes: a key, or what might be one.
type key [32]byte

// hmac is HMAC-SHA256 (RFC 2104) over the parts, one after the other.
func hmac(k key, parts ...[]byte) key {
	var inner [512]byte
	b := inner[:sha256.BlockSize]
	for i := range b {
		b[i] = 0x36
	}
	subtle.XORBytes(b, b, k[:])
	for _, p := range parts {
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	var outer [sha256.BlockSize + sha256.Size]byte
	for i := range sha256.BlockSize {
		outer[i] = 0x5c
	}
	subtle.XORBytes(outer[:], outer[:32], k[:])
	copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:])
}

// extract is the first half of HKDF (RFC 5869), without a salt.
func extract(k key) key { return hmac(key{}, k[:]) }

// expand is the second half: 32 bytes for a label, and any bytes more.
func expand(extracted key, label string, more ...byte) key {
	return hmac(extracted, []byte(label), more, []byte{1})
}

func hkdf(k key, label string, more ...byte) key { return expand(extract(k), label, more...) }

func chain(k key, class, role byte) key { return hkdf(k, labelPerson, class, role) }

// tagOf is the tag of somebody's chain in a cell.
func tagOf(cell, chain key) tag {
	sum := hmac(hkdf(cell, labelTag), chain[:])
	return tag(sum[:16])
}

func sealKey(cell, chain key) key { return hmac(hkdf(cell, labelSeal), chain[:]) }

// block makes one block of the keystream of AES-256-GCM (SP 800-38D): the
// plaintext's block n is encrypted with it.
func block(c cipher.Block, b *[16]byte, nonce []byte, n int) {
	copy(b[:12], nonce)
	binary.BigEndian.PutUint32(b[12:], uint32(2+n))
	c.Encrypt(b[:], b[:])
}

// decrypt opens as much as there is of a ciphertext, without its tag: what was torn
// off, or stands in a page of something else, is opened all the same.
func decrypt(k key, nonce, text []byte) []byte {
	c, _ := aes.NewCipher(k[:]) // 32 bytes are a key
	var counter [16]byte
	copy(counter[:], nonce)
	counter[15] = 2
	out := make([]byte, len(text))
	cipher.NewCTR(c, counter[:]).XORKeyStream(out, text)
	return out
}

// authentic opens a ciphertext with its tag; ok says whether the tag is right.
func authentic(k key, nonce, sealed, more []byte) (plain []byte, ok bool) {
	c, _ := aes.NewCipher(k[:])
	gcm, _ := cipher.NewGCM(c)
	plain, err := gcm.Open(nil, nonce, sealed, more)
	return plain, err == nil
}

// seals is the other way: for tests that leave something behind.
func seals(k key, nonce, plain, more []byte) []byte {
	c, _ := aes.NewCipher(k[:])
	gcm, _ := cipher.NewGCM(c)
	return gcm.Seal(nil, nonce, plain, more)
}
