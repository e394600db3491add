package backup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/imalink/custody/ledger/stream"
)

// A Reader reads an archive as it was at one moment, whatever is appended
// meanwhile. It holds nothing open; its methods may be called concurrently.
type Reader struct {
	dir   string
	state State
}

// Read opens the archive in dir to read it. The error is [ErrNone], [ErrForeign]
// or a [*Damage].
func Read(dir string) (*Reader, error) {
	s, err := readState(dir)
	if err != nil {
		return nil, err
	}
	return &Reader{dir, s}, nil
}

// State is the moment that the reader reads.
func (r *Reader) State() State { return r.state }

// Messages yields a part's messages, from sequence 1 to the head, each verified.
// The error, the last element, is a [*Damage] or the system's. Data belongs to
// whoever receives it.
func (r *Reader) Messages(p Part) iter.Seq2[stream.Message, error] {
	return func(yield func(stream.Message, error) bool) {
		w := walk{Reader: r, part: p, end: r.state.Head(p), yield: yield}
		for number := uint32(1); number <= w.end.File; number++ {
			if !w.file(number) {
				return
			}
		}
	}
}

// Verify reads the whole archive. Its errors are those of Messages, and ctx's.
// progress, if not nil, is called now and then with messages read and messages in
// all.
func (r *Reader) Verify(ctx context.Context, progress func(done, all uint64)) error {
	var done, all uint64
	for _, p := range Parts() {
		all += r.state.Head(p).Last
	}
	for _, p := range Parts() {
		for _, err := range r.Messages(p) {
			if err == nil && done%4096 == 0 {
				err = ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("verifying the backup: %w", err)
			}
			if done++; progress != nil && done%4096 == 0 {
				progress(done, all)
			}
		}
	}
	if progress != nil {
		progress(done, all)
	}
	return nil
}

// A walk is one reading of a part.
type walk struct {
	*Reader
	part  Part
	end   Head // where the part ends
	at    Head // how far it was read
	yield func(stream.Message, error) bool
}

func (w *walk) path(number uint32) string { return filepath.Join(w.dir, fileName(w.part, number)) }

// fail ends the walk: damage in a file at an offset.
func (w *walk) fail(number uint32, offset int64, err error) bool {
	w.yield(stream.Message{}, &Damage{File: w.path(number), Offset: offset, Part: w.part, Sequence: w.at.Last + 1, Err: err})
	return false
}

// file yields the messages of one file; it reports whether to go on.
func (w *walk) file(number uint32) bool {
	f, err := os.Open(w.path(number))
	if errors.Is(err, fs.ErrNotExist) {
		return w.fail(number, 0, err)
	}
	if err != nil {
		w.yield(stream.Message{}, fmt.Errorf("reading the backup: %w", err))
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		w.yield(stream.Message{}, fmt.Errorf("reading the backup: %w", err))
		return false
	}
	size := info.Size()
	if number == w.end.File {
		if size < w.end.Size {
			return w.fail(number, size, errShort)
		}
		size = w.end.Size
	}
	in := bufio.NewReaderSize(io.NewSectionReader(f, 0, size), int(min(size, 1<<20)))
	if !w.header(in, number) {
		return false
	}
	return w.frames(in, number)
}

// header holds a file's header against what must stand there.
func (w *walk) header(in io.Reader, number uint32) bool {
	want := header(w.state.Ledger, w.part, number, w.at.Last, w.at.Chain)
	got := make([]byte, headerSize)
	n, err := io.ReadFull(in, got)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return w.fail(number, int64(n), errShort)
	}
	if err != nil {
		w.yield(stream.Message{}, fmt.Errorf("reading the backup: %w", err))
		return false
	}
	if bytes.Equal(got, want) {
		w.at.File, w.at.Size = number, headerSize
		return true
	}
	const first = 8 + 1 + 16 + 1 + 4 // where the first sequence stands
	if number > 1 && bytes.Equal(got[:first], want[:first]) && !bytes.Equal(got[first:first+8], want[first:first+8]) && !bytes.Equal(got[first+8:], want[first+8:]) {
		return w.fail(number-1, w.at.Size, fmt.Errorf("%w: %s does not go on from here", errShort, w.path(number)))
	}
	at := 0
	for got[at] == want[at] {
		at++
	}
	return w.fail(number, int64(at), errors.New("not the header of this file"))
}

// frames yields what follows the header.
func (w *walk) frames(in io.Reader, number uint32) bool {
	for {
		m, chain, err := readFrame(in, w.at.Last, w.at.Chain)
		if errors.Is(err, io.EOF) {
			return w.ends(number)
		}
		if system := (*fs.PathError)(nil); errors.As(err, &system) {
			w.yield(stream.Message{}, fmt.Errorf("reading the backup: %w", err))
			return false
		}
		if err != nil {
			return w.fail(number, w.at.Size, err)
		}
		w.at.Size += int64(frameHead + len(m.Subject) + len(m.Data) + chainSize)
		w.at.Last, w.at.Chain = m.Sequence, chain
		if number == w.end.File && w.at.Size == w.end.Size {
			w.at.Digest = sha256.Sum256(m.Data)
		}
		if !w.yield(m, nil) {
			return false
		}
	}
}

// ends holds the end of the last file against the state.
func (w *walk) ends(number uint32) bool {
	if number == w.end.File && w.at != w.end {
		return w.fail(number, w.at.Size, errors.New("it does not end with the message that the state names"))
	}
	return true
}
