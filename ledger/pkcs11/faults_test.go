//go:build cgo

package pkcs11

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"github.com/imalink/custody/ledger/vault"
)

// faulty is a module whose functions fail at will: before they do anything, or
// after they did it. The number of a call counts from 1.
type faulty struct {
	cryptoki
	before, after func(call string, n int) error
	lenient       bool // keys are made extractable, whatever was asked for
	calls         []string
}

func (f *faulty) call(name string, do func() error) error {
	f.calls = append(f.calls, name)
	if f.before != nil {
		if err := f.before(name, len(f.calls)); err != nil {
			return err
		}
	}
	if err := do(); err != nil || f.after == nil {
		return err
	}
	return f.after(name, len(f.calls))
}

func (f *faulty) GetSlotList(present bool) (out []uint, err error) {
	err = f.call("GetSlotList", func() error { out, err = f.cryptoki.GetSlotList(present); return err })
	return out, err
}

func (f *faulty) OpenSession(slot, flags uint) (out p11.SessionHandle, err error) {
	err = f.call("OpenSession", func() error { out, err = f.cryptoki.OpenSession(slot, flags); return err })
	return out, err
}

func (f *faulty) CloseSession(s p11.SessionHandle) error {
	return f.call("CloseSession", func() error { return f.cryptoki.CloseSession(s) })
}

func (f *faulty) GetSessionInfo(s p11.SessionHandle) (out p11.SessionInfo, err error) {
	err = f.call("GetSessionInfo", func() error { out, err = f.cryptoki.GetSessionInfo(s); return err })
	return out, err
}

func (f *faulty) Login(s p11.SessionHandle, user uint, pin string) error {
	return f.call("Login", func() error { return f.cryptoki.Login(s, user, pin) })
}

func (f *faulty) FindObjectsInit(s p11.SessionHandle, a []*p11.Attribute) error {
	return f.call("FindObjectsInit", func() error { return f.cryptoki.FindObjectsInit(s, a) })
}

func (f *faulty) FindObjects(s p11.SessionHandle, n int) (out []p11.ObjectHandle, more bool, err error) {
	err = f.call("FindObjects", func() error { out, more, err = f.cryptoki.FindObjects(s, min(n, 1)); return err })
	return out, more, err
}

func (f *faulty) FindObjectsFinal(s p11.SessionHandle) error {
	return f.call("FindObjectsFinal", func() error { return f.cryptoki.FindObjectsFinal(s) })
}

func (f *faulty) GetAttributeValue(s p11.SessionHandle, o p11.ObjectHandle, a []*p11.Attribute) (out []*p11.Attribute, err error) {
	err = f.call("GetAttributeValue", func() error { out, err = f.cryptoki.GetAttributeValue(s, o, a); return err })
	return out, err
}

func (f *faulty) GenerateKey(s p11.SessionHandle, m []*p11.Mechanism, a []*p11.Attribute) (out p11.ObjectHandle, err error) {
	if f.lenient {
		a = append(slices.DeleteFunc(a, func(a *p11.Attribute) bool { return a.Type == p11.CKA_EXTRACTABLE }), p11.NewAttribute(p11.CKA_EXTRACTABLE, true))
	}
	err = f.call("GenerateKey", func() error { out, err = f.cryptoki.GenerateKey(s, m, a); return err })
	return out, err
}

func (f *faulty) DestroyObject(s p11.SessionHandle, o p11.ObjectHandle) error {
	return f.call("DestroyObject", func() error { return f.cryptoki.DestroyObject(s, o) })
}

func (f *faulty) EncryptInit(s p11.SessionHandle, m []*p11.Mechanism, o p11.ObjectHandle) error {
	return f.call("EncryptInit", func() error { return f.cryptoki.EncryptInit(s, m, o) })
}

func (f *faulty) Encrypt(s p11.SessionHandle, b []byte) (out []byte, err error) {
	err = f.call("Encrypt", func() error { out, err = f.cryptoki.Encrypt(s, b); return err })
	return out, err
}

func (f *faulty) DecryptInit(s p11.SessionHandle, m []*p11.Mechanism, o p11.ObjectHandle) error {
	return f.call("DecryptInit", func() error { return f.cryptoki.DecryptInit(s, m, o) })
}

func (f *faulty) Decrypt(s p11.SessionHandle, b []byte) (out []byte, err error) {
	err = f.call("Decrypt", func() error { out, err = f.cryptoki.Decrypt(s, b); return err })
	return out, err
}

// A scene is a device with one version in force and the next one coming.
type scene struct {
	s          *softHSM
	d          *Device
	live, next generation
}

type generation struct {
	version   uint64
	root, box []byte // box is nil as long as it is not sealed
}

func (sc *scene) wrap() error {
	root := newRoot()
	box, err := sc.d.Wrap(sc.next.version, root)
	if err == nil {
		sc.next.root, sc.next.box = root, box
	}
	return err
}

func (sc *scene) unwrap() error {
	root, err := sc.d.Unwrap(sc.next.version, sc.next.box)
	if err == nil && !bytes.Equal(root, sc.next.root) {
		sc.s.t.Error("another root than was sealed")
	}
	return err
}

func (sc *scene) keep() error { return sc.d.Keep(sc.next.version) }

// TestFaults lets every call of every method fail: with a code after which the
// Device gives up, before the call is done and after it was, and with one after
// which it tries again at once. What is in force always opens, and doing it again
// brings it about.
func TestFaults(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	for name, act := range map[string]func(*scene) error{"Wrap": (*scene).wrap, "Unwrap": (*scene).unwrap, "Keep": (*scene).keep} {
		t.Run(name, func(t *testing.T) {
			sc := &scene{s: s, d: s.device(strings.ToLower(name)), live: generation{version: 1}, next: generation{version: 2}}
			sc.live.root, sc.live.box = sealed(t, sc.d, 1)
			for n, more := 1, true; more; n++ {
				more = sc.fault(t, name, act, n, p11.CKR_DEVICE_ERROR, false) != ""
				if more {
					sc.fault(t, name, act, n, p11.CKR_DEVICE_ERROR, true)
					sc.fault(t, name, act, n, p11.CKR_SESSION_HANDLE_INVALID, true)
				}
			}
		})
	}
}

// fault lets the n-th call fail once, and returns which it was; empty if there
// are fewer.
func (sc *scene) fault(t *testing.T, name string, act func(*scene) error, n int, code uint, done bool) (call string) {
	t.Helper()
	if name != "Wrap" && sc.next.box == nil {
		must(t, sc.wrap())
	}
	opens(t, sc.d, sc.live.version, sc.live.box, sc.live.root)
	must(t, sc.d.Close())
	fail := func(name string, i int) error {
		if i != n {
			return nil
		}
		call = name
		return p11.Error(code)
	}
	f := &faulty{cryptoki: sc.s.raw, before: fail}
	if done {
		f.before, f.after = nil, fail
	}
	sc.d = &Device{config: sc.d.config, module: f} // as in a new process: it has yet to log in
	err := act(sc)
	if again := code == p11.CKR_SESSION_HANDLE_INVALID; (err == nil) != (call == "" || again) {
		t.Fatalf("%s, C_%s (call %d, done %t, code 0x%X): error %v", name, call, n, done, code, err)
	}
	if err != nil && !coded(err, code) {
		t.Fatalf("%s, C_%s: the error does not have the code: %v", name, call, err)
	}
	sc.d.module = sc.s.raw
	if name != "Keep" {
		opens(t, sc.d, sc.live.version, sc.live.box, sc.live.root) // whatever happened
	}
	if err != nil {
		must(t, act(sc))
	}
	opens(t, sc.d, sc.next.version, sc.next.box, sc.next.root)
	if name == "Wrap" {
		equal(t, "number of keys", len(ids(t, sc.d)), 2)
		must(t, sc.keep())
	}
	if name != "Unwrap" {
		equal(t, "keys", ids(t, sc.d), []string{keyID(sc.d.config.Ledger, sc.next.version)})
		_, err := sc.d.Unwrap(sc.live.version, sc.live.box)
		wantErr(t, err, vault.ErrGone)
		sc.live, sc.next = sc.next, generation{version: sc.next.version + 1}
	}
	return call
}
