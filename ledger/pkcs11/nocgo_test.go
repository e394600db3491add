//go:build !cgo

package pkcs11

import (
	"errors"
	"strings"
	"testing"
)

func TestUnsupported(t *testing.T) {
	if _, err := Open(Config{}); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v", err)
	}
	pin := "s3cret"
	d, err := Open(Config{Module: "/usr/lib/module.so", Token: "token", PIN: PIN{text: &pin}, Ledger: "ledger"})
	if d != nil || !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "cgo") {
		t.Errorf("error %v", err)
	}
	_, wrap := d.Wrap(1, nil)
	_, unwrap := d.Unwrap(1, nil)
	for _, err := range []error{wrap, unwrap, d.Keep(1), d.Close()} {
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("error %v", err)
		}
	}
}
