package checkpoint

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// x/mod checks every proof that is written, as somebody reads it who knows the text format alone.
func TestTlogProof(t *testing.T) {
	const most = 40
	all := everybody()
	l := grownLog(t, most)
	for size := int64(1); size <= most; size++ {
		n, err := Sign(l.at(t, size), all.log)
		must(t, err)
		for i := range size {
			proof, err := tlog.ProveRecord(size, i, l)
			must(t, err)
			hashes := make([]Hash, len(proof))
			for j, h := range proof {
				hashes[j] = Hash(h)
			}
			text, err := TlogProof(uint64(i), hashes, n)
			must(t, err)
			checkTlogProof(t, string(text), i)
			if _, err := TlogProof(uint64(i), append(hashes, Hash{}), n); !errors.Is(err, ErrFormat) {
				t.Fatalf("a hash too many: %v", err)
			}
			if len(hashes) > 0 {
				if _, err := TlogProof(uint64(i), hashes[1:], n); !errors.Is(err, ErrFormat) {
					t.Fatalf("a hash too few: %v", err)
				}
			}
		}
		if _, err := TlogProof(uint64(size), nil, n); !errors.Is(err, ErrFormat) {
			t.Fatalf("no such leaf: %v", err)
		}
	}
}

func checkTlogProof(t *testing.T, text string, index int64) {
	t.Helper()
	head, note, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
		t.Fatalf("it begins with %q", lines[:2])
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		h, err := tlog.ParseHash(line)
		must(t, err)
		proof = append(proof, h)
	}
	n, err := Open([]byte(note))
	must(t, err)
	must(t, tlog.CheckRecord(proof, int64(n.Size), tlog.Hash(n.Root), index, tlog.RecordHash(leaf(index))))
}
