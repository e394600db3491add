package rows

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
)

// Damaged returns an error that wraps [projections.ErrDamaged] and says where.
func Damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", projections.ErrDamaged, fmt.Sprintf(format, args...))
}

// Bucket gives a bucket of a view's file, nil in a file in which nothing was folded yet. In any other it must be there:
// every flush of a view makes all its buckets.
func Bucket(tx *bolt.Tx, name string) (*bolt.Bucket, error) {
	b := tx.Bucket([]byte(name))
	if b != nil {
		return b, nil
	}
	if position, err := projections.Position(tx); err == nil && position > 0 {
		return nil, Damaged("there is no bucket %s", name)
	}
	return nil, nil
}

// Create gives a bucket to write to, a new one if nothing was folded yet.
func Create(tx *bolt.Tx, name string) (*bolt.Bucket, error) {
	b, err := Bucket(tx, name)
	if b != nil || err != nil {
		return b, err
	}
	if b, err = tx.CreateBucket([]byte(name)); err != nil {
		return nil, fmt.Errorf("creating bucket %s: %w", name, err)
	}
	return b, nil
}

// SealSize is how many bytes longer a sealed value is.
const SealSize = 4

// Seal appends to value its checksum as that of a key in a bucket.
func Seal(bucket string, key, value []byte) []byte {
	return appendSum(value, checksum(bucket, nil, key, value))
}

// Unseal gives what [Seal] was given, or an error of [Damaged]. A nil sealed value, as of a row that is not there, is damage.
func Unseal(bucket string, key, sealed []byte) ([]byte, error) {
	return unseal(bucket, nil, key, sealed)
}

func unseal(bucket string, before, key, sealed []byte) ([]byte, error) {
	n := len(sealed) - SealSize
	if n < 0 || binary.BigEndian.Uint32(sealed[n:]) != checksum(bucket, before, key, sealed[:n]) {
		return nil, Damaged("a row of %s, of %d bytes", bucket, len(sealed))
	}
	return sealed[:n:n], nil
}

func appendSum(dst []byte, sum uint32) []byte { return binary.BigEndian.AppendUint32(dst, sum) }

// checksum is that of a row behind another.
func checksum(bucket string, before, key, value []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once
	var room [64]byte
	head := append(room[:0], bucket...)
	head = binary.AppendUvarint(head, uint64(len(before)))
	head = binary.AppendUvarint(head, uint64(len(key)))
	sum := crc32.Checksum(head, table)
	sum = crc32.Update(sum, table, before)
	sum = crc32.Update(sum, table, key)
	return crc32.Update(sum, table, value)
}
