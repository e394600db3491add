package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// The text of a token is
//
//	custody_<role>_<id>_<secret>
//
// where id is 16 lower-case hexadecimal digits and secret the unpadded
// base64url (RFC 4648, section 5) of 32 random bytes. Its SHA-256, over the
// whole text, is what is kept.
const (
	tokenPrefix = "custody"
	idBytes     = 8
	secretBytes = 32
	secretChars = 43
)

// A Secret is the text of a new token. It cannot print itself; whoever must
// show it calls Reveal, once.
type Secret struct{ text string }

// Reveal returns the text. Every call is a disclosure: reviewers look for it.
func (s Secret) Reveal() string { return s.text }

const concealed = "custody_***"

func (Secret) String() string               { return concealed }
func (Secret) GoString() string             { return concealed }
func (Secret) Format(f fmt.State, _ rune)   { io.WriteString(f, concealed) }
func (Secret) MarshalText() ([]byte, error) { return []byte(concealed), nil }
func (Secret) LogValue() slog.Value         { return slog.StringValue(concealed) }

// A Token describes a token without its secret.
type Token struct {
	ID       string
	Role     Role
	Name     string    // 1 to 32 of [a-z0-9-]; a relay is named by it in the events it sends
	Producer string    // for RoleProducer the producer it speaks for, else ""
	NKey     string    // of a token without a text, the public key in its place, else ""
	Created  time.Time // whole milliseconds, UTC
	Expires  time.Time // exclusive; zero is never
	Revoked  time.Time // zero is not
	Box
}

// live reports whether t can be used at now.
func (t *Token) live(now time.Time) bool {
	return t.Revoked.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires))
}

// A Principal is who a request comes from: a token that was valid when it was
// asked. The zero Principal may do nothing.
type Principal struct {
	Token    string // its id
	Name     string // its name
	Role     Role
	Producer string // for RoleProducer
	Box             // every answer stays within it

	actions actionSet
}

// Can reports whether p may do a. Whoever is bound to a window cannot replay,
// which shows every event, nor decide what is to be forgotten, which none is
// spared.
func (p Principal) Can(a Action) bool { return p.actions.has(a) }

// Authenticate returns who holds the token with this text, or an error wrapping
// [ErrUnauthenticated]. It takes the same time for every token that does not exist.
func (s *Store) Authenticate(text string) (Principal, error) {
	id, ok := tokenID(text)
	if !ok {
		return Principal{}, ErrUnauthenticated
	}
	held := s.state.Load().tokens[id]
	if held == nil {
		held = &token{} // compared all the same; no text has the zero hash
	}
	got := sha256.Sum256([]byte(text))
	if subtle.ConstantTimeCompare(got[:], held.hash[:]) != 1 || !held.live(s.cfg.Now()) {
		return Principal{}, ErrUnauthenticated
	}
	return held.principal, nil
}

// Valid reports whether the token of p may still be used: a long answer asks
// again and again.
func (s *Store) Valid(p Principal) bool {
	held := s.state.Load().tokens[p.Token]
	return held != nil && held.live(s.cfg.Now())
}

// tokenID returns the id in the text of a token, or false if the text cannot
// be that of a token.
func tokenID(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, tokenPrefix+"_")
	if !ok {
		return "", false
	}
	_, rest, ok = strings.Cut(rest, "_")
	if !ok || len(rest) != 2*idBytes+1+secretChars || rest[2*idBytes] != '_' {
		return "", false
	}
	return rest[:2*idBytes], true
}

// mint makes a new token of role r.
func mint(r Role) (id string, secret Secret, hash [sha256.Size]byte) {
	var raw [idBytes + secretBytes]byte
	rand.Read(raw[:]) // never fails: crypto/rand ends the program first
	id = hex.EncodeToString(raw[:idBytes])
	text := fmt.Sprintf("%s_%s_%s_%s", tokenPrefix, r, id, base64.RawURLEncoding.EncodeToString(raw[idBytes:]))
	return id, Secret{text}, sha256.Sum256([]byte(text))
}
