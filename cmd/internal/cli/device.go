package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/imalink/custody/ledger/pkcs11"
	"github.com/imalink/custody/ledger/vault"
)

// deviceFile is where, beside the keys, init keeps which device seals the root key.
const deviceFile = "device.json"

// device is a PKCS#11 device that seals the root key. It names the file with the
// PIN, and has no secret itself.
type device struct {
	Module string `json:"module"`
	Token  string `json:"token"`
	PIN    string `json:"pin_file"`
}

func (d *device) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.Module, "pkcs11", "", "library of a PKCS#11 device that seals the root key, such as /usr/lib/softhsm/libsofthsm2.so (default none)")
	f.StringVar(&d.Token, "pkcs11-token", "", "label of the device's token")
	f.StringVar(&d.PIN, "pkcs11-pin", "", "file that holds the token's PIN, readable by its owner only")
}

// check reports whether a device is asked for, as a whole.
func (d *device) check() (asked bool, err error) {
	given := 0
	for _, text := range []string{d.Module, d.Token, d.PIN} {
		if text != "" {
			given++
		}
	}
	if given != 0 && given != 3 {
		return false, misuse("--pkcs11, --pkcs11-token and --pkcs11-pin go together")
	}
	return given == 3, nil
}

// opener opens the device for a ledger, once; close closes it.
func (d *device) opener() (open func(id string) (vault.Wrapper, error), close func() error) {
	var opened *pkcs11.Device
	open = func(id string) (vault.Wrapper, error) {
		pin, err := pkcs11.ReadPIN(d.PIN)
		if err != nil {
			return nil, err
		}
		opened, err = pkcs11.Open(pkcs11.Config{Module: d.Module, Token: d.Token, PIN: pin, Ledger: id})
		if err != nil {
			return nil, err
		}
		return opened, nil
	}
	return open, func() error {
		if opened == nil {
			return nil
		}
		return opened.Close()
	}
}

// keep writes which device it is beside the keys.
func (d *device) keep(keys string) error {
	d.Module, d.PIN = absolute(d.Module), absolute(d.PIN)
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("describing the device: %w", err)
	}
	if err := os.WriteFile(filepath.Join(keys, deviceFile), append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("keeping which device seals the root key: %w", err)
	}
	return nil
}

// openDevice finds the device that seals the root key at keys; nil for none.
func openDevice(keys string) (open func(id string) (vault.Wrapper, error), close func() error, err error) {
	b, err := os.ReadFile(filepath.Join(keys, deviceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, func() error { return nil }, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading which device seals the root key: %w", err)
	}
	var d device
	strict := json.NewDecoder(bytes.NewReader(b))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&d); err != nil || d.Module == "" || d.Token == "" || d.PIN == "" {
		return nil, nil, fmt.Errorf("%s beside the keys is not what init wrote", deviceFile)
	}
	open, close = d.opener()
	return open, close, nil
}
