package vault

import (
	"crypto/sha256"
	"fmt"
	"iter"

	"github.com/imalink/custody/ledger/stream"
)

// A scanner reads headers in order: it checks that each message follows from the
// one before, and finds the table in force.
//
// A change of keys writes the next root's table before it puts the next root in
// force. So tables above the root, each above the one before, are changes that did
// not come to be, and are left out. Anything else above the root is proof that one
// did, and that the root is a copy from before: every change but the first after
// it begins with rows that name the root it was made under. And anything below the
// root, after its own table, is proof that it is of a change that was given up.
type scanner struct {
	tail tail
	root uint64 // version of the root at hand
}

// next takes the message after the tail.
func (s *scanner) next(m stream.Message) (header, error) {
	h, err := decodeHeader(m.Data)
	switch {
	case err != nil:
		return h, err
	case m.Sequence != s.tail.sequence+1:
		return h, damaged("message %d comes after %d", m.Sequence, s.tail.sequence)
	case h.previous != s.tail.digest:
		return h, damaged("message does not follow from the one before")
	case h.events < s.tail.events:
		return h, damaged("message vouches for less than the one before")
	case h.epoch > s.root && (h.kind != kindTable || h.epoch <= s.tail.highest):
		return h, fmt.Errorf("%w: it has version %d, the vault %d", ErrRetiredRoot, s.root, h.epoch)
	case h.epoch < s.root && s.tail.table != 0:
		return h, fmt.Errorf("%w: it has version %d, the vault went on under %d", ErrAbandonedRoot, s.root, h.epoch)
	}
	s.tail.sequence, s.tail.digest, s.tail.events = m.Sequence, sha256.Sum256(m.Data), h.events
	s.tail.highest = max(s.tail.highest, h.epoch)
	if h.kind == kindTable && h.epoch == s.root {
		s.tail.table = m.Sequence
	}
	return h, nil
}

// all takes every message. The error names the sequence.
func (s *scanner) all(messages iter.Seq2[stream.Message, error]) error {
	for m, err := range messages {
		if err != nil {
			return fmt.Errorf("reading the vault's stream after %d: %w", s.tail.sequence, err)
		}
		if _, err := s.next(m); err != nil {
			return fmt.Errorf("vault message %d: %w", m.Sequence, err)
		}
	}
	return s.found()
}

// found says whether there was a table for the root.
func (s *scanner) found() error {
	switch {
	case s.tail.sequence == 0:
		return damaged("the vault's stream is empty")
	case s.tail.table != 0:
		return nil
	case s.tail.highest > s.root:
		return fmt.Errorf("%w: it has version %d, the vault %d", ErrRetiredRoot, s.root, s.tail.highest)
	}
	return fmt.Errorf("%w: it has version %d, the vault %d", ErrOldStream, s.root, s.tail.highest)
}
