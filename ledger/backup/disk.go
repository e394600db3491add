package backup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/imalink/custody/ledger/durable"
)

// disk is how an archive is written: as the system does, or as a test has it fail.
type disk struct {
	create func(path string) (*os.File, error) // a new, empty file, whatever was there
	write  func(f *os.File, b []byte) (int, error)
	cut    func(f *os.File, size int64) error
	sync   func(f *os.File) error // of a folder: its entries
	rename func(from, to string) error
	remove func(path string) error
}

func systemDisk() disk {
	return disk{
		create: func(path string) (*os.File, error) {
			return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		},
		write:  (*os.File).Write,
		cut:    (*os.File).Truncate,
		sync:   (*os.File).Sync,
		rename: os.Rename,
		remove: os.Remove,
	}
}

func (d *disk) syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return d.sync(f)
}

// replace makes b the whole content of path, durably. After an error it is the
// old content or the new one.
func (d *disk) replace(path string, b []byte) error {
	f, err := d.create(path + ".tmp")
	if err != nil {
		return err
	}
	_, err = d.write(f, b)
	if err == nil {
		err = d.sync(f)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := d.rename(path+".tmp", path); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

const lockFile = "lock"

// takeLock makes this the only writer of the folder, until the lock is closed or
// the process dies.
func takeLock(dir string) (*durable.Lock, error) {
	lock, err := durable.TryLock(filepath.Join(dir, lockFile))
	if errors.Is(err, durable.ErrHeld) {
		return nil, fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return lock, err
}

// fileName names a file of a part: events-000001.
func fileName(p Part, number uint32) string { return fmt.Sprintf("%s-%06d", p, number) }

// parseName is the reverse of fileName.
func parseName(name string) (p Part, number uint32, ok bool) {
	word, digits, _ := strings.Cut(name, "-")
	for _, p := range Parts() {
		if p.String() == word {
			if _, err := fmt.Sscanf(digits, "%d", &number); err == nil && number > 0 && fileName(p, number) == name {
				return p, number, true
			}
		}
	}
	return 0, 0, false
}
