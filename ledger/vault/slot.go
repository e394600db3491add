package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// A slot is one version of the root key as the root file has it, or an escrow:
//
//	 0  8  "custroot"
//	 8  1  format version: 1 the key itself, 2 sealed by a Wrapper
//	 9  5  zeros
//	14  2  length n of what is sealed; 0 in version 1
//	16  8  version of the root key
//	24  n  root key, n = 32; or what Wrap returned, 1 to 4,040 bytes
//	    32 SHA-256 of all before
//
// In the file zeros follow to 4,096 bytes: slots never share a block of the
// medium. An empty or destroyed slot is all zeros, and has version 0.
type slot struct {
	secret
	version uint64
	key     key    // zeros if it is sealed
	sealed  []byte // nil if it is not
}

const (
	rootMagic   = "custroot"
	slotSize    = 4096
	slotHead    = 24
	slotUsed    = slotHead + 32 + sha256.Size // of version 1
	slotWrapped = 2                           // format version
	maxSealed   = slotSize - slotHead - sha256.Size
)

// append encodes the slot, without the zeros that follow in the file.
func (s *slot) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, rootMagic...)
	held := s.key[:]
	if s.sealed == nil {
		dst = append(dst, formatVersion, 0, 0, 0, 0, 0, 0, 0)
	} else {
		held = s.sealed
		dst = append(dst, slotWrapped, 0, 0, 0, 0, 0)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(held)))
	}
	dst = binary.BigEndian.AppendUint64(dst, s.version)
	dst = append(dst, held...)
	sum := sha256.Sum256(dst[start:])
	return append(dst, sum[:]...)
}

// padded is the slot as the file has it.
func (s *slot) padded() []byte {
	b := make([]byte, 0, slotSize)
	return s.append(b)[:slotSize]
}

// decodeSlot returns what is in a slot of the file; ok is false if that is
// neither empty nor exactly what padded gives.
func decodeSlot(b []byte) (s slot, ok bool) {
	if len(b) != slotSize {
		return slot{}, false
	}
	if len(bytes.Trim(b, "\x00")) == 0 {
		return slot{}, true
	}
	s.version = binary.BigEndian.Uint64(b[16:])
	switch n := int(binary.BigEndian.Uint16(b[14:])); {
	case s.version == 0:
		return slot{}, false
	case b[8] == formatVersion:
		s.key = key(b[slotHead:])
	case b[8] == slotWrapped && n > 0 && n <= maxSealed:
		s.sealed = bytes.Clone(b[slotHead : slotHead+n])
	default:
		return slot{}, false
	}
	if !bytes.Equal(b, s.padded()) {
		return slot{}, false
	}
	return s, true
}

// A Wrapper seals root keys under keys of a device that can destroy them for
// good: one key for each version of the root. It is used by one goroutine at a
// time. After an error of Wrap or Keep it may have happened or not; both may be
// repeated.
type Wrapper interface {
	// Wrap makes the device's key of a version, replacing one that never came into
	// force, and returns the root sealed under it: 1 to 4,040 bytes.
	Wrap(version uint64, root []byte) (sealed []byte, err error)
	// Unwrap returns the root. The error wraps ErrGone if the device has no key of
	// that version.
	Unwrap(version uint64, sealed []byte) (root []byte, err error)
	// Keep destroys the device's key of every other version.
	Keep(version uint64) error
}

// fill returns the slot of a root key: as it is if w is nil, else sealed by w,
// which is asked for it again, because what cannot be unwrapped would be found
// out when it is too late.
func fill(k rootKey, w Wrapper) (slot, error) {
	if w == nil {
		return slot{version: k.version, key: k.key}, nil
	}
	sealed, err := w.Wrap(k.version, bytes.Clone(k.key[:]))
	if err != nil {
		return slot{}, fmt.Errorf("sealing root version %d: %w", k.version, err)
	}
	if len(sealed) == 0 || len(sealed) > maxSealed {
		return slot{}, fmt.Errorf("%w: root version %d sealed to %d bytes, at most %d", ErrLimit, k.version, len(sealed), maxSealed)
	}
	s := slot{version: k.version, sealed: bytes.Clone(sealed)}
	if again, err := s.open(w); err != nil || again != k {
		return slot{}, fmt.Errorf("root version %d does not come back from the device: %w", k.version, errors.Join(err, ErrDamaged))
	}
	return s, nil
}

// open returns the root key in a slot that is not empty. A key that is not
// sealed needs no device, even if there is one: the next root will.
func (s *slot) open(w Wrapper) (rootKey, error) {
	if s.sealed == nil {
		return rootKey{version: s.version, key: s.key}, nil
	}
	if w == nil {
		return rootKey{}, fmt.Errorf("%w: a device sealed version %d, and none is given", ErrMissingRoot, s.version)
	}
	b, err := w.Unwrap(s.version, bytes.Clone(s.sealed))
	switch {
	case errors.Is(err, ErrGone):
		return rootKey{}, fmt.Errorf("%w: the device has no key of version %d: %w", ErrMissingRoot, s.version, err)
	case err != nil:
		return rootKey{}, fmt.Errorf("unsealing root version %d: %w", s.version, err)
	case len(b) != len(key{}):
		return rootKey{}, damaged("root version %d unsealed to %d bytes", s.version, len(b))
	}
	k := rootKey{version: s.version, key: key(b)}
	clear(b)
	return k, nil
}
