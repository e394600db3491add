// Package recordlog keeps the record log and the annotated tree of a ledger (docs/FORMAT.md, "Evidence") in a folder of
// flat files, and serves roots, nodes and tiles from them.
//
// What is true of it:
//
//  1. The folder is a function of the stream: with all or part of it lost or damaged the log opens, maybe with fewer
//     records, and once it has been given the others its files are the same to the byte.
//  2. A reader sees what was appended wholly, and nothing else. What it sees never changes.
//  3. What is appended is not durable at once: the stream is. The marker says up to where the files are, and Open
//     believes nothing beyond it.
//  4. Memory holds the right edge of both trees and the numbers of producers, whatever the size.
//
// The files, integers being big-endian:
//
//	records    the records, 54 bytes each
//	hashes     of the record log, 32 bytes each: leaf, then each perfect subtree that it completes, the smaller first
//	nodes      of the annotated tree over whole blocks, 144 + 32 bytes each: A and G, in the same order
//	producers  for number 1 on: position (8), source and instance, each behind its length (4)
//	marker     see marker.go
//
// What lies in them beyond the marker says nothing.
package recordlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

var (
	// ErrDamaged is returned for a file that is short or does not hold together.
	ErrDamaged = errors.New("recordlog: damaged")
	// ErrRange is returned to who asks beyond what is recorded, or for what is no node.
	ErrRange = errors.New("recordlog: no such records")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("recordlog: closed")
)

// syncEvery is how many records may be lost to a crash, and come again from the stream, besides those of one Append.
const syncEvery = 65536

// A Log is open. Number, Append, Sync and Truncate are for one goroutine, the appender; all else is for any number.
type Log struct {
	size  atomic.Uint64 // what readers see; behind it every file is whole
	dir   string
	files [fileCount]*os.File
	disk  disk
	every uint64

	mu     sync.Mutex // all below
	state  state
	spare  edge
	out    written
	synced uint64
	marked bool  // there is a marker, and it says synced
	failed error // of a sync: nobody knows what of the files is on the disk
}

// Opened says what Open found.
type Opened struct {
	Size    uint64 // records that are there
	Dropped uint64 // records that were there, and are to come again from the stream
	Fault   error  // what was wrong with what the marker vouches for, so that nothing was kept; nil if nothing was
}

// Open opens the log in dir, or a new one if there is none. Whatever the marker does not vouch for is cut off, and all
// if what it says is not so: that is no error, Opened tells of it. After an error there is what was there before, or
// less, and it may be tried again. One process may have it open at a time; the ledger's lock sees to it.
func Open(dir string) (*Log, Opened, error) { return open(dir, systemDisk(), syncEvery) }

func open(dir string, d disk, every uint64) (_ *Log, o Opened, err error) {
	l := &Log{dir: dir, disk: d, every: every}
	defer func() {
		if err != nil {
			l.closeFiles()
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, o, fmt.Errorf("making the folder of the record log: %w", err)
	}
	for i, name := range fileNames {
		if l.files[i], err = d.open(filepath.Join(dir, name)); err != nil {
			return nil, o, fmt.Errorf("opening the record log: %w", err)
		}
	}
	info, err := l.files[recordsFile].Stat()
	if err != nil {
		return nil, o, fmt.Errorf("opening the record log: %w", err)
	}
	o.Fault = l.believe()
	if o.Fault != nil {
		if err := l.startOver(); err != nil {
			return nil, o, err
		}
	}
	if err := l.cutTails(); err != nil {
		return nil, o, err
	}
	o.Size = l.state.edge.size
	o.Dropped = max(uint64(info.Size())/recordSize, o.Size) - o.Size
	l.size.Store(o.Size)
	return l, o, nil
}

// believe takes over what the marker says, if the files agree with it. If not, the error says why.
func (l *Log) believe() error {
	m, ok, err := readMarker(l.dir)
	if err != nil || !ok {
		l.state = emptyState()
		return err
	}
	st, err := l.load(m.size, m.producers)
	if err != nil {
		return err
	}
	if st.marker() != m {
		return fmt.Errorf("%w: the files are not those of the marker", ErrDamaged)
	}
	l.state, l.synced, l.marked = st, m.size, true
	return nil
}

// startOver has nothing vouched for any more, durably, before anything is cut.
func (l *Log) startOver() error {
	l.state, l.synced = emptyState(), 0
	return l.mark(&l.state)
}

// cutTails cuts from the files what lies beyond the records.
func (l *Log) cutTails() error {
	for i, length := range lengths(l.state.edge.size, l.state.length) {
		info, err := l.files[i].Stat()
		if err == nil && info.Size() > length {
			err = l.disk.cut(l.files[i], length)
		}
		if err != nil {
			return fmt.Errorf("cutting the record log: %w", err)
		}
	}
	return nil
}

// Size is how many records there are to read.
func (l *Log) Size() uint64 { return l.size.Load() }

// Close syncs what there is and closes the files. After an error the log is closed all the same, and the next Open
// goes on from the last marker. Nobody may be reading.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.failed, ErrClosed) {
		return nil
	}
	err := l.failed
	if err == nil {
		err = l.cutTails()
	}
	if err == nil {
		err = l.sync()
	}
	l.failed = ErrClosed
	return errors.Join(err, l.closeFiles())
}

func (l *Log) closeFiles() error {
	var errs []error
	for _, f := range l.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
