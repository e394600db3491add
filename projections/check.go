package projections

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// check reads everything that an answer can rest on.
func check(tx *bolt.Tx) error {
	s, err := readState(tx)
	if err != nil {
		return err
	}
	if _, err := readRegister(tx); err != nil {
		return err
	}
	segments := tx.Bucket(segmentsBucket)
	if segments == nil {
		return damaged("no segments")
	}
	if err := segments.ForEach(func(name, value []byte) error {
		if value != nil || len(name) != 8 {
			return damaged("something else among the segments")
		}
		return nil
	}); err != nil {
		return err
	}
	for _, g := range s.segments {
		if err := g.check(tx); err != nil {
			return fmt.Errorf("segment %d: %w", g.number, err)
		}
	}
	return nil
}

// check walks the segment: filters, then blocks, all in order, found by their names, with as many entries in all as
// the state says, and under each filter as many as it was made for.
func (g segment) check(tx *bolt.Tx) error {
	walk, err := g.open(tx)
	if err != nil {
		return err
	}
	find, err := g.open(tx)
	if err != nil {
		return err
	}
	c := segmentCheck{}
	for name, value := walk.cursor.First(); name != nil; name, value = walk.cursor.Next() {
		if found, _ := find.cursor.Seek(name); !bytes.Equal(found, name) || len(name) != 1+len(Key{}) {
			return damaged("a name that is not found")
		}
		switch name[0] {
		case filterPrefix:
			err = c.filter(Key(name[1:]), value)
		case blockPrefix:
			err = c.block(Key(name[1:]), value)
		default:
			err = damaged("neither filter nor block")
		}
		if err != nil {
			return err
		}
	}
	if c.count != g.count || len(c.filters) != 0 {
		return damaged("%d entries instead of %d, %d filters too many", c.count, g.count, len(c.filters))
	}
	return nil
}

// A segmentCheck is how far the check of one segment is.
type segmentCheck struct {
	filters []filterName // whose last block is yet to come
	last    []byte       // key of the last entry
	under   int          // entries since the last block of a filter
	count   uint64       // entries
}

// A filterName is the last key under a filter, and the filter's length.
type filterName struct {
	key    Key
	length int
}

func (c *segmentCheck) filter(name Key, value []byte) error {
	f, err := unsealed(value)
	if err != nil || len(f) == 0 {
		return damaged("a filter")
	}
	c.filters = append(c.filters, filterName{name, len(f)})
	return nil
}

func (c *segmentCheck) block(name Key, value []byte) error {
	b, err := decodeBlock(value)
	if err != nil {
		return err
	}
	for i := range b.len() {
		if bytes.Compare(c.last, b.key(i)) >= 0 {
			return damaged("keys out of order")
		}
		c.last = b.key(i)
	}
	c.under += b.len()
	c.count += uint64(b.len())
	switch {
	case Key(c.last) != name:
		return damaged("a block under another's name")
	case len(c.filters) == 0:
		return damaged("a block without a filter")
	case bytes.Compare(c.filters[0].key[:], c.last) > 0:
		return nil // more blocks under this filter
	case c.filters[0].key != name || c.filters[0].length != filterLength(c.under):
		return damaged("a filter for other blocks")
	}
	c.filters, c.under = c.filters[1:], 0
	return nil
}
