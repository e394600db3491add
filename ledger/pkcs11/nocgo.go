//go:build !cgo

package pkcs11

import "fmt"

// A Device is none: PKCS#11 modules are C libraries, and this program was built
// without cgo.
type Device struct{}

func unsupported() error {
	return fmt.Errorf("%w: this program was built without cgo, which PKCS#11 modules need", ErrUnsupported)
}

// Open refuses: with ErrConfig as it would elsewhere, else with ErrUnsupported.
func Open(c Config) (*Device, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return nil, unsupported()
}

// Close refuses with ErrUnsupported.
func (*Device) Close() error { return unsupported() }

// Wrap refuses with ErrUnsupported.
func (*Device) Wrap(uint64, []byte) ([]byte, error) { return nil, unsupported() }

// Unwrap refuses with ErrUnsupported.
func (*Device) Unwrap(uint64, []byte) ([]byte, error) { return nil, unsupported() }

// Keep refuses with ErrUnsupported.
func (*Device) Keep(uint64) error { return unsupported() }
