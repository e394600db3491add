// Package identity wires the identity index, a disposable view of package
// projections, to the ledger, which knows nothing of views.
package identity

import (
	"errors"
	"fmt"
	"os"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/projections"
)

// An Index is a projections.Index as a ledger asks for it. Reset belongs to
// the ledger's start: nothing else may be going on.
type Index struct {
	*projections.Index
	path string
}

var _ ledger.Index = (*Index)(nil)

// Open opens the index at path, or makes one. One that cannot be read is begun
// anew; Discarded says why.
func Open(path string) (*Index, error) {
	x, err := projections.OpenIndex(path)
	if err != nil {
		return nil, fmt.Errorf("opening the identity index: %w", err)
	}
	return &Index{x, path}, nil
}

// Lookup implements [ledger.Index].
func (x *Index) Lookup(keys [][16]byte, found []uint64) error { return x.LookupMany(keys, found) }

// Add implements [ledger.Index].
func (x *Index) Add(keys [][16]byte, at []uint64, position uint64, digest [32]byte, register []byte) error {
	entries := make([]projections.Entry, len(keys))
	for i := range keys {
		entries[i] = projections.Entry{Key: keys[i], Position: at[i]}
	}
	return x.Index.Add(entries, position, digest, register)
}

// Reset implements [ledger.Index].
func (x *Index) Reset() error {
	err := x.Close()
	if rerr := os.Remove(x.path); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	if err != nil {
		return fmt.Errorf("removing the identity index: %w", err)
	}
	fresh, err := projections.OpenIndex(x.path)
	if err != nil {
		return fmt.Errorf("beginning the identity index anew: %w", err)
	}
	x.Index = fresh
	return nil
}
