// Package durable writes files so that a crash leaves the old content or the new one, whole, and has files that one
// holder at a time can lock. Files are readable by their owner only.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace replaces a file: temporary file, fsync, rename, fsync of the folder. After an error the old content or the
// new one is there, whole; if the rename was what failed to be made durable, the new one.
func Replace(path string, b []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes durable which files a folder has.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
