package powercut_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/cmd/internal/powercut"
)

// trace runs a toy and returns its log and the folder it left.
func trace(t *testing.T, name string) (*powercut.Log, string, error) {
	t.Helper()
	root, file := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := powercut.Command(t.Context(), file, exe)
	cmd.Env = append(os.Environ(), "POWERCUT_TOY="+name, "POWERCUT_DIR="+root)
	cmd.Dir = root
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out // pipes: Wait returns once strace has closed them too
	if err := cmd.Run(); err != nil {
		t.Fatalf("running %s: %v\n%s", name, err, &out)
	}
	if ended, err := powercut.Ended(file, cmd.Process.Pid); err != nil || !ended {
		t.Fatalf("the trace has no end: %t, %v", ended, err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := powercut.Read(f, root, root, "")
	return l, root, err
}

// acknowledged returns the last record acknowledged before the cut, or -1.
func acknowledged(l *powercut.Log, at int) int {
	last := -1
	for _, m := range l.Marks {
		if n, ok := strings.CutPrefix(string(m.Data), "ack "); ok && m.At < at {
			fmt.Sscan(n, &last)
		}
	}
	return last
}

// appended returns the last record of the unbroken sequence in the segments.
func appended(dir string) int {
	last := -1
	for i := 0; ; i += segment {
		b, err := os.ReadFile(segmentName(dir, i))
		if err != nil {
			return last
		}
		for last+1 < i+segment && bytes.HasPrefix(b, record(last+1)) {
			last++
			b = b[len(record(last)):]
		}
		if last+1 < i+segment {
			return last
		}
	}
}

// replaced returns the record in the one file, or -1.
func replaced(dir string) int {
	b, err := os.ReadFile(filepath.Join(dir, "last"))
	if err != nil || len(b) < 4 {
		return -1
	}
	i := int(binary.BigEndian.Uint32(b))
	if i >= records || !bytes.Equal(b, record(i)) {
		return -1
	}
	return i
}

// TestCuts cuts each toy everywhere, several times, and demands that the right
// ones never lose an acknowledged record and that the wrong ones are caught.
func TestCuts(t *testing.T) {
	for _, test := range []struct {
		toy            string
		read           func(dir string) int
		posix, journal bool // whether something may be lost
	}{
		{"safe", appended, false, false},
		{"through", appended, false, false},
		{"replace", replaced, false, false},
		{"no sync", appended, true, true},
		{"early", appended, true, true},
		{"no folder sync", appended, true, false},
		{"replace badly", replaced, true, true},
	} {
		t.Run(test.toy, func(t *testing.T) {
			t.Parallel()
			l, root, err := trace(t, test.toy)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Verify(root); err != nil {
				t.Fatal(err)
			}
			if got := test.read(root); got != records-1 || acknowledged(l, l.Lines) != got {
				t.Fatalf("the whole run left record %d, acknowledged %d", got, acknowledged(l, l.Lines))
			}
			for model, may := range map[powercut.Model]bool{powercut.Posix: test.posix, powercut.Journal: test.journal} {
				if lost := losses(t, l, model, test.read); (lost > 0) != may {
					t.Errorf("%v: %d cuts lost an acknowledged record, expected some: %t", model, lost, may)
				}
			}
		})
	}
}

// losses counts the cuts after which an acknowledged record is not there.
func losses(t *testing.T, l *powercut.Log, model powercut.Model, read func(string) int) (lost int) {
	t.Helper()
	dir := t.TempDir()
	for _, at := range l.Cuts() {
		for seed := range uint64(3) {
			dst := filepath.Join(dir, fmt.Sprintf("%v-%d-%d", model, at, seed))
			if err := l.Rebuild(dst, powercut.Cut{At: at, Model: model, Seed: seed}); err != nil {
				t.Fatal(err)
			}
			if read(dst) < acknowledged(l, at) {
				lost++
			}
			os.RemoveAll(dst)
		}
	}
	return lost
}

// TestSame demands the same folder from the same cut, and other folders from
// other seeds.
func TestSame(t *testing.T) {
	l, _, err := trace(t, "no sync")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for seed := range uint64(20) {
		var got [2]string
		for i := range got {
			dst := filepath.Join(t.TempDir(), "cut")
			if err := l.Rebuild(dst, powercut.Cut{At: l.Lines, Seed: seed}); err != nil {
				t.Fatal(err)
			}
			for s := 0; s < records; s += segment {
				b, _ := os.ReadFile(segmentName(dst, s))
				got[i] += string(b)
			}
		}
		if got[0] != got[1] {
			t.Errorf("seed %d gives two folders", seed)
		}
		seen[got[0]] = true
	}
	if len(seen) < 10 {
		t.Errorf("20 seeds give %d folders", len(seen))
	}
}

// TestBusy reads calls that overlap and demands the folder they left.
func TestBusy(t *testing.T) {
	l, root, err := trace(t, "busy")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Verify(root); err != nil {
		t.Error(err)
	}
	if len(l.Ops) < 500 {
		t.Errorf("%d operations", len(l.Ops))
	}
	files, err := filepath.Glob(filepath.Join(root, "*", "c"))
	if err != nil || len(files) == 0 {
		t.Fatal("nothing left behind")
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Verify(root); !errors.Is(err, powercut.ErrDiffers) {
		t.Errorf("a changed bit: %v", err)
	}
}

// TestMapped demands that writing unseen is not taken for writing nothing.
func TestMapped(t *testing.T) {
	if _, _, err := trace(t, "mapped"); !errors.Is(err, powercut.ErrTrace) {
		t.Errorf("a shared mapping: %v", err)
	}
}
