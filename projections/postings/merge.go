package postings

import (
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// merge moves as many pairs as budget says, or all of one block's entry more. The newest segment is whole.
func (s *state) merge(home *bolt.Bucket, budget int) error {
	for budget > 0 {
		at := s.due()
		if at < 0 {
			return nil
		}
		if s.segments[at].sources == 0 {
			if err := s.begin(home, at); err != nil {
				return err
			}
		}
		moved, err := s.move(home, at, budget)
		if err != nil {
			return fmt.Errorf("merging into segment %d: %w", s.segments[at].number, err)
		}
		budget -= moved
	}
	return nil
}

// begin puts an empty segment before the mergeWidth of them that are to move into it.
func (s *state) begin(home *bolt.Bucket, at int) error {
	sources := s.segments[at : at+mergeWidth]
	target := segment{number: s.next, tier: sources[0].tier + 1, sources: mergeWidth, first: sources[0].first, last: sources[mergeWidth-1].last}
	for _, g := range sources {
		target.count += g.count
	}
	s.next++
	s.segments = append(s.segments[:at:at], append([]segment{target}, s.segments[at:]...)...)
	return createSegment(home, target.number)
}

// move moves pairs into the segment at an index, and drops its sources if none are left in them.
func (s *state) move(home *bolt.Bucket, at, budget int) (moved int, err error) {
	target := &s.segments[at]
	from := s.segments[at+1 : at+1+int(target.sources)]
	m := move{size: s.size, sources: make([]source, len(from))}
	for i, g := range from {
		if err := m.open(home, i, g.number); err != nil {
			return 0, err
		}
	}
	out, err := appendTo(home, target.number, s.size)
	if err != nil {
		return 0, err
	}
	if moved, err = m.pairs(out, budget); err != nil {
		return moved, err
	}
	if len(m.left) > 0 {
		return moved, m.trim(out.key, out.last)
	}
	for _, g := range from {
		if err := dropSegment(home, g.number); err != nil {
			return moved, err
		}
	}
	target.sources = 0
	s.segments = append(s.segments[:at+1], s.segments[at+1+len(from):]...)
	return moved, nil
}

// A move is one stretch of a merge.
type move struct {
	size      int // of a key
	sources   []source
	left      runs
	positions []uint64
}

// A source is one segment that is moving, and the name of the last of its blocks that are behind; nil if none is.
type source struct {
	*run
	areas
	behind []byte
}

func (m *move) open(home *bolt.Bucket, i int, number uint64) (err error) {
	g := &m.sources[i]
	if g.areas, err = openAreas(home, number); err != nil {
		return err
	}
	if g.run, err = openRun(g.blocks.Cursor(), m.size, i, nil); err != nil {
		return err
	}
	g.onNext = func(name []byte) { g.behind = name }
	m.left.add(g.run)
	return nil
}

// pairs writes the least pairs of the sources.
func (m *move) pairs(out *segmentWriter, budget int) (moved int, err error) {
	for moved < budget && len(m.left) > 0 {
		r := m.left[0]
		if m.positions, err = appendList(m.positions[:0], r.list); err != nil {
			return moved, err
		}
		for _, position := range m.positions {
			if err := out.add(r.key, position); err != nil {
				return moved, err
			}
		}
		moved += len(m.positions)
		if err := m.left.next(); err != nil {
			return moved, err
		}
	}
	return moved, out.close()
}

// trim takes out of the sources what is written, up to a pair.
func (m *move) trim(key []byte, position uint64) error {
	last := appendPair(nil, key, position)
	for i := range m.sources {
		if err := m.sources[i].trim(last); err != nil {
			return fmt.Errorf("trimming a source: %w", err)
		}
	}
	return nil
}

func (g *source) trim(last []byte) error {
	if g.behind != nil {
		if err := g.blocks.Cut(g.behind); err != nil {
			return err
		}
	}
	if g.key != nil && g.i > 0 { // under its name still: its last pair has not moved
		if err := g.blocks.Put(g.name, g.block.from(g.i, g.lists)); err != nil {
			return err
		}
	}
	return g.filters.Cut(last)
}
