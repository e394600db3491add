package projections

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// check reads everything that an answer can rest on, now or after any number of Adds.
func check(tx *bolt.Tx) error {
	if err := checkContent(tx); err != nil {
		return err
	}
	if err := checkTiling(tx); err != nil {
		return err
	}
	// What was read is sound, and no page claims more than there is: now bbolt can be asked whether each page is
	// either in use, once, or free. A page that is both would be overwritten one day.
	var first error
	for err := range tx.Check() {
		if first == nil {
			first = fmt.Errorf("%w: %w", err, errDamaged)
		}
	}
	return first
}

// checkTiling holds the lengths of bbolt's pages: one after the other they fill the file up to its high-water mark.
func checkTiling(tx *bolt.Tx) error {
	end := int(tx.Size() / int64(tx.DB().Info().PageSize))
	for id := 0; id < end; {
		page, err := tx.Page(id)
		if err != nil {
			return err
		}
		id++
		if page.Type != "free" {
			id += page.OverflowCount
		}
		if id > end {
			return fmt.Errorf("a page reaches beyond the file: %w", errDamaged)
		}
	}
	return nil
}

func checkContent(tx *bolt.Tx) error {
	s, err := readState(tx)
	if err != nil {
		return err
	}
	if _, err := readRegister(tx); err != nil {
		return err
	}
	segments := tx.Bucket(segmentsBucket)
	if segments == nil {
		return fmt.Errorf("no segments: %w", errDamaged)
	}
	if err := segments.ForEach(func(name, value []byte) error {
		if value != nil || len(name) != 8 {
			return fmt.Errorf("something else among the segments: %w", errDamaged)
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

// check walks the segment: filters, then blocks, all in order, found by their names, with as many entries as the
// state says.
func (g segment) check(tx *bolt.Tx) error {
	walk, err := g.open(tx)
	if err != nil {
		return err
	}
	find, err := g.open(tx)
	if err != nil {
		return err
	}
	var (
		previous []byte // key of the entry before
		filters  [][]byte
		count    uint64
	)
	for name, value := walk.cursor.First(); name != nil; name, value = walk.cursor.Next() {
		if found, _ := find.cursor.Seek(name); !bytes.Equal(found, name) || len(name) != 17 {
			return fmt.Errorf("a name that is not found: %w", errDamaged)
		}
		if name[0] == filterPrefix {
			if f, err := unsealed(value); err != nil || len(f) == 0 || len(f)%filterLine != 0 {
				return fmt.Errorf("a filter: %w", errDamaged)
			}
			filters = append(filters, name)
			continue
		}
		b, err := decodeBlock(value)
		if err != nil {
			return err
		}
		for i := range b.len() {
			if previous != nil && bytes.Compare(previous, b.key(i)) >= 0 {
				return fmt.Errorf("keys out of order: %w", errDamaged)
			}
			previous = b.key(i)
		}
		if name[0] != blockPrefix || !bytes.Equal(name[1:], previous) {
			return fmt.Errorf("a block under another's name: %w", errDamaged)
		}
		count += uint64(b.len())
		if len(filters) > 0 && bytes.Compare(filters[0][1:], previous) <= 0 {
			if !bytes.Equal(filters[0][1:], previous) {
				return fmt.Errorf("a filter under another's name: %w", errDamaged)
			}
			filters = filters[1:]
		}
	}
	if count != g.count || len(filters) != 0 {
		return fmt.Errorf("%d entries instead of %d, %d filters without: %w", count, g.count, len(filters), errDamaged)
	}
	return nil
}
