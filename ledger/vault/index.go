package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Buckets of the index. What is in clear is random or a MAC. All that depends on
// a shard's key stands together, so that a new one costs its pages and no more.
const (
	bucketNames = "names" // shard, HMAC(lookup key of the shard, identifier)[1:] -> rid
	bucketRows  = "rows"  // shard, rid -> record
	bucketRIDs  = "rids"  // rid -> shard
	bucketState = "state" // "state" -> state
)

// An index finds rows. It is the fold of the stream up to a position, which it
// states, and is thrown away if it is anything else. Its methods may be called
// concurrently, but for write, of which there is one at a time.
//
// bbolt does not zero the pages that it frees. What is left in them after a change
// of keys is rids, names made with lookup keys and records sealed under keys that
// are destroyed: nobody can make such a name again, or open such a record. The
// sums of MACs, under a key that stays, say nothing of an identifier either.
type index struct {
	db    *bbolt.DB
	path  string
	key   key // of the MACs that guard it
	state state
}

// A state is what the index says of itself: how far it follows the stream, what
// its rows and rids add up to, and which rows have links above tail.events.
// A damaged key would turn somebody known into somebody new, whom an erasure
// would then miss half of; so everything is added up when it is opened.
type state struct {
	tail  tail
	epoch uint64 // version of the root under which it was filled
	sum   sum
	open  map[rid]uint64 // highest position of a link
}

// A sum is the sum of the MACs of all entries: it does not depend on their
// order, and can be kept up to date (MSet-Add-Hash of Clarke et al., 2003).
type sum [4]uint64

func (s *sum) add(m key) {
	for i := range s {
		s[i] += binary.BigEndian.Uint64(m[8*i:])
	}
}

func (s *sum) sub(m key) {
	for i := range s {
		s[i] -= binary.BigEndian.Uint64(m[8*i:])
	}
}

// An entry is one row as it is to be filed.
type entry struct {
	name   key // what the row is found by
	rid    rid
	record []byte
	links  uint64 // highest position of a link; 0 if none
}

func newEntry(name key, rec record, r *row) *entry {
	e := &entry{name: name, rid: rec.rid, record: rec.append(make([]byte, 0, rec.size()))}
	for _, l := range r.links {
		e.links = max(e.links, l.position)
	}
	return e
}

// openIndex opens the file at path, or makes an empty one. One that is being
// filled from nothing need not sync: finish does.
func openIndex(path string, sync bool) (*index, error) {
	x := &index{path: path}
	err := guarded(func() (err error) {
		x.db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoSync: !sync})
		if err != nil {
			return err
		}
		if x.db.View(hasBuckets) == nil {
			return nil
		}
		return x.db.Update(func(tx *bbolt.Tx) error {
			for _, name := range []string{bucketNames, bucketRows, bucketRIDs, bucketState} {
				if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil && x.db != nil {
		err = errors.Join(err, x.db.Close())
	}
	if err != nil {
		return nil, err
	}
	return x, nil
}

func hasBuckets(tx *bbolt.Tx) error {
	if tx.Bucket([]byte(bucketState)) == nil {
		return berrors.ErrBucketNotFound
	}
	return nil
}

// guarded calls read. bbolt's pages have no checksums: a damaged file can make it
// panic, or read beyond the file. That becomes an error, because such a file is
// thrown away and made anew.
func guarded(read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = damaged("index: bbolt cannot read it")
		}
	}()
	return read()
}

func (x *index) view(read func(*bbolt.Tx) error) error {
	return guarded(func() error { return x.db.View(read) })
}

// lookup returns the row filed under a name.
func (x *index) lookup(name key) (rec record, ok bool, err error) {
	err = x.view(func(tx *bbolt.Tx) error {
		of := tx.Bucket([]byte(bucketNames)).Get(name[:])
		if of == nil {
			return nil
		}
		rec, ok, err = filed(tx, name[0], ridOf(of))
		return err
	})
	return rec, ok, err
}

// row returns the row with a rid.
func (x *index) row(r rid) (rec record, ok bool, err error) {
	err = x.view(func(tx *bbolt.Tx) error {
		in := tx.Bucket([]byte(bucketRIDs)).Get(r[:])
		if len(in) != 1 {
			return nil
		}
		rec, ok, err = filed(tx, in[0], r)
		return err
	})
	return rec, ok, err
}

// A place is where a row is filed: its shard and rid.
type place [1 + len(rid{})]byte

func placeOf(shard uint8, r rid) (p place) {
	p[0] = shard
	copy(p[1:], r[:])
	return p
}

func filed(tx *bbolt.Tx, shard uint8, r rid) (record, bool, error) {
	at := placeOf(shard, r)
	return decodeFiled(tx.Bucket([]byte(bucketRows)).Get(at[:]))
}

// decodeFiled copies what bbolt lends.
func decodeFiled(value []byte) (record, bool, error) {
	if value == nil {
		return record{}, false, nil
	}
	rec, rest, err := decodeRecord(slices.Clone(value))
	if err == nil && len(rest) != 0 {
		err = damaged("index: record has bytes after it")
	}
	return rec, err == nil, err
}

// shard returns all rows of one shard.
func (x *index) shard(number uint8) (records []record, err error) {
	err = x.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(bucketRows)).Cursor()
		for k, v := c.Seek([]byte{number}); k != nil && k[0] == number; k, v = c.Next() {
			rec, _, err := decodeFiled(v)
			if err != nil {
				return err
			}
			records = append(records, rec)
		}
		return nil
	})
	return records, err
}

func (x *index) mac(bucket string, k, v []byte) key {
	var buf [512]byte
	return mac(&x.key, append(append(append(buf[:0], bucket...), k...), v...))
}

// load reads the state; false if there is none, or it is malformed. Its MAC is
// checked by sound, once the table has given the key.
func (x *index) load() (ok bool) {
	err := x.view(func(tx *bbolt.Tx) error {
		x.state, ok = decodeState(tx.Bucket([]byte(bucketState)).Get([]byte(bucketState)))
		return nil
	})
	return err == nil && ok
}

// sound adds up the whole index, its buckets beside each other. That bbolt cannot
// read it is an answer too.
func (x *index) sound(k key) bool {
	x.key = k
	buckets := []string{bucketNames, bucketRows, bucketRIDs}
	sums, errs := make([]sum, len(buckets)), make([]error, len(buckets)+1)
	var workers sync.WaitGroup
	for i, name := range buckets {
		workers.Go(func() {
			errs[i] = x.view(func(tx *bbolt.Tx) error { return x.addUp(tx.Bucket([]byte(name)), name, &sums[i]) })
		})
	}
	errs[len(buckets)] = x.view(func(tx *bbolt.Tx) error {
		stored := tx.Bucket([]byte(bucketState)).Get([]byte(bucketState))
		if string(stored) != string(x.state.append(nil, &x.key)) {
			return damaged("index: state is not authentic")
		}
		return nil
	})
	workers.Wait()
	var total sum
	for _, part := range sums {
		for i := range total {
			total[i] += part[i]
		}
	}
	return errors.Join(errs...) == nil && total == x.state.sum
}

func (x *index) addUp(b *bbolt.Bucket, name string, total *sum) error {
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if !bytes.Equal(b.Get(k), v) {
			return damaged("index: an entry is there but not found")
		}
		total.add(x.mac(name, k, v))
	}
	return nil
}

func (x *index) close() error { return x.db.Close() }

// finish makes an index that was filled without syncing durable, puts it at path
// and opens it there.
func (x *index) finish(path string, sync bool) (*index, error) {
	if err := errors.Join(x.db.Sync(), x.db.Close()); err != nil {
		return nil, fmt.Errorf("syncing the index: %w", err)
	}
	if err := os.Rename(x.path, path); err != nil {
		return nil, fmt.Errorf("placing the index: %w", err)
	}
	next, err := openIndex(path, sync)
	if err != nil {
		return nil, err
	}
	next.key, next.state = x.key, x.state
	return next, nil
}

// useless says whether an error of opening means that the file is to be made
// anew, and not that another process has it or it may not be read.
func useless(err error) bool {
	return !errors.Is(err, berrors.ErrTimeout) && !errors.Is(err, fs.ErrPermission)
}
