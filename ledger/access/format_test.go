package access

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestFormat reads the messages that docs/FORMAT.md shows.
func TestFormat(t *testing.T) {
	page, err := os.ReadFile("../../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"access-message-1", "access-message-2", "access-message-3", "access-message-4"} {
		_, rest, found := strings.Cut(string(page), "\n```text "+name+"\n")
		line, _, ended := strings.Cut(rest, "\n")
		if !found || !ended {
			t.Fatalf("FORMAT.md has no block %s", name)
		}
		m, err := decode([]byte(line))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := m.encode()
		if err != nil || !bytes.Equal(again, []byte(line)) {
			t.Errorf("%s encoded again: %s, %v", name, again, err)
		}
	}
}
