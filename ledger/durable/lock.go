package durable

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrHeld says that somebody holds the lock.
var ErrHeld = errors.New("held by another process")

// A Lock is a file that one holder at a time has, among processes and within one (flock). Who dies lets go of it.
type Lock struct{ file *os.File }

// TryLock takes the lock of a file, which is made if it is not there. The error wraps [ErrHeld] if somebody has it; then,
// and after any other, it is not taken.
func TryLock(path string) (*Lock, error) { return lock(path, syscall.LOCK_EX|syscall.LOCK_NB) }

// AwaitLock is TryLock that waits until nobody else has it.
func AwaitLock(path string) (*Lock, error) { return lock(path, syscall.LOCK_EX) }

func lock(path string, how int) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	err = flock(f, how)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = fmt.Errorf("%w: %s", ErrHeld, path)
	case err != nil:
		err = fmt.Errorf("locking %s: %w", path, err)
	default:
		return &Lock{f}, nil
	}
	return nil, errors.Join(err, f.Close())
}

// Close lets go. The file stays: who removed it could have another lock one that nobody sees.
func (l *Lock) Close() error {
	// Closing alone would leave the lock with a child process that is just being started: until its exec it has all files.
	return errors.Join(flock(l.file, syscall.LOCK_UN), l.file.Close())
}

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
