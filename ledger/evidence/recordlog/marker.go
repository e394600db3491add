package recordlog

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imalink/custody/ledger/evidence"
)

// A marker says up to where all files are synced, and what they have up to there:
//
//	  0  8  "CUSTODYR"
//	  8  1  version, 1
//	  9  8  n, the number of records
//	 17 32  R(n)
//	 49 32  G(n), zeros if n is 0
//	 81  8  length of producers
//	 89 32  SHA-256 of producers
//	121 32  SHA-256 of all before
type marker struct {
	size            uint64
	root, annotated evidence.Hash
	producers       uint64
	names           evidence.Hash
}

const (
	markerMagic   = "CUSTODYR"
	markerVersion = 1
	markerSize    = 8 + 1 + 8 + 2*32 + 8 + 32 + 32
)

func (m *marker) encode() []byte {
	b := append(make([]byte, 0, markerSize), markerMagic...)
	b = append(b, markerVersion)
	b = binary.BigEndian.AppendUint64(b, m.size)
	b = append(b, m.root[:]...)
	b = append(b, m.annotated[:]...)
	b = binary.BigEndian.AppendUint64(b, m.producers)
	b = append(b, m.names[:]...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// decodeMarker accepts exactly what encode emits. The error wraps [ErrDamaged].
func decodeMarker(b []byte) (m marker, err error) {
	if len(b) != markerSize || string(b[:9]) != markerMagic+string(rune(markerVersion)) {
		return m, fmt.Errorf("%w: not a marker of version %d", ErrDamaged, markerVersion)
	}
	if sha256.Sum256(b[:markerSize-32]) != evidence.Hash(b[markerSize-32:]) {
		return m, fmt.Errorf("%w: checksum of the marker", ErrDamaged)
	}
	m = marker{
		size: binary.BigEndian.Uint64(b[9:]), root: evidence.Hash(b[17:]), annotated: evidence.Hash(b[49:]),
		producers: binary.BigEndian.Uint64(b[81:]), names: evidence.Hash(b[89:]),
	}
	if m.size > evidence.MaxSize || m.producers > evidence.MaxSize {
		return marker{}, fmt.Errorf("%w: sizes of the marker", ErrDamaged)
	}
	return m, nil
}

// readMarker returns the marker of a folder. Without one nothing is synced: then ok is false.
func readMarker(dir string) (m marker, ok bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, markerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return marker{}, false, nil
	}
	if err != nil {
		return marker{}, true, fmt.Errorf("%w: reading the marker: %w", ErrDamaged, err)
	}
	m, err = decodeMarker(b)
	return m, true, err
}
