package vault

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"slices"
)

// How a blob's content key is had. The number is stored.
const (
	modeOne     = 1 // HMAC(S, salt) of the one subject
	modeWrapped = 2 // random, wrapped to each of 2 to 16 subjects
	modeCell    = 3 // HMAC(HKDF(E, "cell"), salt)
)

// A blob is what is sealed about one event:
//
//	0   1    format version, 1
//	1   1    mode: 1 one, 2 wrapped, 3 cell
//	2   1    n: count of wraps, 0 but in mode 2
//	3   32n  wraps: content key xor HMAC(S, "wrap" | salt)
//	    32   commitment to the content key
//	         AES-256-GCM of the plaintext's length in 4 bytes, the plaintext, and
//	         zeros to the next of 64, 128, 256, 512, 1024, 2048, 3072 ... bytes
//
// The associated data is the event's salt and all before the ciphertext. AES-GCM
// by itself does not bind a key: a ciphertext can be made that opens under two.
// The commitment does.
type blob struct {
	mode       byte
	wraps      []key
	commitment key
	head       []byte // all before the ciphertext
	ciphertext []byte
}

const (
	blobFixed    = 3
	bucketMin    = 64
	bucketStep   = 1024
	lengthSize   = 4
	bucketMost   = MaxPlaintext + lengthSize
	wrapMessage  = len(prefixWrap) + 16
	blobOverhead = blobFixed + 32 + tagSize
)

// encodeBlob seals plaintext. subjects holds S of each; all is the cell's key;
// random becomes the content key where no other is.
func encodeBlob(subjects []key, all *key, salt [16]byte, random key, plaintext []byte) ([]byte, error) {
	if len(plaintext) > MaxPlaintext {
		return nil, fmt.Errorf("%w: sealing %d bytes, at most %d", ErrLimit, len(plaintext), MaxPlaintext)
	}
	bucket := bucketOf(lengthSize + len(plaintext))
	b := make([]byte, 0, blobOverhead+len(subjects)*len(key{})+bucket)
	var content key
	switch n := len(subjects); n {
	case 0:
		b, content = append(b, formatVersion, modeCell, 0), mac(all, salt[:])
	case 1:
		b, content = append(b, formatVersion, modeOne, 0), mac(&subjects[0], salt[:])
	default:
		b, content = append(b, formatVersion, modeWrapped, byte(n)), random
		for i := range subjects {
			w := wrap(&subjects[i], salt, content)
			b = append(b, w[:]...)
		}
	}
	x := content.extract()
	commitment, sealing := x.expand(labelBlobKey), x.expand(labelBlob)
	b = append(b, commitment[:]...)
	a, err := sealing.aead()
	if err != nil {
		return nil, err
	}
	padded := b[len(b) : len(b)+bucket] // sealed where it lies
	binary.BigEndian.PutUint32(padded, uint32(len(plaintext)))
	copy(padded[lengthSize:], plaintext)
	// The nonce is fixed because no content key seals twice: each comes from the
	// event's own random salt, or is random itself.
	var zero nonce
	return a.Seal(b, zero[:], padded, associated(b, salt)), nil
}

// bucketOf returns the length that n bytes are padded to.
func bucketOf(n int) int {
	if n > bucketStep {
		return (n + bucketStep - 1) / bucketStep * bucketStep
	}
	size := bucketMin
	for size < n {
		size *= 2
	}
	return size
}

// wrap hides a content key under S, or shows it again.
func wrap(s *key, salt [16]byte, content key) (w key) {
	var msg [wrapMessage]byte
	copy(msg[copy(msg[:], prefixWrap):], salt[:])
	pad := mac(s, msg[:])
	for i := range w {
		w[i] = content[i] ^ pad[i]
	}
	return w
}

func associated(head []byte, salt [16]byte) []byte {
	return slices.Concat(head, salt[:])
}

// decodeBlob accepts exactly the frames that encodeBlob emits.
func decodeBlob(b []byte) (*blob, error) {
	d := decoder{b: b}
	version := d.uint8()
	mode, n := d.uint8(), int(d.uint8())
	out := &blob{mode: mode}
	for range n {
		var w key
		d.copy(w[:])
		out.wraps = append(out.wraps, w)
	}
	d.copy(out.commitment[:])
	plain := len(d.b) - tagSize
	switch {
	case d.short:
		return nil, damaged("sealed blob is cut short")
	case version != formatVersion:
		return nil, damaged("sealed blob has format version %d, not %d", version, formatVersion)
	case mode < modeOne || mode > modeCell || (mode == modeWrapped) != (n > 0) || n == 1 || n > MaxWraps:
		return nil, damaged("sealed blob of mode %d has %d wraps", mode, n)
	case plain < bucketMin || plain > bucketMost || plain != bucketOf(plain):
		return nil, damaged("sealed blob has a length that no plaintext is padded to")
	}
	out.head, out.ciphertext = b[:len(b)-len(d.b)], d.b
	return out, nil
}

// open tries every key that may open the blob.
func (b *blob) open(subjects []key, all *key, salt [16]byte) ([]byte, error) {
	var candidates []key
	switch {
	case b.mode == modeCell && all != nil:
		candidates = append(candidates, mac(all, salt[:]))
	case b.mode == modeOne:
		for i := range subjects {
			candidates = append(candidates, mac(&subjects[i], salt[:]))
		}
	case b.mode == modeWrapped:
		for i := range subjects {
			for _, w := range b.wraps {
				candidates = append(candidates, wrap(&subjects[i], salt, w))
			}
		}
	}
	for i := range candidates {
		x := candidates[i].extract()
		if commitment := x.expand(labelBlobKey); hmac.Equal(commitment[:], b.commitment[:]) {
			return b.decrypt(x.expand(labelBlob), salt)
		}
	}
	return nil, ErrGone
}

func (b *blob) decrypt(sealing key, salt [16]byte) ([]byte, error) {
	a, err := sealing.aead()
	if err != nil {
		return nil, err
	}
	var zero nonce
	padded, err := a.Open(nil, zero[:], b.ciphertext, associated(b.head, salt))
	if err != nil {
		return nil, damaged("sealed blob does not open under its own key")
	}
	n := int(binary.BigEndian.Uint32(padded))
	if n > len(padded)-lengthSize || bucketOf(lengthSize+n) != len(padded) || len(bytes.Trim(padded[lengthSize+n:], "\x00")) != 0 {
		return nil, damaged("sealed blob is not padded as it should be")
	}
	return padded[lengthSize : lengthSize+n], nil
}
