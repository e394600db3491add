package projections

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// A Key stands for the identity of an event. Keys are expected to be spread like hashes.
type Key = [16]byte

// An Entry says at which position the event of a key stands. Positions count from 1.
type Entry struct {
	Key      Key
	Position uint64
}

// Index maps keys to positions; the last [Index.Add] of a key wins.
//
// It is one bbolt file of immutable sorted segments, newest last, one for each Add. In the background eight
// neighbours of one tier are merged into one segment of the next, so that a look-up visits at most about seven
// segments for each factor of eight. Every 65,536 entries of a segment carry a Bloom filter, in the file and not on
// the heap: memory does not grow with the index. Look-ups may run at any time and from many goroutines, beside an
// Add and beside merging; Adds take turns.
type Index struct {
	db        *bolt.DB
	chunk     int   // entries under one filter, and written by one transaction of a merge
	discarded error // why the file found at opening was removed

	// update runs a transaction of a merge: db.Update, or in a test one that fails.
	update func(func(*bolt.Tx) error) error

	adding sync.Mutex // serialises Add

	mu      sync.Mutex // guards what follows; never held while writing
	at      state      // as committed; its segments are not kept here
	merging bool       // a goroutine is merging
	closed  bool
	failed  error // why merging stopped
	work    sync.WaitGroup
}

// ErrClosed reports the use of a closed index.
var ErrClosed = errors.New("projections: index is closed")

// ErrBackward reports an Add for a position before the one the index is at. Nothing was added.
var ErrBackward = errors.New("projections: position is before the index's")

// ErrNoPosition reports an entry with position 0, which stands for absence. Nothing was added.
var ErrNoPosition = errors.New("projections: an entry has no position")

// Discarded returns why the file that stood at the path was removed and a new one begun, or nil.
func (x *Index) Discarded() error { return x.discarded }

// Position returns the position up to which every event is in the index, and the digest given with it. Both
// are zero in a new index. The caller holds the digest against the ledger's and removes the file if they differ.
func (x *Index) Position() (position uint64, digest [32]byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.at.position, x.at.digest
}

// Add stores entries, the position they bring the index to, that event's digest, and the register as of then, in
// one transaction: all or nothing, durable on return. A nil register leaves the stored one. About 65,536 entries
// at a time are best; each Add costs two fsyncs.
//
// It returns [ErrBackward], [ErrNoPosition], [ErrClosed], or the failure that stopped merging, having done nothing.
// After any other error the transaction may or may not be in the file: close, open, and ask [Index.Position].
func (x *Index) Add(entries []Entry, position uint64, digest [32]byte, register []byte) error {
	x.adding.Lock()
	defer x.adding.Unlock()
	if err := x.usable(position); err != nil {
		return err
	}
	if slices.ContainsFunc(entries, func(e Entry) bool { return e.Position == 0 }) {
		return ErrNoPosition
	}
	entries = sorted(entries)
	var next state
	err := x.db.Update(func(tx *bolt.Tx) error {
		s, err := readState(tx)
		if err != nil {
			return err
		}
		if err := s.append(tx, entries, x.chunk); err != nil {
			return err
		}
		if register != nil {
			if err := writeRegister(tx, register); err != nil {
				return err
			}
		}
		s.position, s.digest = position, digest
		next = s
		return s.write(tx)
	})
	if err != nil {
		return fmt.Errorf("adding to the index: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at.position, x.at.digest = next.position, next.digest
	if !x.merging && !x.closed && next.due() >= 0 {
		x.startMerging()
	}
	return nil
}

// usable reports whether an Add for position may begin.
func (x *Index) usable(position uint64) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.closed:
		return ErrClosed
	case x.failed != nil:
		return x.failed
	case position < x.at.position:
		return ErrBackward
	}
	return nil
}

// sorted returns a copy of entries in order of key, with the last of each key only.
func sorted(entries []Entry) []Entry {
	type ranked struct {
		Entry
		rank int
	}
	all := make([]ranked, len(entries))
	for i, e := range entries {
		all[i] = ranked{e, i}
	}
	slices.SortFunc(all, func(a, b ranked) int { // twice as fast as a stable sort
		return cmp.Or(bytes.Compare(a.Key[:], b.Key[:]), cmp.Compare(a.rank, b.rank))
	})
	out := make([]Entry, 0, len(all))
	for i, e := range all {
		if i+1 == len(all) || all[i+1].Key != e.Key {
			out = append(out, e.Entry)
		}
	}
	return out
}

// Lookup returns the position of key, and whether it is in the index.
func (x *Index) Lookup(key Key) (uint64, bool, error) {
	var out [1]uint64
	err := x.LookupMany([]Key{key}, out[:])
	return out[0], out[0] != 0, err
}

// LookupMany sets out[i] to the position of keys[i], or to 0 if it is not in the index. All answers are as of one
// moment between two Adds. out must be as long as keys.
func (x *Index) LookupMany(keys []Key, out []uint64) error {
	if len(keys) != len(out) {
		return fmt.Errorf("projections: %d keys but room for %d answers", len(keys), len(out))
	}
	clear(out)
	err := x.db.View(func(tx *bolt.Tx) error {
		s, err := readState(tx)
		if err != nil {
			return err
		}
		left := len(keys)
		for _, g := range slices.Backward(s.segments) {
			r, err := g.open(tx)
			if err != nil {
				return err
			}
			for i, key := range keys {
				if out[i] != 0 {
					continue
				}
				position, err := r.find(key)
				if err != nil {
					return err
				}
				if out[i] = position; position != 0 {
					left--
				}
			}
			if left == 0 {
				break
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking up in the index: %w", err)
	}
	return nil
}

// Register returns a copy of the register last stored, nil if there is none.
func (x *Index) Register() ([]byte, error) {
	var register []byte
	err := x.db.View(func(tx *bolt.Tx) (err error) {
		register, err = readRegister(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the register: %w", err)
	}
	return register, nil
}

// Close stops merging and closes the file. Everything added stays; what merging had under way is dropped.
func (x *Index) Close() error {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	x.adding.Lock() // let an Add finish
	defer x.adding.Unlock()
	x.work.Wait()
	return x.db.Close()
}
