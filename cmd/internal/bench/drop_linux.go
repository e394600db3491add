package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errStaysInMemory reports a system that cannot be told to forget a file.
var errStaysInMemory = errors.New("files stay in memory")

// dropFromMemory has the system forget the pages of a file that are on disk and
// that no process has mapped.
func dropFromMemory(f *os.File) error {
	if err := f.Sync(); err != nil {
		return err
	}
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
