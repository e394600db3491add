package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
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
// the promise. A slot:
//
//	 0  8  "custroot"
//	 8  1  format version, 1
//	 9  7  zeros
//	16  8  version of the root key
//	24 32  root key
//	56 32  SHA-256 of the 56 bytes before
//	88     zeros to 4,096: slots never share a block of the medium
//
// An empty or destroyed slot is all zeros. One process has a Root at a time;
// its methods are not for concurrent use.
type Root struct {
	secret
	path string
	live rootKey
	slot int  // of live
	rest bool // the other slot is not empty: it is to be destroyed
}

const (
	rootMagic = "custroot"
	slotSize  = 4096
	slotUsed  = 88
)

// CreateRoot makes a root file with a random key, version 1, readable by its
// owner only. It refuses with ErrExists whatever is at path. After another error
// the file may exist; it protects nothing yet and may be removed.
func CreateRoot(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("creating root file: %w", ErrExists)
	}
	if err != nil {
		return fmt.Errorf("creating root file: %w", err)
	}
	err = errors.Join(f.Truncate(2*slotSize), writeSlot(f, 0, encodeSlot(rootKey{version: 1, key: newKey()})), f.Close())
	if err != nil {
		return fmt.Errorf("writing root file: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// OpenRoot reads a root file. The error is ErrMissingRoot if there is no file or
// no key in it, ErrDamaged if what is in it is not whole.
func OpenRoot(path string) (*Root, error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: no root file", ErrMissingRoot)
	case err != nil:
		return nil, fmt.Errorf("reading root file: %w", err)
	}
	r, err := decodeRoot(b)
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
func decodeRoot(b []byte) (*Root, error) {
	if len(b) != 2*slotSize {
		return nil, damaged("root file has %d bytes, not %d", len(b), 2*slotSize)
	}
	for slot := range 2 { // whatever was cut short, what is never anything but zero is zero
		if len(bytes.Trim(b[slot*slotSize+slotUsed:(slot+1)*slotSize], "\x00")) != 0 {
			return nil, damaged("slot %d of the root file holds something where nothing ever stands", slot)
		}
	}
	first, ok0 := decodeSlot(b[:slotSize])
	second, ok1 := decodeSlot(b[slotSize:])
	switch {
	case first.version == 0 && second.version == 0 && ok0 && ok1:
		return nil, fmt.Errorf("%w: both slots of the root file are empty", ErrMissingRoot)
	case first.version == second.version:
		return nil, damaged("no slot of the root file is whole, or both have version %d", first.version)
	case first.version > second.version:
		return &Root{live: first, slot: 0, rest: !ok1 || second.version != 0}, nil
	}
	return &Root{live: second, slot: 1, rest: !ok0 || first.version != 0}, nil
}

func encodeSlot(k rootKey) []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, rootMagic...)
	b = append(b, formatVersion, 0, 0, 0, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, k.version)
	b = append(b, k.key[:]...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)[:slotSize]
}

// decodeSlot returns the key in a slot, zero if it is empty; ok is false if the
// slot is neither empty nor exactly what encodeSlot emits.
func decodeSlot(b []byte) (k rootKey, ok bool) {
	if len(bytes.Trim(b, "\x00")) == 0 {
		return rootKey{}, true
	}
	k = rootKey{version: binary.BigEndian.Uint64(b[16:]), key: key(b[24:])}
	if k.version == 0 || !bytes.Equal(b, encodeSlot(k)) {
		return rootKey{}, false
	}
	return k, true
}

// advance writes next, whose version must be higher, into the free slot. When it
// returns nil, next is in force; this is the commit point of a change of keys.
// After an error the key in force is whichever OpenRoot finds.
func (r *Root) advance(next rootKey) error {
	if next.version <= r.live.version || r.rest {
		return fmt.Errorf("%w: root version %d after %d, or an older one not destroyed", ErrOrder, next.version, r.live.version)
	}
	if err := r.overwrite(1-r.slot, encodeSlot(next)); err != nil {
		return fmt.Errorf("writing root version %d: %w", next.version, err)
	}
	r.live, r.slot, r.rest = next, 1-r.slot, true
	return nil
}

// destroy zeroes whatever is not in force, and reads it back. It may be repeated.
func (r *Root) destroy() error {
	if err := r.overwrite(1-r.slot, make([]byte, slotSize)); err != nil {
		return fmt.Errorf("destroying the root before version %d: %w", r.live.version, err)
	}
	r.rest = false
	return nil
}

func (r *Root) overwrite(slot int, b []byte) error {
	f, err := os.OpenFile(r.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(writeSlot(f, slot, b), f.Close())
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
