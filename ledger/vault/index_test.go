package vault

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"go.etcd.io/bbolt"
)

// filled returns a bench with some people, links and cells, closed, and what it
// has to answer.
func filled(t *testing.T) (*bench, func()) {
	b := newBench(t)
	tags := map[Identifier]Tag{}
	for i := range 200 {
		id := Identifier(fmt.Sprint("candidate:", i))
		tags[id] = b.tag(march, id)
	}
	batch := b.Begin()
	must(t, batch.Link([]Identifier{"candidate:1", "candidate:2"}, b.head+1, [16]byte{1}))
	must(t, batch.Flush(t.Context(), b.head))
	b.head++
	b.events[b.head] = [16]byte{1}
	batch.Commit()
	must(t, b.Close())
	b.Vault = nil
	return b, func() {
		t.Helper()
		b.open()
		for id, want := range tags {
			got, ok, err := b.TagOf(march, id)
			if err != nil || !ok || got != want {
				t.Fatalf("tag is %v %t %v, want %v", got, ok, err, want)
			}
		}
		ids, err := b.Linked("candidate:2")
		must(t, err)
		equal(t, "linked", len(ids), 2)
		b.sound()
		must(t, b.Close())
		b.Vault = nil
	}
}

func TestIndexIsDisposable(t *testing.T) {
	b, answers := filled(t)
	answers()
	good, err := os.ReadFile(b.index)
	must(t, err)
	put := func(data []byte) {
		t.Helper()
		must(t, os.WriteFile(b.index, data, 0o600))
		answers()
	}
	must(t, os.Remove(b.index))
	answers()
	put(nil)
	put([]byte("not an index"))
	for _, cut := range []int{1, 4096, 8192, 3 * 4096, len(good) / 2, len(good) - 4096} {
		put(good[:min(cut, len(good))])
	}
	must(t, os.WriteFile(b.index+".new", []byte("left by a crash"), 0o600))
	put(nil)
}

// A whole index is taken as it is, after whatever was written.
func TestIndexStands(t *testing.T) {
	b, answers := filled(t)
	before, err := os.Stat(b.index)
	must(t, err)
	answers()
	b.open()
	must(t, b.Rekey(t.Context(), []uint8{1, 2, 3}))
	row, err := b.RowOf("candidate:5")
	must(t, err)
	_, err = b.Erase(t.Context(), Erasing{Rows: map[PersonID][]Chain{row: nil}})
	must(t, err)
	b.reopen()
	must(t, b.Close())
	b.Vault = nil
	after, err := os.Stat(b.index)
	must(t, err)
	equal(t, "same file", os.SameFile(before, after), true)
}

// No changed bit of the index makes the vault answer anything else.
func TestIndexBits(t *testing.T) {
	b, answers := filled(t)
	good, err := os.ReadFile(b.index)
	must(t, err)
	step := len(good)/150 | 1
	for at := 0; at < len(good); at += step {
		bad := append([]byte(nil), good...)
		bad[at] ^= 1 << (at % 8)
		must(t, os.WriteFile(b.index, bad, 0o600))
		answers()
	}
}

// An entry taken out whole, as no checksum of a page would tell.
func TestIndexEntryTakenOut(t *testing.T) {
	for _, bucket := range []string{bucketNames, bucketRows, bucketRIDs} {
		b, answers := filled(t)
		db, err := bbolt.Open(b.index, 0o600, nil)
		must(t, err)
		must(t, db.Update(func(tx *bbolt.Tx) error {
			k, _ := tx.Bucket([]byte(bucket)).Cursor().First()
			return tx.Bucket([]byte(bucket)).Delete(k)
		}))
		must(t, db.Close())
		x, err := openIndex(b.index, true)
		must(t, err)
		v := &Vault{log: b.log, root: b.openRoot(), index: x}
		equal(t, "index without an entry stands", v.stands(t.Context()), false)
		must(t, x.close())
		answers()
	}
}

// What the index says of itself cannot be changed.
func TestIndexState(t *testing.T) {
	b, answers := filled(t)
	good, err := os.ReadFile(b.index)
	must(t, err)
	x, err := openIndex(b.index, true)
	must(t, err)
	equal(t, "index has a state", x.load(), true)
	size := len(x.state.append(nil, &key{}))
	must(t, x.close())
	for at := range size {
		must(t, os.WriteFile(b.index, good, 0o600))
		x, err := openIndex(b.index, false)
		must(t, err)
		must(t, x.db.Update(func(tx *bbolt.Tx) error {
			s := tx.Bucket([]byte(bucketState))
			bad := slices.Clone(s.Get([]byte(bucketState)))
			bad[at] ^= 1
			return s.Put([]byte(bucketState), bad)
		}))
		v := &Vault{log: b.log, root: b.openRoot(), index: x}
		if v.stands(t.Context()) {
			t.Errorf("index stands with another byte %d of its state", at)
		}
		must(t, x.close())
	}
	answers()
}

// An index that is ahead of the log, or of another one, is made anew.
func TestIndexOfAnotherLog(t *testing.T) {
	b, answers := filled(t)
	ahead, err := os.ReadFile(b.index)
	must(t, err)
	all := b.log.messages
	b.log.messages = all[:100]
	must(t, os.WriteFile(b.index, ahead, 0o600))
	b.open()
	_, ok, err := b.Lookup("candidate:150")
	must(t, err)
	equal(t, "somebody the log does not have is known", ok, false)
	must(t, b.Close())
	b.Vault = nil
	b.log.messages = all
	answers()

	// Same length, other end.
	b.log.messages = slices.Clone(all[:len(all)-1])
	b.open()
	b.tag(march, "candidate:other")
	must(t, b.Close())
	b.Vault = nil
	must(t, os.WriteFile(b.index, ahead, 0o600))
	b.open()
	_, ok, err = b.Lookup("candidate:other")
	must(t, err)
	equal(t, "somebody the log has is known", ok, true)
	must(t, b.Close())
	b.Vault = nil
	b.log.messages = all
	answers()
}

// An index in use by another process is not taken away from it.
func TestIndexInUse(t *testing.T) {
	b := newBench(t)
	before, err := os.Stat(b.index)
	must(t, err)
	if v, err := Open(t.Context(), b.options()); err == nil {
		must(t, v.Close())
		t.Error("an index in use was opened")
	}
	after, err := os.Stat(b.index)
	must(t, err)
	equal(t, "same file", os.SameFile(before, after), true)
}

// If the index cannot be written the vault goes on, and in the end says so
// before anything is stored.
func TestIndexCannotBeWritten(t *testing.T) {
	b := newBench(t)
	must(t, b.Close())
	b.every = 1
	b.open()
	b.tag(march, "candidate:0")
	must(t, b.saveIndex())
	must(t, b.Vault.index.db.Close())
	var err error
	for i := 0; err == nil && i < 100; i++ {
		batch := b.Begin()
		c, e := batch.Cell(march)
		must(t, e)
		_, _, e = batch.Tag(c, Identifier(fmt.Sprint("noise:", i)))
		if e != nil {
			err = e
			batch.Abort()
			break
		}
		before := b.log.appends
		if err = batch.Flush(t.Context(), 0); err != nil {
			equal(t, "appends of a refused flush", b.log.appends, before)
		}
		batch.Abort()
	}
	if err == nil {
		t.Error("an index that cannot be written goes unnoticed for ever")
	}
	b.Vault.halted, b.Vault = ErrHalted, nil
}
