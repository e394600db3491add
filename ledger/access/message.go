package access

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// The versions of the messages. Each message is of the lowest that can say what
// it says, so there is one form of everything. Another version is another number
// and another decoder beside this one.
const (
	format1 = "1"
	format2 = "2" // a token with a box
	format3 = "3" // a token that is an NKEY
)

// What a message says, and the last part of its subject.
const (
	producerAdded   = "producer-added"
	producerChanged = "producer-changed"
	producerRemoved = "producer-removed"
	tokenCreated    = "token-created"
	tokenRevoked    = "token-revoked"
)

// subject returns where a message that says what is stored.
func subject(ledger, what string) string { return "access." + ledger + "." + what }

// message is one change as it is stored: JSON with its fields in this order and
// without those that What has no use for (docs/FORMAT.md).
type message struct {
	Format   string          `json:"accessformat"`
	What     string          `json:"what"`
	At       string          `json:"at"`                 // RFC 3339, UTC, milliseconds
	By       string          `json:"by,omitempty"`       // id of the token that asked; none for the first
	Producer *producerFields `json:"producer,omitempty"` // added, changed
	Token    *tokenFields    `json:"token,omitempty"`    // created
	Name     string          `json:"name,omitempty"`     // of the producer removed
	ID       string          `json:"id,omitempty"`       // of the token revoked
}

type producerFields struct {
	Name     string   `json:"name"`
	Families []string `json:"families"`         // in the catalogue's order
	Except   []string `json:"except,omitempty"` // kinds, in the catalogue's order
}

type tokenFields struct {
	ID       string `json:"id"`
	Role     Role   `json:"role"`
	Name     string `json:"name"`
	Producer string `json:"producer,omitempty"`
	Hash     string `json:"hash,omitempty"` // SHA-256 of the token's text, lower-case hexadecimal
	NKey     string `json:"nkey,omitempty"` // in place of a text, the public key of whoever can sign
	Expires  string `json:"expires,omitempty"`
	boxFields
}

// version is the one that m is of.
func (m message) version() string {
	switch {
	case m.Token != nil && m.Token.NKey != "":
		return format3
	case m.Token != nil && m.Token.boxFields != (boxFields{}):
		return format2
	}
	return format1
}

// stamp writes t as messages have it.
func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

const stampLayout = "2006-01-02T15:04:05.000Z"

// unstamp reads what stamp writes and nothing else.
func unstamp(s string) (time.Time, error) {
	t, err := time.Parse(stampLayout, s)
	if err != nil || stamp(t) != s {
		return time.Time{}, fmt.Errorf("%w: a time is not UTC with milliseconds", ErrCorrupt)
	}
	return t, nil
}

// encode returns m as it is stored. It refuses what decode would not read.
func (m message) encode() ([]byte, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding an access message: %w", err)
	}
	return b, nil
}

// decode accepts exactly what encode emits: an unknown or repeated field, a
// space, another order is refused with an error wrapping [ErrCorrupt].
func decode(b []byte) (message, error) {
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		return message{}, fmt.Errorf("%w: a message is not the JSON it should be", ErrCorrupt)
	}
	again, err := m.encode()
	if err != nil {
		return message{}, err
	}
	if !bytes.Equal(again, b) {
		return message{}, fmt.Errorf("%w: a message is not in its one form", ErrCorrupt)
	}
	return m, nil
}

// validate checks the form of m: every field that What needs, and no other.
func (m message) validate() error {
	corrupt := func(text string) error { return fmt.Errorf("%w: %s", ErrCorrupt, text) }
	if want := m.version(); m.Format != want {
		return corrupt("a message of another format than " + want)
	}
	if _, err := unstamp(m.At); err != nil {
		return err
	}
	if m.By != "" && !validID(m.By) {
		return corrupt("by is not the id of a token")
	}
	has := [4]bool{m.Producer != nil, m.Token != nil, m.Name != "", m.ID != ""}
	want, known := map[string][4]bool{
		producerAdded:   {true},
		producerChanged: {true},
		producerRemoved: {false, false, true},
		tokenCreated:    {false, true},
		tokenRevoked:    {false, false, false, true},
	}[m.What]
	switch {
	case !known:
		return corrupt("a message that says something unknown")
	case has != want:
		return corrupt("a " + m.What + " message with other fields than its own")
	case m.Producer != nil:
		return m.Producer.validate()
	case m.Token != nil:
		return m.Token.validate()
	case m.Name != "" && !validName(m.Name):
		return corrupt("name is not that of a producer")
	case m.ID != "" && !validID(m.ID):
		return corrupt("id is not that of a token")
	}
	return nil
}

// validate accepts a producer only as [Producer.normal] writes it.
func (p *producerFields) validate() error {
	n, refusal := Producer{p.Name, p.Families, p.Except}.normal()
	if refusal != nil {
		return fmt.Errorf("%w: producer%s: %s", ErrCorrupt, refusal.Path, refusal.Detail)
	}
	if !n.equal(Producer{p.Name, p.Families, p.Except}) {
		return fmt.Errorf("%w: a producer's lists are not in the catalogue's order", ErrCorrupt)
	}
	return nil
}

func (t *tokenFields) validate() error {
	if !validID(t.ID) || !validRole(t.Role) || !validName(t.Name) {
		return fmt.Errorf("%w: a token's id, role or name", ErrCorrupt)
	}
	if (t.Role == RoleProducer) != validName(t.Producer) {
		return fmt.Errorf("%w: a token of role %s and its producer", ErrCorrupt, t.Role)
	}
	if t.NKey != "" {
		if t.Hash != "" || t.Role != RoleProducer || !validKey(t.NKey) {
			return fmt.Errorf("%w: a token's nkey", ErrCorrupt)
		}
	} else if h, err := hex.DecodeString(t.Hash); err != nil || len(h) != sha256.Size || hex.EncodeToString(h) != t.Hash {
		return fmt.Errorf("%w: a token's hash is not a SHA-256", ErrCorrupt)
	}
	if t.Expires != "" {
		if _, err := unstamp(t.Expires); err != nil {
			return err
		}
	}
	_, err := t.box(t.Role)
	return err
}

// validName reports whether s is 1 to 32 of [a-z0-9-], not beginning with "-":
// the name of a producer or of a token.
func validName(s string) bool {
	if len(s) < 1 || len(s) > 32 || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// validID reports whether s is 16 lower-case hexadecimal digits.
func validID(s string) bool { return validHex(s, 2*idBytes) }

// validHex reports whether s is so many lower-case hexadecimal digits.
func validHex(s string, digits int) bool {
	if len(s) != digits {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'f') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func validRole(r Role) bool {
	for _, row := range permissions() {
		if row.role == r {
			return true
		}
	}
	return false
}
