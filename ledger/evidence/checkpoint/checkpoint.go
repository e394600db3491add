// Package checkpoint has the signed sizes and roots of a ledger's record log, and the judgement of who signed them
// (docs/FORMAT.md, "Checkpoint" and "Trust file"). It is pure: it reads no file and no clock, and asks nobody.
//
// What is true of it:
//
//  1. What it reads has one spelling: written again it is the same bytes.
//  2. Trust never comes with a note: who may sign is in a [Trust] that whoever verifies has from elsewhere.
//  3. A signature by a key that the trust names and that does not verify makes the whole note bad; one by any
//     other key says nothing.
//  4. Private keys cannot print themselves.
//
// Formats are those of C2SP: signed-note, tlog-checkpoint, tlog-cosignature with Ed25519, tlog-witness, tlog-proof.
package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var (
	// ErrFormat is returned for bytes that are not of the format, or not in its one spelling.
	ErrFormat = errors.New("checkpoint: not of this format")
	// ErrTrust is returned for a trust file that does not say clearly whom to trust.
	ErrTrust = errors.New("checkpoint: not a trust file")
	// ErrKey is returned for a key that is none, or may not sign this.
	ErrKey = errors.New("checkpoint: wrong key")
	// ErrSignature is returned for a signature that does not verify, by a key that the trust names.
	ErrSignature = errors.New("checkpoint: false signature")
	// ErrUnsigned is returned for what lacks a signature that the trust asks for.
	ErrUnsigned = errors.New("checkpoint: not signed by those who are trusted")
)

const (
	// MaxSize is the limit of sizes, which are below it: a JavaScript number still counts them.
	MaxSize = 1 << 53
	// MaxName is the most bytes of an origin or of a trusted key's name.
	MaxName = 255
)

// A Hash is a SHA-256.
type Hash = [sha256.Size]byte

// A Checkpoint says what root the record log of a ledger had at a size (c2sp.org/tlog-checkpoint). It has no
// extension lines.
type Checkpoint struct {
	Origin string // the ledger
	Size   uint64 // leaves
	Root   Hash   // over them
}

// Check is nil if the checkpoint can be written; else it wraps [ErrFormat].
func (c Checkpoint) Check() error {
	if !plainName(c.Origin) {
		return fmt.Errorf("%w: an origin is 1 to %d printable characters of ASCII, without spaces and plus", ErrFormat, MaxName)
	}
	if c.Size >= MaxSize {
		return fmt.Errorf("%w: a size of 2^53 or more", ErrFormat)
	}
	return nil
}

// Body is the text that is signed: three lines.
func (c Checkpoint) Body() []byte {
	b := make([]byte, 0, len(c.Origin)+70)
	b = append(append(b, c.Origin...), '\n')
	b = append(strconv.AppendUint(b, c.Size, 10), '\n')
	return append(base64.StdEncoding.AppendEncode(b, c.Root[:]), '\n')
}

// Parse reads a body. The error wraps [ErrFormat].
func Parse(body []byte) (Checkpoint, error) {
	lines := strings.Split(string(body), "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, fmt.Errorf("%w: a checkpoint has three lines: origin, size, root", ErrFormat)
	}
	c := Checkpoint{Origin: lines[0]}
	var err error
	if c.Size, err = parseSize(lines[1]); err != nil {
		return Checkpoint{}, err
	}
	if c.Root, err = parseHash(lines[2]); err != nil {
		return Checkpoint{}, err
	}
	if err := c.Check(); err != nil {
		return Checkpoint{}, err
	}
	if !bytes.Equal(c.Body(), body) {
		return Checkpoint{}, fmt.Errorf("%w: a checkpoint in another spelling", ErrFormat)
	}
	return c, nil
}

// parseSize reads a number below [MaxSize] in its one spelling.
func parseSize(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n >= MaxSize || strconv.FormatUint(n, 10) != text {
		return 0, fmt.Errorf("%w: a size is decimal, below 2^53, without leading zeros", ErrFormat)
	}
	return n, nil
}

func parseHash(text string) (Hash, error) {
	b, ok := decode64(text)
	if !ok || len(b) != sha256.Size {
		return Hash{}, fmt.Errorf("%w: a hash is base64 of %d bytes", ErrFormat, sha256.Size)
	}
	return Hash(b), nil
}

// decode64 reads base64 in its one spelling. Go's strict decoding would take line ends, so it is written again.
func decode64(text string) ([]byte, bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil && base64.StdEncoding.EncodeToString(b) == text
}

// plainName reports whether s can be an origin or the name of a key of ours: it can be shown to anybody as it is.
func plainName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '+' {
			return false
		}
	}
	return s != "" && len(s) <= MaxName
}
