package spool

import (
	"fmt"
)

// write is the one loop that makes groups durable. While it syncs one, the next gathers: whoever appends
// meanwhile shares the next sync.
func (s *Spool) write() {
	defer close(s.stopped)
	for {
		_, more := <-s.wake
		for s.writeOpen() {
		}
		if !more {
			return
		}
	}
}

// writeOpen makes the open group durable, if there is one.
func (s *Spool) writeOpen() bool {
	s.mu.Lock()
	g := s.open
	s.open = nil
	if g == nil {
		s.mu.Unlock()
		return false
	}
	last := s.last()
	s.mu.Unlock()

	if last.size > segmentHeader && last.size+int64(len(g.bytes)) > s.full {
		seg, err := s.disk.create(s.dir, header{last.number + 1, g.first, s.owner, s.label})
		if err != nil {
			s.settle(g, last, 0, err)
			return true
		}
		s.mu.Lock()
		s.segments = append(s.segments, seg)
		s.mu.Unlock()
		last = seg
	}
	g.seal(last.number, last.size)
	_, err := s.disk.write(last.file, g.bytes, last.size)
	if err == nil {
		err = s.disk.sync(last.file)
	}
	if err != nil {
		err = s.undo(last, err)
	}
	s.settle(g, last, int64(len(g.bytes)), err)
	return true
}

// undo takes back a write that failed, durably: what is in the file is again what it held before. When that
// fails as well nobody knows what a power cut would leave, and nothing more is written.
func (s *Spool) undo(last *segment, err error) error {
	cut := s.disk.cut(last.file, last.size)
	if cut == nil {
		cut = s.disk.sync(last.file)
	}
	if cut == nil {
		return fmt.Errorf("writing the spool: %w", err)
	}
	broken := fmt.Errorf("%w: %w; undoing it: %w", ErrBroken, err, cut)
	s.mu.Lock()
	s.broken = broken
	s.mu.Unlock()
	return fmt.Errorf("%w: %w", ErrUnknown, broken)
}

// settle tells everybody of a group what became of it. A group that failed takes along the one that gathered
// behind it, whose numbers count on from its own.
func (s *Spool) settle(g *group, last *segment, grown int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		last.size += grown
		s.waiting += len(g.records)
		close(s.fresh)
		s.fresh = make(chan struct{})
		close(g.done)
		return
	}
	s.next = g.first
	for _, failed := range []*group{g, s.open} {
		if failed != nil {
			failed.err = err
			close(failed.done)
		}
	}
	s.open = nil
}
