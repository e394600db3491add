package natsd

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/imalink/custody/ledger/stream"
)

// Scan reads a stream's files without a server, and touches nothing: every record verified, in order, from
// sequence 1 without a gap. The error, the last element, is a [*Damage]; a torn tail is one here. dir is Config.Dir.
// Data belongs to whoever receives it.
func Scan(dir, name string) iter.Seq2[stream.Message, error] {
	return func(yield func(stream.Message, error) bool) {
		blocks, d := listBlocks(dir, name)
		if d != nil {
			yield(stream.Message{}, d)
			return
		}
		s := scanner{dir: dir, name: name, yield: yield}
		for i := range blocks {
			if !s.block(blocks, i) {
				return
			}
		}
	}
}

type scanner struct {
	dir, name string
	last      uint64
	mark      uint64
	empty     bool // the block before was
	yield     func(stream.Message, error) bool
}

// block yields the messages of block i; it reports whether to go on.
func (s *scanner) block(blocks []uint32, i int) bool {
	number := blocks[i]
	path := blockPath(messagesDir(s.dir, s.name), number)
	b, err := readBlock(path, nil)
	h, herr := newHasher(s.name, number)
	if err = errors.Join(err, herr); err != nil {
		return s.fail(path, 0, KindUnreadable, err)
	}
	for r, at := range h.records(b) {
		if at.err != nil {
			return s.fail(path, at.offset, KindRecord, at.err)
		}
		if r.sequence != s.last+1 {
			return s.gap(blocks, i, at.offset, r.sequence)
		}
		s.last, s.mark = r.sequence, max(s.mark, r.mark)
		m := stream.Message{Subject: string(r.subject), Header: r.callerHeaders(), Data: r.data[:len(r.data):len(r.data)],
			Sequence: r.sequence, Time: time.Unix(0, r.time).UTC()}
		if !s.yield(m, nil) {
			return false
		}
	}
	s.empty = len(b) == 0
	return true
}

// gap ends the scan where block i goes on with another sequence than the next: because the block before it, which
// should hold what is missed, is not there or empty, or within the block.
func (s *scanner) gap(blocks []uint32, i, offset int, sequence uint64) bool {
	messages, want := messagesDir(s.dir, s.name), uint32(1)
	if i > 0 {
		want = blocks[i-1] + 1
	}
	err := fmt.Errorf("block %d goes on with sequence %d", blocks[i], sequence)
	switch {
	case offset == 0 && blocks[i] != want:
		return s.fail(blockPath(messages, want), 0, KindMissing, err)
	case offset == 0 && i > 0 && s.empty:
		return s.fail(blockPath(messages, blocks[i-1]), 0, KindMissing, err)
	}
	return s.fail(blockPath(messages, blocks[i]), offset, KindHole, fmt.Errorf("sequence %d follows %d", sequence, s.last))
}

func (s *scanner) fail(path string, offset int, kind string, err error) bool {
	s.yield(stream.Message{}, &Damage{Stream: s.name, File: path, Offset: int64(offset), Sequence: s.last + 1, Kind: kind, Mark: s.mark, Err: err})
	return false
}
