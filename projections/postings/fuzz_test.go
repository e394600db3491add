package postings

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/imalink/custody/projections"
	"github.com/imalink/custody/projections/rows"
	"github.com/imalink/custody/projections/spoil"
)

// FuzzBlock decodes what claims to be a block: it is damaged, or everything in it can be read, and again from what the
// writer makes of it.
func FuzzBlock(f *testing.F) {
	w := blockWriter{size: 22, limit: valueLimit(22)}
	draw := keySource(1, 22)
	keys := [][]byte{draw(), draw(), draw()}
	slices.SortFunc(keys, bytes.Compare)
	for i, key := range keys {
		w.add(key, uint64(i+1))
		w.add(nil, 300)
	}
	value := w.take()
	f.Add(value, uint8(22))
	f.Add([]byte{22}, uint8(22))
	one := append(append([]byte{17}, make([]byte, 17)...), 0, 1)
	f.Add(append(one, 7, 0), uint8(17))
	f.Add(append(one, 0), uint8(17))
	f.Add(append(append([]byte{40}, make([]byte, 41)...), 1, 7, 7, 0), uint8(22))
	f.Fuzz(func(t *testing.T, value []byte, size uint8) {
		if size <= Spread || size > MaxKey {
			return
		}
		entries, err := entriesOf(value, int(size))
		if err != nil {
			if !errors.Is(err, projections.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		again := blockWriter{size: int(size), limit: 1 << 30}
		for i, e := range entries {
			if i > 0 && bytes.Compare(entries[i-1].Key, e.Key) >= 0 {
				return // nothing finds its way in such a block
			}
			for j, position := range e.Positions {
				if j > 0 {
					e.Key = nil
				}
				again.add(e.Key, position)
			}
		}
		rewritten, err := entriesOf(again.take(), int(size))
		if err != nil || !slices.EqualFunc(entries, rewritten, func(a, b Posting) bool {
			return bytes.Equal(a.Key, b.Key) && slices.Equal(a.Positions, b.Positions)
		}) {
			t.Fatalf("%v became %v, %v", entries, rewritten, err)
		}
	})
}

// entriesOf reads a block in every way there is.
func entriesOf(value []byte, size int) (entries []Posting, err error) {
	b, err := decodeBlock(value, size)
	if err != nil {
		return nil, err
	}
	list, lists := []byte(nil), b.lists
	for i := range b.n {
		rest, err := decodeBlock(b.from(i, lists), size)
		if err != nil || rest.n != b.n-i {
			return nil, fmt.Errorf("from entry %d: %d entries, %v", i, rest.n, err)
		}
		if list, lists, err = cutList(lists); err != nil {
			return nil, err
		}
		positions, err := appendList(nil, list)
		if err != nil {
			return nil, err
		}
		if len(positions) == 0 {
			return nil, errors.New("a list of nothing")
		}
		e := Posting{slices.Concat(b.common, b.rest(i)), positions}
		if _, _, err := b.find(e.Key); err != nil && !errors.Is(err, projections.ErrDamaged) {
			return nil, err
		}
		entries = append(entries, e)
	}
	if len(lists) > 0 { // the writer leaves none
		return nil, rows.Damaged("behind the lists")
	}
	return entries, nil
}

// TestList reads lists that nobody wrote.
func TestList(t *testing.T) {
	most := binary.AppendUvarint(nil, always)
	for name, list := range map[string][]byte{"too much": append(bytes.Clone(most), 1), "cut short": most[:9], "too long": append(bytes.Clone(most), most...)} {
		if got, err := appendList(nil, list); !errors.Is(err, projections.ErrDamaged) {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	if got, err := appendList(nil, most); err != nil || !slices.Equal(got, []uint64{always}) {
		t.Errorf("%d, %v", got, err)
	}
}

// FuzzState decodes what claims to be a state.
func FuzzState(f *testing.F) {
	db := newDB(f)
	s := &state{size: 22, next: 12, last: 80, segments: []segment{{1, 3, 0, 9, 1, 9}, {11, 2, 2, 6, 10, 30}, {4, 1, 0, 3, 10, 20}, {5, 1, 0, 3, 20, 30}}}
	encode := func(s *state) (b []byte) {
		if err := db.Update(func(tx *bolt.Tx) error {
			home, err := tx.CreateBucketIfNotExists([]byte(testBucket))
			if err == nil {
				err = s.write(home)
			}
			b = bytes.Clone(home.Get(stateKey()))
			return err
		}); err != nil {
			f.Fatal(err)
		}
		return b
	}
	b := encode(s)
	f.Add(b[:len(b)-4])
	s.segments[2].sources = 1 // a source of a source
	b = encode(s)
	f.Add(b[:len(b)-4])
	s.segments[2].sources, s.next = 0, 11 // a segment that is yet to come
	b = encode(s)
	f.Add(b[:len(b)-4])
	f.Fuzz(func(t *testing.T, b []byte) {
		value := rows.Seal(sealName, stateKey(), slices.Clip(b))
		s, err := decodeState(value)
		if err != nil {
			if !errors.Is(err, projections.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if s.due() >= len(s.segments) {
			t.Fatal("merges what is not there")
		}
		for i, g := range s.segments {
			if g.number >= s.next || slices.ContainsFunc(s.segments[i+1:i+1+int(g.sources)], func(g segment) bool { return g.sources > 0 }) {
				t.Fatalf("took %+v", s)
			}
		}
		if again := encode(s); !bytes.Equal(again, value) {
			t.Fatalf("%x became %x", value, again)
		}
	})
}

// halfMerged is a file with a merge under way, and what is in it.
func halfMerged(tb testing.TB) (*bolt.DB, *oracle) {
	db, o := newDB(tb), newOracle()
	w, draw := openWriter(tb, db, 22, 60, 3), keySource(7, 22)
	heavy := draw()
	for range mergeWidth + 1 {
		for range 400 {
			o.add(w, draw(), o.last+1)
		}
		for range 500 {
			o.add(w, heavy, o.last+1)
		}
		flush(tb, db, w)
	}
	return db, o
}

// TestDamage spoils a file in every way: whatever rests on what was spoilt fails, and everything else is right.
func TestDamage(t *testing.T) {
	db, o := halfMerged(t)
	var keys []string
	for i, key := range slices.Sorted(maps.Keys(o.pairs)) {
		if i%10 == 0 || len(o.pairs[key]) > 1 {
			keys = append(keys, key)
		}
	}
	draw := keySource(8, 22)
	for range 20 {
		keys = append(keys, string(draw())) // of most of which there is nothing
	}
	spoil.File(t, db, o.last, func(tx *bolt.Tx) (string, error) {
		r, err := Read(tx, testBucket, always)
		if err != nil {
			return "", err
		}
		var all strings.Builder
		for i, key := range keys {
			newest := i%2 == 0
			for p, err := range r.Union([][]byte{[]byte(key)}, newest).From(map[bool]uint64{true: always}[newest]) {
				if err != nil {
					return "", err
				}
				all.Write(binary.AppendUvarint([]byte(key), p))
			}
		}
		for p, err := range r.Prefix(nil, nil) {
			if err != nil {
				return "", err
			}
			all.Write(p.Key)
			for _, position := range p.Positions {
				all.Write(binary.AppendUvarint(nil, position))
			}
		}
		return all.String(), nil
	})
	o.sound(t, db)
}

// place is a value in the file: of a block or a filter of a segment, or, with the number 0, the state.
type place struct {
	segment uint64
	filter  bool
	name    []byte
}

func (p place) table(home *bolt.Bucket) (*rows.Table, error) {
	a, err := openAreas(home, p.segment)
	if p.filter {
		return a.filters, err
	}
	return a.blocks, err
}

// placesIn lists the values in the file.
func placesIn(home *bolt.Bucket) (all []place, err error) {
	s, err := readState(home)
	if err != nil {
		return nil, err
	}
	all = []place{{}}
	for _, g := range s.segments {
		for _, filter := range []bool{false, true} {
			t, err := place{segment: g.number, filter: filter}.table(home)
			if err != nil {
				return nil, err
			}
			c := t.Cursor()
			k, _, err := c.First()
			for ; k != nil && err == nil; k, _, err = c.Next() {
				all = append(all, place{g.number, filter, bytes.Clone(k)})
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// alter replaces a value by what change makes of it, and seals that.
func (p place) alter(tx *bolt.Tx, change func(value []byte) []byte) error {
	home := tx.Bucket([]byte(testBucket))
	if p.segment == 0 {
		value, err := rows.Unseal(sealName, stateKey(), home.Get(stateKey()))
		if err != nil {
			return err
		}
		return home.Put(stateKey(), rows.Seal(sealName, stateKey(), change(bytes.Clone(value))))
	}
	t, err := p.table(home)
	if err != nil {
		return err
	}
	value, err := t.Get(p.name)
	if err != nil {
		return err
	}
	return t.Put(p.name, change(bytes.Clone(value)))
}

// FuzzStored changes a value of a sound file and seals it again, and cuts it if the input says how, and then does all
// there is to do: it ends, with right or wrong answers or with an error that says the file is damaged, and never with a panic.
func FuzzStored(f *testing.F) {
	db, o := halfMerged(f)
	var places []place
	if err := db.View(func(tx *bolt.Tx) (err error) {
		places, err = placesIn(tx.Bucket([]byte(testBucket)))
		return err
	}); err != nil || len(places) < 30 {
		f.Fatal(len(places), err)
	}
	f.Add(uint16(0), []byte{})
	for i := range places {
		f.Add(uint16(i), []byte{0, 0, 22, 0, 1, 255, 1, 0, 7})
		f.Add(uint16(i), []byte{0})
		f.Add(uint16(i), []byte{30})
	}
	f.Add(uint16(0), []byte{0, 9, 3})                          // the next number
	f.Add(uint16(0), []byte{0, stateHead + 7, 3})              // the number of a segment
	f.Add(uint16(0), []byte{0, stateHead + 9, 0, 0, 11, 0xff}) // sources
	rolledBack := errors.New("rolled back")
	f.Fuzz(func(t *testing.T, which uint16, edits []byte) {
		err := db.Update(func(tx *bolt.Tx) error {
			if err := places[int(which)%len(places)].alter(tx, func(value []byte) []byte {
				for e := range slices.Chunk(edits[:len(edits)/3*3], 3) {
					value[int(binary.BigEndian.Uint16(e))%len(value)] = e[2]
				}
				if len(edits)%3 == 1 {
					value = value[:int(edits[len(edits)-1])%len(value)]
				}
				return value
			}); err != nil {
				return err
			}
			return errors.Join(rolledBack, o.everything(tx))
		})
		if !errors.Is(err, rolledBack) {
			t.Fatal(err)
		}
		for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
			if !errors.Is(err, rolledBack) && !errors.Is(err, projections.ErrDamaged) && !errors.Is(err, ErrMisuse) {
				t.Fatal(err)
			}
		}
	})
}

// everything reads all there is, writes and merges.
func (o *oracle) everything(tx *bolt.Tx) error {
	r, err := Read(tx, testBucket, always)
	if err != nil {
		return err
	}
	var keys [][]byte
	for key := range o.pairs {
		keys = append(keys, []byte(key))
	}
	for _, newest := range []bool{false, true} {
		for _, err := range r.Union(keys, newest).From(map[bool]uint64{true: always}[newest]) {
			if err != nil {
				return err
			}
		}
	}
	for _, err := range r.Prefix(nil, nil) {
		if err != nil {
			return err
		}
	}
	w, err := Open(tx, testBucket, 22)
	if err != nil {
		return err
	}
	w.whole, w.pay = 60, mergePay
	for i := range 100 {
		w.Add(keys[i%len(keys)], 1<<40)
	}
	return w.Flush(tx)
}
