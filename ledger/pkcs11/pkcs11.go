// Package pkcs11 keeps root keys sealed under keys of a PKCS#11 device, which
// destroys a key for good where a file system may keep old blocks.
//
// What is true of every device:
//
//  1. Each version of a root key has an AES-256 key of its own, made in the
//     device and never outside it. It seals one thing once.
//  2. A key's CKA_ID names its ledger and version. Keys of other ledgers, and
//     whatever else is on the token, are never touched.
//  3. That a key is gone is said only by a token whose user is logged in:
//     a token hides private keys from anybody else without an error.
//  4. Once a version was kept, its key is never replaced, nor destroyed for an
//     older one.
//  5. Whatever fails may be tried again: it was not done, or doing it once more
//     comes to the same.
//
// The functions are those of PKCS #11 Cryptographic Token Interface Base
// Specification 2.40 (OASIS), and errors name them. Devices need cgo: without it
// the package compiles, and Open refuses with ErrUnsupported.
//
// Reading order: pkcs11.go, pin.go, sealed.go, device.go, session.go, keys.go.
package pkcs11

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/imalink/custody/ledger/vault"
)

var (
	// ErrUnsupported is returned by a program built without cgo, and for a token
	// that lacks what is needed.
	ErrUnsupported = errors.New("pkcs11: not supported")
	// ErrConfig is returned for a Config or a file with a PIN that cannot be used.
	ErrConfig = errors.New("pkcs11: cannot be used")
	// ErrModule is returned for a library that cannot be loaded or is none.
	ErrModule = errors.New("pkcs11: no such module")
	// ErrToken is returned if not exactly one token has the label.
	ErrToken = errors.New("pkcs11: not exactly one such token")
	// ErrPIN is returned when the token refuses the PIN. The Device does not try
	// it again: tokens lock themselves after a few attempts.
	ErrPIN = errors.New("pkcs11: PIN refused")
	// ErrSurvived is returned for a key that the device says it has destroyed and
	// still has.
	ErrSurvived = errors.New("pkcs11: key survived its destruction")
	// ErrClosed is returned once the Device was closed.
	ErrClosed = errors.New("pkcs11: device closed")
)

var _ vault.Wrapper = (*Device)(nil)

// A Config says which device to use, and for which ledger.
type Config struct {
	Module string // absolute path of the device's library: code that runs in this process
	Token  string // label of the token, 1 to 32 bytes
	PIN    PIN    // of the token's user
	Ledger string // id of the ledger, 1 to 64 of [a-z0-9-]
}

func (c Config) check() error {
	switch {
	case !filepath.IsAbs(c.Module):
		return fmt.Errorf("%w: the path of a module must be absolute", ErrConfig)
	case c.Token == "" || len(c.Token) > 32 || strings.ContainsRune(c.Token, 0):
		return fmt.Errorf("%w: a token's label has 1 to 32 bytes", ErrConfig)
	case c.PIN.text == nil:
		return fmt.Errorf("%w: no PIN", ErrConfig)
	case c.Ledger == "" || len(c.Ledger) > 64 || strings.Trim(c.Ledger, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return fmt.Errorf("%w: a ledger's id has 1 to 64 of a-z, 0-9 and -", ErrConfig)
	}
	return nil
}
