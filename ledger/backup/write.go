package backup

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/stream"
)

// rollSize is the size at which a file gets a successor, so that whatever copies
// archives has files that do not change any more.
const rollSize = 64 << 20

// An Archive is a backup that is being written. It is not for concurrent use.
type Archive struct {
	dir    string
	lock   *durable.Lock
	disk   disk
	roll   int64
	state  State
	parts  [3]*part
	broken error // the first failure: what is not committed is given up
}

// Open opens the archive of a ledger in dir to write to it, or makes a new one
// where there is nothing. dir's own entry is durable then. The error is
// [ErrInUse], [ErrForeign], or a [*Damage]; after another error there is nothing,
// or an archive of no messages.
//
// Nothing of what a crash left is touched before the first Append.
func Open(dir string, ledger Ledger) (*Archive, error) {
	return open(dir, ledger, systemDisk(), rollSize)
}

func open(dir string, ledger Ledger, d disk, roll int64) (_ *Archive, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the backup's folder: %w", err)
	}
	a := &Archive{dir: dir, disk: d, roll: roll}
	if a.lock, err = takeLock(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	a.state, err = readState(dir)
	if errors.Is(err, ErrNone) {
		a.state = State{Ledger: ledger}
		err = a.begin()
	}
	if err != nil {
		return nil, err
	}
	if a.state.Ledger != ledger {
		return nil, fmt.Errorf("%w: %s is of ledger %s, %s", ErrForeign, dir, a.state.Name, a.state.ID)
	}
	for _, p := range Parts() {
		if err := a.intact(p); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// begin makes the archive of no messages: the state is the first file there is.
func (a *Archive) begin() error {
	if err := a.disk.syncDir(filepath.Dir(a.dir)); err != nil {
		return fmt.Errorf("syncing the backup's folder: %w", err)
	}
	if err := a.disk.replace(filepath.Join(a.dir, stateFile), a.state.encode()); err != nil {
		return fmt.Errorf("writing the backup's state: %w", err)
	}
	return nil
}

// intact holds the end of a part against the state, without reading all of it.
func (a *Archive) intact(p Part) error {
	head := a.state.Head(p)
	if head.File == 0 {
		return nil
	}
	path := filepath.Join(a.dir, fileName(p, head.File))
	damage := func(at int64, err error) error {
		return &Damage{File: path, Offset: at, Part: p, Sequence: head.Last, Err: err}
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return damage(0, err)
	}
	if err != nil {
		return fmt.Errorf("opening a file of the backup: %w", err)
	}
	defer f.Close()
	var chain [chainSize]byte
	switch n, err := f.ReadAt(chain[:], head.Size-chainSize); {
	case errors.Is(err, io.EOF) && n < len(chain):
		return damage(max(head.Size-chainSize, 0)+int64(n), errShort)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("reading the backup: %w", err)
	case chain != head.Chain:
		return damage(head.Size-chainSize, errors.New("its last message is not the one that the state names"))
	}
	return nil
}

// State is the moment that was committed last.
func (a *Archive) State() State { return a.state }

// Append adds a message to a part, after the one before it. It becomes part of the
// backup with the next Commit. After an error only Close is of use: what was not
// committed is given up.
func (a *Archive) Append(p Part, m *stream.Message) error {
	if a.broken == nil {
		a.broken = a.append(p, m)
	}
	return a.broken
}

func (a *Archive) append(p Part, m *stream.Message) (err error) {
	w := a.parts[p-1]
	if w == nil {
		if w, err = a.tail(p); err != nil {
			return fmt.Errorf("opening the backup's %s: %w", p, err)
		}
		a.parts[p-1] = w
	}
	if m.Sequence != w.head.Last+1 {
		return fmt.Errorf("backup of %s: sequence %d after %d", p, m.Sequence, w.head.Last)
	}
	if w.head.File == 0 || w.head.Size >= a.roll {
		if err := a.next(w); err != nil {
			return fmt.Errorf("adding a file to the backup's %s: %w", p, err)
		}
	}
	if err := a.add(w, m); err != nil {
		return fmt.Errorf("writing the backup's %s: %w", p, err)
	}
	return nil
}

// Commit makes everything appended durable and part of the backup: the ledger at
// the moment made. After an error the backup is that of the moment before or,
// if only the answer was lost, of this one; opening it again finds out.
func (a *Archive) Commit(made time.Time) error {
	if a.broken == nil {
		a.broken = a.commit(made)
	}
	return a.broken
}

func (a *Archive) commit(made time.Time) error {
	next, added := a.state, false
	next.Made = made.UTC().Truncate(time.Millisecond)
	for i, w := range a.parts {
		if w == nil {
			continue
		}
		if err := a.settle(w); err != nil {
			return fmt.Errorf("making the backup's %s durable: %w", w.part, err)
		}
		if w.last != nil {
			w.head.Digest, w.last = sha256.Sum256(w.last), nil
		}
		next.Heads[i], added, w.added = w.head, added || w.added, false
	}
	if added {
		if err := a.disk.syncDir(a.dir); err != nil {
			return fmt.Errorf("syncing the backup's folder: %w", err)
		}
	}
	if err := a.disk.replace(filepath.Join(a.dir, stateFile), next.encode()); err != nil {
		return fmt.Errorf("writing the backup's state: %w", err)
	}
	a.state = next
	return nil
}

// Close lets go of the folder. What was not committed is given up: the next one
// who appends cuts it off.
func (a *Archive) Close() error {
	var errs []error
	for _, w := range a.parts {
		if w != nil && w.file != nil {
			errs = append(errs, w.file.Close())
		}
	}
	if err := errors.Join(append(errs, a.lock.Close())...); err != nil {
		return fmt.Errorf("closing the backup: %w", err)
	}
	return nil
}

// A part is the end of one part, being written.
type part struct {
	part   Part
	head   Head // with what is not committed; its digest is that of the committed head
	file   *os.File
	buffer bytes.Buffer
	last   []byte // data of the last message; nil if nothing was added
	added  bool   // a file was made, whose name is not durable yet
}

const bufferSize = 256 << 10

// tail opens the end of a part for writing. What a crash left beyond it is cut
// off: files first, the newest first, so that none is ever missing in between.
func (a *Archive) tail(p Part) (*part, error) {
	w := &part{part: p, head: a.state.Head(p)}
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		return nil, err
	}
	for i := len(entries) - 1; i >= 0; i-- {
		if of, number, ok := parseName(entries[i].Name()); ok && of == p && number > w.head.File {
			if err := a.disk.remove(filepath.Join(a.dir, entries[i].Name())); err != nil {
				return nil, err
			}
		}
	}
	if w.head.File == 0 {
		return w, nil
	}
	if w.file, err = os.OpenFile(filepath.Join(a.dir, fileName(p, w.head.File)), os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	err = a.disk.cut(w.file, w.head.Size)
	if err == nil {
		_, err = w.file.Seek(w.head.Size, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	return w, nil
}

// next ends a file, if there is one, and begins its successor.
func (a *Archive) next(w *part) (err error) {
	if w.file != nil {
		if err := a.settle(w); err != nil {
			return err
		}
		if err := w.file.Close(); err != nil {
			return err
		}
		w.file = nil
	}
	number := w.head.File + 1
	if w.file, err = a.disk.create(filepath.Join(a.dir, fileName(w.part, number))); err != nil {
		return err
	}
	w.buffer.Write(header(a.state.Ledger, w.part, number, w.head.Last, w.head.Chain))
	w.head.File, w.head.Size, w.added = number, headerSize, true
	return nil
}

func (a *Archive) add(w *part, m *stream.Message) error {
	before := w.buffer.Len()
	frame, chain, err := appendFrame(w.buffer.AvailableBuffer(), w.head.Chain, m)
	if err != nil {
		return err
	}
	w.buffer.Write(frame)
	w.head.Last, w.head.Chain, w.last = m.Sequence, chain, m.Data
	w.head.Size += int64(w.buffer.Len() - before)
	if w.last == nil {
		w.last = []byte{}
	}
	if w.buffer.Len() >= bufferSize {
		return a.flush(w)
	}
	return nil
}

// settle makes durable what is in a part's file.
func (a *Archive) settle(w *part) error {
	if w.file == nil {
		return nil
	}
	if err := a.flush(w); err != nil {
		return err
	}
	return a.disk.sync(w.file)
}

func (a *Archive) flush(w *part) error {
	if w.buffer.Len() == 0 {
		return nil
	}
	if n, err := a.disk.write(w.file, w.buffer.Bytes()); err != nil {
		return err
	} else if n < w.buffer.Len() {
		return io.ErrShortWrite
	}
	w.buffer.Reset()
	return nil
}
