package ask

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/imalink/custody/ledger/vault"
)

// handleTime is how long a handle or a cursor can be used.
const handleTime = time.Hour

// A seals turns what must come back unread and unchanged into opaque text:
// handles of people and cursors of answers. Its key is of this process only, so
// nothing that it made outlives a restart.
type seals struct{ aead cipher.AEAD }

func newSeals() (*seals, error) {
	var key [32]byte
	rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("making the key of handles: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("making the key of handles: %w", err)
	}
	return &seals{aead}, nil
}

// close makes v opaque for one token.
func (s *seals) close(token string, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("sealing: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(token))), nil
}

// open reads what close made for the same token.
func (s *seals) open(token, text string, v any) error {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ErrHandle
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(token))
	if err != nil || json.Unmarshal(plain, v) != nil {
		return ErrHandle
	}
	return nil
}

// What a handle stands for, and an event must concern.
type What string

// The three.
const (
	Person  What = "person"  // whose data it was
	Acting  What = "actor"   // who acted
	Session What = "session" // in which they did
)

// A handle stands for somebody, or a session, in URLs. It holds the identifier,
// sealed.
type handle struct {
	What    What     `json:"w"`
	ID      opaqueID `json:"i"`
	Expires int64    `json:"e"` // seconds since 1970
}

// opaqueID is an identifier on its way into a seal, the only place it is written.
type opaqueID struct{ id vault.Identifier }

func opaque(identifier string) opaqueID { return opaqueID{vault.Identifier(identifier)} }

// Format and LogValue give nothing of it.
func (opaqueID) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }
func (opaqueID) LogValue() slog.Value       { return slog.StringValue("[redacted]") }

func (o opaqueID) MarshalJSON() ([]byte, error)  { return json.Marshal(string(o.id)) }
func (o *opaqueID) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, (*string)(&o.id)) }

// handle makes a handle for the asker's token.
func (d *Desk) handle(a Asker, w What, id vault.Identifier) (string, error) {
	return d.seals.close(a.Token, handle{w, opaqueID{id}, d.now().Add(handleTime).Unix()})
}

// whose opens a handle.
func (d *Desk) whose(a Asker, w What, text string) (vault.Identifier, error) {
	var h handle
	if err := d.seals.open(a.Token, text, &h); err != nil {
		return "", err
	}
	if h.What != w || d.now().Unix() >= h.Expires {
		return "", ErrHandle
	}
	return h.ID.id, nil
}

// A cursor is where an answer goes on, and what must stay the same until it ends.
type cursor struct {
	Question [32]byte `json:"q"` // digest of all that was asked
	AsOf     AsOf     `json:"a"`
	After    uint64   `json:"p"`
	Total    uint64   `json:"t"`
	Mask     [16]byte `json:"m"`
	Expires  int64    `json:"e"`
}
