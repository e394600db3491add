// Package spool is an ordered queue of records in files, for one process.
//
// # What is true
//
//   - A record is accepted only after it was synced to disk; what was accepted is read back in order, once,
//     with the numbers it was given, after a kill, after a power cut, and whatever write fails.
//   - Nothing is read that is not synced: a record that was read, and so may have been sent, is there after a
//     power cut, and its number is never another's.
//   - No record is dropped but by Done. A spool that has no room says [ErrFull]; one whose files are not as
//     they were written is not opened, and nothing in it is changed ([ErrDamaged]).
//   - The folder is 0700, the files 0600, and one process has them at a time ([ErrLocked]).
//
// What is behind a crash may be read again: Done is remembered, but not synced. So whoever reads must bear
// repeats.
package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
)

var (
	// ErrFull reports that there is no room. Nothing of the record was kept.
	ErrFull = errors.New("the spool is full")

	// ErrDamaged reports that files are not as they were written. They are left as they are.
	ErrDamaged = errors.New("the spool is damaged")

	// ErrLocked reports that another process has the spool open.
	ErrLocked = errors.New("another process has the spool")

	// ErrOwner reports a spool that holds the records of somebody else.
	ErrOwner = errors.New("the spool is another's")

	// ErrBroken reports that a write failed and could not be undone. Nothing more is accepted until the spool
	// is opened again; what was accepted is still read.
	ErrBroken = errors.New("the spool cannot be written to")

	// ErrUnknown reports that a record may have been kept, or may not.
	ErrUnknown = errors.New("whether the record was kept is not known")

	// ErrClosed reports a spool that was closed.
	ErrClosed = errors.New("the spool is closed")
)

// Limits of a spool's size, in bytes.
const (
	MinBytes  = 16 << 20
	MaxRecord = 1 << 20 // of one record
)

// Options say whose a spool is and how large it may become.
type Options struct {
	Owner    string        // 1 to 64 bytes; the spool is nobody else's for ever
	Label    func() string // makes the label of a new spool, 1 to 64 bytes, which it keeps for ever
	MaxBytes int64         // of all records files together; at least MinBytes

	segment int64 // bytes at which a file is full; 0: an eighth of MaxBytes
	disk    disk
}

// disk is how files are written: as the system does, or as a test has it fail.
type disk struct {
	write func(f *os.File, b []byte, at int64) (int, error)
	sync  func(f *os.File) error
	cut   func(f *os.File, size int64) error
}

// A Spool is open. All methods but Next and Done, which are for one reader, may be called concurrently.
type Spool struct {
	dir   string
	lock  *os.File
	label string
	owner string
	max   int64
	full  int64 // bytes at which a segment is full
	disk  disk

	cursor *os.File // owned by the reader
	torn   int64    // bytes that Open cut off

	mu       sync.Mutex
	segments []*segment // in order; the last is written to
	read     place      // everything before it is done
	next     uint64     // number of the next record that counts
	waiting  int        // records durable and not done
	closed   bool
	broken   error
	open     *group        // gathers while another is written; nil: none
	wake     chan struct{} // capacity 1: the writer has something to do
	fresh    chan struct{} // closed, and replaced, when records became durable or were done
	stopped  chan struct{} // closed when the writer has ended
}

// A place is where a record begins.
type place struct {
	segment uint64
	offset  int64
}

// A group is records that are made durable together.
type group struct {
	first   uint64 // number of its first record that counts
	bytes   []byte // as they will stand in the file, without checksums
	records []extent
	done    chan struct{}
	err     error // set before done is closed
}

// An extent is where a record ends, and whether it has a number.
type extent struct {
	end    int
	counts bool
}

// Label is what the spool was labelled when it was made.
func (s *Spool) Label() string { return s.label }

// Dir is the folder of the spool.
func (s *Spool) Dir() string { return s.dir }

// A State says how full a spool is.
type State struct {
	Next    uint64 // number of the next record that counts
	Waiting int    // records accepted and not done
	Bytes   int64  // of the files
	Limit   int64  // of the files
	Torn    int64  // bytes of an unfinished write that Open cut off: records that were not accepted
}

// State says how full the spool is.
func (s *Spool) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return State{Next: s.next, Waiting: s.waiting, Bytes: s.bytes(), Limit: s.max, Torn: s.torn}
}

func (s *Spool) bytes() (n int64) {
	for _, seg := range s.segments {
		n += seg.size
	}
	if s.open != nil {
		n += int64(len(s.open.bytes))
	}
	return n
}

// Append has a record made and returns when it is durable. render is given the record's number if it counts,
// otherwise 0; numbers follow each other from 1 in the order of the calls to render, which must not call the
// spool.
//
// After an error that wraps [ErrUnknown] the record may be read one day; after any other it never is, and its
// number is given to another.
func (s *Spool) Append(ctx context.Context, counts bool, render func(number uint64) []byte) (uint64, error) {
	number, g, err := s.join(ctx, counts, render)
	if err != nil {
		return 0, err
	}
	select {
	case <-g.done:
	case <-ctx.Done():
		select {
		case <-g.done:
		default:
			return 0, fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
		}
	}
	if g.err != nil {
		return 0, g.err
	}
	return number, nil
}

// join adds a record to the open group.
func (s *Spool) join(ctx context.Context, counts bool, render func(number uint64) []byte) (uint64, *group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, nil, ErrClosed
	case s.broken != nil:
		return 0, nil, s.broken
	case ctx.Err() != nil:
		return 0, nil, ctx.Err()
	}
	var number uint64
	if counts {
		number = s.next
	}
	payload := render(number)
	if len(payload) == 0 || len(payload) > MaxRecord {
		return 0, nil, fmt.Errorf("a record of %d bytes; 1 to %d are allowed", len(payload), MaxRecord)
	}
	need := int64(recordHeader + len(payload))
	if last := s.last(); last.size+s.gathered()+need > s.full {
		need += segmentHeader // it may begin a new file
	}
	if s.bytes()+need > s.max {
		return 0, nil, ErrFull
	}
	if s.open == nil {
		s.open = &group{first: s.next, done: make(chan struct{})}
	}
	g := s.open
	g.bytes = append(append(g.bytes, make([]byte, recordHeader)...), payload...)
	g.records = append(g.records, extent{len(g.bytes), counts})
	if counts {
		s.next++
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return number, g, nil
}

func (s *Spool) gathered() int64 {
	if s.open == nil {
		return 0
	}
	return int64(len(s.open.bytes))
}

func (s *Spool) last() *segment { return s.segments[len(s.segments)-1] }

// Close makes durable what is being appended and lets go of the spool. What waits in it stays.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.wake)
	close(s.fresh) // whoever waits for records looks again
	s.fresh = make(chan struct{})
	s.mu.Unlock()
	<-s.stopped
	return s.release()
}

// release closes the files, and with the last of them the lock.
func (s *Spool) release() error {
	var errs []error
	for _, seg := range s.segments {
		errs = append(errs, seg.file.Close())
	}
	if s.cursor != nil {
		errs = append(errs, s.cursor.Close())
	}
	return errors.Join(append(errs, unlockFile(s.lock))...)
}
