//go:build cgo

package pkcs11

import (
	"fmt"
	"os"
	"sync"

	p11 "github.com/miekg/pkcs11"

	"github.com/imalink/custody/ledger/vault"
)

// A Device seals root keys of one ledger under keys of one token. Its methods
// may be called concurrently and take turns. A call to the device has no time
// limit: a module that hangs hangs its caller.
type Device struct {
	mu      sync.Mutex
	config  Config
	module  cryptoki
	session p11.SessionHandle
	open    bool   // session is one, and its user was logged in
	refused error  // what became of the PIN: it is not tried again
	closed  bool   // for good
	kept    uint64 // highest version that Keep was called for: one that is or was in force
}

// Open loads the module, finds the token and logs in as its user. The error
// wraps ErrConfig, ErrModule, ErrToken, ErrPIN or ErrUnsupported, or names the
// function that failed and its code. A wrong PIN counts as one attempt.
//
// The module stays loaded and initialised until the process ends: C_Finalize
// would end the sessions of every other Device, under its hands.
func Open(c Config) (*Device, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	module, err := load(c.Module)
	if err != nil {
		return nil, err
	}
	d := &Device{config: c, module: module}
	if err := d.do(func() error { return nil }); err != nil {
		return nil, fmt.Errorf("opening token %q: %w", c.Token, err)
	}
	return d, nil
}

func load(path string) (*p11.Ctx, error) {
	f, err := os.Open(path) // the loader does not say what it missed
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModule, err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModule, err)
	}
	module := p11.New(path)
	if module == nil {
		return nil, fmt.Errorf("%w: %s is no PKCS#11 library that this process can load", ErrModule, path)
	}
	return module, nil
}

// Close ends the session. The keys stay. Closing again does nothing.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if err := d.disconnect(); err != nil {
		return fmt.Errorf("closing token %q: %w", d.config.Token, err)
	}
	return nil
}

// Wrap makes the device's key of a version and seals root under it. A key of
// that version which is there already is destroyed first: its version never came
// into force. It refuses with vault.ErrOrder a version that did, as far as Keep
// was told.
//
// After an error the device may have a key of that version or none, and nothing
// that anybody has is sealed under it. Wrap may be called again, and Keep of
// another version destroys it.
func (d *Device) Wrap(version uint64, root []byte) (sealed []byte, err error) {
	err = d.do(func() error {
		sealed, err = d.wrap(version, root)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sealing root version %d: %w", version, err)
	}
	return sealed, nil
}

func (d *Device) wrap(version uint64, root []byte) ([]byte, error) {
	if version <= d.kept {
		return nil, fmt.Errorf("%w: root version %d is or was in force", vault.ErrOrder, d.kept)
	}
	id := keyID(d.config.Ledger, version)
	if err := d.destroy(func(other string) bool { return other == id }); err != nil {
		return nil, err
	}
	key, err := d.generate(id)
	if err != nil {
		return nil, err
	}
	iv, box, err := d.encrypt(key, associated(d.config.Ledger, version), root)
	if err != nil {
		return nil, err
	}
	return encodeSealed(iv, box)
}

// Unwrap opens what Wrap sealed. The error wraps vault.ErrGone if the device has
// no key of that version, vault.ErrDamaged if what is sealed is not whole, or is
// of another version or ledger, or was sealed before the key was replaced, and
// the device says so; some know no code for it but CKR_GENERAL_ERROR. Nothing
// changes.
func (d *Device) Unwrap(version uint64, sealed []byte) (root []byte, err error) {
	err = d.do(func() error {
		root, err = d.unwrap(version, sealed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening root version %d: %w", version, err)
	}
	return root, nil
}

func (d *Device) unwrap(version uint64, sealed []byte) ([]byte, error) {
	iv, box, err := decodeSealed(sealed)
	if err != nil {
		return nil, err
	}
	key, err := d.keyOf(version)
	if err != nil {
		return nil, err
	}
	return d.decrypt(key, associated(d.config.Ledger, version), iv, box)
}

// Keep destroys the keys of all other versions of this ledger, and looks whether
// they are gone: if not, the error wraps ErrSurvived. If the device has no key of
// this version, nothing is destroyed and the error wraps vault.ErrGone; a version
// older than one that was kept is refused with vault.ErrOrder. After another error
// some of the others may be left. It may be repeated, then and at any time.
//
// What the device's maker or operator copied off it, a backup or a twin, is out
// of reach.
func (d *Device) Keep(version uint64) error {
	if err := d.do(func() error { return d.keep(version) }); err != nil {
		return fmt.Errorf("destroying the keys of all roots but version %d: %w", version, err)
	}
	return nil
}

func (d *Device) keep(version uint64) error {
	if version < d.kept {
		return fmt.Errorf("%w: root version %d is in force", vault.ErrOrder, d.kept)
	}
	if _, err := d.keyOf(version); err != nil {
		return err
	}
	id := keyID(d.config.Ledger, version)
	if err := d.destroy(func(other string) bool { return other != id }); err != nil {
		return err
	}
	d.kept = max(d.kept, version)
	return nil
}
