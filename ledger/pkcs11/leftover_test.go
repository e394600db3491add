//go:build cgo

package pkcs11

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"testing"
)

// TestNothingLeft: whoever has the token's folder and its PIN opens what a live
// key sealed, without asking SoftHSM, and nothing of what a destroyed one did.
// That the first succeeds shows that the search would find the second.
func TestNothingLeft(t *testing.T) {
	s := newSoftHSM(t, "", testToken)
	d := s.device(testLedger)
	before := s.files()
	root1, box1 := sealed(t, d, 1)
	made := s.files()
	root2, box2 := sealed(t, d, 2)
	if !forced(t, s.files(), testLedger, 1, box1, root1) || !forced(t, s.files(), testLedger, 2, box2, root2) {
		t.Fatal("the search does not even find keys that are there")
	}

	must(t, d.Keep(2))
	after := s.files()
	if forced(t, after, testLedger, 1, box1, root1) {
		t.Error("something in the token's folder opens what the destroyed key sealed")
	}
	if !forced(t, after, testLedger, 2, box2, root2) {
		t.Error("the key that was kept is not there")
	}
	for path := range made {
		_, old := before[path]
		if _, still := after[path]; still != old {
			t.Errorf("object file of the destroyed key: there %t", still)
		}
	}
	equal(t, "object files", len(after), len(before)+1)
}

// forced tries every window of every file as a key, as it is and decrypted with
// whatever the PIN gives.
func forced(t *testing.T, files map[string][]byte, ledger string, version uint64, sealed, root []byte) bool {
	t.Helper()
	iv, box, err := decodeSealed(sealed)
	must(t, err)
	opens := func(key []byte) bool {
		block, err := aes.NewCipher(key)
		must(t, err)
		gcm, err := cipher.NewGCM(block)
		must(t, err)
		plain, err := gcm.Open(nil, iv, box, associated(ledger, version))
		return err == nil && bytes.Equal(plain, root)
	}
	tokenKeys := tokenKeys(t, files)
	for _, b := range files {
		for i := range max(0, len(b)-31) {
			if opens(b[i : i+32]) {
				return true
			}
			for _, key := range tokenKeys {
				if i+48 <= len(b) && opens(uncbc(t, key, b[i:i+48])) {
					return true
				}
			}
		}
	}
	return false
}

// tokenKeys are those under which SoftHSM 2 encrypts private attributes. They
// stand in its files as salt, vector, and "RJR" and the key encrypted under what
// 1,500 rounds of SHA-256 and more make of the PIN.
func tokenKeys(t *testing.T, files map[string][]byte) (keys [][]byte) {
	t.Helper()
	for _, b := range files {
		for i := range max(0, len(b)-71) {
			sum := sha256.Sum256(append(bytes.Clone(b[i:i+8]), testPIN...))
			for range 1499 + int(b[i+7]) {
				sum = sha256.Sum256(sum[:])
			}
			if plain := uncbc(t, sum[:], b[i+8:i+72]); string(plain[:3]) == "RJR" {
				keys = append(keys, plain[3:35])
			}
		}
	}
	if len(keys) == 0 {
		t.Fatal("no file holds a token's key as SoftHSM 2.6 keeps it: has it changed?")
	}
	return keys
}

// uncbc decrypts AES-CBC; b begins with the vector, padding stays.
func uncbc(t *testing.T, key, b []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	must(t, err)
	plain := make([]byte, len(b)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, b[:aes.BlockSize]).CryptBlocks(plain, b[aes.BlockSize:])
	return plain
}
