package powercut_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/powercut"
)

// traceLinked runs a toy that stages in memory, demands that nothing is rebuilt
// while that is there, and empties it.
func traceLinked(t *testing.T, toy string) *powercut.Log {
	t.Helper()
	l, root, err := trace(t, toy)
	if err != nil {
		t.Fatal(err)
	}
	target, err := os.Readlink(filepath.Join(root, "stage"))
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(target)
	if err := l.Verify(root); err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(t.TempDir(), "cut")
	if err := l.Rebuild(dst, powercut.Cut{At: l.Lines}); !errors.Is(err, powercut.ErrMemory) {
		t.Errorf("rebuilt with what was in memory: %v", err)
	}
	return l
}

// TestStaged demands that a link into memory is there or not while it was not
// synced, and after that is; that it leads nowhere; and that what was committed
// elsewhere does not need it.
func TestStaged(t *testing.T) {
	t.Parallel()
	l := traceLinked(t, "staged")
	linked := l.Lines
	for _, m := range l.Marks {
		if strings.HasPrefix(string(m.Data), "linked") {
			linked = m.At
		}
	}
	for _, model := range []powercut.Model{powercut.Posix, powercut.Journal} {
		var with, without int
		lost := losses(t, l, model, func(dir string) int {
			if _, err := os.Stat(filepath.Join(dir, "stage")); err == nil {
				t.Error("the link leads somewhere")
			}
			return staging(dir, &with, &without)
		})
		if lost > 0 {
			t.Errorf("%v: %d cuts lost an acknowledged record", model, lost)
		}
		if with == 0 || without == 0 {
			t.Errorf("%v: %d cuts with the link, %d without", model, with, without)
		}
		dst := filepath.Join(t.TempDir(), "cut")
		if err := l.Rebuild(dst, powercut.Cut{At: linked + 1, Model: model}); err != nil {
			t.Fatal(err)
		}
		if with, without = 0, 0; staging(dst, &with, &without) < records/2-1 || without > 0 {
			t.Errorf("%v: what was synced is not there", model)
		}
	}
}

// staging is appended, and counts whether the link is there.
func staging(dir string, with, without *int) int {
	if _, err := os.Readlink(filepath.Join(dir, "stage")); err == nil {
		*with++
	} else {
		*without++
	}
	return appended(dir)
}

// TestInMemory demands that a program which promises what it has in memory is
// caught.
func TestInMemory(t *testing.T) {
	t.Parallel()
	l := traceLinked(t, "in memory")
	for _, model := range []powercut.Model{powercut.Posix, powercut.Journal} {
		if losses(t, l, model, func(dir string) int { return appended(filepath.Join(dir, "stage")) }) == 0 {
			t.Errorf("%v: no cut lost what was in memory", model)
		}
	}
}

var quoted = regexp.MustCompile(`"[^"]*"`)

// printed writes a trace as strace does: strings in hexadecimal, one thread.
func printed(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("7  " + quoted.ReplaceAllStringFunc(line, func(text string) string {
			hex := `"`
			for _, c := range []byte(text[1 : len(text)-1]) {
				hex += fmt.Sprintf(`\x%02x`, c)
			}
			return hex + `"`
		}) + "\n")
	}
	return b.String()
}

// TestBehindLinks demands that what is done through a link, by whatever way, is
// not taken for something done to the folder.
func TestBehindLinks(t *testing.T) {
	made := []string{
		`mkdirat(AT_FDCWD, "/r/a", 0755) = 0`,
		`openat(AT_FDCWD, "/r/a/b", O_RDWR|O_CREAT, 0644) = 9`,
		`mkdirat(AT_FDCWD, "/r/a/c", 0755) = 0`,
		`openat(AT_FDCWD, "/r/a/c/b", O_RDWR|O_CREAT, 0644) = 9`,
		`symlinkat("/dev/shm/x", AT_FDCWD, "/r/l") = 0`,
	}
	for name, lines := range map[string][]string{
		"path":            {`openat(AT_FDCWD, "/r/l/b", O_RDWR|O_CREAT, 0644) = 3`, `write(3, "z", 1) = 1`, `fsync(3) = 0`, `mkdirat(AT_FDCWD, "/r/l/c", 0755) = 0`},
		"the link itself": {`openat(AT_FDCWD, "/r/l", O_RDWR|O_CREAT|O_TRUNC, 0644) = 3`, `write(3, "z", 1) = 1`, `truncate("/r/l", 3) = 0`},
		"folder":          {`openat(AT_FDCWD, "/r/l", O_RDONLY|O_DIRECTORY) = 3`, `openat(3, "b", O_RDWR|O_CREAT, 0644) = 4`, `unlinkat(3, "b", 0) = 0`},
		"folder below":    {`openat(AT_FDCWD, "/r/l", O_RDONLY|O_DIRECTORY) = 3`, `openat(3, "a", O_RDONLY|O_DIRECTORY) = 4`, `unlinkat(4, "b", 0) = 0`},
		"elsewhere":       {`openat(AT_FDCWD, "/q", O_RDONLY|O_DIRECTORY) = 3`, `openat(3, "a", O_RDONLY|O_DIRECTORY) = 4`, `unlinkat(4, "b", 0) = 0`},
		"by descriptor":   {`openat(AT_FDCWD, "/r", O_RDONLY|O_DIRECTORY) = 3`, `openat(3, "l/a", O_RDONLY|O_DIRECTORY) = 4`, `unlinkat(4, "b", 0) = 0`},
		"unknown way":     {`openat(AT_FDCWD, "/r/a", O_RDONLY|O_DIRECTORY) = 3`, `openat(3, "a/c", O_RDONLY|O_DIRECTORY) = 4`, `unlinkat(4, "b", 0) = 0`},
		"unknown":         {`openat(AT_FDCWD, "/r/a", O_RDONLY|O_DIRECTORY) = 3`, `openat(3, "a", O_RDONLY|O_DIRECTORY) = 4`, `openat(4, "a", O_RDONLY|O_DIRECTORY) = 5`, `unlinkat(4, "b", 0) = 0`, `unlinkat(5, "b", 0) = 0`},
	} {
		l, err := read(printed(append(made, lines...)...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(l.Ops) != len(made) {
			t.Errorf("%s: %+v", name, l.Ops[len(made):])
		}
	}
	// A descriptor stays where it was opened when the link makes room for a folder.
	l, err := read(printed(append(made, `openat(AT_FDCWD, "/r/l", O_RDONLY|O_DIRECTORY) = 3`, `unlinkat(AT_FDCWD, "/r/l", 0) = 0`,
		`mkdirat(AT_FDCWD, "/r/l", 0755) = 0`, `openat(3, "b", O_RDWR|O_CREAT, 0644) = 4`)...))
	if err != nil || len(l.Ops) != len(made)+2 {
		t.Errorf("a link replaced: %v, %+v", err, l)
	}
}

// TestOtherLinks demands an error for links whose end a power cut would not
// empty, or would not leave alone.
func TestOtherLinks(t *testing.T) {
	for _, target := range []string{"/q", "/r/a", "a", "../dev/shm/x", "/dev/shm", "/dev/shm/../x", "/dev/shmx/y"} {
		if _, err := read(printed(fmt.Sprintf(`symlinkat("%s", AT_FDCWD, "/r/l") = 0`, target))); !errors.Is(err, powercut.ErrTrace) {
			t.Errorf("a link to %s: %v", target, err)
		}
		base := t.TempDir()
		if err := os.Symlink(target, filepath.Join(base, "l")); err != nil {
			t.Fatal(err)
		}
		if _, err := powercut.Read(strings.NewReader(""), "/r", "/", base); !errors.Is(err, powercut.ErrTrace) {
			t.Errorf("a link to %s from before the run: %v", target, err)
		}
	}
}

// TestNames demands that a file keeps what it holds while any of its names is
// there, and that a name is there for certain only when its folder was synced.
func TestNames(t *testing.T) {
	l, err := read(printed(
		`openat(AT_FDCWD, "/r/a", O_RDWR|O_CREAT, 0644) = 3`,
		`write(3, "z", 1) = 1`,
		`fsync(3) = 0`,
		`mkdirat(AT_FDCWD, "/r/k", 0755) = 0`,
		`linkat(AT_FDCWD, "/r/a", AT_FDCWD, "/r/k/b", 0) = 0`,
		`openat(AT_FDCWD, "/r/k", O_RDONLY) = 4`,
		`fsync(4) = 0`,
		`openat(AT_FDCWD, "/r", O_RDONLY) = 5`,
		`fsync(5) = 0`,
		`unlinkat(AT_FDCWD, "/r/a", 0) = 0`,
		`fsync(5) = 0`,
	))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at          int
		first, link bool
	}{{9, false, false}, {10, true, true}, {l.Lines, false, true}} {
		dst := filepath.Join(t.TempDir(), "cut")
		if err := l.Rebuild(dst, powercut.Cut{At: c.at}); err != nil {
			t.Fatal(err)
		}
		first, ferr := os.ReadFile(filepath.Join(dst, "a"))
		link, lerr := os.ReadFile(filepath.Join(dst, "k", "b"))
		if (ferr == nil) != c.first || (lerr == nil) != c.link || c.first && string(first) != "z" || c.link && string(link) != "z" {
			t.Errorf("cut at %d: %q %v, %q %v", c.at, first, ferr, link, lerr)
		}
		one, _ := os.Stat(filepath.Join(dst, "a"))
		two, _ := os.Stat(filepath.Join(dst, "k", "b"))
		if c.first && c.link && !os.SameFile(one, two) {
			t.Errorf("cut at %d: two files", c.at)
		}
	}
}
