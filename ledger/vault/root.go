package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A rootKey is one version of the key above all others.
type rootKey struct {
	secret
	version uint64 // from 1
	key     key
}

// A Root keeps the root key in a file of two slots. A slot is only ever
// overwritten in place: a file renamed over another leaves the old bytes on the
// medium. Filesystems that copy on write do so all the same, and so are outside
// the promise; a Wrapper is not: what it sealed is worth nothing once its key is
// destroyed. One process has a Root at a time; its methods are not for
// concurrent use.
type Root struct {
	secret
	path    string
	wrapper Wrapper // nil: the file has the key itself
	live    rootKey
	stored  slot // live, as the file has it
	at      int  // where it stands: 0 or 1
	rest    bool // the other slot is not empty: it is to be destroyed

	write func(path string, at int, b []byte) error // overwrite; in tests what fails
}

// CreateRoot makes a root file with a random key, version 1, readable by its
// owner only; the key is sealed by w unless that is nil. It refuses with
// ErrExists whatever is at path, and then asks nothing of w. After another error
// the file may exist; it protects nothing yet and may be removed.
func CreateRoot(path string, w Wrapper) error {
	return newRootFile(path, func() (slot, error) { return fill(rootKey{version: 1, key: newKey()}, w) })
}

// newRootFile makes a root file of what make returns, which is called once the
// file is there.
func newRootFile(path string, make func() (slot, error)) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("creating root file: %w", ErrExists)
	}
	if err != nil {
		return fmt.Errorf("creating root file: %w", err)
	}
	s, err := make()
	if err != nil {
		return fmt.Errorf("creating root file: %w", errors.Join(err, f.Close(), os.Remove(path)))
	}
	if err := errors.Join(f.Truncate(2*slotSize), writeSlot(f, 0, s.padded()), f.Close()); err != nil {
		return fmt.Errorf("writing root file: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// OpenRoot reads a root file, whose key w unseals if it is sealed. The error is
// ErrMissingRoot if there is no file or no key to be had, ErrDamaged if what is
// in it is not whole; it wraps ErrGone too if the device has no key for it.
func OpenRoot(path string, w Wrapper) (*Root, error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: no root file", ErrMissingRoot)
	case err != nil:
		return nil, fmt.Errorf("reading root file: %w", err)
	}
	r, err := decodeRoot(b, w)
	if err != nil {
		return nil, fmt.Errorf("reading root file: %w", err)
	}
	r.path = path
	return r, nil
}

// Version is the version of the root key in force.
func (r *Root) Version() uint64 { return r.live.version }

// decodeRoot finds the key in force: the higher version. A torn slot beside a
// whole one is an advance that never happened.
func decodeRoot(b []byte, w Wrapper) (*Root, error) {
	if len(b) != 2*slotSize {
		return nil, damaged("root file has %d bytes, not %d", len(b), 2*slotSize)
	}
	first, ok0 := decodeSlot(b[:slotSize])
	second, ok1 := decodeSlot(b[slotSize:])
	for at, s := range []slot{first, second} { // whatever was cut short, what is never anything but zero is zero
		if w == nil && s.sealed == nil && len(bytes.Trim(b[at*slotSize+slotUsed:(at+1)*slotSize], "\x00")) != 0 {
			return nil, damaged("slot %d of the root file holds something where nothing ever stands", at)
		}
	}
	r := &Root{wrapper: w, write: overwrite, stored: first, rest: !ok1 || second.version != 0}
	switch {
	case first.version == 0 && second.version == 0 && ok0 && ok1:
		return nil, fmt.Errorf("%w: both slots of the root file are empty", ErrMissingRoot)
	case first.version == second.version:
		return nil, damaged("no slot of the root file is whole, or both have version %d", first.version)
	case first.version < second.version:
		r.stored, r.at, r.rest = second, 1, !ok0 || first.version != 0
	}
	var err error
	if r.live, err = r.stored.open(w); err != nil {
		return nil, err
	}
	return r, nil
}

// advance writes next, which is in the slot given and whose version must be
// higher, into the free slot. When it returns nil, next is in force; this is the
// commit point of a change of keys. After an error the key in force is whichever
// OpenRoot finds.
func (r *Root) advance(next rootKey, as slot) error {
	if next.version <= r.live.version || r.rest {
		return fmt.Errorf("%w: root version %d after %d, or an older one not destroyed", ErrOrder, next.version, r.live.version)
	}
	if err := r.write(r.path, 1-r.at, as.padded()); err != nil {
		return fmt.Errorf("writing root version %d: %w", next.version, err)
	}
	r.live, r.stored, r.at, r.rest = next, as, 1-r.at, true
	return nil
}

// destroy destroys whatever is not in force: the device's keys first, because
// the slot says that they may be there; then it zeroes the slot, and reads it
// back. It may be repeated.
func (r *Root) destroy() error {
	if r.wrapper != nil {
		if err := r.wrapper.Keep(r.live.version); err != nil {
			return fmt.Errorf("destroying the device's keys but that of root version %d: %w", r.live.version, err)
		}
	}
	if err := r.write(r.path, 1-r.at, make([]byte, slotSize)); err != nil {
		return fmt.Errorf("destroying the root before version %d: %w", r.live.version, err)
	}
	r.rest = false
	return nil
}

// overwrite writes one slot of the file at path.
func overwrite(path string, at int, b []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(writeSlot(f, at, b), f.Close())
}

// writeSlot writes one slot, makes it durable and reads it back. The kernel may
// answer the read from memory: a medium that lies is not found out.
func writeSlot(f *os.File, slot int, b []byte) error {
	at := int64(slot) * slotSize
	if _, err := f.WriteAt(b, at); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	back := make([]byte, len(b))
	if _, err := f.ReadAt(back, at); err != nil {
		return err
	}
	if !bytes.Equal(back, b) {
		return damaged("root file reads back other than written")
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening folder to sync: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing folder: %w", err)
	}
	return nil
}
