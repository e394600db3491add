package rows

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// A Table is the rows of a bucket, in order of their keys: values of which each carries a checksum over the bucket's name,
// the key of the row before, its own key, and itself. The bucket's sequence is that of the last key. What is read stays
// valid as long as the transaction.
//
// The nil Table has no rows. Nothing is written to a row before it, and what it rests on, was read: damage is not covered up.
type Table struct {
	bucket *bolt.Bucket
	name   string
}

// Open gives the table of a bucket, nil in a file in which nothing was folded yet.
func Open(tx *bolt.Tx, name string) (*Table, error) {
	b, err := Bucket(tx, name)
	if b == nil || err != nil {
		return nil, err
	}
	return In(b, name), nil
}

// Make gives the table of a bucket to write to, a new one if nothing was folded yet.
func Make(tx *bolt.Tx, name string) (*Table, error) {
	b, err := Create(tx, name)
	if err != nil {
		return nil, err
	}
	return In(b, name), nil
}

// In gives the table of a bucket. The name is covered by all checksums.
func In(b *bolt.Bucket, name string) *Table { return &Table{bucket: b, name: name} }

// Fill says how full pages are to be that are written in order, see [bolt.Bucket].
func (t *Table) Fill(percent float64) { t.bucket.FillPercent = percent }

// Get gives the value of a key, nil if there is none.
func (t *Table) Get(key []byte) ([]byte, error) {
	k, v, err := t.Cursor().Seek(key)
	if err != nil || !bytes.Equal(k, key) {
		return nil, err
	}
	return v, nil
}

// Put gives a key a value, which is not kept.
func (t *Table) Put(key, value []byte) error {
	c := t.Cursor()
	next, v, err := c.Seek(key)
	if err != nil {
		return err
	}
	before := c.before
	switch {
	case next == nil:
		err = t.bucket.SetSequence(t.end(key))
	case !bytes.Equal(next, key):
		err = t.put(key, next, v)
	}
	if err != nil {
		return err
	}
	return t.put(before, key, value)
}

// Cut removes all rows up to a key, which need not be there itself.
func (t *Table) Cut(last []byte) error {
	var gone [][]byte
	c := t.Cursor()
	k, v, err := c.First()
	for ; k != nil && err == nil && bytes.Compare(k, last) <= 0; k, v, err = c.Next() {
		gone = append(gone, k)
	}
	if err != nil || len(gone) == 0 {
		return err
	}
	if k == nil {
		err = t.bucket.SetSequence(0)
	} else {
		err = t.put(nil, k, v)
	}
	for _, k := range gone {
		if err == nil {
			err = t.bucket.Delete(k)
		}
	}
	if err != nil {
		return fmt.Errorf("cutting rows of %s: %w", t.name, err)
	}
	return nil
}

func (t *Table) put(before, key, value []byte) error {
	sealed := make([]byte, 0, len(value)+SealSize) // bbolt keeps it until it has written it
	sealed = appendSum(append(sealed, value...), checksum(t.name, before, key, value))
	if err := t.bucket.Put(key, sealed); err != nil {
		return fmt.Errorf("writing a row of %s: %w", t.name, err)
	}
	return nil
}

// end is the sequence of a bucket whose last key is this; that of an empty one is 0.
func (t *Table) end(last []byte) uint64 {
	if last == nil {
		return 0
	}
	return 1<<32 | uint64(checksum(t.name, last, nil, nil))
}

// A Cursor goes through the rows of a table. A key of nil is none. After an error, or a write to the table, begin anew.
type Cursor struct {
	table  *Table
	cursor *bolt.Cursor // nil of the nil Table
	before []byte       // key of the row before the one that was read; at the end, of the last
	key    []byte       // of the row that was read
}

// Cursor gives a cursor that is nowhere yet.
func (t *Table) Cursor() *Cursor {
	if t == nil {
		return &Cursor{}
	}
	return &Cursor{table: t, cursor: t.bucket.Cursor()}
}

// Seek goes to the first row whose key is at or after the given one.
func (c *Cursor) Seek(key []byte) (k, v []byte, err error) {
	if c.cursor == nil {
		return nil, nil, nil
	}
	if k, v = c.cursor.Seek(key); k == nil {
		last, _ := c.last()
		return c.row(last, nil, nil)
	}
	return c.found(k, v)
}

// SeekBack goes to the last row whose key is at or before the given one.
func (c *Cursor) SeekBack(key []byte) (k, v []byte, err error) {
	switch k, v, err = c.Seek(key); {
	case err != nil || bytes.Equal(k, key):
		return k, v, err
	case k == nil:
		return c.Last()
	}
	return c.Prev()
}

// First goes to the first row.
func (c *Cursor) First() (k, v []byte, err error) {
	if c.cursor == nil {
		return nil, nil, nil
	}
	k, v = c.cursor.First()
	return c.row(nil, k, v)
}

// Last goes to the last row.
func (c *Cursor) Last() (k, v []byte, err error) {
	if c.cursor == nil {
		return nil, nil, nil
	}
	k, v = c.last()
	if _, _, err := c.row(k, nil, nil); k == nil || err != nil {
		return nil, nil, err
	}
	return c.found(k, v)
}

// Next goes on to the next row.
func (c *Cursor) Next() (k, v []byte, err error) {
	if c.cursor == nil || c.key == nil {
		return nil, nil, nil
	}
	k, v = c.cursor.Next()
	return c.row(c.key, k, v)
}

// Prev goes back to the row before.
func (c *Cursor) Prev() (k, v []byte, err error) {
	if c.cursor == nil || c.before == nil {
		return nil, nil, nil
	}
	if k, v = c.back(c.key); k == nil {
		return nil, nil, Damaged("the beginning of %s", c.table.name) // there was a row before
	}
	return c.found(k, v)
}

// last gives the last row of the bucket. bbolt would look for it for ever where all rows of several pages were removed in
// the same transaction.
func (c *Cursor) last() (k, v []byte) {
	if k, _ = c.cursor.First(); k == nil {
		return nil, nil
	}
	return c.cursor.Last()
}

// found reads the row that the bucket's cursor is at.
func (c *Cursor) found(k, v []byte) ([]byte, []byte, error) {
	before, _ := c.back(k)
	if before == nil {
		c.cursor.Seek(k)
	} else {
		c.cursor.Next()
	}
	return c.row(before, k, v)
}

// back goes from a row to the one before. bbolt stops at each page whose rows were removed in the same transaction.
func (c *Cursor) back(k []byte) (before, v []byte) {
	if before, v = c.cursor.Prev(); before != nil {
		return before, v
	}
	if first, _ := c.cursor.First(); bytes.Compare(first, k) >= 0 {
		return nil, nil
	}
	c.cursor.Seek(k)
	for range 1 << 20 { // pages, as a damaged file must not hold us for ever
		if before, v = c.cursor.Prev(); before != nil {
			break
		}
	}
	return before, v
}

// row reads a row behind another; a key of nil is the end.
func (c *Cursor) row(before, k, v []byte) ([]byte, []byte, error) {
	c.before, c.key = before, k
	if k == nil {
		if c.table.bucket.Sequence() != c.table.end(before) {
			return nil, nil, Damaged("the end of %s", c.table.name)
		}
		return nil, nil, nil
	}
	v, err := unseal(c.table.name, before, k, v)
	if err != nil {
		return nil, nil, err
	}
	return k, v, nil
}
