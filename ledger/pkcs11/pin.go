package pkcs11

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
)

// redacted is what a PIN and whatever holds one print as.
const redacted = "[redacted]"

// maxPIN is the length in bytes of the longest PIN.
const maxPIN = 256

// A PIN opens a token for its user. It cannot print itself, whatever the verb or
// encoding, not even in an unexported field, whose methods are not asked: there
// it prints as an address.
type PIN struct{ text *string }

// ReadPIN reads a PIN from a file of mode 0600 or 0400, alone on its line. Any
// other file is refused with ErrConfig: it may have been read by others.
func ReadPIN(path string) (PIN, error) {
	f, err := os.Open(path)
	if err != nil {
		return PIN{}, fmt.Errorf("opening the file with the PIN: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return PIN{}, fmt.Errorf("looking at the file with the PIN: %w", err)
	}
	if mode := info.Mode(); mode&^0o600 != 0 {
		return PIN{}, fmt.Errorf("%w: %s has mode %v; a file with a PIN is a plain file of mode 0600", ErrConfig, path, mode)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxPIN+3))
	if err != nil {
		return PIN{}, fmt.Errorf("reading the file with the PIN: %w", err)
	}
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	if len(b) == 0 || len(b) > maxPIN || bytes.ContainsAny(b, "\x00\r\n") {
		return PIN{}, fmt.Errorf("%w: %s does not hold one PIN of 1 to %d bytes", ErrConfig, path, maxPIN)
	}
	text := string(b)
	return PIN{text: &text}, nil
}

func (PIN) String() string               { return redacted }
func (PIN) GoString() string             { return redacted }
func (PIN) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (PIN) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (PIN) LogValue() slog.Value         { return slog.StringValue(redacted) }
