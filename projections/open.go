package projections

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// openSound checks the file, if there is one, and opens it.
func openSound(path string) (*bolt.DB, error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0:
		return openEmpty(path)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("is not a regular file")}
	}
	if err := checkFile(path); err != nil {
		return nil, err
	}
	return bolt.Open(path, 0o600, options(false))
}

func openEmpty(path string) (*bolt.DB, error) {
	db, err := bolt.Open(path, 0o600, options(false))
	if err != nil {
		return nil, err
	}
	if err := db.Update(begin); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func options(readOnly bool) *bolt.Options {
	return &bolt.Options{
		Timeout:      lockWait,
		ReadOnly:     readOnly,
		FreelistType: bolt.FreelistMapType,
		PageSize:     pageSize, // what blockEntries is made for
		NoStatistics: true,
	}
}

// checkFile checks a file that nobody else has open: opened to read, bbolt looks at the meta pages only, and panics
// if one is not where it belongs.
func checkFile(path string) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = damaged("%v", cause)
		}
	}()
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	db, err := bolt.Open(path, 0o600, options(true))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := checkPages(file, info.Size()); err != nil {
		return err
	}
	return db.View(check)
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
