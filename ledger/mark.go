package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/imalink/custody/ledger/durable"
)

// The durable mark is a small file beside the root key, outside the data
// directory. It says how far the ledger had been made durable when it was last
// written (at rest, at most a second behind, and at every clean stop). A data
// directory that is behind it is an older copy, or has lost something: it is
// refused. FORMAT.md, "Durable mark", has its layout and a vector.
const (
	markMagic   = "CUSTODYM"
	markVersion = 1
	markSize    = 8 + 1 + 16 + 3*8 + 32 + 32
)

// A mark holds the last durable sequence of each stream and the digest of the
// last event (zero when there is none).
type mark struct {
	Ledger                string // the manifest's ID
	Events, Vault, Access uint64
	Digest                [32]byte
}

func (m mark) encode() ([]byte, error) {
	id, err := hex.DecodeString(m.Ledger)
	if err != nil || len(id) != 16 {
		return nil, fmt.Errorf("%w: ledger id in the durable mark", ErrDamaged)
	}
	b := append(make([]byte, 0, markSize), markMagic...)
	b = append(b, markVersion)
	b = append(b, id...)
	for _, n := range []uint64{m.Events, m.Vault, m.Access} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = append(b, m.Digest[:]...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

// decodeMark accepts exactly what encode emits.
func decodeMark(b []byte) (mark, error) {
	if len(b) != markSize || string(b[:8]) != markMagic {
		return mark{}, fmt.Errorf("%w: not a durable mark", ErrDamaged)
	}
	if b[8] != markVersion {
		return mark{}, fmt.Errorf("%w: durable mark of version %d", ErrDamaged, b[8])
	}
	sum := sha256.Sum256(b[:markSize-32])
	if !bytes.Equal(sum[:], b[markSize-32:]) {
		return mark{}, fmt.Errorf("%w: checksum of the durable mark", ErrDamaged)
	}
	m := mark{
		Ledger: hex.EncodeToString(b[9:25]),
		Events: binary.BigEndian.Uint64(b[25:]),
		Vault:  binary.BigEndian.Uint64(b[33:]),
		Access: binary.BigEndian.Uint64(b[41:]),
	}
	copy(m.Digest[:], b[49:81])
	return m, nil
}

// readMark returns the mark at path; ok is false if there is none, in which
// case nothing outside the data says how far it reached.
func readMark(path string) (m mark, ok bool, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return mark{}, false, nil
	}
	if err != nil {
		return mark{}, false, fmt.Errorf("reading the durable mark: %w", err)
	}
	m, err = decodeMark(b)
	if err != nil {
		return mark{}, false, fmt.Errorf("%s: %w", path, err)
	}
	return m, true, nil
}

// write replaces the mark at path durably.
func (m mark) write(path string) error {
	b, err := m.encode()
	if err != nil {
		return err
	}
	if err := durable.Replace(path, b); err != nil {
		return fmt.Errorf("writing the durable mark: %w", err)
	}
	return nil
}
