package recordlog

import (
	"os"
	"path/filepath"
)

// disk is how a log is written: as the system does, or as a test has it fail.
type disk struct {
	open   func(path string) (*os.File, error) // as it is, or new and empty
	create func(path string) (*os.File, error) // new and empty, whatever was there
	write  func(f *os.File, b []byte, at int64) error
	cut    func(f *os.File, size int64) error
	sync   func(f *os.File) error
	rename func(from, to string) error
}

func systemDisk() disk {
	return disk{
		open:   func(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) },
		create: func(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600) },
		write: func(f *os.File, b []byte, at int64) error {
			_, err := f.WriteAt(b, at)
			return err
		},
		cut:    (*os.File).Truncate,
		sync:   (*os.File).Sync,
		rename: os.Rename,
	}
}

// replace makes b the whole content of path, durably. After an error it is the
// old content or the new one.
func (d *disk) replace(path string, b []byte) error {
	f, err := d.create(path + ".tmp")
	if err != nil {
		return err
	}
	err = d.write(f, b, 0)
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
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return d.sync(dir)
}
