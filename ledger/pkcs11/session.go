//go:build cgo

package pkcs11

import (
	"errors"
	"fmt"
	"slices"

	p11 "github.com/miekg/pkcs11"
)

// A cryptoki is a module's functions: *p11.Ctx, or a test's that fails at will.
// Their names have C_ before them in the specification.
type cryptoki interface {
	Initialize(...p11.InitializeOption) error
	GetSlotList(tokenPresent bool) ([]uint, error)
	GetTokenInfo(slot uint) (p11.TokenInfo, error)
	GetMechanismList(slot uint) ([]*p11.Mechanism, error)
	GetMechanismInfo(slot uint, m []*p11.Mechanism) (p11.MechanismInfo, error)
	OpenSession(slot, flags uint) (p11.SessionHandle, error)
	CloseSession(p11.SessionHandle) error
	GetSessionInfo(p11.SessionHandle) (p11.SessionInfo, error)
	Login(s p11.SessionHandle, user uint, pin string) error
	FindObjectsInit(p11.SessionHandle, []*p11.Attribute) error
	FindObjects(s p11.SessionHandle, max int) ([]p11.ObjectHandle, bool, error)
	FindObjectsFinal(p11.SessionHandle) error
	GetAttributeValue(p11.SessionHandle, p11.ObjectHandle, []*p11.Attribute) ([]*p11.Attribute, error)
	GenerateKey(p11.SessionHandle, []*p11.Mechanism, []*p11.Attribute) (p11.ObjectHandle, error)
	DestroyObject(p11.SessionHandle, p11.ObjectHandle) error
	EncryptInit(p11.SessionHandle, []*p11.Mechanism, p11.ObjectHandle) error
	Encrypt(p11.SessionHandle, []byte) ([]byte, error)
	DecryptInit(p11.SessionHandle, []*p11.Mechanism, p11.ObjectHandle) error
	Decrypt(p11.SessionHandle, []byte) ([]byte, error)
}

// failed says which function failed; err prints its code.
func failed(function string, err error) error { return fmt.Errorf("calling C_%s: %w", function, err) }

// coded reports whether err is one of these codes of the device.
func coded(err error, codes ...uint) bool {
	var code p11.Error
	return errors.As(err, &code) && slices.Contains(codes, uint(code))
}

// do has act done in a session, and once more in another one if the first was
// found dead. So act must come to the same if it is done twice.
func (d *Device) do(act func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.attempt(act)
	if coded(err, p11.CKR_SESSION_HANDLE_INVALID, p11.CKR_SESSION_CLOSED, p11.CKR_USER_NOT_LOGGED_IN, p11.CKR_DEVICE_REMOVED,
		p11.CKR_TOKEN_NOT_PRESENT, p11.CKR_SLOT_ID_INVALID, p11.CKR_CRYPTOKI_NOT_INITIALIZED) {
		err = d.attempt(act)
	}
	return err
}

// attempt gives up a session in which anything failed: nobody knows what is
// still going on in it.
func (d *Device) attempt(act func() error) error {
	if d.closed {
		return ErrClosed
	}
	if err := d.connect(); err != nil {
		return err
	}
	err := act()
	if code := p11.Error(0); errors.As(err, &code) {
		_ = d.disconnect() // what failed in it is what the caller must know
	}
	return err
}

// connect opens a session in which the token's user is logged in, unless there
// is one. The token is found by its label each time: a slot changes its number.
func (d *Device) connect() error {
	if d.open || d.refused != nil {
		return d.refused
	}
	if err := d.module.Initialize(); err != nil && !coded(err, p11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		return failed("Initialize", err)
	}
	slot, err := d.slot()
	if err != nil {
		return err
	}
	if err := d.capable(slot); err != nil {
		return err
	}
	session, err := d.module.OpenSession(slot, p11.CKF_SERIAL_SESSION|p11.CKF_RW_SESSION)
	if err != nil {
		return failed("OpenSession", err)
	}
	d.session, d.open = session, true
	if err := d.login(); err != nil {
		_ = d.disconnect()
		return err
	}
	return nil
}

// slot finds the one token with the label.
func (d *Device) slot() (slot uint, err error) {
	slots, err := d.module.GetSlotList(true)
	if err != nil {
		return 0, failed("GetSlotList", err)
	}
	var unread error // one token that cannot be read does not stand in another's way
	found := 0
	for _, s := range slots {
		switch info, err := d.module.GetTokenInfo(s); {
		case err != nil:
			unread = failed("GetTokenInfo", err)
		case info.Label == d.config.Token:
			slot = s
			found++
		}
	}
	switch {
	case found == 1:
		return slot, nil
	case found == 0 && unread != nil:
		return 0, fmt.Errorf("%w: none that can be read is called so: %w", ErrToken, unread)
	}
	return 0, fmt.Errorf("%w: %d are called so", ErrToken, found)
}

// capable reports as an error what is needed and the token cannot do.
func (d *Device) capable(slot uint) error {
	can, err := d.module.GetMechanismList(slot)
	if err != nil {
		return failed("GetMechanismList", err)
	}
	for _, need := range []struct {
		mechanism, flags uint
		name             string
	}{
		{p11.CKM_AES_KEY_GEN, p11.CKF_GENERATE, "CKM_AES_KEY_GEN"},
		{p11.CKM_AES_GCM, p11.CKF_ENCRYPT | p11.CKF_DECRYPT, "CKM_AES_GCM"},
	} {
		at := slices.IndexFunc(can, func(m *p11.Mechanism) bool { return m.Mechanism == need.mechanism })
		if at < 0 {
			return fmt.Errorf("%w: the token lacks %s", ErrUnsupported, need.name)
		}
		info, err := d.module.GetMechanismInfo(slot, can[at:at+1])
		if err != nil {
			return failed("GetMechanismInfo", err)
		}
		if info.Flags&need.flags != need.flags {
			return fmt.Errorf("%w: the token has %s, but for something else", ErrUnsupported, need.name)
		}
	}
	return nil
}

// login logs the user in, for all sessions of this process with the token: the
// PIN is not looked at if another one did so before.
func (d *Device) login() error {
	err := d.module.Login(d.session, p11.CKU_USER, *d.config.PIN.text)
	switch {
	case err == nil, coded(err, p11.CKR_USER_ALREADY_LOGGED_IN):
		return nil
	case coded(err, p11.CKR_PIN_INCORRECT, p11.CKR_PIN_INVALID, p11.CKR_PIN_LEN_RANGE, p11.CKR_PIN_EXPIRED, p11.CKR_PIN_LOCKED,
		p11.CKR_USER_PIN_NOT_INITIALIZED):
		d.refused = fmt.Errorf("%w: %w", ErrPIN, failed("Login", err))
		return d.refused
	}
	return failed("Login", err)
}

// disconnect ends the session, if there is one. After an error it is not used
// again either.
func (d *Device) disconnect() error {
	if !d.open {
		return nil
	}
	d.open = false
	if err := d.module.CloseSession(d.session); err != nil {
		return failed("CloseSession", err)
	}
	return nil
}
