package vault

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

// peopled returns a bench with people in all shards, and their tags.
func peopled(t *testing.T) (*bench, map[Identifier]Tag) {
	b := newBench(t)
	tags := map[Identifier]Tag{}
	batch := b.Begin()
	c, err := batch.Cell(march)
	must(t, err)
	for i := range 600 {
		id := Identifier(fmt.Sprint("candidate:", i))
		tags[id], _, err = batch.Tag(c, id)
		must(t, err)
	}
	must(t, batch.Flush(t.Context(), 0))
	batch.Commit()
	must(t, b.Link([]Identifier{"candidate:1", "candidate:2"}))
	return b, tags
}

func allShards() (all []uint8) {
	for i := range shards {
		all = append(all, uint8(i))
	}
	return all
}

func (b *bench) wantTags(tags map[Identifier]Tag) {
	b.t.Helper()
	for id, want := range tags {
		got, ok, err := b.TagOf(march, id)
		if err != nil || !ok || got != want {
			b.t.Fatalf("tag is %v %t %v, want %v", got, ok, err, want)
		}
	}
}

func TestRekey(t *testing.T) {
	b, tags := peopled(t)
	stolen, err := os.ReadFile(b.root)
	must(t, err)
	old := b.openRoot().live.key
	shardsBefore := b.keys.shards
	must(t, b.Rekey(t.Context(), allShards()))
	for i := range shardsBefore {
		if shardsBefore[i].random == b.keys.shards[i].random {
			t.Fatalf("shard %d has its old key", i)
		}
	}
	b.wantTags(tags)
	b.reopen()
	b.wantTags(tags)
	ids, err := b.Linked("candidate:1")
	must(t, err)
	equal(t, "linked", len(ids), 2)
	r := b.sound()
	equal(t, "root", r.Root, 2)
	equal(t, "people", r.People, 600)
	equal(t, "dead", r.Dead, 602)
	file, err := os.ReadFile(b.root)
	must(t, err)
	if bytes.Contains(file, old[:]) {
		t.Error("the old root is still there")
	}

	must(t, b.Close())
	b.Vault = nil
	good := file
	must(t, os.WriteFile(b.root, stolen, 0o600))
	o := b.options()
	o.Shredded = 2
	_, err = Open(t.Context(), o)
	wantErr(t, err, ErrRetiredRoot)
	must(t, os.WriteFile(b.root, good, 0o600))
	b.open()
	b.tag(april, "candidate:1") // anything written under the new root is proof enough
	must(t, b.Close())
	b.Vault = nil
	must(t, os.WriteFile(b.root, stolen, 0o600))
	_, err = Open(t.Context(), b.options())
	wantErr(t, err, ErrRetiredRoot)
	must(t, os.WriteFile(b.root, good, 0o600))
}

// A change that keeps only some rows and cells forgets the rest, for everybody
// who has no more than what is left.
func TestChangeForgets(t *testing.T) {
	b, tags := peopled(t)
	b.tag(april, "candidate:1")
	s, _ := b.keys.shard("candidate:7")
	c := change{shards: []uint8{s.number}, amend: func(r *row) bool { return r.id != "candidate:7" }, forget: map[uint8]Month{legal.Class: 1000}, pending: []byte("event")}
	must(t, b.changeKeys(c))
	delete(tags, "candidate:7")
	for range 2 {
		b.wantTags(tags)
		_, ok, err := b.Lookup("candidate:7")
		must(t, err)
		equal(t, "forgotten is known", ok, false)
		equal(t, "pending event", string(b.keys.pending), "event")
		equal(t, "cells", len(b.Cells()), 2)
		b.reopen()
	}
	must(t, b.changeKeys(change{forget: map[uint8]Month{march.Class: april.Month}}))
	_, ok, err := b.TagOf(march, "candidate:1")
	must(t, err)
	equal(t, "tag of a forgotten month", ok, false)
	_, ok, err = b.TagOf(april, "candidate:1")
	must(t, err)
	equal(t, "tag of the month after", ok, true)
	equal(t, "pending event, until the next", string(b.Pending()), "event")
	batch := b.Begin()
	cell, err := batch.Cell(march)
	must(t, err)
	equal(t, "gone", cell.Gone(), true)
	batch.Abort()
}

// A change interrupted before its commit point did not happen; after it, it did.
func TestRekeyFaults(t *testing.T) {
	for _, stored := range []int{0, 1, 99} {
		for _, fault := range []error{errRejected, errLost} {
			if fault == errRejected && stored > 0 {
				continue
			}
			t.Run(fmt.Sprintf("%d stored, %v", stored, fault), func(t *testing.T) {
				b, tags := peopled(t)
				for range 2 {
					b.log.fail = func(_, messages int) (int, error) { return min(stored, messages), fault }
					err := b.Rekey(t.Context(), allShards())
					b.log.fail = nil
					if fault == errRejected {
						wantErr(t, err, stream.ErrRejected)
						continue
					}
					wantErr(t, err, ErrHalted)
					wantErr(t, b.Rekey(t.Context(), nil), ErrHalted)
					b.crash()
					b.open()
				}
				equal(t, "root", b.root1().Version(), 1)
				b.wantTags(tags)
				tags["candidate:new"] = b.tag(march, "candidate:new")
				must(t, b.Rekey(t.Context(), []uint8{1, 2, 3}))
				b.wantTags(tags)
				b.reopen()
				b.wantTags(tags)
				b.sound()
			})
		}
	}
}

// changeKeys makes a change that nobody can ask for.
func (b *bench) changeKeys(c change) error {
	_, err := b.rekey(b.t.Context(), func() (*change, error) { return &c, nil })
	return err
}

func (b *bench) root1() *Root { return b.Vault.root }

func TestCrashAfterCommitPoint(t *testing.T) {
	b, tags := peopled(t)
	must(t, b.saveIndex())
	n, err := b.prepare(func() (*change, error) { return &change{shards: allShards()}, nil })
	must(t, err)
	_, err = b.log.Append(t.Context(), n.messages)
	must(t, err)
	must(t, b.Vault.root.advance(n.root, *plain(n.root)))
	b.crash()
	b.open()
	equal(t, "root", b.root1().Version(), 2)
	equal(t, "old root to be destroyed", b.openRoot().rest, false)
	b.wantTags(tags)
	b.sound()
}

// A change rewrites rows as they hold now, not with links that were taken back.
func TestRekeyAfterAbort(t *testing.T) {
	b, _ := peopled(t)
	batch := b.Begin()
	must(t, batch.Link([]Identifier{"candidate:3", "candidate:4"}, b.head+1, [16]byte{9}))
	must(t, batch.Flush(t.Context(), b.head))
	batch.Abort()
	must(t, b.Rekey(t.Context(), allShards()))
	for range 2 {
		ids, err := b.Linked("candidate:3")
		must(t, err)
		equal(t, "linked", len(ids), 1)
		b.tag(march, "candidate:5")
		b.reopen()
	}
}
