package bundle

import (
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFormat writes the samples of docs/FORMAT.md again, and reads them.
func TestFormat(t *testing.T) {
	got := written(t, sample(t), key(t))
	b, err := Read(got)
	must(t, err)
	if text := string(split(got)[3].data); text != block(t, "text manifest-note-1") {
		t.Errorf("manifest-note-1 has changed:\n%s", text)
	}
	if text := hexLines(got); text != block(t, "hex bundle-1") {
		t.Errorf("bundle-1 has changed:\n%s", text)
	}
	signed, unknown, err := b.Judge(trust(t))
	if len(signed) != 1 || unknown != 0 || err != nil {
		t.Errorf("bundle-1 under trust-1: %v, %d, %v", signed, unknown, err)
	}
}

// hexLines is hexadecimal in lines of 64 bytes.
func hexLines(b []byte) string {
	var text strings.Builder
	for line := range slices.Chunk(b, 64) {
		text.WriteString(hex.EncodeToString(line) + "\n")
	}
	return text.String()
}

// The members are those of the table.
func TestFormatMembers(t *testing.T) {
	page, err := os.ReadFile("../../../docs/FORMAT.md")
	must(t, err)
	_, section, _ := strings.Cut(string(page), "\n### Bundle\n")
	section, _, _ = strings.Cut(section, "\n### ")
	var table []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		table = append(table, row[1])
	}
	slices.Sort(table)
	ours := append([]string{manifestName}, names[:]...)
	slices.Sort(ours)
	if !slices.Equal(table, ours) || !slices.IsSorted(names[:]) {
		t.Errorf("the table has %v, we %v", table, ours)
	}
}
