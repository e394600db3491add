//go:build cgo

package pkcs11

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	p11 "github.com/miekg/pkcs11"
)

// TestReconnects: what happens to sessions behind a Device's back is made good
// by the next call.
func TestReconnects(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	root, box := sealed(t, d, 1)
	opens(t, d, 1, box, root)
	for name, happen := range map[string]func() error{
		"session closed":   func() error { return s.raw.CloseAllSessions(s.slots(testToken)[0]) },
		"user logged out":  func() error { return s.raw.Logout(d.session) },
		"module finalised": func() error { return s.raw.Finalize() },
	} {
		t.Run(name, func(t *testing.T) {
			must(t, happen())
			opens(t, d, 1, box, root)
			must(t, happen())
			must(t, d.Keep(1))
			must(t, happen())
			sealed(t, d, 2)
		})
	}
}

// TestHiddenIsNotGone: to whoever is not logged in, the token has no keys. That
// is not taken for their destruction.
func TestHiddenIsNotGone(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	_, box := sealed(t, d, 1)
	sealed(t, d, 2)
	d.module = &faulty{cryptoki: s.raw, before: func(call string, _ int) error {
		if call == "FindObjectsInit" {
			must(t, s.raw.Logout(d.session)) // each time
		}
		return nil
	}}
	for name, err := range map[string]error{"Keep": d.Keep(2), "Unwrap": second(d.Unwrap(1, box)), "Wrap": second(d.Wrap(3, newRoot()))} {
		if !coded(err, p11.CKR_USER_NOT_LOGGED_IN) {
			t.Errorf("%s of keys that it does not see: %v", name, err)
		}
	}
}

func second(_ []byte, err error) error { return err }

// TestSurvivor: a device that says so and does not destroy is found out.
func TestSurvivor(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	root, box := sealed(t, d, 1)
	sealed(t, d, 2)
	d.module = liar{s.raw}
	wantErr(t, d.Keep(2), ErrSurvived)
	_, err := d.Wrap(2, newRoot())
	wantErr(t, err, ErrSurvived)
	d.module = s.raw
	opens(t, d, 1, box, root)
	must(t, d.Keep(2))
}

// A liar destroys nothing.
type liar struct{ cryptoki }

func (liar) DestroyObject(p11.SessionHandle, p11.ObjectHandle) error { return nil }

// TestWrongPINOnce: a PIN that was refused is not tried again by the Device.
func TestWrongPINOnce(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	c := s.config()
	c.PIN = pinOf(t, "1234-wrong")
	f := &faulty{cryptoki: s.raw}
	d := &Device{config: c, module: f}
	for range 3 {
		wantErr(t, d.Keep(1), ErrPIN)
	}
	if n := strings.Count(strings.Join(f.calls, " "), "Login"); n != 1 {
		t.Errorf("%d attempts to log in, want 1", n)
	}
	equal(t, "the code is named", coded(d.Keep(1), p11.CKR_PIN_INCORRECT), true)
}

// TestErrorsName: function and code, and no secret.
func TestErrorsName(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	root, box := sealed(t, d, 1)
	d.module = &faulty{cryptoki: s.raw, before: func(call string, _ int) error {
		if call == "DecryptInit" {
			return p11.Error(p11.CKR_DEVICE_ERROR)
		}
		return nil
	}}
	_, err := d.Unwrap(1, box)
	text := fmt.Sprintf("%+v", err)
	for _, want := range []string{"C_DecryptInit", "CKR_DEVICE_ERROR", "version 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not name %s", text, want)
		}
	}
	for _, secret := range []string{testPIN, string(root), fmt.Sprintf("%x", root), string(box)} {
		if strings.Contains(text, secret) {
			t.Error("a secret in an error")
		}
	}
}

// TestDevicePrintsNothing: whatever holds the PIN does not print it.
func TestDevicePrintsNothing(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	c := s.config()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "device", d, "config", c, "pin", c.PIN)
	encoded, err := json.Marshal(c)
	must(t, err)
	printed := []string{log.String(), string(encoded)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		printed = append(printed, fmt.Sprintf(verb+verb, d, c), fmt.Sprintf(verb, struct{ hidden Config }{c}))
	}
	for _, text := range printed {
		for _, form := range []string{testPIN, fmt.Sprintf("%x", testPIN)} {
			if strings.Contains(text, form) {
				t.Errorf("the PIN is printed: %s", text)
			}
		}
	}
}
