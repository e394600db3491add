package ask

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/imalink/custody/ledger/vault"
)

// unresolved is the mask of a tag that is nobody's any more.
const unresolved = "unresolved"

// masks are the names that one answer gives to people: the same throughout it,
// because its pages share the key, and unlike those of any other answer.
type masks struct{ key [16]byte }

// of is the mask of somebody, after a word that says what part they play.
func (m masks) of(part string, p vault.PersonID) string {
	if p.IsZero() {
		return unresolved
	}
	h := hmac.New(sha256.New, m.key[:])
	h.Write(p[:])
	return part + "-" + hex.EncodeToString(h.Sum(nil)[:5])
}
