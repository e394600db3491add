package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/imalink/custody/ledger/stream"
)

func TestTagIsSteady(t *testing.T) {
	b := newBench(t)
	first := b.tag(march, "candidate:1")
	seen := map[Tag]string{first: "march"}
	for name, id := range map[string]CellID{"april": april, "legal": legal, "actor": byActor} {
		tag := b.tag(id, "candidate:1")
		if was, ok := seen[tag]; ok {
			t.Errorf("cells %s and %s give one tag", was, name)
		}
		seen[tag] = name
	}
	if other := b.tag(march, "candidate:2"); seen[other] != "" {
		t.Error("two people have one tag")
	}
	for range 2 {
		equal(t, "tag", b.tag(march, "candidate:1"), first)
		got, ok, err := b.TagOf(march, "candidate:1")
		must(t, err)
		equal(t, "known", ok, true)
		equal(t, "tag on reading", got, first)
		b.reopen()
	}
	b.crash()
	b.open()
	equal(t, "tag after a crash", b.tag(march, "candidate:1"), first)
}

func TestReadingCreatesNothing(t *testing.T) {
	b := newBench(t)
	b.tag(march, "candidate:1")
	appends, people := b.log.appends, len(b.recent.byID)
	_, ok, err := b.Lookup("candidate:9")
	must(t, err)
	equal(t, "unknown is known", ok, false)
	_, ok, err = b.TagOf(march, "candidate:9")
	must(t, err)
	equal(t, "unknown has a tag", ok, false)
	_, ok, err = b.TagOf(april, "candidate:1")
	must(t, err)
	equal(t, "unused cell has a tag", ok, false)
	_, ok = b.RefOf(april, "session:1")
	equal(t, "unused cell has a reference", ok, false)
	ids, err := b.Linked("candidate:9")
	must(t, err)
	equal(t, "linked with unknown", len(ids), 0)
	_, err = b.Vault.Open(march, [16]byte{}, []Identifier{"candidate:9"}, sealedBy(t, 1))
	wantErr(t, err, ErrGone)
	equal(t, "appends", b.log.appends, appends)
	equal(t, "overlay", len(b.recent.byID), people)
	equal(t, "cells", len(b.Cells()), 1)
}

func TestReferences(t *testing.T) {
	b := newBench(t)
	batch := b.Begin()
	c, err := batch.Cell(march)
	must(t, err)
	one, err := batch.Ref(c, "session:1")
	must(t, err)
	two, err := batch.Ref(c, "session:2")
	must(t, err)
	must(t, batch.Flush(t.Context(), 0))
	batch.Commit()
	got, ok := b.RefOf(march, "session:1")
	if !ok || got != one || one == two {
		t.Errorf("reference is %v %t, want %v and not %v", got, ok, one, two)
	}
	equal(t, "people", b.sound().People, 0)
}

// A batch that is filled while the one before is written sees its people, and
// writes none of them again.
func TestBatchesOverlap(t *testing.T) {
	b := newBench(t)
	one, two := b.Begin(), b.Begin()
	c1, err := one.Cell(march)
	must(t, err)
	tag1, p1, err := one.Tag(c1, "candidate:1")
	must(t, err)
	c2, err := two.Cell(march)
	must(t, err)
	tag2, p2, err := two.Tag(c2, "candidate:1")
	must(t, err)
	if c1 != c2 || tag1 != tag2 || p1 != p2 {
		t.Error("the second batch does not see what the first creates")
	}
	wantErr(t, two.Flush(t.Context(), 0), ErrOrder)
	must(t, one.Flush(t.Context(), 0))
	appends := b.log.appends
	must(t, two.Flush(t.Context(), 0))
	equal(t, "appends for nothing new", b.log.appends, appends)
	one.Commit()
	two.Commit()
	equal(t, "people", b.sound().People, 1)
}

// What an aborted batch was about to create is forgotten, and whoever relied on
// it cannot go on.
func TestAbortTakesLaterBatchesAlong(t *testing.T) {
	b := newBench(t)
	before := b.log.appends
	one, two := b.Begin(), b.Begin()
	c, err := one.Cell(march)
	must(t, err)
	lost, _, err := one.Tag(c, "candidate:1")
	must(t, err)
	one.Abort()
	one.Abort() // a second end is nothing
	_, _, err = two.Tag(c, "candidate:1")
	wantErr(t, err, ErrOrder)
	wantErr(t, two.Flush(t.Context(), 0), ErrOrder)
	two.Abort()
	equal(t, "appends", b.log.appends, before)
	equal(t, "cells", len(b.Cells()), 0)
	_, ok, err := b.Lookup("candidate:1")
	must(t, err)
	equal(t, "forgotten is known", ok, false)
	if b.tag(march, "candidate:1") == lost {
		t.Error("a forgotten key came back")
	}
	if !b.epoch.TryLock() {
		t.Fatal("an ended batch holds the keys")
	}
	b.epoch.Unlock()
}

// What was flushed stays even if the events were not recorded.
func TestAbortAfterFlushKeepsPeople(t *testing.T) {
	b := newBench(t)
	batch := b.Begin()
	c, err := batch.Cell(march)
	must(t, err)
	tag, _, err := batch.Tag(c, "candidate:1")
	must(t, err)
	must(t, batch.Flush(t.Context(), 0))
	batch.Abort()
	equal(t, "tag", b.tag(march, "candidate:1"), tag)
	b.reopen()
	equal(t, "tag", b.tag(march, "candidate:1"), tag)
	equal(t, "people", b.sound().People, 1)
}

// The fault of each Append: nothing stored, a part stored, all stored but the
// answer lost. Then the batch is tried again, or the vault opened again.
func TestAppendFaults(t *testing.T) {
	for _, tc := range []struct {
		stored int
		err    error
	}{{0, errRejected}, {0, errLost}, {1, errLost}, {2, errLost}} {
		for at := 1; at <= 3; at++ {
			t.Run(fmt.Sprintf("%d stored, %v, append %d", tc.stored, errors.Unwrap(tc.err), at), func(t *testing.T) {
				appendFault(t, tc.stored, tc.err, at)
			})
		}
	}
}

func appendFault(t *testing.T, stored int, fault error, at int) {
	b := newBench(t)
	acked := map[Identifier]Tag{}
	b.log.appends = 0
	b.log.fail = func(n, messages int) (int, error) {
		if n == at {
			return min(stored, messages), fault
		}
		return messages, nil
	}
	for i := range 3 {
		id := Identifier(fmt.Sprintf("candidate:%d", i))
		cell := CellID{Class: 1, Role: Subject, Month: Month(i)} // a table and a row each time
		batch := b.Begin()
		c, err := batch.Cell(cell)
		must(t, err)
		tag, _, err := batch.Tag(c, id)
		must(t, err)
		err = batch.Flush(t.Context(), 0)
		switch {
		case i+1 != at:
			must(t, err)
		case errors.Is(fault, stream.ErrRejected):
			wantErr(t, err, stream.ErrRejected)
			must(t, batch.Flush(t.Context(), 0)) // the retry
		default:
			wantErr(t, err, ErrHalted)
			wantErr(t, err, stream.ErrUnknown)
			wantErr(t, batch.Flush(t.Context(), 0), ErrHalted)
			batch.Abort()
			b.crash()
			b.open()
			acked[id] = b.tag(cell, id)
			continue
		}
		batch.Commit()
		acked[id] = tag
	}
	for i, reopen := range []func(){func() {}, b.reopen, func() { b.crash(); b.open() }} {
		reopen()
		for n := range 3 {
			id := Identifier(fmt.Sprintf("candidate:%d", n))
			got, ok, err := b.TagOf(CellID{Class: 1, Role: Subject, Month: Month(n)}, id)
			must(t, err)
			if !ok || got != acked[id] {
				t.Errorf("after reopening %d: tag %d is %v %t, want %v", i, n, got, ok, acked[id])
			}
		}
	}
	equal(t, "people", b.sound().People, 3)
}

func TestCreateRefusesTwice(t *testing.T) {
	b := newBench(t)
	wantErr(t, Create(t.Context(), b.log, testSubject, b.openRoot()), ErrExists)
	log := &memLog{fail: func(int, int) (int, error) { return 0, errRejected }}
	wantErr(t, Create(t.Context(), log, testSubject, b.openRoot()), stream.ErrRejected)
	log.fail = nil
	must(t, Create(t.Context(), log, testSubject, b.openRoot()))
}

func TestForgottenCell(t *testing.T) {
	b := newBench(t)
	b.tag(april, "candidate:1")
	b.keys.forgotten[march.Class] = april.Month
	batch := b.Begin()
	defer batch.Abort()
	c, err := batch.Cell(march)
	must(t, err)
	equal(t, "gone", c.Gone(), true)
	one, nobody, err := batch.Tag(c, "candidate:2")
	must(t, err)
	two, _, err := batch.Tag(c, "candidate:2")
	must(t, err)
	if one == two || !nobody.IsZero() {
		t.Error("a tag of a forgotten cell is not random, or somebody was created")
	}
	ref, err := batch.Ref(c, "session:1")
	must(t, err)
	if again, _ := batch.Ref(c, "session:1"); ref == again {
		t.Error("a reference of a forgotten cell is not random")
	}
	sealed, err := batch.Seal(c, [16]byte{1}, nil, []byte("reason"))
	must(t, err)
	equal(t, "sealed bytes", len(sealed), 0)
	_, ok, err := b.Lookup("candidate:2")
	must(t, err)
	equal(t, "created", ok, false)
	if c, err := batch.Cell(april); err != nil || c.Gone() {
		t.Errorf("the first month that is not forgotten is gone, or %v", err)
	}
}

func TestMisuse(t *testing.T) {
	b := newBench(t)
	batch := b.Begin()
	_, err := batch.Cell(CellID{Role: Subject})
	wantErr(t, err, ErrLimit)
	_, err = batch.Cell(CellID{Class: 1, Role: 3})
	wantErr(t, err, ErrLimit)
	_, _, err = batch.Tag(Cell{}, "candidate:1")
	wantErr(t, err, ErrOrder)
	c, err := batch.Cell(march)
	must(t, err)
	for _, id := range []Identifier{"", Identifier(bytes.Repeat([]byte("x"), MaxIdentifier+1))} {
		_, _, err = batch.Tag(c, id)
		wantErr(t, err, ErrLimit)
		_, _, err = b.Lookup(id)
		wantErr(t, err, ErrLimit)
		_, err = batch.Ref(c, id)
		wantErr(t, err, ErrLimit)
	}
	_, err = batch.Seal(c, [16]byte{}, []Person{{}}, nil)
	wantErr(t, err, ErrOrder)
	actors, err := batch.Cell(byActor)
	must(t, err)
	_, err = batch.Seal(actors, [16]byte{}, nil, nil)
	wantErr(t, err, ErrLimit)
	must(t, batch.Flush(t.Context(), 0))
	batch.Commit()
	_, err = batch.Cell(march)
	wantErr(t, err, ErrOrder)
	wantErr(t, batch.Flush(t.Context(), 0), ErrOrder)
}

// Many people in one batch are split over messages; a small cache forgets them,
// and the index finds them again.
func TestManyPeople(t *testing.T) {
	const people = 9000
	b := newBench(t)
	must(t, b.Close())
	b.every, b.cache = 1000, 10
	b.open()
	tags := make([]Tag, people)
	batch := b.Begin()
	c, err := batch.Cell(march)
	must(t, err)
	for i := range tags {
		tags[i], _, err = batch.Tag(c, Identifier(fmt.Sprintf("candidate:%d", i)))
		must(t, err)
	}
	before := b.log.Last()
	must(t, batch.Flush(t.Context(), 0))
	batch.Commit()
	if n := b.log.Last() - before; n < 3 {
		t.Errorf("%d messages for %d people", n, people)
	}
	must(t, b.saveIndex())
	equal(t, "overlay", len(b.recent.byID), 0)
	equal(t, "cache", len(b.Vault.cache.byID), 10)
	check := func() {
		t.Helper()
		for i := 0; i < people; i += 7 {
			tag, ok, err := b.TagOf(march, Identifier(fmt.Sprintf("candidate:%d", i)))
			if err != nil || !ok || tag != tags[i] {
				t.Fatalf("tag of %d: %v %t %v", i, tag, ok, err)
			}
		}
	}
	check()
	b.reopen()
	check()
	equal(t, "people", b.sound().People, people)
}

func TestLogIsAuthentic(t *testing.T) {
	b := newBench(t)
	b.tag(march, "candidate:1")
	b.tag(april, "candidate:2")
	must(t, b.Close())
	good := slices.Clone(b.log.messages)
	open := func() error {
		must(t, os.RemoveAll(b.index))
		v, err := Open(t.Context(), b.options())
		if err == nil {
			must(t, v.Close())
		}
		return err
	}
	for i := range good {
		for _, at := range []int{0, 1, 5, 12, 30, 60, 90, len(good[i].Data) / 2, len(good[i].Data) - 1} {
			b.log.messages[i].Data = slices.Clone(good[i].Data)
			b.log.messages[i].Data[at] ^= 1
			report, err := Inspect(b.log.Replay(t.Context(), 1, 99), b.openRoot())
			if err == nil && len(report.Faults) == 0 {
				t.Errorf("message %d: Inspect does not see byte %d", i+1, at)
			}
			if open() == nil {
				t.Errorf("message %d: Open does not see byte %d", i+1, at)
			}
			b.log.messages[i] = good[i]
		}
	}
	b.log.messages = slices.Delete(slices.Clone(good), 1, 2)
	for i := range b.log.messages {
		b.log.messages[i].Sequence = uint64(i + 1)
	}
	wantErr(t, open(), ErrDamaged)
	b.log.messages = good
	for i := range good {
		good[i].Sequence = uint64(i + 1)
	}
	must(t, open())
	b.open()
}
