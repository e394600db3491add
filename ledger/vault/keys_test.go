package vault

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestMACIsHMAC(t *testing.T) {
	for n := range 200 {
		k, msg := newKey(), bytes.Repeat([]byte{byte(n)}, n)
		h := hmac.New(sha256.New, k[:])
		h.Write(msg)
		if got := mac(&k, msg); !bytes.Equal(got[:], h.Sum(nil)) {
			t.Fatalf("MAC of %d bytes differs from crypto/hmac", n)
		}
	}
}

func TestDeriveIsHKDF(t *testing.T) {
	for n := range 100 {
		k, info := newKey(), strings.Repeat("x", n)
		want, err := hkdf.Key(sha256.New, k[:], nil, info+"\x01\x02", 32)
		must(t, err)
		if got := k.derive(info, 1, 2); !bytes.Equal(got[:], want) {
			t.Fatalf("key with %d bytes of info differs from crypto/hkdf", n)
		}
	}
}

// Nothing that holds an identifier or a key prints it, however asked.
func TestNothingPrints(t *testing.T) {
	const secret = "candidate:10412"
	k := key([]byte("0123456789abcdef0123456789abcdef"))
	r := row{id: secret, key: k}
	for name, v := range map[string]any{
		"identifier": Identifier(secret), "identifiers": []Identifier{secret}, "in a struct": struct{ ID Identifier }{secret},
		"row": r, "pointer to row": &r, "Person": Person{p: &person{row: r}}, "key": k, "keys": []key{k}, "rootKey": rootKey{version: 1, key: k},
		"Root": &Root{live: rootKey{version: 1, key: k}}, "keyring": &keyring{route: k}, "Vault": &Vault{keys: keyring{route: k}}, "shard": shard{random: k},
		"cell": &cell{random: k}, "Cell": Cell{cell: &cell{random: k}}, "kept": []kept{{key: k}}, "slot": slot{key: k}, "EscrowedRoot": EscrowedRoot{slot: slot{key: k}}, "pointer to EscrowedRoot": &EscrowedRoot{slot: slot{key: k}}, "chain": chain{key: k}, "Batch": &Batch{v: &Vault{keys: keyring{route: k}}, born: []*person{{row: r}}}, "Options": Options{Root: &Root{live: rootKey{version: 1, key: k}}},
		"error": fmt.Errorf("about %v: %w", Identifier(secret), Identifier("").check()),
	} {
		var out strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("", "v", v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		text := strings.ToLower(out.String())
		for _, leak := range []string{secret, "63616e64696461", "0123456789", "303132", "48 49 50", "30 31"} {
			if strings.Contains(text, leak) {
				t.Errorf("%s prints itself: %s", name, leak)
			}
		}
	}
	equal(t, "revealed", Identifier(secret).Reveal(), secret)
}

func TestMonths(t *testing.T) {
	for text, want := range map[string]Month{
		"1970-01-01T00:00:00Z": 0, "1970-12-31T23:59:59Z": 11, "1971-01-01T00:00:00+01:00": 11, "2026-03-02T09:14:05Z": 674, "1969-12-31T23:59:59Z": -1,
	} {
		at, err := time.Parse(time.RFC3339, text)
		must(t, err)
		equal(t, text, MonthOf(at), want)
	}
	equal(t, "as text", Month(674).String(), "2026-03")
}

func TestErrorsAreTold(t *testing.T) {
	all := []error{ErrExists, ErrDamaged, ErrMissingRoot, ErrRetiredRoot, ErrForeignRoot, ErrOldStream, ErrGone, ErrLimit, ErrOrder, ErrHalted}
	for i, a := range all {
		for j, b := range all {
			if errors.Is(a, b) != (i == j) {
				t.Errorf("%v and %v are not told apart", a, b)
			}
		}
	}
}
