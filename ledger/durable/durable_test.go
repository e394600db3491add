package durable

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReplace replaces a file, and leaves the old one where the new one cannot be written or named.
func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"old", "new"} {
		if err := Replace(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("%q: %v", b, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v, %v", info, err)
	}
	if err := os.Mkdir(path+".tmp", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("newer")); err == nil {
		t.Error("written where it could not be")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "new" {
		t.Errorf("afterwards %q: %v", b, err)
	}
	dir := filepath.Join(t.TempDir(), "folder")
	if err := os.MkdirAll(filepath.Join(dir, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(dir, nil); err == nil {
		t.Error("a folder was replaced")
	}
	if _, err := os.Stat(dir + ".tmp"); !os.IsNotExist(err) {
		t.Errorf("left behind: %v", err)
	}
}
