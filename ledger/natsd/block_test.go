package natsd

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/minio/highwayhash"
)

// encode is the record format, written a second time.
func encode(stream string, block uint32, r record) []byte {
	length := fixedSize + len(r.subject) + 4 + len(r.headers) + len(r.data) + hashSize
	b := binary.LittleEndian.AppendUint32(nil, uint32(length)|1<<31)
	b = binary.LittleEndian.AppendUint64(b, r.sequence)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.time))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(r.subject)))
	b = append(b, r.subject...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.headers)))
	b = append(append(b, r.headers...), r.data...)
	key := sha256.Sum256([]byte(fmt.Sprintf("%s-%d", stream, block)))
	hashed := bytes.Join([][]byte{b[4:20], r.subject, r.headers, r.data}, nil)
	return binary.LittleEndian.AppendUint64(b, highwayhash.Sum64(hashed, key[:]))
}

// What the server writes is, byte for byte, what this package says it writes.
func TestServerWritesThisFormat(t *testing.T) {
	cfg := killed(t, messages(1, 20), messages(8, 20))
	b := read(t, blockPath(messagesDir(cfg.Dir, "S"), 1))
	h, err := newHasher("S", 1)
	if err != nil {
		t.Fatal(err)
	}
	var again []byte
	for r, at := range h.records(b) {
		if at.err != nil {
			t.Fatal(at.err)
		}
		again = append(again, encode("S", 1, r)...)
	}
	if !bytes.Equal(b, again) {
		t.Fatalf("server\n%xours\n%x", b, again)
	}
}

// TestVector reads the block record that docs/FORMAT.md shows.
func TestVector(t *testing.T) {
	page, err := os.ReadFile("../../docs/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n```hex block-record-1\n")
	text, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("FORMAT.md has no block block-record-1")
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHasher("CUSTODY_TEST", 3)
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.record(b)
	if err != nil {
		t.Fatal(err)
	}
	if r.size != len(b) || r.sequence != 42 || r.time != 1_767_225_600_000_000_000 || r.mark != 40 ||
		string(r.subject) != "custody.test.ats.data.shared" || string(r.data) != `{"custodyformat":"1"}` {
		t.Fatalf("%+v", r)
	}
	if own := r.callerHeaders(); len(own) != 1 || own["Custody-Example"] != "yes" {
		t.Fatalf("%v", own)
	}
	if !bytes.Equal(encode("CUSTODY_TEST", 3, r), b) {
		t.Fatal("encodes otherwise")
	}
}

// Records that the hash lets pass and that no stream of ours can have.
func TestRecordsThatCannotBe(t *testing.T) {
	h, err := newHasher("S", 1)
	if err != nil {
		t.Fatal(err)
	}
	good := record{sequence: 7, time: 1, subject: []byte("s.a"), headers: []byte("NATS/1.0\r\nA: b\r\n\r\n"), data: []byte("data")}
	if _, err := h.record(encode("S", 1, good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*record)
		err    error
	}{
		"tombstone":       {func(r *record) { r.sequence |= 1 << 62 }, errDeletion},
		"erased":          {func(r *record) { r.sequence |= 1 << 63 }, errDeletion},
		"no frame":        {func(r *record) { r.headers = []byte("A: b\r\n\r\n") }, errHeaders},
		"open frame":      {func(r *record) { r.headers = []byte("NATS/1.0\r\nA: b\r\n") }, errHeaders},
		"early end":       {func(r *record) { r.headers = []byte("NATS/1.0\r\n\r\nA: b\r\n\r\n") }, errHeaders},
		"mark of itself":  {func(r *record) { r.headers = []byte("NATS/1.0\r\nCustody-Durable: 7\r\n\r\n") }, errMark},
		"mark of nothing": {func(r *record) { r.headers = []byte("NATS/1.0\r\nCustody-Durable: x\r\n\r\n") }, errMark},
	} {
		r := good
		c.change(&r)
		if _, err := h.record(encode("S", 1, r)); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, err := newHasher("S", 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.record(encode("S", 1, good)); !errors.Is(err, errHash) {
		t.Errorf("a record of another block: %v", err)
	}
}

// Whatever the bytes, the reader ends, stays within them, and accepts only what encodes to the same bytes.
func FuzzBlock(f *testing.F) {
	one := encode("S", 1, record{sequence: 1, subject: []byte("s.a"), headers: []byte("NATS/1.0\r\nCustody-Durable: 0\r\n\r\n"), data: []byte("x")})
	two := encode("S", 1, record{sequence: 2, subject: []byte("s.b"), headers: []byte("NATS/1.0\r\n\r\n")})
	f.Add([]byte{})
	f.Add(one)
	f.Add(append(bytes.Clone(one), two...))
	f.Add(append(append(bytes.Clone(one[:20]), 0xff), two...))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := newHasher("S", 1)
		if err != nil {
			t.Fatal(err)
		}
		end := 0
		for r, at := range h.records(b) {
			if at.offset != end {
				t.Fatalf("record at %d, the one before ended at %d", at.offset, end)
			}
			if at.err != nil {
				break
			}
			end += r.size
			if !bytes.Equal(encode("S", 1, r), b[at.offset:end]) {
				t.Fatalf("record at %d encodes otherwise", at.offset)
			}
			r.callerHeaders()
		}
		if end > len(b) {
			t.Fatal("read beyond the end")
		}
		last := uint64(0)
		for r := range h.beyond(b, 0) {
			if r.sequence <= last {
				t.Fatal("not ascending")
			}
			last = r.sequence
		}
	})
}
