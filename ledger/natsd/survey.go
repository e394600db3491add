package natsd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The server's folders. Its one account is the global one.
func streamsDir(dir string) string          { return filepath.Join(dir, "jetstream", "$G", "streams") }
func streamDir(dir, stream string) string   { return filepath.Join(streamsDir(dir), stream) }
func messagesDir(dir, stream string) string { return filepath.Join(streamDir(dir, stream), "msgs") }
func stagingDir(dir, stream string) string  { return filepath.Join(streamDir(dir, stream), "batches") }

func blockPath(messages string, block uint32) string {
	return filepath.Join(messages, strconv.FormatUint(uint64(block), 10)+".blk")
}

// The kinds of damage.
const (
	KindRecord     = "record"         // a record is bad, or the file ends within it
	KindHole       = "hole"           // a record does not follow the one before it
	KindMissing    = "missing-block"  // a block file is not there, or empty, and what it held is missed
	KindNoStream   = "missing-stream" // a stream's folder is not there
	KindUnreadable = "unreadable"     // a file or folder cannot be read
	KindStray      = "stray"          // a file or folder that has no place here: the server might act on it
	KindMeta       = "meta"           // the stream's own description does not match its checksum
	KindOlder      = "older-copy"     // the files are whole, but end before what is known to be durable
)

// Damage is what is wrong with the files of a stream, and where. It is an error.
type Damage struct {
	Stream   string
	File     string // path
	Offset   int64  // bytes from the beginning of File
	Sequence uint64 // first sequence affected
	Kind     string
	Mark     uint64 // highest durable mark known; what is at or below it was acknowledged
	Err      error  // what is wrong
}

func (d *Damage) Error() string {
	return fmt.Sprintf("stream %s: %s at offset %d: %s: %v; first sequence affected %d, known durable up to %d",
		d.Stream, d.File, d.Offset, d.Kind, d.Err, d.Sequence, d.Mark)
}

func (d *Damage) Unwrap() error { return d.Err }

// damage says that something is wrong with a whole file of a stream, whose blocks have not been read.
func damage(stream, kind, file string, err error) *Damage {
	return &Damage{Stream: stream, File: file, Sequence: 1, Kind: kind, Err: err}
}

// listBlocks gives the numbers of a stream's block files in order. Anything else in the stream's folders that the
// server might act on is damage: it would replace, delete, or believe instead.
func listBlocks(dir, stream string) ([]uint32, *Damage) {
	if d := checkEntries(stream, streamDir(dir, stream), knownStreamEntry); d != nil {
		return nil, d
	}
	if d := checkMeta(dir, stream); d != nil {
		return nil, d
	}
	messages := messagesDir(dir, stream)
	if d := checkEntries(stream, messages, knownMessagesEntry); d != nil {
		return nil, d
	}
	blocks, err := blockNumbers(messages)
	if err != nil {
		return nil, damage(stream, KindUnreadable, messages, err)
	}
	return blocks, nil
}

// blockNumbers gives the numbers of the block files in a folder, in order.
func blockNumbers(messages string) ([]uint32, error) {
	entries, err := os.ReadDir(messages)
	if err != nil {
		return nil, err
	}
	var blocks []uint32
	for _, e := range entries {
		if n, ok := blockNumber(e.Name()); ok {
			blocks = append(blocks, n)
		}
	}
	slices.Sort(blocks)
	return blocks, nil
}

func checkEntries(stream, folder string, known func(fs.DirEntry) bool) *Damage {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return damage(stream, KindNoStream, folder, err)
	}
	if err != nil {
		return damage(stream, KindUnreadable, folder, err)
	}
	for _, e := range entries {
		if !known(e) {
			return damage(stream, KindStray, filepath.Join(folder, e.Name()), errors.New("not ours"))
		}
	}
	return nil
}

// knownStreamEntry: what the server leaves in a stream's folder, a kill included.
func knownStreamEntry(e fs.DirEntry) bool {
	switch name := e.Name(); name {
	case "msgs", "obs":
		return e.IsDir()
	case "batches": // a folder, or a link to one in memory
		return true
	case "meta.inf", "meta.sum", "meta.inf.tmp", "meta.sum.tmp":
		return e.Type().IsRegular()
	default:
		return isProbe(e)
	}
}

// probePrefix begins the names of the files by which the server finds out whether it may write in a folder.
const probePrefix = "_test_"

// isProbe: they are files that hold nothing.
func isProbe(e fs.DirEntry) bool {
	info, err := e.Info()
	return err == nil && info.Mode().IsRegular() && info.Size() == 0 && strings.HasPrefix(e.Name(), probePrefix)
}

func knownMessagesEntry(e fs.DirEntry) bool {
	_, block := blockNumber(e.Name())
	return e.Type().IsRegular() && (block || e.Name() == indexFile || e.Name() == indexFile+".tmp")
}

// indexFile is the server's summary of the blocks. It is never needed.
const indexFile = "index.db"

// blockNumber reads a block file's name, in the one spelling that the server uses.
func blockNumber(name string) (uint32, bool) {
	digits, ok := strings.CutSuffix(name, ".blk")
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), ok && err == nil && n > 0 && digits == strconv.FormatUint(n, 10)
}

// readBlock reads a block file into buf, which it returns, grown if need be.
func readBlock(path string, buf []byte) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return buf, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return buf, err
	}
	if info.Size() > maxBlock {
		return buf, fmt.Errorf("%d bytes: no block is larger than %d", info.Size(), maxBlock)
	}
	buf = slices.Grow(buf[:0], int(info.Size()))[:info.Size()]
	if _, err := io.ReadFull(f, buf); err != nil {
		return buf, fmt.Errorf("reading: %w", err)
	}
	return buf, nil
}

// summary is what one block says by itself.
type summary struct {
	number      uint32
	size        int64
	first, last uint64 // of the records before the first bad one; 0 if there are none
	mark        uint64 // highest durable mark, of the records after a bad one too
	offset      int64  // of the first bad record
	kind        string // of damage; "" if there is none
	err         error
}

// summarize reads and verifies one block. It keeps nothing of buf, which it returns for the next one.
func summarize(dir, stream string, number uint32, buf []byte) (summary, []byte) {
	sum := summary{number: number}
	buf, err := readBlock(blockPath(messagesDir(dir, stream), number), buf)
	h, herr := newHasher(stream, number)
	if err = errors.Join(err, herr); err != nil {
		sum.kind, sum.err = KindUnreadable, err
		return sum, buf
	}
	sum.size = int64(len(buf))
	for r, at := range h.records(buf) {
		switch {
		case at.err != nil:
			sum.offset, sum.kind, sum.err = int64(at.offset), KindRecord, at.err
		case sum.last != 0 && r.sequence != sum.last+1:
			sum.offset, sum.kind, sum.err = int64(at.offset), KindHole, fmt.Errorf("sequence %d follows %d", r.sequence, sum.last)
		case r.sequence == 0:
			sum.offset, sum.kind, sum.err = int64(at.offset), KindHole, errors.New("sequence 0")
		}
		if sum.kind != "" {
			break
		}
		if sum.first == 0 {
			sum.first = r.sequence
		}
		sum.last, sum.mark = r.sequence, max(sum.mark, r.mark)
	}
	return sum, buf
}

// marksBeyond completes a damaged block's mark with the records after the damage. last is the sequence before it. A
// block that can no longer be read is unreadable: nothing may be cut off without knowing what was durable.
func (sum *summary) marksBeyond(dir, stream string, last uint64) {
	buf, err := readBlock(blockPath(messagesDir(dir, stream), sum.number), nil)
	h, herr := newHasher(stream, sum.number)
	if err = errors.Join(err, herr); err != nil {
		sum.kind, sum.err = KindUnreadable, err
		return
	}
	for r := range h.beyond(buf[min(sum.offset, int64(len(buf))):], last) {
		sum.mark = max(sum.mark, r.mark)
	}
}
