package powercut_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/powercut"
)

// read reads a trace written by hand, of a run on /r.
func read(text string) (*powercut.Log, error) {
	return powercut.Read(strings.NewReader(text), "/r", "/", "")
}

const overlap = `7  openat(AT_FDCWD, "\x2f\x72\x2f\x61", O_RDWR|O_CREAT, 0644) = 3
7  pwrite64(3, "\x61\x62\x63", 3, 10 <unfinished ...>
8  fsync(3 <unfinished ...>
7  <... pwrite64 resumed>) = 2
8  <... fsync resumed>) = 0
8  openat(AT_FDCWD, "\x2f\x72\x2f\x62", O_RDWR|O_CREAT, 0644 <unfinished ...>
7  close(3 <unfinished ...>
8  <... openat resumed>) = 3
7  <... close resumed>) = 0
8  write(3, "\x7a", 1) = 1
8  write(9, "\x61\x63\x6b", 3) = 3
8  write(3, "\x7a", 1 <unfinished ...>
8  <... write resumed>) = ?
8  fsync(3) = -1 EIO (Input/output error)
7  +++ killed by SIGKILL +++
`

// TestOverlap follows calls that overlap, a number given twice, a call that
// wrote less than asked, one that failed and one that never returned.
func TestOverlap(t *testing.T) {
	l, err := read(overlap)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		kind             powercut.Kind
		start, end, file int
		offset           int64
		data             string
	}
	want := []line{
		{powercut.Create, 1, 1, 1, 0, ""},
		{powercut.Write, 2, 4, 1, 10, "ab"},
		{powercut.Sync, 3, 5, 1, 0, ""},
		{powercut.Create, 6, 8, 2, 0, ""},
		{powercut.Write, 10, 10, 2, 0, "z"},
		{powercut.Write, 12, powercut.Never, 2, 1, "z"},
	}
	if len(l.Ops) != len(want) {
		t.Fatalf("%d operations, want %d: %+v", len(l.Ops), len(want), l.Ops)
	}
	for i, op := range l.Ops {
		if got := (line{op.Kind, op.Start, op.End, op.File, op.Offset, string(op.Data)}); got != want[i] {
			t.Errorf("operation %d = %+v, want %+v", i, got, want[i])
		}
	}
	if len(l.Marks) != 1 || string(l.Marks[0].Data) != "ack" || l.Marks[0].At != 11 {
		t.Errorf("marks = %+v", l.Marks)
	}
	// The sync began before the write had returned: it covers nothing of it.
	dst := filepath.Join(t.TempDir(), "cut")
	if err := l.Rebuild(dst, powercut.Cut{At: 6, Model: powercut.Journal}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dst, "a")); err != nil || len(b) != 0 {
		t.Errorf("a = %q, %v", b, err)
	}
}

// TestRefused demands an error for all that is not understood.
func TestRefused(t *testing.T) {
	open := `7  openat(AT_FDCWD, "\x2f\x72\x2f\x61", O_RDWR|O_CREAT, 0644) = 3` + "\n"
	for name, text := range map[string]string{
		"no end of line":    strings.TrimSuffix(open, "\n"),
		"no call":           "7  what\n",
		"no result":         "7  fsync(3)\n",
		"resumes nothing":   "7  <... write resumed>) = 1\n",
		"shortened string":  open + `7  write(3, "\x61"..., 90) = 90` + "\n",
		"plain string":      open + `7  write(3, "a", 1) = 1` + "\n",
		"half a byte":       open + `7  write(3, "\x6", 1) = 1` + "\n",
		"gathered":          open + `7  writev(3, [{iov_base="\x61", iov_len=1}], 1) = 1` + "\n",
		"copied in kernel":  open + `7  copy_file_range(5, NULL, 3, NULL, 100, 0) = 100` + "\n",
		"hole punched":      open + `7  fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 0, 10) = 0` + "\n",
		"unknown file":      `7  openat(AT_FDCWD, "\x2f\x72\x2f\x61", O_RDWR) = 3` + "\n",
		"unknown removed":   `7  unlinkat(AT_FDCWD, "\x2f\x72\x2f\x61", 0) = 0` + "\n",
		"renamed from away": `7  renameat(AT_FDCWD, "\x2f\x71", AT_FDCWD, "\x2f\x72\x2f\x61") = 0` + "\n",
		"linked from away":  `7  linkat(AT_FDCWD, "\x2f\x71", AT_FDCWD, "\x2f\x72\x2f\x61", 0) = 0` + "\n",
		"linked to away":    open + `7  linkat(AT_FDCWD, "\x2f\x72\x2f\x61", AT_FDCWD, "\x2f\x71", 0) = 0` + "\n",
		"link inside":       `7  symlinkat("\x2f\x72\x2f\x61", AT_FDCWD, "\x2f\x72\x2f\x62") = 0` + "\n",
		"relative link":     `7  symlinkat("\x61", AT_FDCWD, "\x2f\x72\x2f\x62") = 0` + "\n",
		"ring":              `7  io_uring_setup(8, 0x1) = 4` + "\n",
	} {
		if _, err := read(text); !errors.Is(err, powercut.ErrTrace) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"elsewhere":       `7  openat(AT_FDCWD, "\x2f\x71", O_RDWR|O_CREAT, 0644) = 3` + "\n" + `7  writev(3, [{iov_base="\x61", iov_len=1}], 1) = 1` + "\n",
		"private mapping": open + `7  mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE, 3, 0) = 0x7f0000000000` + "\n",
		"read mapping":    open + `7  mmap(NULL, 4096, PROT_READ, MAP_SHARED, 3, 0) = 0x7f0000000000` + "\n",
		"being made":      `7  mkdirat(AT_FDCWD, "\x2f\x72\x2f\x61", 0755 <unfinished ...>` + "\n" + `8  openat(AT_FDCWD, "\x2f\x72\x2f\x61", O_RDONLY|O_CLOEXEC) = 3` + "\n" + `7  <... mkdirat resumed>) = 0` + "\n",
		"failed":          `7  unlinkat(AT_FDCWD, "\x2f\x72\x2f\x61", 0) = -1 ENOENT (No such file or directory)` + "\n",
	} {
		if _, err := read(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRead demands an answer to any trace: a log that can be rebuilt at every
// moment, or an error.
func FuzzRead(f *testing.F) {
	f.Add(overlap)
	f.Add(`7  mkdirat(AT_FDCWD, "\x2f\x72\x2f\x61", 0755) = 0` + "\n" + `7  rename("\x2f\x72\x2f\x61", "\x2f\x72\x2f\x62") = 0` + "\n")
	f.Add(printed(`symlinkat("/dev/shm/x", AT_FDCWD, "/r/l") = 0`, `openat(AT_FDCWD, "/r/l", O_RDONLY|O_DIRECTORY) = 3`, `openat(3, "a", O_RDWR|O_CREAT, 0644) = 4`,
		`write(4, "z", 1) = 1`, `unlinkat(AT_FDCWD, "/r/l", 0) = 0`, `fsync(3) = 0`))
	f.Fuzz(func(t *testing.T, text string) {
		l, err := read(text)
		if err != nil {
			if !errors.Is(err, powercut.ErrTrace) {
				t.Fatal(err)
			}
			return
		}
		for _, at := range l.Cuts() {
			if at < 0 || at > l.Lines {
				t.Fatalf("a cut at %d of %d", at, l.Lines)
			}
		}
	})
}
