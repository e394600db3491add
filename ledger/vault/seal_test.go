package vault

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// sealedBy returns a blob sealed under keys that nobody has.
func sealedBy(t testing.TB, subjects int) []byte {
	keys := make([]key, subjects)
	for i := range keys {
		keys[i] = key{byte(i + 1)}
	}
	blob, err := encodeBlob(keys, &key{9}, [16]byte{7}, key{8}, []byte("secret"))
	must(t, err)
	return blob
}

// Whatever number of subjects: each opens alone, nobody else does, and without
// subjects, or with too many, whoever has the cell.
func TestSealOpen(t *testing.T) {
	b := newBench(t)
	for n := range MaxWraps + 2 {
		batch := b.Begin()
		c, err := batch.Cell(march)
		must(t, err)
		var people []Person
		var ids []Identifier
		for i := range n {
			id := Identifier(fmt.Sprintf("candidate:%d", i))
			_, p, err := batch.Tag(c, id)
			must(t, err)
			people, ids = append(people, p, p), append(ids, id) // twice is once
		}
		_, _, err = batch.Tag(c, "candidate:other")
		must(t, err)
		salt, secret := [16]byte{byte(n)}, []byte("reason of absence")
		sealed, err := batch.Seal(c, salt, people, secret)
		must(t, err)
		if bytes.Contains(sealed, secret[:6]) {
			t.Error("sealed in clear")
		}
		must(t, batch.Flush(t.Context(), 0))
		batch.Commit()

		byCell := n == 0 || n > MaxWraps
		opens := func(want bool, cell CellID, salt [16]byte, who ...Identifier) {
			t.Helper()
			got, err := b.Vault.Open(cell, salt, who, sealed)
			if want {
				must(t, err)
				equal(t, "opened", string(got), string(secret))
			} else {
				wantErr(t, err, ErrGone)
			}
		}
		for _, id := range ids {
			opens(true, march, salt, id)
			opens(byCell, march, salt, "candidate:other", "candidate:unknown")
			opens(false, april, salt, id)
			opens(false, march, [16]byte{99}, id)
		}
		opens(byCell, march, salt)
		if !byCell {
			opens(true, march, salt, append([]Identifier{"candidate:unknown", "candidate:other"}, ids...)...)
		}
	}
}

func TestBlobBuckets(t *testing.T) {
	sizes := map[int]int{0: 64, 60: 64, 61: 128, 124: 128, 125: 256, 252: 256, 253: 512, 509: 1024, 1020: 1024, 1021: 2048, 2044: 2048, 2045: 3072, MaxPlaintext: 8 << 20}
	for n, bucket := range sizes {
		plain := bytes.Repeat([]byte{1}, n)
		sealed, err := encodeBlob(nil, &key{9}, [16]byte{7}, key{}, plain)
		must(t, err)
		equal(t, fmt.Sprintf("bucket of %d bytes", n), len(sealed)-blobOverhead, bucket)
		blob, err := decodeBlob(sealed)
		must(t, err)
		got, err := blob.open(nil, &key{9}, [16]byte{7})
		must(t, err)
		if !bytes.Equal(got, plain) {
			t.Errorf("%d bytes do not come back", n)
		}
	}
	_, err := encodeBlob(nil, &key{9}, [16]byte{7}, key{}, make([]byte, MaxPlaintext+1))
	wantErr(t, err, ErrLimit)
}

// No bit of a blob can be changed, no byte cut off or added.
func TestBlobIsAuthentic(t *testing.T) {
	for n := range 4 {
		keys := make([]key, n)
		for i := range keys {
			keys[i] = key{byte(i + 1)}
		}
		good := sealedBy(t, n)
		try := func(what string, b []byte) {
			t.Helper()
			blob, err := decodeBlob(b)
			if err != nil {
				return
			}
			// An altered wrap keeps out only its own subject: try each alone.
			opened := 0
			for i := range max(n, 1) {
				if _, err := blob.open(keys[min(i, n):min(i+1, n)], &key{9}, [16]byte{7}); err == nil {
					opened++
				}
			}
			if opened > 0 {
				t.Errorf("%d subjects, %s: still opens", n, what)
			}
		}
		for bit := range len(good) * 8 {
			b := slices.Clone(good)
			b[bit/8] ^= 1 << (bit % 8)
			try(fmt.Sprintf("bit %d", bit), b)
		}
		for i := range good {
			try(fmt.Sprintf("cut to %d", i), good[:i])
		}
		try("one more byte", append(slices.Clone(good), 0))
	}
}

// Erasing some subjects, here by taking their keys away, leaves the others
// theirs, and none of them anything.
func TestSubjectsAreErasedAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, MaxWraps).Draw(t, "subjects")
		keys := make([]key, n)
		for i := range keys {
			keys[i] = newKey()
		}
		plain := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "plain")
		sealed, err := encodeBlob(keys, &key{9}, [16]byte{7}, newKey(), plain)
		if err != nil {
			t.Fatal(err)
		}
		var left []key
		for i := range keys {
			if rapid.Bool().Draw(t, "left") {
				left = append(left, keys[i])
			}
		}
		blob, err := decodeBlob(sealed)
		if err != nil {
			t.Fatal(err)
		}
		got, err := blob.open(left, &key{9}, [16]byte{7})
		if len(left) > 0 && (err != nil || !bytes.Equal(got, plain)) {
			t.Fatalf("%d of %d left: %v", len(left), n, err)
		}
		if len(left) == 0 && err == nil {
			t.Fatal("opens without a key")
		}
	})
}

// Keys kept past their row's or their cell's give what those gave.
func TestKeptKeys(t *testing.T) {
	k, e := newKey(), newCell(march, newKey())
	whole := person{row: row{key: k}}
	tag, seal, _ := whole.in(march, e)
	kc := k.derive(labelPerson, march.Class, byte(march.Role))

	newOne := person{row: row{key: newKey(), kept: []kept{{cell: CellID{march.Class, march.Role, everyMonth}, key: kc}}}}
	noCell := person{row: row{kept: []kept{{cell: march, tag: tag, key: seal}}}}
	for name, tc := range map[string]struct {
		p    *person
		id   CellID
		cell *cell
		ok   bool
	}{
		"key of the class kept":   {&newOne, march, e, true},
		"cell gone":               {&newOne, march, nil, false},
		"tag of the month kept":   {&noCell, march, nil, true},
		"another month":           {&noCell, april, nil, false},
		"whole row, cell is gone": {&whole, march, nil, false},
	} {
		gotTag, gotSeal, ok := tc.p.in(tc.id, tc.cell)
		if ok != tc.ok || ok && (gotTag != tag || gotSeal != seal) {
			t.Errorf("%s: %t, want %t, or another key", name, ok, tc.ok)
		}
	}
	if other, _, ok := newOne.in(byActor, newCell(byActor, e.random)); !ok || other == tag {
		t.Error("another role has no new tag")
	}
}
