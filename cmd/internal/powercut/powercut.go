// Package powercut cuts the power of a program after the fact.
//
// A run of the program under strace is read into a [Log]: every write,
// truncation, creation, rename, removal and sync below one root folder, in
// order. [Log.Rebuild] then writes the folder as a disk could hold it had the
// power gone at a given moment of that run: what was synced is there, and of
// the rest an arbitrary part, file by file.
//
// # What is true
//
//  1. A moment is a line of the trace. An operation lasts from the line of its
//     call to the line of its return.
//  2. An operation is on disk for certain only when a sync that covers it was
//     called after the operation returned, and itself returned before the cut;
//     or when it was a write to a file opened with O_SYNC or O_DSYNC that
//     returned before the cut.
//  3. Everything else called before the cut may be there or not, each on its
//     own; of a write any part may be there. Nothing called after the cut is.
//  4. A log that does not reproduce the folder the run left behind is worth
//     nothing: [Log.Verify] compares the two, byte by byte.
//  5. Symbolic links lead into memory ([Memory]), which a power cut empties:
//     a link is there or not like any other entry, and leads nowhere. What is
//     done through one is not recorded; [Log.Rebuild] refuses to make a link
//     to what is still there.
//  6. What the reader does not understand (a shared writable mapping, an
//     unknown call on a file of the folder) is an error, never left out.
//
// One process is traced, with all its threads. Linux and strace 6 are needed;
// the tests need /dev/shm too.
package powercut

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// ErrTrace reports a trace that cannot be read as a complete account of what
// the program did to the folder.
var ErrTrace = errors.New("powercut: trace not understood")

// ErrDiffers reports a folder that is not what the log says it should be.
var ErrDiffers = errors.New("powercut: log does not reproduce the folder")

// ErrMemory reports a link to something in memory that is still there, which
// after a power cut it would not be.
var ErrMemory = errors.New("powercut: memory has not been emptied")

// Memory is the file system on which a power cut leaves nothing, and where
// alone symbolic links may lead.
const Memory = "/dev/shm"

// Never is the end of an operation that had not returned when the trace ended.
const Never = math.MaxInt

// A Kind says what an operation does.
type Kind uint8

// The kinds. Create, Mkdir, Symlink, Link, Rename and Remove change names in a folder;
// Write and Truncate change a file's content.
const (
	Create Kind = iota + 1
	Mkdir
	Symlink
	Link // another name for a file
	Rename
	Remove
	Write
	Truncate
	Sync     // fsync of a file or folder
	DataSync // fdatasync
)

// names reports whether k changes the entries of a folder.
func (k Kind) names() bool { return k >= Create && k <= Remove }

// An Op is one operation on the root folder or below it. Files and folders are
// known by number, so that a rename or an unlink does not lose them; 0 is the
// root folder itself.
type Op struct {
	Kind       Kind
	Start, End int    // lines of the call and of its return
	File       int    // the file or folder acted on
	Dir        int    // Create, Mkdir, Symlink, Link, Remove, Rename: the folder changed
	Name       string // and the entry in it
	ToDir      int    // Rename: where to
	ToName     string
	Mode       uint32 // Create, Mkdir: permission bits
	Offset     int64  // Write: where; Truncate: the new size
	Data       []byte // Write: what; Symlink: where it leads
	Through    bool   // Write: the file was opened with O_SYNC or O_DSYNC
}

// A Mark is something the program wrote elsewhere: to a socket, a pipe, its
// standard output. An acknowledgement is in one of them.
type Mark struct {
	At     int // line of the call
	FD     int
	Opened int // line at which FD came to be, so that a reused number is another stream
	Data   []byte
}

// A Log is what one run did to its root folder.
type Log struct {
	Ops   []Op   // by Start
	Marks []Mark // by At
	Lines int    // the moment after the last line
	base  []node // what stood there before the run; base[0] is the root
}

// Cuts returns the moments worth cutting at, ascending: right after each call
// and right after each return, of operations and of marks. Between two
// neighbours every cut gives the same folders.
func (l *Log) Cuts() []int {
	var at []int
	for _, op := range l.Ops {
		at = append(at, op.Start+1)
		if op.End != Never {
			at = append(at, op.End+1)
		}
	}
	for _, m := range l.Marks {
		at = append(at, m.At+1)
	}
	slices.SortFunc(at, cmp.Compare[int])
	return slices.Compact(at)
}
