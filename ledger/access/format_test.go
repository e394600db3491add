package access

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestFormat reads the message that docs/FORMAT.md shows.
func TestFormat(t *testing.T) {
	page, err := os.ReadFile("../../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n```text access-message-1\n")
	line, _, ended := strings.Cut(rest, "\n")
	if !found || !ended {
		t.Fatal("FORMAT.md has no block access-message-1")
	}
	m, err := decode([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.encode()
	if err != nil || !bytes.Equal(again, []byte(line)) {
		t.Errorf("encoded again: %s, %v", again, err)
	}
}
