package projections

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"

	bolt "go.etcd.io/bbolt"
)

// A viewFile is a view's file. Besides what the model keeps there it has one bucket, whose name no model uses:
//
//	view  "mark" -> version, position, digest, name; then a checksum
//
// Integers are big-endian, the checksum is CRC-32C.
type viewFile struct {
	db   *bolt.DB
	path string // "" when another file has taken it; of the projector's goroutine

	// update runs a transaction of a flush: db.Update, or in a test one that fails.
	update func(func(*bolt.Tx) error) error
}

var (
	viewBucket = []byte("view")
	markKey    = []byte("mark")
)

const markHead = 4 + 8 + 32

// A mark is the event up to which a file is the fold. The zero mark is that of an empty file.
type mark struct {
	position uint64
	digest   [32]byte
}

// errForeign reports a sound file that is not the fold of this view and stream. It is discarded.
var errForeign = errors.New("projections: view file belongs to something else")

// Position returns up to which position of the stream a snapshot of a view's file is the fold. It wraps [ErrDamaged].
func Position(tx *bolt.Tx) (uint64, error) {
	_, _, m, err := readMark(tx)
	return m.position, err
}

func readMark(tx *bolt.Tx) (name string, version uint32, m mark, err error) {
	home := tx.Bucket(viewBucket)
	if home == nil {
		return "", 0, mark{}, fmt.Errorf("%w: it has no mark", ErrDamaged)
	}
	return decodeMark(home.Get(markKey))
}

func decodeMark(b []byte) (name string, version uint32, m mark, err error) {
	b, err = unsealed(b)
	if err != nil || len(b) < markHead {
		return "", 0, mark{}, fmt.Errorf("%w: its mark", ErrDamaged)
	}
	m = mark{binary.BigEndian.Uint64(b[4:]), [32]byte(b[12:])}
	return string(b[markHead:]), binary.BigEndian.Uint32(b), m, nil
}

func encodeMark(name string, version uint32, m mark) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, markHead+len(name)+4), version)
	b = binary.BigEndian.AppendUint64(b, m.position)
	b = append(b, m.digest[:]...)
	return sealed(append(b, name...))
}

// markOf returns the mark of a file that must be one of the view.
func (v *View) markOf(tx *bolt.Tx) (mark, error) {
	name, version, m, err := readMark(tx)
	switch {
	case err != nil:
		return mark{}, err
	case name != v.Name:
		return mark{}, fmt.Errorf("%w: another view", errForeign)
	case version != v.Version:
		return mark{}, fmt.Errorf("%w: version %d instead of %d", errForeign, version, v.Version)
	}
	return m, nil
}

func (v *View) putMark(tx *bolt.Tx, m mark) error {
	home, err := tx.CreateBucketIfNotExists(viewBucket)
	if err != nil {
		return err
	}
	return home.Put(markKey, encodeMark(v.Name, v.Version, m))
}

// openView opens the file at path, if agrees finds that its mark is of the stream and every page is what it must be. The
// error wraps [fs.ErrNotExist] if there is none, and [ErrDamaged] or [errForeign] if it is to be discarded; any other
// says nothing about the file.
func openView(path string, v *View, agrees func(mark) error) (_ *viewFile, m mark, err error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, m, err
	case !info.Mode().IsRegular():
		return nil, m, &fs.PathError{Op: "open", Path: path, Err: errors.New("is not a regular file")}
	case info.Size() == 0: // bbolt would begin a new one
		return nil, m, fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	if err := guarded(func() error {
		m, err = judge(path, v, agrees)
		return err
	}); err != nil {
		return nil, m, err
	}
	db, err := bolt.Open(path, 0o600, options(false))
	if err != nil {
		return nil, m, err
	}
	return &viewFile{db: db, path: path, update: db.Update}, m, nil
}

// judge reads a file that nobody else has open: the mark, which is quick, and then every page.
func judge(path string, v *View, agrees func(mark) error) (m mark, err error) {
	file, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer file.Close()
	db, err := bolt.Open(path, 0o600, options(true))
	if err != nil {
		if undecided(err) {
			return m, err
		}
		return m, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.View(func(tx *bolt.Tx) (err error) {
		m, err = v.markOf(tx)
		return err
	}); err != nil {
		return m, err
	}
	if err := agrees(m); err != nil {
		return m, err
	}
	info, err := file.Stat()
	if err != nil {
		return m, err
	}
	if err := checkPages(file, info.Size()); err != nil {
		return m, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return m, nil
}

// newView begins a file at path, in place of any other there. It is written without syncing until it settles.
func newView(path string, v *View) (*viewFile, error) {
	if err := removeIfThere(path); err != nil {
		return nil, err
	}
	how := options(false)
	how.NoSync = true
	db, err := bolt.Open(path, 0o600, how)
	if err != nil {
		return nil, err
	}
	if err := db.Update(func(tx *bolt.Tx) error { return v.putMark(tx, mark{}) }); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &viewFile{db: db, path: path, update: db.Update}, nil
}

// settle makes what is in the file durable, and every commit from now on.
func (f *viewFile) settle() error {
	f.db.NoSync = false
	return f.db.Sync()
}

// rename moves the file to path, in place of any other there.
func (f *viewFile) rename(path string) error {
	if f.path == path {
		return nil
	}
	if err := os.Rename(f.path, path); err != nil {
		return err
	}
	f.path = path
	return nil
}

// read calls fn with a snapshot, and reports whether it did. The error is fn's, or wraps [ErrDamaged].
func (f *viewFile) read(fn func(*bolt.Tx) error) (ran bool, err error) {
	err = guarded(func() error {
		tx, err := f.db.Begin(false)
		if err != nil {
			return err
		}
		defer tx.Rollback() // of a read: it only ends
		ran = true
		return fn(tx)
	})
	return ran, err
}

// discard removes the file. It is closed when its readers are done, which nobody waits for: bbolt may not have let
// go of its locks when it panicked.
func (f *viewFile) discard() error {
	go f.db.Close()
	if f.path == "" {
		return nil
	}
	return removeIfThere(f.path)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// agrees returns an error that wraps [errForeign] if the source does not have the event of a mark.
func (s *Set) agrees(ctx context.Context, m mark) error {
	if m.position == 0 {
		return nil
	}
	if head := s.source.Head(); m.position > head {
		return fmt.Errorf("%w: it is at position %d, and the stream at %d", errForeign, m.position, head)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for rec, err := range s.source.Replay(ctx, m.position) {
		switch {
		case err != nil:
			return fmt.Errorf("comparing with the stream: %w", err)
		case rec.Position != m.position:
			return fmt.Errorf("comparing with the stream: it gave position %d instead of %d", rec.Position, m.position)
		case rec.Digest != m.digest:
			return fmt.Errorf("%w: the event at position %d is another", errForeign, m.position)
		}
		return nil
	}
	return fmt.Errorf("comparing with the stream: it gave nothing at position %d", m.position)
}
