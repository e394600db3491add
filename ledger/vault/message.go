package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// formatVersion is the first byte of every message, slot and blob.
const formatVersion = 1

// What a message is. The number is stored; the subject says the same.
const (
	kindTable = 1
	kindRows  = 2

	subjectTable = ".table"
	subjectRows  = ".rows"
)

// A header begins every message of the vault's stream:
//
//	 0  1  format version, 1
//	 1  1  kind: 1 table, 2 rows
//	 2  8  version of the root key in force when it was written
//	10  8  durable position of the event stream when it was written
//	18 32  SHA-256 of the message before; zeros in the first
type header struct {
	kind     byte
	epoch    uint64
	events   uint64
	previous [32]byte
}

const headerSize = 50

func (h header) append(dst []byte) []byte {
	dst = append(dst, formatVersion, h.kind)
	dst = binary.BigEndian.AppendUint64(dst, h.epoch)
	dst = binary.BigEndian.AppendUint64(dst, h.events)
	return append(dst, h.previous[:]...)
}

func decodeHeader(b []byte) (h header, err error) {
	switch {
	case len(b) < headerSize:
		return h, damaged("message of %d bytes is too short", len(b))
	case b[0] != formatVersion:
		return h, damaged("message has format version %d, not %d", b[0], formatVersion)
	case b[1] != kindTable && b[1] != kindRows:
		return h, damaged("message has kind %d", b[1])
	}
	h = header{kind: b[1], epoch: binary.BigEndian.Uint64(b[2:]), events: binary.BigEndian.Uint64(b[10:]), previous: [32]byte(b[18:])}
	if h.epoch == 0 {
		return h, damaged("message has root version 0")
	}
	return h, nil
}

// A rows message is a header, the count of records in 4 bytes, the records, and
// HMAC-SHA256 of all that under a key derived from the route key.
const (
	rowsOverhead = headerSize + 4 + sha256.Size
	rowsTarget   = 512 << 10 // a message is closed once it is this long
)

// encodeRows returns one rows message.
func encodeRows(mk *key, h header, records []record) []byte {
	size := rowsOverhead
	for _, r := range records {
		size += r.size()
	}
	b := h.append(make([]byte, 0, size))
	b = binary.BigEndian.AppendUint32(b, uint32(len(records)))
	for _, r := range records {
		b = r.append(b)
	}
	sum := mac(mk, b)
	return append(b, sum[:]...)
}

// decodeRows accepts exactly what encodeRows emits under mk. The records share
// memory with b.
func decodeRows(mk *key, b []byte) ([]record, error) {
	h, err := decodeHeader(b)
	if err != nil {
		return nil, err
	}
	if h.kind != kindRows || len(b) < rowsOverhead {
		return nil, damaged("not a rows message")
	}
	body := b[:len(b)-sha256.Size]
	if sum := mac(mk, body); !hmac.Equal(sum[:], b[len(body):]) {
		return nil, damaged("rows message is not authentic")
	}
	n := binary.BigEndian.Uint32(body[headerSize:])
	rest := body[headerSize+4:]
	if uint64(n)*uint64(recordOverhead) > uint64(len(rest)) {
		return nil, damaged("rows message counts %d records in %d bytes", n, len(rest))
	}
	records := make([]record, n)
	for i := range records {
		if records[i], rest, err = decodeRecord(rest); err != nil {
			return nil, err
		}
	}
	if len(rest) != 0 {
		return nil, damaged("%d bytes after the last record", len(rest))
	}
	return records, nil
}

// damaged returns an error that wraps ErrDamaged. No argument is ever personal.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}
