package escrow

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"
)

// successor is behind the name of an escrow that is about to take another's place.
const successor = ".new"

// A File is where one ledger's root is kept in escrow. It is not for concurrent
// use, and one process has it at a time.
type File struct {
	path string
	to   []age.Recipient
	disk disk
}

// disk is how the file is written: as the system does, or as a test has it fail.
type disk struct {
	write  func(f *os.File, b []byte) (int, error)
	sync   func(f *os.File) error // of a folder: its entries
	rename func(from, to string) error
	remove func(path string) error
}

func systemDisk() disk {
	return disk{write: (*os.File).Write, sync: (*os.File).Sync, rename: os.Rename, remove: os.Remove}
}

// NewFile makes no file: Put does. Its folder must be there.
func NewFile(path string, to []age.Recipient) *File { return &File{path, to, systemDisk()} }

// Put seals a root into the file, in place of the one before. What it does, and
// what a crash after each step leaves:
//
//	1  the new one is durable under the second name: the former counts
//	2  the former is overwritten with zeros, synced and read back: the new one counts
//	3  the new one takes the name
//
// When it returns nil the new one is there and the former is no more. After an
// error one of the two is: which, [Held] says. Putting again, the same or another,
// begins by ending what failed. [ErrForeign] means that the file is another
// ledger's, [ErrDamaged] that it is something else; then nothing was touched.
func (f *File) Put(r Root) error {
	b, err := seal(r, f.to)
	if err != nil {
		return err
	}
	if err := f.settle(r.Ledger); err != nil {
		return fmt.Errorf("finishing what an earlier escrow left: %w", err)
	}
	if err := f.create(f.path+successor, b); err != nil {
		return fmt.Errorf("writing to escrow: %w", err)
	}
	if err := f.promote(); err != nil {
		return fmt.Errorf("putting an escrow in its place: %w", err)
	}
	return nil
}

// settle ends what was interrupted: of the two files that may be there, the one
// that counts stays, under the name. It refuses what is not this ledger's.
func (f *File) settle(ledger string) error {
	now, err := load(f.path)
	next, nextErr := load(f.path + successor)
	switch {
	case err == nil && now.Ledger != ledger, nextErr == nil && next.Ledger != ledger:
		return fmt.Errorf("%w: %s", ErrForeign, f.path)
	case nextErr == nil && err != nil:
		return f.promote()
	case err != nil && !errors.Is(err, ErrNone):
		return fmt.Errorf("%s: %w", f.path, err)
	case errors.Is(nextErr, fs.ErrNotExist):
		return nil
	case nextErr != nil && !errors.Is(nextErr, ErrNone) && !begun(f.path+successor):
		return fmt.Errorf("%s: %w", f.path+successor, nextErr)
	}
	if err := f.destroy(f.path + successor); err != nil {
		return err
	}
	if err := f.disk.remove(f.path + successor); err != nil {
		return err
	}
	return f.syncDir()
}

// begun says whether a file may be an escrow that was begun, or begun to be
// destroyed.
func begun(path string) bool {
	const start = `{"format":1,"ledger":"`
	b, err := os.ReadFile(path)
	b = b[:min(len(b), len(start))]
	return err == nil && (string(b) == start[:len(b)] || len(bytes.Trim(b, "\x00")) == 0)
}

// promote destroys the former and gives its name to the successor.
func (f *File) promote() error {
	if err := f.destroy(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.disk.rename(f.path+successor, f.path); err != nil {
		return err
	}
	return f.syncDir()
}

// create makes a file of b durable. After an error it may be there in part.
func (f *File) create(path string, b []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.disk.write(file, b)
	if err == nil {
		err = f.disk.sync(file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return f.syncDir()
}

// destroy overwrites a file with zeros in place, durably, and reads it back. The
// kernel may answer the read from memory: a medium that lies is not found out.
func (f *File) destroy(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, info.Size())
	if _, err := f.disk.write(file, zeros); err != nil {
		return err
	}
	if err := f.disk.sync(file); err != nil {
		return err
	}
	back := make([]byte, len(zeros))
	if _, err := file.ReadAt(back, 0); err != nil {
		return err
	}
	if !bytes.Equal(back, zeros) {
		return fmt.Errorf("%w: %s reads back other than it was overwritten", ErrDamaged, path)
	}
	return nil
}

func (f *File) syncDir() error {
	d, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return err
	}
	return errors.Join(f.disk.sync(d), d.Close())
}
