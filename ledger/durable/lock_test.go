package durable

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// TestLock has one holder at a time; who waits gets it when it is free.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TryLock(path); !errors.Is(err, ErrHeld) {
		t.Fatalf("taken twice: %v", err)
	}
	waited := make(chan error)
	go func() {
		l, err := AwaitLock(path)
		if err == nil {
			err = l.Close()
		}
		waited <- err
	}()
	select {
	case err := <-waited:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	if err := errors.Join(first.Close(), <-waited); err != nil {
		t.Fatal(err)
	}
	again, err := TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := TryLock(t.TempDir()); err == nil || errors.Is(err, ErrHeld) {
		t.Fatalf("a folder was locked: %v", err)
	}
}

// TestLockBesideChild lets go although somebody has the file still, as a child process has every file until its exec.
func TestLockBesideChild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l, err := TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(l.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = TryLock(path); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
