package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

func options() Options {
	return Options{Owner: "ats", Label: func() string { return "copy-1" }, MaxBytes: MinBytes}
}

func mustOpen(t testing.TB, dir string, o Options) *Spool {
	t.Helper()
	s, _, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func add(t testing.TB, s *Spool, payload string) uint64 {
	t.Helper()
	n, err := s.Append(t.Context(), true, func(uint64) []byte { return []byte(payload) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// rest reads all that is not done, and takes it out.
func rest(t testing.TB, s *Spool) (list []string) {
	t.Helper()
	for s.State().Waiting > 0 {
		b, err := s.Next(t.Context(), 3, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Records {
			list = append(list, string(r))
		}
		if err := s.Done(b, 0); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func TestConcurrentAppendsAreReadInTheOrderOfTheirNumbers(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir(), options())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if _, err := s.Append(t.Context(), true, func(n uint64) []byte { return fmt.Appendf(nil, "%d", n) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, got := range rest(t, s) {
		if got != fmt.Sprint(i+1) {
			t.Fatalf("record %d has number %s", i+1, got)
		}
	}
}

func TestNumbersGoOnAfterAllIsDone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, options())
	add(t, s, "a")
	if n, err := s.Append(t.Context(), false, func(n uint64) []byte { return fmt.Appendf(nil, "number %d", n) }); n != 0 || err != nil {
		t.Fatalf("a record without a number has %d, %v", n, err)
	}
	add(t, s, "b")
	rest(t, s)
	s.Close()
	s = mustOpen(t, dir, options())
	if got := s.State(); got.Waiting != 0 || got.Next != 3 {
		t.Errorf("%d wait and %d is next", got.Waiting, got.Next)
	}
	if n := add(t, s, "c"); n != 3 || s.Label() != "copy-1" {
		t.Errorf("number %d of %s", n, s.Label())
	}
}

func TestNoteIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, options())
	add(t, s, "a")
	b, err := s.Next(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Done(b, 77); err != nil {
		t.Fatal(err)
	}
	s.Close()
	_, note, err := Open(dir, options())
	if note != 77 || err != nil {
		t.Errorf("note %d, %v", note, err)
	}
}

func TestModesAndLock(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "spool")
	s := mustOpen(t, dir, options())
	add(t, s, "a")
	if _, _, err := Open(dir, options()); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; err == nil && info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(s.lock.Fd())) // as a process being started has every file until its exec
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	s.Close()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir, options())
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a folder that was open to others stays so: %v %v", info.Mode(), err)
	}
}

func TestAnothersSpoolIsNotOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, options())
	s.Close()
	o := options()
	o.Owner = "crm"
	if _, _, err := Open(dir, o); !errors.Is(err, ErrOwner) {
		t.Errorf("opened: %v", err)
	}
}

func TestFullSaysSoAndKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, options())
	large := string(bytes.Repeat([]byte("x"), 1<<20))
	n := 0
	for ; ; n++ {
		_, err := s.Append(t.Context(), true, func(uint64) []byte { return []byte(large) })
		if errors.Is(err, ErrFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n < 14 {
		t.Errorf("full after %d MiB", n)
	}
	var size int64
	files, _ := filepath.Glob(filepath.Join(dir, "*.spool"))
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > MinBytes || size != s.State().Bytes {
		t.Errorf("the files have %d bytes and are said to have %d", size, s.State().Bytes)
	}
	b, err := s.Next(t.Context(), n, MinBytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Done(b, 0); err != nil {
		t.Fatal(err)
	}
	if got := len(b.Records) + len(rest(t, s)); got != n {
		t.Errorf("%d of %d records", got, n)
	}
	add(t, s, large)
	if got := rest(t, s); len(got) != 1 || got[0] != large {
		t.Error("no room was made")
	}
}

// TestLimitOfTheSystem has writes fail in the middle, in a process of its own.
func TestLimitOfTheSystem(t *testing.T) {
	if os.Getenv("SPOOL_LIMITED") == "" {
		t.Parallel()
		cmd := exec.Command(os.Args[0], "-test.run=^TestLimitOfTheSystem$")
		cmd.Env = append(os.Environ(), "SPOOL_LIMITED="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	// A limit of the system on the size of files stops writes half way, as a full disk does.
	dir := os.Getenv("SPOOL_LIMITED")
	s := mustOpen(t, dir, options())
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10_000, Max: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for i := range 20 {
		payload := fmt.Sprintf("%d %s", i, bytes.Repeat([]byte("x"), 997))
		_, err := s.Append(t.Context(), true, func(uint64) []byte { return []byte(payload) })
		if err == nil {
			kept = append(kept, payload)
		} else if errors.Is(err, ErrUnknown) || !errors.Is(err, syscall.EFBIG) {
			t.Fatal(err)
		}
	}
	if len(kept) == 0 || len(kept) == 20 {
		t.Fatalf("%d were kept", len(kept))
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 30, Max: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = mustOpen(t, dir, options())
	if n := add(t, s, "more"); n != uint64(len(kept))+1 {
		t.Errorf("number %d after %d", n, len(kept))
	}
	if got := rest(t, s); len(got) != len(kept)+1 || got[0] != kept[0] || got[len(kept)-1] != kept[len(kept)-1] {
		t.Errorf("%d of %d are there", len(got), len(kept)+1)
	}
}
