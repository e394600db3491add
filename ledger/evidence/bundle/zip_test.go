package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
)

// Zip files that others write of the same members are refused, however they differ.
func TestOtherZips(t *testing.T) {
	all := sample(t).with([]byte(block(t, "text manifest-note-1")))
	plain := func(m member) *zip.FileHeader { return &zip.FileHeader{Name: m.name} }
	for name, header := range map[string]func(m member) *zip.FileHeader{
		"data descriptors": plain,
		"compressed":       func(m member) *zip.FileHeader { return &zip.FileHeader{Name: m.name, Method: zip.Deflate} },
		"times":            func(m member) *zip.FileHeader { return &zip.FileHeader{Name: m.name, Modified: time.Unix(1e9, 0)} },
		"comments":         func(m member) *zip.FileHeader { return &zip.FileHeader{Name: m.name, Comment: "x"} },
		"extra fields":     func(m member) *zip.FileHeader { return &zip.FileHeader{Name: m.name, Extra: []byte{1, 0, 0, 0}} },
	} {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, m := range all {
			part, err := w.CreateHeader(header(m))
			must(t, err)
			_, err = part.Write(m.data)
			must(t, err)
		}
		must(t, w.Close())
		if _, err := Read(b.Bytes()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := packed(t, all)
	if _, err := Read(good); err != nil {
		t.Fatal(err)
	}
	commented := append(slices.Clone(good), 'x')
	commented[len(good)-2] = 1 // the length of the comment of the whole
	if _, err := Read(commented); !errors.Is(err, ErrFormat) {
		t.Errorf("a comment of the whole: %v", err)
	}
	if _, err := Read(append([]byte("#!/bin/sh\n"), good...)); !errors.Is(err, ErrFormat) {
		t.Errorf("a beginning: %v", err)
	}
}

// The largest size is refused before anything is written.
func TestTooLarge(t *testing.T) {
	part := make([]byte, 1<<20)
	var all members
	for range MaxSize / len(part) {
		all = append(all, member{"x", part})
	}
	if err := all.write(&failingWriter{}); !errors.Is(err, ErrFormat) {
		t.Errorf("%d bytes: %v", all.size(), err)
	}
	small := members{{"a", []byte("b")}, {"c", nil}}
	var b bytes.Buffer
	must(t, small.write(&b))
	if uint64(b.Len()) != small.size() {
		t.Errorf("%d bytes written, %d expected", b.Len(), small.size())
	}
	must(t, small.write(io.Discard))
}
