package vault

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"
)

// write empties shards, files entries, and moves the index to t: all or nothing.
func (x *index) write(emptied []uint8, entries []*entry, t tail, epoch uint64) error {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b *entry) int { return cmp.Compare(string(a.name[:]), string(b.name[:])) })
	w := filing{index: x, next: state{tail: t, epoch: epoch, sum: x.state.sum, open: maps.Clone(x.state.open)}}
	if w.next.open == nil {
		w.next.open = map[rid]uint64{}
	}
	err := guarded(func() error {
		return x.db.Update(func(tx *bbolt.Tx) error { return w.write(tx, emptied, entries) })
	})
	if err != nil {
		return fmt.Errorf("writing the index: %w", err)
	}
	x.state = w.next
	return nil
}

// A filing is one write of the index.
type filing struct {
	*index
	next              state
	names, rows, rids *bbolt.Bucket
}

func (w *filing) write(tx *bbolt.Tx, emptied []uint8, entries []*entry) error {
	w.names, w.rows, w.rids = tx.Bucket([]byte(bucketNames)), tx.Bucket([]byte(bucketRows)), tx.Bucket([]byte(bucketRIDs))
	if err := w.empty(emptied, entries); err != nil {
		return err
	}
	for _, e := range entries {
		if err := w.file(e); err != nil {
			return err
		}
	}
	maps.DeleteFunc(w.next.open, func(_ rid, position uint64) bool { return position <= w.next.tail.events })
	return tx.Bucket([]byte(bucketState)).Put([]byte(bucketState), w.next.append(nil, &w.key))
}

// empty takes out what shards have. Of rows that are filed again, what does not
// depend on the shard's key stays.
func (w *filing) empty(shards []uint8, entries []*entry) error {
	if len(shards) == 0 {
		return nil
	}
	again := make(map[rid]bool, len(entries))
	for _, e := range entries {
		again[e.rid] = true
	}
	for _, number := range shards {
		if err := w.removeAll(bucketNames, w.names, number, nil); err != nil {
			return err
		}
		err := w.removeAll(bucketRows, w.rows, number, func(at []byte) error {
			r := ridOf(at[1:])
			delete(w.next.open, r)
			if again[r] {
				return nil
			}
			return w.remove(bucketRIDs, w.rids, r[:], []byte{number})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// removeAll removes all of a bucket that begins with a shard's number, and calls
// each with the keys that were removed.
func (w *filing) removeAll(bucket string, b *bbolt.Bucket, number uint8, each func(k []byte) error) error {
	var keys [][]byte
	c := b.Cursor()
	for k, v := c.Seek([]byte{number}); k != nil && k[0] == number; k, v = c.Next() {
		w.next.sum.sub(w.mac(bucket, k, v))
		keys = append(keys, slices.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
		if each != nil {
			if err := each(k); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *filing) remove(bucket string, b *bbolt.Bucket, k, v []byte) error {
	w.next.sum.sub(w.mac(bucket, k, v))
	return b.Delete(k)
}

// put puts a value, unless it is there already.
func (w *filing) put(bucket string, b *bbolt.Bucket, k, v []byte) error {
	if old := b.Get(k); old != nil {
		if string(old) == string(v) {
			return nil
		}
		w.next.sum.sub(w.mac(bucket, k, old))
	}
	w.next.sum.add(w.mac(bucket, k, v))
	return b.Put(k, v)
}

func (w *filing) file(e *entry) error {
	if of := w.names.Get(e.name[:]); of != nil && ridOf(of) != e.rid {
		return damaged("two rows have the same identifier")
	}
	if err := w.put(bucketNames, w.names, e.name[:], e.rid[:]); err != nil {
		return err
	}
	at := placeOf(e.name[0], e.rid)
	if err := w.put(bucketRows, w.rows, at[:], e.record); err != nil {
		return err
	}
	delete(w.next.open, e.rid)
	if e.links > w.next.tail.events {
		w.next.open[e.rid] = e.links
	}
	return w.put(bucketRIDs, w.rids, e.rid[:], e.name[:1])
}
