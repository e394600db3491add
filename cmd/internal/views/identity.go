package views

import (
	"fmt"
	"log/slog"
	"os"

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

// Identities opens the view at path, or makes one; it says to log if what
// was there could not be used.
func Identities(log *slog.Logger) func(path string) (ledger.Index, error) {
	return func(path string) (ledger.Index, error) {
		index, err := projections.OpenIndex(path)
		if err != nil {
			return nil, err
		}
		if err := index.Discarded(); err != nil {
			log.Warn("the identity index was damaged and is built anew", "error", err)
		}
		return &identities{index, path}, nil
	}
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
