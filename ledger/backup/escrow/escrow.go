// Package escrow keeps a copy of one root key in one file, sealed to people who
// hold none of what it opens.
//
// What is always true of the file:
//
//   - It holds one root: the newest that was put there. Putting another destroys
//     the one before: its bytes are overwritten in place, synced and read back
//     before the file that held them is let go. File systems that copy on write
//     keep them all the same, and so does whoever made a copy of the file.
//   - There is a whole one at any time. While one takes the other's place it may
//     stand under the second name, with ".new" behind it; [Read] looks there, too,
//     and the next Put finishes what was interrupted.
//   - Only the identities it is sealed to open it (age, C2SP age.md). Its first
//     line says whose root it is and which version, and has a sum: that it is
//     whole can be told without opening it.
package escrow

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"filippo.io/age"
)

var (
	// ErrNone is returned where there is no escrow, or none that is whole.
	ErrNone = errors.New("escrow: none here")
	// ErrDamaged is returned for a file that is not an escrow as it was written.
	ErrDamaged = errors.New("escrow: damaged")
	// ErrForeign is returned for the escrow of another ledger.
	ErrForeign = errors.New("escrow: of another ledger")
	// ErrIdentity is returned when none of the identities opens the escrow.
	ErrIdentity = errors.New("escrow: sealed to others")
	// ErrRecipients is returned for recipients that cannot be sealed to.
	ErrRecipients = errors.New("escrow: unusable recipients")
)

// A Root is one root key in escrow. It never prints itself.
type Root struct {
	Ledger  string // id of the ledger, 16 bytes in hexadecimal
	Version uint64 // of the root key, from 1
	slot    []byte // what restores it
}

// NewRoot makes a root to be put. It takes slot over.
func NewRoot(ledger string, version uint64, slot []byte) Root { return Root{ledger, version, slot} }

// Reveal returns what restores the root. Every call is a disclosure.
func (r Root) Reveal() []byte { return r.slot }

const hidden = "root key (hidden)"

// String, GoString, Format, MarshalText and LogValue give nothing of the key.
func (Root) String() string               { return hidden }
func (Root) GoString() string             { return hidden }
func (Root) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, hidden) }
func (Root) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (Root) LogValue() slog.Value         { return slog.StringValue(hidden) }

// ParseRecipients reads recipients as age spells them: "age1…" (X25519), or
// "age1pq1…" (hybrid ML-KEM-768 and X25519). All must be of one sort: a root that
// is sealed to one of each is as safe as the weaker. At least one is needed.
func ParseRecipients(text []string) ([]age.Recipient, error) {
	if len(text) == 0 {
		return nil, fmt.Errorf("%w: none given", ErrRecipients)
	}
	var all []age.Recipient
	for i, one := range text {
		r, err := age.ParseRecipients(strings.NewReader(one))
		if err != nil || len(r) != 1 {
			return nil, fmt.Errorf("%w: recipient %d is none of age", ErrRecipients, i+1)
		}
		all = append(all, r[0])
	}
	if _, err := age.Encrypt(io.Discard, all...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecipients, err)
	}
	return all, nil
}

const format = 1

// A container is the file: one line of JSON.
type container struct {
	Format int    `json:"format"`
	Ledger string `json:"ledger"`
	Root   uint64 `json:"root"`
	Sealed []byte `json:"sealed"` // age; a content
	Sum    string `json:"sum"`    // SHA-256 of the line without its line feed, sum being empty
}

// A content is what is sealed. The container repeats what of it is no secret.
type content struct {
	Ledger string `json:"ledger"`
	Root   uint64 `json:"root"`
	Slot   []byte `json:"slot"`
}

func (c container) encode() []byte {
	c.Sum = ""
	b, _ := json.Marshal(c) // texts, a number and bytes: cannot fail
	sum := sha256.Sum256(b)
	c.Sum = hex.EncodeToString(sum[:])
	b, _ = json.Marshal(c)
	return append(b, '\n')
}

// decode accepts exactly what encode gives.
func decode(b []byte) (c container, err error) {
	if err := json.Unmarshal(b, &c); err != nil || c.Format != format || c.Root == 0 || !bytes.Equal(c.encode(), b) {
		return container{}, fmt.Errorf("%w: not an escrow, or not whole", ErrDamaged)
	}
	return c, nil
}

func seal(r Root, to []age.Recipient) ([]byte, error) {
	plain, _ := json.Marshal(content{r.Ledger, r.Version, r.slot})
	defer clear(plain)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("sealing to escrow: %w", err)
	}
	return container{Format: format, Ledger: r.Ledger, Root: r.Version, Sealed: sealed.Bytes()}.encode(), nil
}

// unseal opens what seal gave.
func (c container) unseal(identities []age.Identity) (Root, error) {
	r, err := age.Decrypt(bytes.NewReader(c.Sealed), identities...)
	if no := (*age.NoIdentityMatchError)(nil); errors.As(err, &no) {
		return Root{}, ErrIdentity
	}
	if err != nil {
		return Root{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	plain, err := io.ReadAll(r)
	defer clear(plain)
	if err != nil {
		return Root{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	var in content
	if err := json.Unmarshal(plain, &in); err != nil || in.Ledger != c.Ledger || in.Root != c.Root {
		return Root{}, fmt.Errorf("%w: it holds another root than it says", ErrDamaged)
	}
	return NewRoot(in.Ledger, in.Root, in.Slot), nil
}

// ParseIdentities reads files of age's secret keys, as age-keygen writes them.
func ParseIdentities(paths []string) ([]age.Identity, error) {
	var all []age.Identity
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading an identity: %w", err)
		}
		list, err := age.ParseIdentities(bytes.NewReader(b))
		clear(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %s holds no identity of age", ErrIdentity, path) // age's error may quote the key
		}
		all = append(all, list...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: no identity given", ErrIdentity)
	}
	return all, nil
}

// Read opens the escrow at path. The error is [ErrNone], [ErrIdentity] or
// [ErrDamaged].
func Read(path string, identities []age.Identity) (Root, error) {
	c, err := whole(path)
	if err == nil {
		var r Root
		if r, err = c.unseal(identities); err == nil {
			return r, nil
		}
	}
	return Root{}, fmt.Errorf("reading the escrow %s: %w", path, err)
}

// Held says whose root is in escrow at path, and of which version, without opening
// it. The error is [ErrNone] or [ErrDamaged].
func Held(path string) (ledger string, version uint64, err error) {
	c, err := whole(path)
	if err != nil {
		return "", 0, fmt.Errorf("reading the escrow %s: %w", path, err)
	}
	return c.Ledger, c.Root, nil
}

// whole gives the escrow at path, or the one that was about to take its place.
func whole(path string) (container, error) {
	c, err := load(path)
	if err == nil {
		return c, nil
	}
	if next, e := load(path + successor); e == nil {
		return next, nil
	}
	return container{}, err
}

func load(path string) (container, error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return container{}, fmt.Errorf("%w: %w", ErrNone, err)
	case err != nil:
		return container{}, err
	case len(bytes.Trim(b, "\x00")) == 0:
		return container{}, ErrNone
	}
	return decode(b)
}
