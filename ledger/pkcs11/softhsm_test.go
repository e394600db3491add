//go:build cgo

package pkcs11

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	p11 "github.com/miekg/pkcs11"
)

const (
	testPIN    = "7391-user"
	testSO     = "8264-officer"
	testToken  = "custody test"
	testLedger = "0123456789abcdef0123456789abcdef"
)

// A softHSM is SoftHSM with a folder of its own. A process has one at a time:
// tests that use it do not run in parallel.
type softHSM struct {
	t      *testing.T
	module string
	tokens string   // folder of its files
	raw    *p11.Ctx // to do what a Device does not
}

// newSoftHSM starts SoftHSM, with more lines for its configuration, and makes a
// token for each label.
func newSoftHSM(t *testing.T, more string, labels ...string) *softHSM {
	t.Helper()
	s := &softHSM{t: t, module: findSoftHSM(t), tokens: filepath.Join(t.TempDir(), "tokens")}
	conf := filepath.Join(t.TempDir(), "softhsm2.conf")
	must(t, os.Mkdir(s.tokens, 0o700))
	must(t, os.WriteFile(conf, []byte("directories.tokendir = "+s.tokens+"\nobjectstore.backend = file\n"+more), 0o600))
	t.Setenv("SOFTHSM2_CONF", conf)
	s.raw = p11.New(s.module)
	must(t, s.raw.Initialize())
	t.Cleanup(func() {
		if err := s.raw.Finalize(); err != nil && !coded(err, p11.CKR_CRYPTOKI_NOT_INITIALIZED) {
			t.Error(err)
		}
	})
	for _, label := range labels {
		s.initialise(label)
	}
	return s
}

func findSoftHSM(t *testing.T) string {
	t.Helper()
	for _, path := range []string{
		"/usr/lib/softhsm/libsofthsm2.so",       // Debian, Ubuntu, Arch
		"/usr/lib64/pkcs11/libsofthsm2.so",      // Fedora
		"/usr/local/lib/softhsm/libsofthsm2.so", // from source
		"/opt/homebrew/lib/softhsm/libsofthsm2.so",
	} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("SoftHSM is not installed, and these tests run against it: apt-get install softhsm2")
	return ""
}

// initialise makes a token with a label.
func (s *softHSM) initialise(label string) {
	s.t.Helper()
	slots, err := s.raw.GetSlotList(true)
	must(s.t, err)
	must(s.t, s.raw.InitToken(slots[len(slots)-1], testSO, label)) // the last slot is always free
	for _, slot := range s.slots(label) {
		session, err := s.raw.OpenSession(slot, p11.CKF_SERIAL_SESSION|p11.CKF_RW_SESSION)
		must(s.t, err)
		must(s.t, s.raw.Login(session, p11.CKU_SO, testSO))
		must(s.t, s.raw.InitPIN(session, testPIN))
		must(s.t, s.raw.CloseAllSessions(slot))
	}
}

func (s *softHSM) slots(label string) (found []uint) {
	s.t.Helper()
	slots, err := s.raw.GetSlotList(true)
	must(s.t, err)
	for _, slot := range slots {
		info, err := s.raw.GetTokenInfo(slot)
		must(s.t, err)
		if info.Label == label {
			found = append(found, slot)
		}
	}
	if len(found) == 0 {
		s.t.Fatal("no such token")
	}
	return found
}

func (s *softHSM) config() Config {
	return Config{Module: s.module, Token: testToken, PIN: pinOf(s.t, testPIN), Ledger: testLedger}
}

// device is the ledger's, and closed with the test.
func (s *softHSM) device(ledger string) *Device {
	s.t.Helper()
	c := s.config()
	c.Ledger = ledger
	d, err := Open(c)
	must(s.t, err)
	s.t.Cleanup(func() { must(s.t, d.Close()) })
	return d
}

// files are the objects of all tokens: one file each.
func (s *softHSM) files() map[string][]byte {
	s.t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.tokens, "*", "*.object"))
	must(s.t, err)
	all := map[string][]byte{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		must(s.t, err)
		all[path] = b
	}
	return all
}

func pinOf(t *testing.T, text string) PIN {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pin")
	must(t, os.WriteFile(path, []byte(text+"\n"), 0o600))
	pin, err := ReadPIN(path)
	must(t, err)
	return pin
}

// ids lists the keys that a device finds for its ledger.
func ids(t *testing.T, d *Device) (all []string) {
	t.Helper()
	must(t, d.do(func() error {
		keys, err := d.keys()
		all = nil
		for _, k := range keys {
			all = append(all, k.id)
		}
		return err
	}))
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Fatalf("%s is %s, want %s", what, g, w)
	}
}
