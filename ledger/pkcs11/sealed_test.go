package pkcs11

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/imalink/custody/ledger/vault"
)

// TestFormat holds the layouts to the byte: what is stored must open for ever.
func TestFormat(t *testing.T) {
	if got := keyID("9f-c2", 7); got != "9f-c2/7" {
		t.Errorf("id of a key: %s", got)
	}
	if got, want := hex.EncodeToString(associated("9f-c2", 0x0102)), hex.EncodeToString([]byte("custody-root9f-c2"))+"0000000000000102"; got != want {
		t.Errorf("associated data %s, want %s", got, want)
	}
	b, err := encodeSealed([]byte{1, 2, 3}, bytes.Repeat([]byte{9}, 17))
	if want := "0103010203" + hex.EncodeToString(bytes.Repeat([]byte{9}, 17)); err != nil || hex.EncodeToString(b) != want {
		t.Errorf("sealed %x, %v; want %s", b, err, want)
	}
	for _, n := range []int{0, 256} {
		if _, err := encodeSealed(make([]byte, n), make([]byte, 48)); !errors.Is(err, ErrUnsupported) {
			t.Errorf("an initialisation vector of %d bytes: %v", n, err)
		}
	}
}

// TestDecodeSealed: what was encoded comes back, and whatever else there is does
// not upset it.
func TestDecodeSealed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		iv := rapid.SliceOfN(rapid.Byte(), 1, 255).Draw(t, "iv")
		box := rapid.SliceOfN(rapid.Byte(), tagSize, 100).Draw(t, "box")
		b, err := encodeSealed(iv, box)
		if err != nil {
			t.Fatal(err)
		}
		gotIV, gotBox, err := decodeSealed(b)
		if err != nil || !bytes.Equal(gotIV, iv) || !bytes.Equal(gotBox, box) {
			t.Fatal("another one came back: ", err)
		}
		b = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "anything")
		if gotIV, gotBox, err = decodeSealed(b); err == nil && (len(gotIV) == 0 || len(gotBox) < tagSize) || err != nil && !errors.Is(err, vault.ErrDamaged) {
			t.Fatalf("%d and %d bytes, %v", len(gotIV), len(gotBox), err)
		}
	})
}
