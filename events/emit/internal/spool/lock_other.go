//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package spool

import (
	"errors"
	"fmt"
	"os"
)

// lockFile refuses: without a lock two processes could share a spool.
func lockFile(string) (*os.File, error) {
	return nil, fmt.Errorf("a spool on this system: %w", errors.ErrUnsupported)
}

func unlockFile(f *os.File) error { return f.Close() }
