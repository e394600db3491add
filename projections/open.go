package projections

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockWait is how long opening waits for another process to let go of the file.
const lockWait = time.Second

// OpenIndex opens the index at path, or begins an empty one if there is no file, or if the file is damaged or of
// another version; [Index.Discarded] then says why the old one was removed. Every byte that an answer can rest on is
// read and checked, so opening takes time with the size of the index, not memory.
//
// A file that cannot be judged, being locked by another process or unreadable for the system, is an error and is
// left alone.
func OpenIndex(path string) (*Index, error) {
	return openIndex(path, chunkEntries)
}

func openIndex(path string, chunk int) (*Index, error) {
	x, err := open(path, chunk)
	if err == nil || undecided(err) {
		return x, err
	}
	if removal := os.Remove(path); removal != nil {
		return nil, fmt.Errorf("removing a damaged index: %w", errors.Join(removal, err))
	}
	discarded := err
	if x, err = open(path, chunk); err != nil {
		return nil, err
	}
	x.discarded = discarded
	return x, nil
}

// undecided reports whether err says nothing about the content of the file.
func undecided(err error) bool {
	var (
		path  *fs.PathError
		errno syscall.Errno
	)
	return errors.Is(err, bolterrors.ErrTimeout) || errors.As(err, &path) || errors.As(err, &errno)
}

// open opens a sound file or makes a new one.
func open(path string, chunk int) (*Index, error) {
	db, err := openSound(path)
	if err != nil {
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	x := &Index{db: db, chunk: chunk, update: db.Update}
	if err := x.settle(); err != nil {
		db.Close()
		return nil, fmt.Errorf("opening the index: %w", err)
	}
	return x, nil
}

// openSound opens the file and reads all of it. bbolt trusts its pages: on damaged ones it panics or reaches beyond
// the file, and both are taken here as what they are.
func openSound(path string) (db *bolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%v: %w", cause, errDamaged)
		}
		if err != nil && db != nil {
			db.Close()
		}
	}()
	db, err = bolt.Open(path, 0o600, &bolt.Options{
		Timeout:      lockWait,
		FreelistType: bolt.FreelistMapType,
		PageSize:     4096, // what blockEntries is made for
		NoStatistics: true,
	})
	if err != nil {
		return nil, err
	}
	fresh := false
	err = db.View(func(tx *bolt.Tx) error {
		name, _ := tx.Cursor().First()
		if fresh = name == nil; fresh {
			return nil
		}
		return check(tx)
	})
	if err == nil && fresh {
		err = db.Update(begin)
	}
	return db, err
}

// begin writes the state of an empty index.
func begin(tx *bolt.Tx) error {
	for _, name := range [][]byte{stateBucket, segmentsBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return (&state{}).write(tx)
}

// settle drops what a merge left behind, notes where the index is, and goes on merging.
func (x *Index) settle() error {
	var left []uint64
	err := x.db.View(func(tx *bolt.Tx) error {
		s, err := readState(tx)
		if err != nil {
			return err
		}
		x.at.position, x.at.digest = s.position, s.digest
		return tx.Bucket(segmentsBucket).ForEachBucket(func(name []byte) error {
			number := binary.BigEndian.Uint64(name)
			if !slices.ContainsFunc(s.segments, func(g segment) bool { return g.number == number }) {
				left = append(left, number)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, number := range left {
		if err := x.db.Update(func(tx *bolt.Tx) error { return drop(tx, number) }); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.startMerging()
	return nil
}
