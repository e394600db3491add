package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/projections"
)

// identities is the identity index as the ledger wants it. Neither of the two
// packages knows the other.
type identities struct {
	*projections.Index
	path string
}

var _ ledger.Index = (*identities)(nil)

// openIdentities opens the view of a ledger that is there; a view is disposable
// and made anew where it lacks.
func openIdentities(data string) (*identities, error) {
	path := ledger.IndexPath(data)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making the folder of views: %w", err)
	}
	index, err := projections.OpenIndex(path)
	if err != nil {
		return nil, err
	}
	return &identities{index, path}, nil
}

// Lookup implements [ledger.Index].
func (x *identities) Lookup(keys [][16]byte, found []uint64) error {
	return x.LookupMany(keys, found)
}

// Add implements [ledger.Index].
func (x *identities) Add(keys [][16]byte, at []uint64, position uint64, digest [32]byte, register []byte) error {
	entries := make([]projections.Entry, len(keys))
	for i := range keys {
		entries[i] = projections.Entry{Key: keys[i], Position: at[i]}
	}
	return x.Index.Add(entries, position, digest, register)
}

// Reset implements [ledger.Index]. After an error the index is closed.
func (x *identities) Reset() error {
	if err := x.Close(); err != nil {
		return err
	}
	if err := os.Remove(x.path); err != nil {
		return fmt.Errorf("emptying the index: %w", err)
	}
	index, err := projections.OpenIndex(x.path)
	if err != nil {
		return err
	}
	x.Index = index
	return nil
}
