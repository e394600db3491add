//go:build cgo

package pkcs11

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	p11 "github.com/miekg/pkcs11"

	"github.com/imalink/custody/ledger/vault"
)

// A rootSealer is a key of the ledger in the device.
type rootSealer struct {
	handle p11.ObjectHandle
	id     string
}

// keyOf finds the key of a version; the error wraps vault.ErrGone if there is
// none.
func (d *Device) keyOf(version uint64) (p11.ObjectHandle, error) {
	keys, err := d.keys()
	if err != nil {
		return 0, err
	}
	id := keyID(d.config.Ledger, version)
	at := slices.IndexFunc(keys, func(k rootSealer) bool { return k.id == id })
	if at < 0 {
		return 0, fmt.Errorf("%w: token %q has no key of this version", vault.ErrGone, d.config.Token)
	}
	return keys[at].handle, nil
}

// keys returns every key of the ledger. Whoever is not logged in finds none, and
// no error either: so this is asked afterwards.
func (d *Device) keys() ([]rootSealer, error) {
	handles, err := d.find()
	if err != nil {
		return nil, err
	}
	var keys []rootSealer
	for _, h := range handles {
		id, err := d.module.GetAttributeValue(d.session, h, []*p11.Attribute{p11.NewAttribute(p11.CKA_ID, nil)})
		if err != nil {
			return nil, failed("GetAttributeValue", err)
		}
		if id := string(id[0].Value); strings.HasPrefix(id, keyPrefix(d.config.Ledger)) {
			keys = append(keys, rootSealer{h, id})
		}
	}
	info, err := d.module.GetSessionInfo(d.session)
	if err == nil && info.State != p11.CKS_RW_USER_FUNCTIONS {
		err = p11.Error(p11.CKR_USER_NOT_LOGGED_IN)
	}
	if err != nil {
		return nil, failed("GetSessionInfo", err)
	}
	return keys, nil
}

// find returns the root keys of all ledgers on the token.
func (d *Device) find() (all []p11.ObjectHandle, err error) {
	if err := d.module.FindObjectsInit(d.session, []*p11.Attribute{
		p11.NewAttribute(p11.CKA_CLASS, p11.CKO_SECRET_KEY),
		p11.NewAttribute(p11.CKA_TOKEN, true),
		p11.NewAttribute(p11.CKA_LABEL, label),
	}); err != nil {
		return nil, failed("FindObjectsInit", err)
	}
	for {
		some, _, err := d.module.FindObjects(d.session, 100)
		if err != nil {
			return nil, failed("FindObjects", err)
		}
		if len(some) == 0 {
			break
		}
		all = append(all, some...)
	}
	if err := d.module.FindObjectsFinal(d.session); err != nil {
		return nil, failed("FindObjectsFinal", err)
	}
	return all, nil
}

// destroy ends every key of the ledger whose id goes, and looks for them again.
func (d *Device) destroy(goes func(id string) bool) error {
	keys, err := d.keys()
	if err != nil {
		return err
	}
	kept := func(k rootSealer) bool { return !goes(k.id) }
	going := slices.DeleteFunc(keys, kept)
	for _, k := range going {
		if err := d.module.DestroyObject(d.session, k.handle); err != nil {
			return failed("DestroyObject", err)
		}
	}
	if len(going) == 0 {
		return nil
	}
	left, err := d.keys()
	if err != nil {
		return err
	}
	if left = slices.DeleteFunc(left, kept); len(left) > 0 {
		return fmt.Errorf("%w: %d of %d", ErrSurvived, len(left), len(going))
	}
	return nil
}

// generate makes a key that never leaves the device, and looks whether the
// device has taken that to heart: if not, the key is destroyed.
func (d *Device) generate(id string) (p11.ObjectHandle, error) {
	key, err := d.module.GenerateKey(d.session, []*p11.Mechanism{p11.NewMechanism(p11.CKM_AES_KEY_GEN, nil)}, []*p11.Attribute{
		p11.NewAttribute(p11.CKA_CLASS, p11.CKO_SECRET_KEY),
		p11.NewAttribute(p11.CKA_KEY_TYPE, p11.CKK_AES),
		p11.NewAttribute(p11.CKA_VALUE_LEN, 32),
		p11.NewAttribute(p11.CKA_LABEL, label),
		p11.NewAttribute(p11.CKA_ID, id),
		p11.NewAttribute(p11.CKA_TOKEN, true),
		p11.NewAttribute(p11.CKA_PRIVATE, true),
		p11.NewAttribute(p11.CKA_SENSITIVE, true),
		p11.NewAttribute(p11.CKA_EXTRACTABLE, false),
		p11.NewAttribute(p11.CKA_ENCRYPT, true),
		p11.NewAttribute(p11.CKA_DECRYPT, true),
	})
	if err != nil {
		return 0, failed("GenerateKey", err)
	}
	if err := d.confined(key); err != nil {
		if e := d.module.DestroyObject(d.session, key); e != nil {
			err = errors.Join(err, failed("DestroyObject", e))
		}
		return 0, err
	}
	return key, nil
}

// confined is an error unless the key lives in the token, only its user sees it,
// and its value never was and never can be outside.
func (d *Device) confined(key p11.ObjectHandle) error {
	must := []*p11.Attribute{
		p11.NewAttribute(p11.CKA_TOKEN, true),
		p11.NewAttribute(p11.CKA_PRIVATE, true),
		p11.NewAttribute(p11.CKA_ALWAYS_SENSITIVE, true),
		p11.NewAttribute(p11.CKA_NEVER_EXTRACTABLE, true),
	}
	is, err := d.module.GetAttributeValue(d.session, key, must)
	if err != nil {
		return failed("GetAttributeValue", err)
	}
	for i := range must {
		if !slices.Equal(is[i].Value, must[i].Value) {
			return fmt.Errorf("%w: attribute 0x%X of a new key is not what was asked for", ErrUnsupported, must[i].Type)
		}
	}
	return nil
}

func (d *Device) encrypt(key p11.ObjectHandle, aad, plain []byte) (iv, box []byte, err error) {
	iv = make([]byte, ivSize)
	_, _ = rand.Read(iv) // never fails: crypto/rand
	params := p11.NewGCMParams(iv, aad, 8*tagSize)
	defer params.Free()
	if err := d.module.EncryptInit(d.session, []*p11.Mechanism{p11.NewMechanism(p11.CKM_AES_GCM, params)}, key); err != nil {
		return nil, nil, failed("EncryptInit", err)
	}
	box, err = d.module.Encrypt(d.session, plain)
	if err != nil {
		return nil, nil, failed("Encrypt", err)
	}
	if used := params.IV(); used != nil { // some devices choose their own
		iv = used
	}
	return iv, box, nil
}

// decrypt has an error that wraps vault.ErrDamaged if the device says that this
// was not sealed under key with these associated data.
func (d *Device) decrypt(key p11.ObjectHandle, aad, iv, box []byte) ([]byte, error) {
	params := p11.NewGCMParams(iv, aad, 8*tagSize)
	defer params.Free()
	if err := d.module.DecryptInit(d.session, []*p11.Mechanism{p11.NewMechanism(p11.CKM_AES_GCM, params)}, key); err != nil {
		return nil, failed("DecryptInit", err)
	}
	plain, err := d.module.Decrypt(d.session, box)
	switch {
	case coded(err, p11.CKR_ENCRYPTED_DATA_INVALID, p11.CKR_ENCRYPTED_DATA_LEN_RANGE, aeadDecryptFailed):
		return nil, fmt.Errorf("%w: %w", vault.ErrDamaged, failed("Decrypt", err))
	case err != nil:
		return nil, failed("Decrypt", err)
	}
	return plain, nil
}

// aeadDecryptFailed is CKR_AEAD_DECRYPT_FAILED of PKCS #11 3.0.
const aeadDecryptFailed = 0x35
