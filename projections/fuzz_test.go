package projections

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// allocated says how many bytes do takes from the heap, what it gives back included.
func allocated(do func()) uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	do()
	metrics.Read(sample)
	return sample[0].Value.Uint64() - before
}

// small is the file of a small index: branches, leaves, buckets inline and not, free pages.
func small(tb testing.TB) []byte {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "small")
	x := opened(tb, path, 200)
	for position := uint64(0); position < 2700; position += 300 {
		entries := slices.Concat(segmentAt(position), segmentAt(position+30))
		if err := x.Add(entries, position+300, digest(position+300), registerAt(position)); err != nil {
			tb.Fatal(err)
		}
		x.work.Wait()
	}
	if err := x.Close(); err != nil {
		tb.Fatal(err)
	}
	image, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return image
}

// resum makes the checksums of both meta pages right, so that what is behind them is reached.
func resum(image []byte) {
	for page := range 2 {
		meta := image[page*pageSize+pageHeader:]
		sum := fnv.New64a()
		sum.Write(meta[:metaSum])
		binary.NativeEndian.PutUint64(meta[metaSum:], sum.Sum64())
	}
}

// FuzzFile changes bytes at the beginnings of the pages of a sound file, where bbolt keeps its structure: each three
// bytes of the input are a page, a place in it and what to write there. Whatever it makes of it, the file is found
// damaged, or bbolt itself finds nothing wrong with it.
func FuzzFile(f *testing.F) {
	image := small(f)
	count := len(image) / pageSize
	f.Add([]byte{})
	for page := range min(count, 24) {
		for _, at := range []byte{0, 8, 10, 12, 16, 20, 24, 28, 32} { // id, flags, count, overflow; what elements or metas say
			f.Add([]byte{byte(page), at, image[page*pageSize+int(at)] + 1})
		}
	}
	path := filepath.Join(f.TempDir(), "index")
	f.Fuzz(func(t *testing.T, edits []byte) {
		if len(edits) > 3*8 {
			return // no more is learnt from more of them
		}
		altered := bytes.Clone(image)
		for e := range slices.Chunk(edits[:len(edits)/3*3], 3) {
			altered[int(e[0])%count*pageSize+int(e[1])] = e[2]
		}
		resum(altered)
		if err := os.WriteFile(path, altered, 0o600); err != nil {
			t.Fatal(err)
		}
		var err error
		if used := allocated(func() { err = checkFile(path) }); used > uint64(8*len(image)) {
			t.Fatalf("a file of %d bytes takes %d of memory", len(image), used)
		}
		if err != nil && undecided(err) {
			t.Fatalf("left alone: %v", err)
		}
		if err != nil {
			return
		}
		for page := range 2 { // the header of a torn one is for the next transaction to write
			copy(altered[page*pageSize:], image[page*pageSize:][:pageHeader])
		}
		if err := errors.Join(os.WriteFile(path, altered, 0o600), soundFile(path)); err != nil {
			t.Fatalf("accepted: %v", err)
		}
	})
}

// scratch is a database to put things into that are never committed.
func scratch(f *testing.F) func(t *testing.T, do func(tx *bolt.Tx) error) {
	db, err := openEmpty(filepath.Join(f.TempDir(), "scratch"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	return func(t *testing.T, do func(tx *bolt.Tx) error) {
		tx, err := db.Begin(true)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() // closing waits for it
		if err := do(tx); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzState reads what stands in the place of the state and of the register, with its checksum right and as it is: what
// is accepted is written the same again.
func FuzzState(f *testing.F) {
	trying := scratch(f)
	f.Add([]byte{})
	f.Add([]byte{indexVersion + 1})
	f.Add(make([]byte, stateHead))
	f.Add(append([]byte{indexVersion}, make([]byte, stateHead-1+2*segmentSize)...))
	f.Add(append([]byte{indexVersion}, make([]byte, stateHead-1+segmentSize/2)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		trying(t, func(tx *bolt.Tx) error {
			for _, value := range [][]byte{b, sealed(bytes.Clone(b))} {
				home := tx.Bucket(stateBucket)
				if err := errors.Join(home.Put(stateKey, value), home.Put(registerKey, value)); err != nil {
					return err
				}
				if register, err := readRegister(tx); err == nil {
					if err := writeRegister(tx, register); err != nil || !bytes.Equal(home.Get(registerKey), value) {
						t.Errorf("another register is accepted: %v", err)
					}
				}
				s, err := readState(tx)
				if err != nil {
					continue
				}
				s.due()
				if err := s.write(tx); err != nil || !bytes.Equal(home.Get(stateKey), value) {
					t.Errorf("another state is accepted: %v", err)
				}
			}
			return nil
		})
	})
}

// FuzzSegment reads a bucket in the place of a segment: the input is a name's length, a value's length, name and value,
// again and again, and each value gets its checksum. In what is accepted, every entry is looked for, and all are merged
// as they are.
func FuzzSegment(f *testing.F) {
	trying := scratch(f)
	pack := func(pairs ...[]byte) (b []byte) {
		for pair := range slices.Chunk(pairs, 2) {
			b = append(append(b, byte(len(pair[0])), byte(len(pair[1]))), slices.Concat(pair...)...)
		}
		return b
	}
	entries := sorted([]Entry{{key(1), 1}, {key(2), 2}, {key(3), 3}})
	first, last := entries[:2], entries[2:]
	bloom := newFilter(len(entries))
	for _, e := range entries {
		bloom.add(e.Key)
	}
	unsummed := func(b []byte) []byte { return b[:len(b)-4] }
	filterName, firstName, lastName := named(filterPrefix, last[0].Key), named(blockPrefix, first[1].Key), named(blockPrefix, last[0].Key)
	f.Add([]byte{})
	f.Add(pack(filterName, bloom, firstName, unsummed(encodeBlock(first)), lastName, unsummed(encodeBlock(last))))
	f.Add(pack(filterName, nil, firstName, unsummed(encodeBlock(first)), lastName, unsummed(encodeBlock(last))))
	f.Add(pack(filterName, bloom[:63], lastName, unsummed(encodeBlock(entries))))
	f.Add(pack(filterName, bloom, lastName, unsummed(encodeBlock([]Entry{entries[1], entries[0], entries[2]}))))
	f.Add(pack(lastName, unsummed(encodeBlock(last))))
	f.Add(pack(filterName, bloom))
	f.Add(pack([]byte("x"), []byte("y"), filterName, bloom, lastName, []byte("short")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<9 {
			return // no more is learnt from more of it
		}
		trying(t, func(tx *bolt.Tx) error {
			bucket, err := create(tx, 1)
			if err != nil {
				return err
			}
			for len(b) > 2 {
				name := b[2:min(2+int(b[0]), len(b))]
				value := b[2+len(name) : min(2+len(name)+int(b[1]), len(b))]
				b = b[2+len(name)+len(value):]
				if len(name) == 0 {
					continue // bbolt refuses it
				}
				if err := bucket.Put(name, sealed(bytes.Clone(value))); err != nil {
					return err
				}
			}
			for count := range uint64(16) {
				if g := (segment{number: 1, count: count}); g.check(tx) == nil {
					return answers(t, tx, g)
				}
			}
			return nil
		})
	})
}

// answers demands of a segment that is accepted that it answers rightly or not at all, and holds as much as it should.
func answers(t *testing.T, tx *bolt.Tx, g segment) error {
	find, err := g.open(tx)
	if err != nil {
		return err
	}
	m := merge{sources: []segment{g}, target: segment{number: 2}, size: 7}
	if _, err := create(tx, 2); err != nil {
		return err
	}
	var merged []Entry
	for !m.complete {
		if err := m.step(tx); err != nil {
			return err
		}
		merged = append(merged, m.chunk...)
	}
	if uint64(len(merged)) != g.count {
		t.Errorf("%d entries merged of %d", len(merged), g.count)
	}
	for i, e := range merged {
		if i > 0 && bytes.Compare(merged[i-1].Key[:], e.Key[:]) >= 0 {
			t.Errorf("entry %d is out of order", i)
		}
		if position, err := find.find(e.Key); err != nil || position != 0 && position != e.Position {
			t.Errorf("found at %d instead of %d: %v", position, e.Position, err)
		}
		other := e.Key
		other[15]++
		if position, err := find.find(other); err != nil || position != 0 && !slices.Contains(merged, Entry{other, position}) {
			t.Errorf("found at %d what is not there: %v", position, err)
		}
	}
	return nil
}

// TestNestedBuckets demands that what bbolt never makes, a bucket kept inline in one kept inline, is not followed: the
// values may lie over each other, and so few bytes would lead to more pages than there are.
func TestNestedBuckets(t *testing.T) {
	value := binary.NativeEndian.AppendUint64(nil, 7) // a bucket with a page of its own
	value = append(value, make([]byte, bucketHeader-8)...)
	for range 40 {
		const elements = 4
		page := make([]byte, bucketHeader+pageHeader, len(value)+200)
		binary.NativeEndian.PutUint16(page[bucketHeader+8:], leafFlag)
		binary.NativeEndian.PutUint16(page[bucketHeader+10:], elements)
		for i := range uint32(elements) { // a key of one byte more each, all of them before the same value
			page = binary.NativeEndian.AppendUint32(page, bucketFlag)
			page = binary.NativeEndian.AppendUint32(page, (elements-i)*leafElement+elements-1-i)
			page = binary.NativeEndian.AppendUint32(page, i+1)
			page = binary.NativeEndian.AppendUint32(page, uint32(len(value)))
		}
		value = append(append(page, "aaaa"...), value...)
	}
	if below, err := bucket(value); !errors.Is(err, errDamaged) {
		t.Errorf("leads to %d trees: %v", len(below), err)
	}
}
