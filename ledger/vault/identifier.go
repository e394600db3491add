package vault

import (
	"fmt"
	"io"
	"log/slog"
)

// An Identifier is what somebody is called in some system, such as
// candidate:10412: personal data. It cannot print itself, whatever the verb or
// encoding; take care that no unexported field of a printable struct holds one.
type Identifier string

// redacted is what personal data and keys print as.
const redacted = "[redacted]"

// A secret, embedded, keeps a struct that holds keys or identifiers from being
// printed: methods of unexported fields are not asked.
type secret struct{}

func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }
func (secret) LogValue() slog.Value       { return slog.StringValue(redacted) }

// Reveal returns the identifier in clear. Every call is a disclosure.
func (id Identifier) Reveal() string { return string(id) }

func (Identifier) String() string               { return redacted }
func (Identifier) GoString() string             { return redacted }
func (Identifier) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (Identifier) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Identifier) LogValue() slog.Value         { return slog.StringValue(redacted) }

// check says whether id can be an identifier, without echoing it.
func (id Identifier) check() error {
	switch {
	case id == "":
		return fmt.Errorf("%w: identifier is empty", ErrLimit)
	case len(id) > MaxIdentifier:
		return fmt.Errorf("%w: identifier has %d bytes, at most %d", ErrLimit, len(id), MaxIdentifier)
	}
	return nil
}
