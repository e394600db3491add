package bitmaps

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/imalink/custody/projections"
)

// Damaged returns an error that wraps [projections.ErrDamaged] and says where.
func Damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", projections.ErrDamaged, fmt.Sprintf(format, args...))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 4

// Seal appends to value its checksum (CRC-32C) as that of a key.
func Seal(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, checksum(key, value))
}

// Unseal gives what [Seal] was given, or an error of [Damaged].
func Unseal(key, sealed []byte) ([]byte, error) {
	n := len(sealed) - sumSize
	if n < 0 || binary.BigEndian.Uint32(sealed[n:]) != checksum(key, sealed[:n]) {
		return nil, Damaged("checksum of %d bytes", len(sealed))
	}
	return sealed[:n:n], nil
}

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}
