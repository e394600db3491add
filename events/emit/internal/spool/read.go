package spool

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// A Batch is records that follow each other, to be given to Done.
type Batch struct {
	Records [][]byte
	end     place
}

// Next waits until records are there that are not done, and returns the first of them: at most records, and
// of at most bytes, but one at least. Without Done it returns the same again.
func (s *Spool) Next(ctx context.Context, records int, bytes int64) (Batch, error) {
	for {
		s.mu.Lock()
		seg, from, size := s.unread()
		fresh, closed := s.fresh, s.closed
		s.mu.Unlock()
		if from < size {
			return readBatch(seg, from, size, records, bytes)
		}
		if closed {
			return Batch{}, ErrClosed
		}
		select {
		case <-fresh:
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		}
	}
}

// unread gives the segment in which the next record to be read stands or will stand, from where on, and up to
// where it is durable.
func (s *Spool) unread() (seg *segment, from, size int64) {
	for i, seg := range s.segments {
		if seg.number == s.read.segment && (s.read.offset < seg.size || i == len(s.segments)-1) {
			return seg, s.read.offset, seg.size
		}
		if seg.number > s.read.segment {
			return seg, segmentHeader, seg.size
		}
	}
	return s.last(), s.last().size, s.last().size
}

func readBatch(seg *segment, from, size int64, records int, bytes int64) (Batch, error) {
	want := min(size-from, bytes+int64(records)*recordHeader+recordHeader)
	b, err := readAt(seg, from, max(want, min(size-from, recordHeader+MaxRecord)))
	if err != nil {
		return Batch{}, err
	}
	batch := Batch{end: place{seg.number, from}}
	for total := int64(0); batch.end.offset < size && len(batch.Records) < records; {
		r, ok := recordAt(b[batch.end.offset-from:], seg.number, batch.end.offset)
		if !ok {
			if len(batch.Records) > 0 {
				break // more of the file than was read
			}
			return Batch{}, fmt.Errorf("%w: %s at offset %d", ErrDamaged, segmentPath("", seg.number), batch.end.offset)
		}
		if total += int64(len(r.payload)); total > bytes && len(batch.Records) > 0 {
			break
		}
		batch.Records = append(batch.Records, r.payload)
		batch.end.offset += r.size()
	}
	return batch, nil
}

func readAt(seg *segment, from, n int64) ([]byte, error) {
	b := make([]byte, n)
	if _, err := seg.file.ReadAt(b, from); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading the spool: %w", err)
	}
	return b, nil
}

// Drain waits until every record that was accepted is done.
func (s *Spool) Drain(ctx context.Context) error {
	for {
		s.mu.Lock()
		fresh, waiting, closed := s.fresh, s.waiting, s.closed
		s.mu.Unlock()
		switch {
		case waiting == 0:
			return nil
		case closed:
			return ErrClosed
		}
		select {
		case <-fresh:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Done takes the records of a batch out of the spool. note is kept beside it, for [Spool.Note]. After an error
// they may be read again when the spool is opened anew.
func (s *Spool) Done(b Batch, note uint64) error {
	s.mu.Lock()
	s.read = b.end
	s.waiting -= len(b.Records)
	close(s.fresh)
	s.fresh = make(chan struct{})
	var old []*segment
	for len(s.segments) > 1 && (s.segments[0].number < b.end.segment ||
		s.segments[0].number == b.end.segment && b.end.offset == s.segments[0].size) {
		old = append(old, s.segments[0])
		s.segments = s.segments[1:]
	}
	s.mu.Unlock()
	if _, err := s.cursor.WriteAt(encodeCursor(b.end, note), 0); err != nil {
		return fmt.Errorf("writing the spool's cursor: %w", err)
	}
	for _, seg := range old {
		if err := s.remove(seg); err != nil {
			return err
		}
	}
	return nil
}

// remove takes a segment away. Its name is gone for good before the next one's goes: what a power cut leaves
// has no gap.
func (s *Spool) remove(seg *segment) error {
	seg.file.Close() // it was only read since it was synced
	if err := os.Remove(segmentPath(s.dir, seg.number)); err != nil {
		return fmt.Errorf("removing a file of the spool: %w", err)
	}
	if err := syncDir(s.dir); err != nil {
		return fmt.Errorf("removing a file of the spool: %w", err)
	}
	return nil
}

// The cursor is the place before which all is done, and a note, written in place and not synced. It is never
// ahead of what is done; one that cannot be read is none, and all that is in the files is read again.
//
//	magic (8), segment (8), offset (8), note (8), checksum (4)
const cursorMagic = "cursor\x00\x01"

func encodeCursor(p place, note uint64) []byte {
	b := []byte(cursorMagic)
	b = binary.BigEndian.AppendUint64(b, p.segment)
	b = binary.BigEndian.AppendUint64(b, uint64(p.offset))
	b = binary.BigEndian.AppendUint64(b, note)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}

func decodeCursor(b []byte) (p place, note uint64, ok bool) {
	const n = 8 + 8 + 8 + 8
	if len(b) != n+4 || string(b[:8]) != cursorMagic || binary.BigEndian.Uint32(b[n:]) != crc32.Checksum(b[:n], castagnoli()) {
		return place{}, 0, false
	}
	p = place{binary.BigEndian.Uint64(b[8:]), int64(binary.BigEndian.Uint64(b[16:]))}
	return p, binary.BigEndian.Uint64(b[24:]), p.offset >= 0
}
