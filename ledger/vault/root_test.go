package vault

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

func newRoot(t *testing.T) *Root {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root")
	must(t, CreateRoot(path, nil))
	r, err := OpenRoot(path, nil)
	must(t, err)
	return r
}

// plain is the slot of a key that no device seals.
func plain(k rootKey) *slot { return &slot{version: k.version, key: k.key} }

func TestRootFile(t *testing.T) {
	r := newRoot(t)
	equal(t, "version", r.Version(), 1)
	info, err := os.Stat(r.path)
	must(t, err)
	equal(t, "mode", info.Mode(), 0o600)
	before, err := os.ReadFile(r.path)
	must(t, err)
	wantErr(t, CreateRoot(r.path, nil), ErrExists)
	after, err := os.ReadFile(r.path)
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("a refused creation changed the file")
	}
	_, err = OpenRoot(r.path+"-none", nil)
	wantErr(t, err, ErrMissingRoot)
	must(t, os.WriteFile(r.path, make([]byte, 2*slotSize), 0o600))
	_, err = OpenRoot(r.path, nil)
	wantErr(t, err, ErrMissingRoot)
	for _, size := range []int{0, 1, slotSize, 2*slotSize - 1, 2*slotSize + 1} {
		must(t, os.WriteFile(r.path, make([]byte, size), 0o600))
		_, err = OpenRoot(r.path, nil)
		wantErr(t, err, ErrDamaged)
	}
}

func TestRootAdvance(t *testing.T) {
	r := newRoot(t)
	for version := uint64(2); version < 6; version++ {
		old := r.live
		inode, err := os.Stat(r.path)
		must(t, err)
		wantErr(t, r.advance(old, *plain(old)), ErrOrder)
		k := rootKey{version: version, key: newKey()}
		must(t, r.advance(k, *plain(k)))
		wantErr(t, r.advance(rootKey{version: version + 1}, slot{}), ErrOrder) // the old one is still there
		again, err := OpenRoot(r.path, nil)
		must(t, err)
		equal(t, "in force", again.live, r.live)
		equal(t, "old one to be destroyed", again.rest, true)
		must(t, again.destroy())
		must(t, again.destroy()) // may be repeated
		b, err := os.ReadFile(r.path)
		must(t, err)
		if bytes.Contains(b, old.key[:]) {
			t.Fatal("a destroyed key is still in the file")
		}
		same, err := os.Stat(r.path)
		must(t, err)
		equal(t, "overwritten in place", os.SameFile(inode, same), true)
		r, err = OpenRoot(r.path, nil)
		must(t, err)
		equal(t, "version", r.Version(), version)
		equal(t, "rest", r.rest, false)
	}
}

// Wherever a write of a slot is cut, one key is in force: the old one until the
// last byte that matters, and never a third.
func TestRootTornWrites(t *testing.T) {
	one, two := rootKey{version: 1, key: key{1}}, rootKey{version: 2, key: key{2}}
	empty := make([]byte, slotSize)
	for cut := range slotUsed + 1 {
		torn := slices.Concat(plain(two).padded()[:cut], empty[cut:])
		for _, file := range [][]byte{slices.Concat(plain(one).padded(), torn), slices.Concat(torn, plain(one).padded())} {
			r, err := decodeRoot(file, nil)
			must(t, err)
			want := one
			if cut == slotUsed {
				want = two
			}
			equal(t, "in force", r.live, want)
			equal(t, "rest", r.rest, cut > 0)
		}
		zeroed := slices.Concat(empty[:cut], plain(one).padded()[cut:]) // destroying is cut
		r, err := decodeRoot(slices.Concat(zeroed, plain(two).padded()), nil)
		must(t, err)
		equal(t, "in force", r.live, two)
		equal(t, "rest", r.rest, cut < slotUsed)
	}
}

// A changed bit never gives another key.
func TestRootBits(t *testing.T) {
	one, two := rootKey{version: 1, key: key{1}}, rootKey{version: 2, key: key{2}}
	for _, good := range [][]byte{slices.Concat(plain(one).padded(), make([]byte, slotSize)), slices.Concat(plain(one).padded(), plain(two).padded())} {
		for bit := range len(good) * 8 {
			if bit%(slotSize*8) > slotUsed*8 && bit%61 != 0 {
				continue // among the zeros, one in a while
			}
			b := slices.Clone(good)
			b[bit/8] ^= 1 << (bit % 8)
			r, err := decodeRoot(b, nil)
			if err != nil {
				wantErr(t, err, ErrDamaged)
				continue
			}
			if r.live != one && r.live != two {
				t.Fatalf("bit %d gives a third key", bit)
			}
			if !r.rest {
				t.Fatalf("bit %d: nothing is left to destroy", bit)
			}
		}
	}
}

// Which root does not belong, and why, is told apart.
func TestRootsAreToldApart(t *testing.T) {
	b := newBench(t)
	b.tag(march, "candidate:1")
	must(t, b.Close())
	b.Vault = nil
	first := b.openRoot()

	open := func(root *Root, shredded uint64) error {
		o := b.options()
		o.Root, o.Shredded = root, shredded
		v, err := Open(context.Background(), o)
		if err == nil {
			must(t, v.Close())
		}
		_, inspected := Inspect(b.log.Replay(t.Context(), 1, math.MaxUint64), root)
		if shredded == 0 && (err == nil) != (inspected == nil) {
			t.Errorf("Open says %v, Inspect %v", err, inspected)
		}
		return err
	}
	must(t, open(first, 0))
	must(t, open(first, 1))
	wantErr(t, open(first, 2), ErrRetiredRoot)
	wantErr(t, open(newRoot(t), 0), ErrForeignRoot)
	wantErr(t, open(&Root{live: rootKey{version: 2, key: newKey()}}, 0), ErrOldStream)

	// A table of the next root alone is a change that did not come to be.
	keys, cells, err := openTable(first.live, b.log.messages[b.tableAt()-1].Data)
	must(t, err)
	next := rootKey{version: 2, key: newKey()}
	put := func(root rootKey) {
		t.Helper()
		var s scanner
		s.root = math.MaxUint64
		for m := range b.log.Replay(t.Context(), 1, math.MaxUint64) {
			_, err := s.next(m)
			must(t, err)
		}
		data, err := keys.seal(root, cells, header{previous: s.tail.digest, events: s.tail.events}, newNonce())
		must(t, err)
		_, err = b.log.Append(t.Context(), []stream.Message{{Subject: testSubject + subjectTable, Data: data}})
		must(t, err)
	}
	put(next)
	must(t, open(first, 0))
	must(t, open(&Root{live: next}, 0))
	put(next) // a second one is proof that it did
	wantErr(t, open(first, 0), ErrRetiredRoot)
	wantErr(t, open(newRoot(t), 0), ErrRetiredRoot)
	must(t, os.Remove(b.index))
	wantErr(t, open(first, 0), ErrRetiredRoot)
	must(t, first.advance(next, *plain(next)))
	must(t, open(first, 2)) // a crash before the old one was destroyed
	again := b.openRoot()
	equal(t, "old root is still there", again.rest, false)
}

// tableAt is the sequence of the last table.
func (b *bench) tableAt() (at uint64) {
	for _, m := range b.log.messages {
		if m.Subject == testSubject+subjectTable {
			at = m.Sequence
		}
	}
	return at
}

func TestRootWriteFails(t *testing.T) {
	r := newRoot(t)
	r.path = filepath.Join(t.TempDir(), "none")
	before := r.live
	if err := r.advance(rootKey{version: 2}, slot{version: 2}); err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("advancing a lost file: %v", err)
	}
	if err := r.destroy(); err == nil {
		t.Error("destroying in a lost file succeeds")
	}
	equal(t, "in force", r.live, before)
}
