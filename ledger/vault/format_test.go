package vault

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// formatPath is where the golden bytes are.
const formatPath = "../../docs/FORMAT.md"

// golden returns the bytes of a block ```hex name of the format's description.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	doc, err := os.ReadFile(formatPath)
	must(t, err)
	m := regexp.MustCompile("(?s)```hex " + name + "\n(.*?)```").FindSubmatch(doc)
	if m == nil {
		t.Fatalf("%s has no block %s", formatPath, name)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(m[1])), ""))
	must(t, err)
	return b
}

// counting returns a key whose bytes count up from b.
func counting(b byte) (k key) {
	for i := range k {
		k[i] = b + byte(i)
	}
	return k
}

// bytesFrom returns n bytes that count up from b.
func bytesFrom(b byte, n int) []byte {
	k := counting(b)
	return k[:n]
}

// vectors are the samples of every layout, made with keys that count up.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	root := rootKey{version: 1, key: counting(0x00)}
	id := Identifier("candidate:10412")
	keys := &keyring{epoch: 1, route: counting(0x20), forgotten: map[uint8]Month{2: 660}}
	for i := range keys.shards {
		s, err := newShard(uint8(i), counting(byte(i)))
		must(t, err)
		keys.shards[i] = s
	}
	keys.derive()
	c := newCell(march, counting(0x40))
	tableMessage, err := keys.seal(root, map[CellID]*cell{march: c}, header{}, nonce(bytesFrom(0x60, 12)))
	must(t, err)
	r := row{rid: rid(bytesFrom(0x70, 16)), id: id, key: counting(0x80)}
	r.links = []link{{other: rid(bytesFrom(0xa0, 16)), position: 41, salt: [16]byte(bytesFrom(0xb0, 16))}}
	r.kept = []kept{{cell: CellID{3, Subject, 600}, tag: Tag(bytesFrom(0xc0, 16)), key: counting(0xd0)}}
	s, name := keys.shard(id)
	rec := s.sealRow(&r, nonce(bytesFrom(0x90, 12)))
	rowsMessage := encodeRows(&keys.rows, header{kind: kindRows, epoch: 1, events: 40, previous: [32]byte(counting(0xe0))}, []record{rec})
	person := person{row: r}
	tag, seal := c.person(person.chain(march.Class, march.Role))
	ref := c.reference("session:77")
	commitment := root.key.derive(labelCommit)
	sealedRoot := slot{version: 2, sealed: slices.Concat(bytesFrom(0x50, 12), bytesFrom(0x00, 32), bytesFrom(0x60, 16))}
	h, err := newHold(counting(0x10))
	must(t, err)
	held := row{rid: r.rid, id: r.id, key: r.key, kept: []kept{{cell: CellID{3, Actor, everyMonth}, key: counting(0xd0)}}}
	held.held = []holding{h.holding(3, r.rid, nonce(bytesFrom(0x90, 12)), slices.Concat([]byte{1, 0, 0, 2, 88}, bytesFrom(0xc0, 16), bytesFrom(0xd0, 32)))}
	withHold := *keys
	withHold.holds = map[uint8]hold{3: h}
	out := map[string][]byte{
		"vault-row-2": held.append(nil), "vault-holds-1": withHold.append(nil, nil)[len(keys.append(nil, nil)):],
		"vault-root-1": plain(root).append(nil), "vault-root-2": sealedRoot.append(nil), "vault-commitment-1": commitment[:], "vault-table-1": tableMessage, "vault-lookup-1": name[:],
		"vault-row-1": r.append(nil), "vault-record-1": rec.append(nil), "vault-rows-1": rowsMessage,
		"vault-tag-1": tag[:], "vault-seal-key-1": seal[:], "vault-ref-1": ref[:],
	}
	salt := [16]byte(bytesFrom(0xf0, 16))
	for i, subjects := range [][]key{{}, {seal}, {seal, counting(0x11)}} {
		out[fmt.Sprintf("vault-sealed-%d", i)], err = encodeBlob(subjects, &c.all, salt, counting(0x33), []byte(`{"reason":"asked to"}`))
		must(t, err)
	}
	return out
}

func TestGolden(t *testing.T) {
	for name, got := range vectors(t) {
		if want := golden(t, name); !bytes.Equal(got, want) {
			t.Errorf("%s has changed:\n got %x\nwant %x", name, got, want)
		}
	}
}

// TestVectorsDecode reads the samples back.
func TestVectorsDecode(t *testing.T) {
	v := vectors(t)
	root := rootKey{version: 1, key: counting(0x00)}
	keys, cells, err := openTable(root, v["vault-table-1"])
	must(t, err)
	records, err := decodeRows(&keys.rows, v["vault-rows-1"])
	must(t, err)
	r, err := keys.shards[records[0].shard].openRow(records[0])
	must(t, err)
	if !bytes.Equal(r.append(nil), v["vault-row-1"]) || len(r.links) != 1 || len(r.kept) != 1 || r.id != "candidate:10412" {
		t.Error("the row does not come back")
	}
	h, err := newHold(counting(0x10))
	must(t, err)
	keys.holds[3] = h
	held, err := decodeRow(v["vault-row-2"])
	must(t, err)
	must(t, keys.take(&held))
	if len(held.kept) != 2 || held.kept[0] != (kept{cell: CellID{3, Subject, 600}, tag: Tag(bytesFrom(0xc0, 16)), key: counting(0xd0)}) {
		t.Error("what is held does not come back")
	}
	p := person{row: r}
	tag, seal := cells[march].person(p.chain(march.Class, march.Role))
	if !bytes.Equal(tag[:], v["vault-tag-1"]) || keys.forgotten[2] != 660 {
		t.Error("the table does not come back")
	}
	for i := range 3 {
		blob, err := decodeBlob(v[fmt.Sprint("vault-sealed-", i)])
		must(t, err)
		plain, err := blob.open([]key{seal}, &cells[march].all, [16]byte(bytesFrom(0xf0, 16)))
		must(t, err)
		equal(t, "opened", string(plain), `{"reason":"asked to"}`)
	}
}

// Every truncation and every longer form of every layout is refused.
func TestNothingButWholeLayouts(t *testing.T) {
	v := vectors(t)
	root := rootKey{version: 1, key: counting(0x00)}
	keys, _, err := openTable(root, v["vault-table-1"])
	must(t, err)
	decoders := map[string]func([]byte) error{
		"vault-table-1": func(b []byte) error { _, _, err := openTable(root, b); return err },
		"vault-row-1":   func(b []byte) error { _, err := decodeRow(b); return err },
		"vault-row-2":   func(b []byte) error { _, err := decodeRow(b); return err },
		"vault-rows-1":  func(b []byte) error { _, err := decodeRows(&keys.rows, b); return err },
		"vault-sealed-1": func(b []byte) error {
			blob, err := decodeBlob(b)
			if err == nil {
				_, err = blob.open([]key{key(v["vault-seal-key-1"])}, nil, [16]byte(bytesFrom(0xf0, 16)))
			}
			return err
		},
	}
	for name, decode := range decoders {
		whole := v[name]
		must(t, decode(whole))
		for n := range whole {
			wantErr(t, decode(whole[:n:n]), ErrDamaged)
		}
		for _, more := range []int{1, 64, 1024 + 1} {
			wantErr(t, decode(append(slices.Clone(whole), make([]byte, more)...)), ErrDamaged)
		}
	}
}

func FuzzRow(f *testing.F) {
	f.Add(vectors(f)["vault-row-1"])
	f.Add(vectors(f)["vault-row-2"])
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := decodeRow(b); err == nil && !bytes.Equal(r.append(nil), b) {
			t.Error("another encoding of the same row is accepted")
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(vectors(f)["vault-record-1"])
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, rest, err := decodeRecord(b); err == nil && !bytes.Equal(append(r.append(nil), rest...), b) {
			t.Error("another encoding of the same record is accepted")
		}
	})
}

// FuzzRows signs what it tries, so that what is behind the MAC is reached.
func FuzzRows(f *testing.F) {
	mk := counting(1)
	whole := vectors(f)["vault-rows-1"]
	f.Add(whole[:len(whole)-32])
	f.Fuzz(func(t *testing.T, b []byte) {
		sum := mac(&mk, b)
		b = append(b, sum[:]...)
		records, err := decodeRows(&mk, b)
		if err != nil {
			return
		}
		h, err := decodeHeader(b)
		if err != nil || !bytes.Equal(encodeRows(&mk, h, records), b) {
			t.Error("another encoding of the same rows is accepted")
		}
	})
}

// FuzzTable skips the sealing, so that what is behind it is reached.
func FuzzTable(f *testing.F) {
	keys, cells, err := openTable(rootKey{version: 1, key: counting(0)}, vectors(f)["vault-table-1"])
	must(f, err)
	f.Add(keys.append(nil, cells))
	keys.holds[3], err = newHold(counting(0x10))
	must(f, err)
	f.Add(keys.append(nil, cells))
	f.Fuzz(func(t *testing.T, b []byte) {
		if keys, cells, err := decodeTable(1, b); err == nil && !bytes.Equal(keys.append(nil, cells), b) {
			t.Error("another encoding of the same table is accepted")
		}
	})
}

func FuzzBlob(f *testing.F) {
	for i := range 3 {
		f.Add(vectors(f)[fmt.Sprint("vault-sealed-", i)])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		blob, err := decodeBlob(b)
		if err != nil {
			return
		}
		if !bytes.Equal(append(slices.Clone(blob.head), blob.ciphertext...), b) {
			t.Error("a frame loses bytes")
		}
		if _, err := blob.open([]key{counting(5)}, nil, [16]byte{}); err == nil {
			t.Error("opens under a key it was not sealed for")
		}
	})
}

func FuzzRoot(f *testing.F) {
	f.Add(plain(rootKey{version: 1, key: counting(0)}).padded(), plain(rootKey{version: 2, key: counting(9)}).padded())
	sealed := slot{version: 3, sealed: bytesFrom(0x50, 32)}
	f.Add(sealed.padded(), plain(rootKey{version: 2, key: counting(9)}).padded())
	f.Fuzz(func(t *testing.T, one, two []byte) {
		if r, err := decodeRoot(slices.Concat(one, two), nil); err == nil && r.live.version == 0 {
			t.Error("version 0 in force")
		}
	})
}

func FuzzState(f *testing.F) {
	s := state{tail: tail{sequence: 5}, epoch: 1, open: map[rid]uint64{{1}: 7, {2}: 9}}
	k := counting(1)
	f.Add(s.append(nil, &k))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := decodeState(b)
		if ok && !bytes.Equal(s.append(nil, &k)[:len(b)-32], b[:len(b)-32]) {
			t.Error("another encoding of the same state is accepted")
		}
	})
}
