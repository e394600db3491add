//go:build cgo

package pkcs11

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"github.com/imalink/custody/ledger/vault"
)

func newRoot() []byte {
	root := make([]byte, 32)
	rand.Read(root)
	return root
}

// sealed has d seal a new root.
func sealed(t *testing.T, d *Device, version uint64) (root, box []byte) {
	t.Helper()
	root = newRoot()
	box, err := d.Wrap(version, root)
	must(t, err)
	if bytes.Contains(box, root) {
		t.Fatal("the root stands in what it is sealed in")
	}
	return root, box
}

func opens(t *testing.T, d *Device, version uint64, box, root []byte) {
	t.Helper()
	back, err := d.Unwrap(version, box)
	must(t, err)
	if !bytes.Equal(back, root) {
		t.Fatal("another root than was sealed")
	}
}

func TestVersions(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	_, err := d.Unwrap(1, make([]byte, 62))
	wantErr(t, err, vault.ErrDamaged)
	root1, box1 := sealed(t, d, 1)
	opens(t, d, 1, box1, root1)
	root2, box2 := sealed(t, d, 2)
	opens(t, d, 1, box1, root1) // both, until Keep
	opens(t, s.device(testLedger), 2, box2, root2)

	_, err = d.Unwrap(3, box2)
	wantErr(t, err, vault.ErrGone)
	wantErr(t, d.Keep(3), vault.ErrGone) // and destroys nothing
	equal(t, "keys", len(ids(t, d)), 2)
	if _, err = d.Unwrap(2, box1); err == nil {
		t.Fatal("the key of another version opened it")
	}

	for range 2 { // repeating it is safe
		must(t, d.Keep(2))
		equal(t, "keys", ids(t, d), []string{testLedger + "/2"})
	}
	_, err = d.Unwrap(1, box1)
	wantErr(t, err, vault.ErrGone)
	opens(t, d, 2, box2, root2)
	must(t, d.Close())
	must(t, d.Close())
	_, err = d.Unwrap(2, box2)
	wantErr(t, err, ErrClosed)
	again := s.device(testLedger)
	opens(t, again, 2, box2, root2)
	_, err = again.Unwrap(1, box1)
	wantErr(t, err, vault.ErrGone)
}

// TestReplaced: a version that never came into force is made anew, one that did
// is not.
func TestReplaced(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	_, first := sealed(t, d, 1)
	root, second := sealed(t, d, 1)
	equal(t, "keys", ids(t, d), []string{testLedger + "/1"})
	if _, err := d.Unwrap(1, first); err == nil {
		t.Fatal("what the replaced key sealed still opens")
	}
	opens(t, d, 1, second, root)
	must(t, d.Keep(1)) // in force
	_, err := d.Wrap(1, newRoot())
	wantErr(t, err, vault.ErrOrder)
	opens(t, d, 1, second, root)
	sealed(t, d, 3) // abandoned
	root, box := sealed(t, d, 4)
	must(t, d.Keep(4))
	wantErr(t, d.Keep(1), vault.ErrOrder)
	for version := range uint64(5) {
		_, err = d.Wrap(version, newRoot())
		wantErr(t, err, vault.ErrOrder)
	}
	equal(t, "keys", ids(t, d), []string{testLedger + "/4"})
	opens(t, d, 4, box, root)
}

// TestKeepsOlder: an abandoned version above the one in force goes as well.
func TestKeepsOlder(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	root, box := sealed(t, d, 10)
	_, above := sealed(t, d, 11)
	_, below := sealed(t, d, 9)
	must(t, d.Keep(10))
	equal(t, "keys", ids(t, d), []string{testLedger + "/10"})
	opens(t, d, 10, box, root)
	for version, box := range map[uint64][]byte{9: below, 11: above} {
		_, err := d.Unwrap(version, box)
		wantErr(t, err, vault.ErrGone)
	}
}

// TestStrangers: keys of other ledgers, and other objects, are left alone.
func TestStrangers(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	const longer = testLedger + "-more"
	other, namesake, d := s.device("other"), s.device(longer), s.device(testLedger)
	root1, box1 := sealed(t, other, 1)
	root2, box2 := sealed(t, namesake, 2)
	foreign := s.foreign(other)
	_, old := sealed(t, d, 1)
	root3, box3 := sealed(t, d, 3)
	must(t, d.Keep(3))
	opens(t, other, 1, box1, root1)
	opens(t, namesake, 2, box2, root2)
	opens(t, d, 3, box3, root3)
	if _, err := s.raw.GetObjectSize(other.session, foreign); err != nil {
		t.Error("somebody else's key was destroyed: ", err)
	}
	_, err := d.Unwrap(1, old)
	wantErr(t, err, vault.ErrGone)
	_, err = d.Unwrap(1, box1)
	wantErr(t, err, vault.ErrGone)
	_, mine := sealed(t, other, 3)
	if _, err = d.Unwrap(3, mine); err == nil {
		t.Error("a ledger opened another's root")
	}
}

// foreign makes a key that is no ledger's, extractable, by d's session.
func (s *softHSM) foreign(d *Device) p11.ObjectHandle {
	s.t.Helper()
	key, err := s.raw.GenerateKey(d.session, []*p11.Mechanism{p11.NewMechanism(p11.CKM_AES_KEY_GEN, nil)}, []*p11.Attribute{
		p11.NewAttribute(p11.CKA_VALUE_LEN, 32), p11.NewAttribute(p11.CKA_TOKEN, true), p11.NewAttribute(p11.CKA_PRIVATE, true),
		p11.NewAttribute(p11.CKA_LABEL, label), p11.NewAttribute(p11.CKA_ID, "somebody"), p11.NewAttribute(p11.CKA_EXTRACTABLE, true),
		p11.NewAttribute(p11.CKA_SENSITIVE, false), p11.NewAttribute(p11.CKA_DECRYPT, true),
	})
	must(s.t, err)
	return key
}

func TestTampered(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	root, box := sealed(t, d, 1)
	for i := range box {
		spoilt := slices.Clone(box)
		spoilt[i] ^= 1
		if _, err := d.Unwrap(1, spoilt); err == nil {
			t.Errorf("opened with byte %d changed", i)
		}
	}
	for n := range box {
		if _, err := d.Unwrap(1, box[:n]); err == nil {
			t.Errorf("opened cut off at %d", n)
		}
	}
	if _, err := d.Unwrap(1, append(slices.Clone(box), 0)); err == nil {
		t.Error("opened with a byte more")
	}
	opens(t, d, 1, box, root)
	for _, code := range []uint{p11.CKR_ENCRYPTED_DATA_INVALID, p11.CKR_ENCRYPTED_DATA_LEN_RANGE, aeadDecryptFailed} {
		d.module = &faulty{cryptoki: s.raw, before: func(call string, _ int) error {
			if call == "Decrypt" {
				return p11.Error(code)
			}
			return nil
		}}
		_, err := d.Unwrap(1, box)
		wantErr(t, err, vault.ErrDamaged)
	}
}

// TestConfined: a key's value cannot be had from the device, and a device that
// makes it so that it can is found out.
func TestConfined(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	sealed(t, d, 1)
	keys, err := d.keys()
	must(t, err)
	must(t, d.confined(keys[0].handle))
	_, err = s.raw.GetAttributeValue(d.session, keys[0].handle, []*p11.Attribute{p11.NewAttribute(p11.CKA_VALUE, nil)})
	equal(t, "reading its value", coded(err, p11.CKR_ATTRIBUTE_SENSITIVE), true)
	wantErr(t, d.confined(s.foreign(d)), ErrUnsupported)

	before := len(s.files())
	d.module = &faulty{cryptoki: s.raw, lenient: true}
	_, err = d.Wrap(2, newRoot())
	wantErr(t, err, ErrUnsupported)
	equal(t, "objects", len(s.files()), before)
}

func TestRefused(t *testing.T) {
	s := newSoftHSM(t, "", testToken, "twin", "twin")
	notLibrary := filepath.Join(t.TempDir(), "module.so")
	must(t, os.WriteFile(notLibrary, []byte("nothing"), 0o700))
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   error
	}{
		{"no module", func(c *Config) { c.Module = notLibrary + "-none" }, ErrModule},
		{"text for a module", func(c *Config) { c.Module = notLibrary }, ErrModule},
		{"library of something else", func(c *Config) { c.Module = otherLibrary(t) }, ErrModule},
		{"relative module", func(c *Config) { c.Module = "libsofthsm2.so" }, ErrConfig},
		{"missing token", func(c *Config) { c.Token = "another" }, ErrToken},
		{"two tokens", func(c *Config) { c.Token = "twin" }, ErrToken},
		{"no token", func(c *Config) { c.Token = "" }, ErrConfig},
		{"no PIN", func(c *Config) { c.PIN = PIN{} }, ErrConfig},
		{"wrong PIN", func(c *Config) { c.PIN = pinOf(t, "1234-wrong") }, ErrPIN},
		{"no ledger", func(c *Config) { c.Ledger = "" }, ErrConfig},
		{"slash in ledger", func(c *Config) { c.Ledger = "a/b" }, ErrConfig},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := s.config()
			test.change(&c)
			d, err := Open(c)
			wantErr(t, err, test.want)
			if d != nil || strings.Contains(err.Error(), "1234-wrong") {
				t.Error("a device, or the PIN in the error")
			}
		})
	}
}

func otherLibrary(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/lib/*/libm.so.6", "/lib64/libm.so.6", "/usr/lib/*/libm.so.6"} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[0]
		}
	}
	t.Fatal("no library that is not PKCS#11 was found: libm.so.6")
	return ""
}

func TestLacksMechanism(t *testing.T) {
	s := newSoftHSM(t, "slots.mechanisms = CKM_AES_KEY_GEN\n", testToken)
	_, err := Open(s.config())
	wantErr(t, err, ErrUnsupported)
	if !strings.Contains(fmt.Sprint(err), "CKM_AES_GCM") {
		t.Error("does not say what is lacking: ", err)
	}
}

func TestConcurrent(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	root, box := sealed(t, d, 1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			back, err := d.Unwrap(1, box)
			if err != nil || !bytes.Equal(back, root) {
				t.Error("while others use it: ", err)
			}
			if err := d.Keep(1); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
