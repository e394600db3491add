package pkcs11

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/imalink/custody/ledger/vault"
)

// What a root key is sealed in. The device may choose the initialisation vector
// itself, so it is stored:
//
//	0  1  format version, 1
//	1  1  length of the initialisation vector, n, at least 1
//	2  n  initialisation vector
//	2+n   AES-256-GCM ciphertext, and its tag of 16 bytes
//
// The associated data are label, the ledger's id, and the version of the root
// key, 8 bytes, big endian.
const (
	formatVersion = 1
	label         = "custody-root" // CKA_LABEL of every key as well
	ivSize        = 12             // bytes of the one that is proposed to the device
	tagSize       = 16             // bytes
)

func encodeSealed(iv, box []byte) ([]byte, error) {
	if len(iv) == 0 || len(iv) > 255 {
		return nil, fmt.Errorf("%w: the device used an initialisation vector of %d bytes", ErrUnsupported, len(iv))
	}
	return append(append([]byte{formatVersion, byte(len(iv))}, iv...), box...), nil
}

func decodeSealed(b []byte) (iv, box []byte, err error) {
	if len(b) < 2 || b[0] != formatVersion || b[1] == 0 || len(b) < 2+int(b[1])+tagSize {
		return nil, nil, fmt.Errorf("%w: no root key was sealed in this", vault.ErrDamaged)
	}
	n := 2 + int(b[1])
	return b[2:n], b[n:], nil
}

func associated(ledger string, version uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(label+ledger), version)
}

// keyPrefix begins the CKA_ID of every key of a ledger, and of no other's: an id
// of a ledger has no slash.
func keyPrefix(ledger string) string { return ledger + "/" }

// keyID is the CKA_ID of the key of a version, such as 9f…c2/7.
func keyID(ledger string, version uint64) string {
	return keyPrefix(ledger) + strconv.FormatUint(version, 10)
}
