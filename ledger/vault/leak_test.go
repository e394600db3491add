package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// needles are the forms in which a secret might be found.
func needles(secret []byte) [][]byte {
	out := [][]byte{secret, []byte(hex.EncodeToString(secret)), bytes.ToUpper([]byte(hex.EncodeToString(secret)))}
	for shift := range 3 { // base64 of it as part of something longer
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(append(make([]byte, shift), secret...))
			out = append(out, []byte(text[(shift*8+5)/6:len(text)-4]))
		}
	}
	return out
}

// No identifier, no person's key and no cell's key is in any byte of the stream
// or of any file but the root, which holds none of them.
func TestNothingLeaks(t *testing.T) {
	b := newBench(t)
	var secrets [][]byte
	for i := range 500 {
		id := Identifier(fmt.Sprintf("candidate:%d", 10000+i))
		batch := b.Begin()
		c, err := batch.Cell(CellID{Class: 1, Role: Subject, Month: Month(i % 20)})
		must(t, err)
		_, p, err := batch.Tag(c, id)
		must(t, err)
		ref := Identifier(fmt.Sprintf("session-%d", 77000+i))
		_, err = batch.Ref(c, ref)
		must(t, err)
		must(t, batch.Flush(t.Context(), 0))
		batch.Commit()
		secrets = append(secrets, []byte(id), []byte(ref), bytes.Clone(p.p.key[:]), bytes.Clone(c.cell.random[:]))
	}
	must(t, b.Link([]Identifier{"candidate:10001", "candidate:10002"}))
	b.reopen()
	secrets = append(secrets, b.keys.route[:], b.keys.shards[7].random[:], b.keys.shards[7].lookup[:], b.openRoot().live.key[:])

	haystack := map[string][]byte{}
	for _, m := range b.log.messages {
		haystack[fmt.Sprint("message ", m.Sequence)] = append([]byte(m.Subject+"\n"), m.Data...)
	}
	err := filepath.WalkDir(filepath.Dir(b.index), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && path != b.root {
			haystack[path], err = os.ReadFile(path)
		}
		return err
	})
	must(t, err)
	if len(haystack[b.index]) < 100_000 {
		t.Fatalf("the index has only %d bytes: nothing was searched", len(haystack[b.index]))
	}
	var whole []byte
	for _, data := range haystack {
		whole = append(append(whole, data...), '\n')
	}
	for i, secret := range secrets {
		for form, needle := range needles(secret) {
			if bytes.Contains(whole, needle) {
				t.Errorf("secret %d is there, in form %d", i, form)
			}
		}
	}
	planted := append(whole, []byte("x"+base64.StdEncoding.EncodeToString([]byte("ab"+string(secrets[0])+"cd")))...)
	found := false
	for _, needle := range needles(secrets[0]) {
		found = found || bytes.Contains(planted, needle)
	}
	equal(t, "a planted secret is found", found, true)
}

// Link records an event that links, for tests of something else.
func (b *bench) Link(ids []Identifier) error {
	batch := b.Begin()
	if err := batch.Link(ids, b.head+1, [16]byte{1}); err != nil {
		return err
	}
	if err := batch.Flush(b.t.Context(), b.head); err != nil {
		return err
	}
	b.head++
	b.events[b.head] = [16]byte{1}
	batch.Commit()
	return nil
}
